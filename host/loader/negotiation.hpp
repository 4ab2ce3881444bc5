// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/loader/manifest.hpp"
#include "opmux/plugin.h"

namespace opmux {

// The versions of the plugin interface that a host speaks: majors min..max, and the minor of the highest.
// Tests make hosts of other versions with it.
struct AbiRange {
  uint32_t major_min = OPMUX_ABI_MAJOR, major_max = OPMUX_ABI_MAJOR, minor = OPMUX_ABI_MINOR;
};

// The kinds that change the binary interface; UndefinedBehaviorSanitizer alone does not.
uint32_t sanitizer_kind(uint32_t sanitizer);
uint32_t host_sanitizer();

// Refuses (throws OPMUX_E_VERSION or OPMUX_E_UNSUPPORTED) what cannot work, from the note alone.
void check_version(const AbiRange& host, const Manifest& manifest);
void check_sanitizer(const Manifest& manifest);

// Asks the plugin itself and holds its answer against the range and its own note; returns its CORE table.
const opmux_core_api* negotiate(opmux_plugin_query_fn query, const AbiRange& host, const Manifest& manifest);

}  // namespace opmux
