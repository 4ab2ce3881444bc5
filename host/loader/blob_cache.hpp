// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opmux {

// Disk cache of plugins (compiled kernels, tuned choices): one file per entry, written in one step, so that
// many processes share it. Every entry carries its space, its key and a checksum; one that does not match is
// ignored with a log line. Above the limit the entries unused for longest are removed.
class BlobCache {
 public:
  // directory: private to this user, from cache_dir().
  BlobCache(std::string directory, uint64_t limit_bytes);

  // space: whose keys these are (plugin name and build id).
  bool get(std::string_view space, std::span<const std::byte> key, std::vector<std::byte>& value);
  bool put(std::string_view space, std::span<const std::byte> key, std::span<const std::byte> value);

 private:
  std::string path_of(std::string_view space, std::span<const std::byte> key) const;
  void make_room(uint64_t needed_bytes);

  std::string directory_;
  uint64_t limit_bytes_;
  std::mutex mutex_;  // guards the following
  uint64_t puts_ = 0;
  uint64_t known_bytes_ = 0;  // in the folder when it was last read, and put since
};

}  // namespace opmux
