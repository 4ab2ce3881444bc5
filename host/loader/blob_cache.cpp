// SPDX-License-Identifier: Apache-2.0
#include "host/loader/blob_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "host/platform/error.hpp"
#include "host/platform/file.hpp"
#include "host/platform/hash.hpp"
#include "host/platform/log.hpp"

namespace opmux {
namespace {

constexpr uint64_t kMagic = 0x31626f6c62786d6fu;  // "omxblob1"
constexpr std::string_view kSuffix = ".blob";
constexpr uint64_t kPutsPerLook = 64;

// Followed by space, key and value; the checksum covers those three.
struct Head {
  uint64_t magic, checksum, space_size, key_size, value_size;
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

bool equal(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// The value in `file`, or a reason why the file is not the wanted entry.
const char* parse(std::span<const std::byte> file, std::string_view space, std::span<const std::byte> key,
                  std::span<const std::byte>& value) {
  Head head{};
  if (file.size() < sizeof(head)) return "it is too short";
  std::memcpy(&head, file.data(), sizeof(head));
  if (head.magic != kMagic) return "it is no entry of this cache";
  const auto body = file.subspan(sizeof(head));
  const uint64_t n = body.size();
  if (head.space_size > n || head.key_size > n - head.space_size ||
      head.value_size != n - head.space_size - head.key_size) {
    return "its sizes do not add up";
  }
  if (checksum64(body, kMagic) != head.checksum) return "its checksum is wrong";
  if (!equal(body.first(head.space_size), bytes_of(space)) ||
      !equal(body.subspan(head.space_size, head.key_size), key)) {
    return "it belongs to another key";
  }
  value = body.last(head.value_size);
  return nullptr;
}

}  // namespace

BlobCache::BlobCache(std::string directory, uint64_t limit_bytes)
    : directory_(std::move(directory)), limit_bytes_(limit_bytes) {}

std::string BlobCache::path_of(std::string_view space, std::span<const std::byte> key) const {
  const uint64_t a = checksum64(key, checksum64(space, 1)), b = checksum64(key, checksum64(space, 2));
  return fmt::format("{}/{:016x}{:016x}{}", directory_, a, b, kSuffix);
}

bool BlobCache::get(std::string_view space, std::span<const std::byte> key, std::vector<std::byte>& value) {
  const std::string path = path_of(space, key);
  struct stat st{};
  if (stat(path.c_str(), &st) != 0) return false;
  try {
    const auto file = read_file(path, limit_bytes_);
    std::span<const std::byte> found;
    if (const char* why = parse(file, space, key, found)) {
      log::warning("cache", "{} is ignored: {}", path, why);
      return false;
    }
    value.assign(found.begin(), found.end());
    utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // used now; a failure only makes it look older
    return true;
  } catch (const Error& e) {
    log::warning("cache", "{}", e.text());
    return false;
  }
}

bool BlobCache::put(std::string_view space, std::span<const std::byte> key,
                    std::span<const std::byte> value) {
  const uint64_t size = sizeof(Head) + space.size() + key.size() + value.size();
  if (size > limit_bytes_ / 4) return false;
  std::vector<std::byte> file(size);
  auto at = file.begin() + sizeof(Head);
  at = std::ranges::copy(bytes_of(space), at).out;
  at = std::ranges::copy(key, at).out;
  std::ranges::copy(value, at);
  const Head head{kMagic, checksum64(std::span(file).subspan(sizeof(Head)), kMagic), space.size(), key.size(),
                  value.size()};
  std::memcpy(file.data(), &head, sizeof(head));
  std::lock_guard lock(mutex_);
  try {
    make_room(size);
    write_file_atomic(path_of(space, key), file);
    return true;
  } catch (const std::exception& e) {
    log::warning("cache", "{}", e.what());
    return false;
  }
}

void BlobCache::make_room(uint64_t needed_bytes) {
  namespace fs = std::filesystem;
  // The folder is read when it may be full, and now and then, since other processes write there, too.
  if (puts_++ % kPutsPerLook != 0 && known_bytes_ + needed_bytes <= limit_bytes_) {
    known_bytes_ += needed_bytes;
    return;
  }
  struct Entry {
    fs::file_time_type used;
    uint64_t size;
    fs::path path;
  };
  std::vector<Entry> entries;
  uint64_t total = needed_bytes;
  std::error_code error;  // another process may remove files while we look
  for (const auto& item : fs::directory_iterator(directory_, error)) {
    if (item.path().extension() != kSuffix) continue;
    const auto size = item.file_size(error);
    if (error) continue;
    const auto used = item.last_write_time(error);
    if (error) continue;
    entries.push_back({used, size, item.path()});
    total += size;
  }
  if (total > limit_bytes_) {
    std::ranges::sort(entries, {}, &Entry::used);
    // Down to three quarters, so that not every put has to look for room.
    for (const Entry& entry : entries) {
      if (total <= limit_bytes_ / 4 * 3) break;
      if (fs::remove(entry.path, error)) total -= entry.size;
    }
  }
  known_bytes_ = total;
}

}  // namespace opmux
