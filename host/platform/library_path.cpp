// SPDX-License-Identifier: Apache-2.0
#include "host/platform/library_path.hpp"

#include <dlfcn.h>

#include <filesystem>

namespace opmux {

std::string library_dir() {
  static const char here = 0;
  Dl_info info{};
  std::error_code error;
  // For the main program dli_fname is argv[0], which may be relative or a bare name.
  std::filesystem::path path;
  if (dladdr(&here, &info) != 0 && info.dli_fname != nullptr) path = info.dli_fname;
  if (!path.has_parent_path() || !std::filesystem::exists(path, error)) path = "/proc/self/exe";
  const auto real = std::filesystem::canonical(path, error);
  return error ? std::string() : real.parent_path().string();
}

}  // namespace opmux
