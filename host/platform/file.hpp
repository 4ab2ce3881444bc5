// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace opmux {

// A whole file, mapped read-only. Empty files give an empty span.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);  // throws Error OPMUX_E_IO with the reason
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// The file's bytes; throws Error OPMUX_E_IO when it is missing, no regular file, unreadable or above
// limit_bytes.
std::vector<std::byte> read_file(const std::string& path, uint64_t limit_bytes);

// Replaces the file in one step: readers see the old or the new content, never a part. Mode 0600.
void write_file_atomic(const std::string& path, std::span<const std::byte> bytes);

// What tells one file from another and from its own later version; empty text when there is no such file.
std::string file_identity(const std::string& path);

}  // namespace opmux
