// SPDX-License-Identifier: Apache-2.0
// What stands between the host and its plugins where it is asked for.
#pragma once

namespace opmux::layers {

// Those that OPMUX_LAYERS names ("fault"), for plugins that are loaded from now on. Throws Error when a name
// or a layer's own variable makes no sense.
void from_environment();

}  // namespace opmux::layers
