// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "host/loader/tables.hpp"

namespace opmux {

// Called with the tables of each plugin that is loaded from now on, before anything else sees them; null: of
// none. host/layers sets it.
using Splice = void (*)(std::string_view plugin, Tables& tables);
void set_splice(Splice splice);

}  // namespace opmux
