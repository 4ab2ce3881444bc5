// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace opmux {

// Directory of the file that holds this code: libopmux.so, or the program that the host is linked into. Links
// in the path are resolved. Empty when the system cannot tell.
std::string library_dir();

}  // namespace opmux
