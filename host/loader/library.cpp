// SPDX-License-Identifier: Apache-2.0
#include "host/loader/library.hpp"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <map>
#include <mutex>

#include "host/platform/file.hpp"

namespace opmux {
namespace {

struct Mapped {
  boost::dll::shared_library object;
  int users = 0;
};

struct State {
  std::mutex mutex;
  std::map<std::string, Mapped> files;  // by path and identity: a replaced file is another
};

State& state() {
  static auto* state = new State;
  return *state;
}

}  // namespace

Library::Library(const std::string& path) : path_(path), key_(path + "\n" + file_identity(path)) {
  using boost::dll::load_mode::rtld_local;
  using boost::dll::load_mode::rtld_now;
  std::lock_guard lock(state().mutex);
  Mapped& mapped = state().files[key_];
  if (!mapped.object.is_loaded()) mapped.object.load(path_, rtld_now | rtld_local);
  ++mapped.users;
  handle_ = mapped.object.native();
}

Library::~Library() {
  if (handle_ == nullptr) return;
  std::lock_guard lock(state().mutex);
  --state().files[key_].users;
}

void* Library::symbol(const char* name) const { return dlsym(handle_, name); }

bool Library::unmap() {
  if (handle_ == nullptr) return true;
  std::lock_guard lock(state().mutex);
  handle_ = nullptr;
  Mapped& mapped = state().files[key_];
  if (--mapped.users > 0) return true;
  mapped.object.unload();
  void* still = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (still != nullptr) dlclose(still);
  return still == nullptr;
}

}  // namespace opmux
