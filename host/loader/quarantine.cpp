// SPDX-License-Identifier: Apache-2.0
#include "host/loader/quarantine.hpp"

#include <mutex>
#include <new>
#include <vector>

namespace opmux {
namespace {

struct Kept {
  std::mutex mutex;
  std::vector<uint64_t> handles;
};

// Never destroyed: threads that hang may come back when the process ends.
Kept& kept() {
  static auto* k = new Kept;
  return *k;
}

}  // namespace

void quarantine(uint64_t handle) noexcept {
  Kept& k = kept();
  const std::lock_guard lock(k.mutex);
  try {
    k.handles.push_back(handle);
  } catch (const std::bad_alloc&) {  // then it is leaked, which is the same but for those who count
  }
}

uint64_t quarantined_handles() {
  Kept& k = kept();
  const std::lock_guard lock(k.mutex);
  return k.handles.size();
}

}  // namespace opmux
