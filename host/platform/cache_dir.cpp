// SPDX-License-Identifier: Apache-2.0
#include "host/platform/cache_dir.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "host/platform/environment.hpp"

namespace opmux {
namespace {

std::string home_directory() {
  if (const auto home = environment::get("HOME")) return *home;
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_dir;
}

std::string choose(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  if (const auto own = environment::get("OPMUX_CACHE_DIR")) return *own;
  if (const auto xdg = environment::get("XDG_CACHE_HOME")) return *xdg + "/opmux";
  const std::string home = home_directory();
  return home.empty() ? std::string() : home + "/.cache/opmux";
}

}  // namespace

bool make_private_dir(const std::string& path, std::string& why) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    why = fmt::format("{}: cannot make the directory: {}", path, std::strerror(errno));
    return false;
  }
  struct stat st{};
  if (lstat(path.c_str(), &st) != 0) {
    why = fmt::format("{}: cannot stat it: {}", path, std::strerror(errno));
  } else if (!S_ISDIR(st.st_mode)) {
    why = fmt::format("{}: not a directory", path);
  } else if (st.st_uid != geteuid()) {
    why = fmt::format("{}: belongs to user {}, we are {}", path, st.st_uid, geteuid());
  } else if ((st.st_mode & 0077) != 0) {
    why = fmt::format("{}: mode is {:03o}, it must be 700", path, st.st_mode & 0777);
  } else {
    return true;
  }
  return false;
}

std::optional<std::string> cache_dir(const std::string& wanted, std::string& why) {
  const std::string path = choose(wanted);
  if (path.empty()) {
    why = "no home directory";
    return std::nullopt;
  }
  if (path.front() != '/') {
    why = fmt::format("{}: not an absolute path", path);
    return std::nullopt;
  }
  std::error_code ignored;  // the last step below reports what matters
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  if (!make_private_dir(path, why)) return std::nullopt;
  return path;
}

}  // namespace opmux
