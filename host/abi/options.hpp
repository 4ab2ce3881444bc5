// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/loader/registry.hpp"
#include "opmux/opmux.h"

namespace opmux {

// The application's wishes as the loader takes them; sets threads and log sink, which are the process's. desc
// may be null.
LoaderOptions loader_options(const opmux_context_desc* desc);

}  // namespace opmux
