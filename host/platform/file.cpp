// SPDX-License-Identifier: Apache-2.0
#include "host/platform/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "host/platform/error.hpp"

namespace opmux {
namespace {

[[noreturn]] void fail_io(const std::string& path, std::string_view doing, int error) {
  throw Error(OPMUX_E_IO, fmt::format("{}: cannot {}: {}", path, doing, std::strerror(error)), error,
              OPMUX_NATIVE_ERRNO);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Opens a regular file; a FIFO or a device would block or never end.
uint64_t open_regular(const std::string& path, const Descriptor& fd) {
  if (fd.get() < 0) fail_io(path, "open it", errno);
  struct stat st{};
  if (fstat(fd.get(), &st) != 0) fail_io(path, "stat it", errno);
  if (!S_ISREG(st.st_mode)) fail(OPMUX_E_IO, "{}: not a regular file", path);
  return static_cast<uint64_t>(st.st_size);
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const uint64_t size = open_regular(path, fd);
  if (size == 0) return;
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) fail_io(path, "map it", errno);
  data_ = static_cast<const std::byte*>(data);
  size_ = size;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::vector<std::byte> read_file(const std::string& path, uint64_t limit_bytes) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const uint64_t size = open_regular(path, fd);
  if (size > limit_bytes) fail(OPMUX_E_IO, "{}: {} bytes, limit {}", path, size, limit_bytes);
  std::vector<std::byte> bytes(size);
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_io(path, "read it", errno);
    if (got == 0) break;
    at += static_cast<size_t>(got);
  }
  bytes.resize(at);
  return bytes;
}

void write_file_atomic(const std::string& path, std::span<const std::byte> bytes) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (fd.get() < 0) fail_io(temporary, "create it", errno);
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t put = ::write(fd.get(), bytes.data() + at, bytes.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const int error = errno;
      unlink(temporary.c_str());
      fail_io(temporary, "write it", error);
    }
    at += static_cast<size_t>(put);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    fail_io(path, "replace it", error);
  }
}

std::string file_identity(const std::string& path) {
  struct stat st{};
  if (stat(path.c_str(), &st) != 0) return {};
  return fmt::format("{}:{}:{}:{}.{:09}", st.st_dev, st.st_ino, st.st_size, st.st_mtim.tv_sec,
                     st.st_mtim.tv_nsec);
}

}  // namespace opmux
