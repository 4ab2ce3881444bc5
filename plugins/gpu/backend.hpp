// SPDX-License-Identifier: Apache-2.0
// What a GPU plugin implements for its driver; the tables of the plugin interface around it are written once,
// in tables.cpp. Functions throw DriverError.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpu/plan.hpp"

namespace opmux::gpu {

// A driver's refusal: status, native code and one sentence.
class DriverError : public std::exception {
 public:
  DriverError(opmux_status status, uint32_t domain, int32_t native, std::string sentence)
      : status_(status), domain_(domain), native_(native), sentence_(std::move(sentence)) {}
  const char* what() const noexcept override { return sentence_.c_str(); }
  opmux_status status() const noexcept { return status_; }
  uint32_t domain() const noexcept { return domain_; }
  int32_t native() const noexcept { return native_; }

 private:
  opmux_status status_;
  uint32_t domain_;
  int32_t native_;
  std::string sentence_;
};

// A block; freeing it waits for work that may use it.
class Memory {
 public:
  explicit Memory(uint64_t size) : size_(size) {}
  virtual ~Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  uint64_t size() const { return size_; }
  virtual void* host() const { return nullptr; }  // its address, where it is mapped for life

 private:
  uint64_t size_;
};

// Between two blocks, or a block and host memory (that block NULL).
struct Copy {
  const Memory* src = nullptr;
  const Memory* dst = nullptr;
  uint64_t src_offset = 0, dst_offset = 0, size = 0;
  const void* src_host = nullptr;
  void* dst_host = nullptr;
};

// A kernel made ready.
class Program {
 public:
  virtual ~Program() = default;
};

using Bytes = std::vector<std::byte>;

// What a device keeps of a compiled text, for the next time.
struct Binary {
  Bytes bytes;          // empty: there is none
  bool wanted = false;  // fill `bytes` after compiling
  bool compiled = false;
};

class Recording {
 public:
  virtual ~Recording() = default;
};

// An ordered queue; one thread at a time. The destructor waits for its work.
class Stream : public Launcher {
 public:
  // A host source has been read on return; a host destination is written by the next finish at latest.
  virtual void copy(const Copy& c) = 0;
  // False: the time is over and the work goes on. timeout_ns UINT64_MAX waits for ever.
  virtual bool finish(uint64_t timeout_ns) = 0;

  virtual std::unique_ptr<Recording> record(std::span<const Launch> launches) = 0;
  // Puts other ranges in the place of those from `first` on; same kernels and dispatches.
  virtual void update(Recording& r, size_t first, std::span<const Launch> launches) = 0;
  virtual void replay(Recording& r) = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::unique_ptr<Memory> allocate(uint32_t kind, uint64_t size, uint64_t align) = 0;
  virtual std::unique_ptr<Stream> stream() = 0;
  // Done on return; any thread.
  virtual void write(const Memory& to, uint64_t offset, std::span<const uint32_t> words) = 0;

  virtual Language language() const = 0;
  // Names all that a Binary depends on beside its text and this plugin's build.
  virtual std::string compiler() const = 0;
  // Makes a kernel ready, from binary.bytes where the driver takes them, else from the text, which it says in
  // binary.compiled. Any thread; two texts at a time.
  virtual std::unique_ptr<Program> build(const Source& source, const std::string& text, Binary& binary) = 0;
  // Does the driver have a disk cache of its own, and does a binary cost about as much as compiling?
  virtual bool binaries_are_dear() const { return false; }
  // What the driver itself keeps of all kernels: given back after a start, asked for before the end.
  virtual std::string driver_cache_key() const { return {}; }  // empty: it keeps nothing
  virtual void take_driver_cache(const Bytes&) {}
  virtual Bytes driver_cache() { return {}; }

  // Of a range's offset, a power of two; 0: ranges start with their blocks.
  virtual uint64_t range_align() const = 0;
  // Throws once the device is lost. 0: unknown.
  virtual uint64_t free_bytes() = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::vector<opmux_devinfo> devices() = 0;
  virtual std::unique_ptr<Device> open(uint32_t index) = 0;
};

// Each plugin's own. Throws DriverError with OPMUX_E_UNSUPPORTED where there is no driver.
std::unique_ptr<Backend> open_backend();

}  // namespace opmux::gpu
