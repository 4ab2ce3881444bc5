// SPDX-License-Identifier: Apache-2.0
#pragma once

#define CL_HPP_ENABLE_EXCEPTIONS
#define CL_HPP_TARGET_OPENCL_VERSION 300
#define CL_HPP_MINIMUM_OPENCL_VERSION 110
#include <fmt/format.h>

#include <CL/opencl.hpp>
#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "gpu/backend.hpp"

namespace opmux::gpu {

// Status of a driver's code.
opmux_status status_of(cl_int code);

// Calls f; what the driver refuses becomes a DriverError with `doing` in its sentence.
template <class F>
auto cl_try(const char* doing, F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const cl::Error& e) {
    throw DriverError(status_of(e.err()), OPMUX_NATIVE_OPENCL, e.err(),
                      fmt::format("opencl: {}: {} gave {}", doing, e.what(), e.err()));
  }
}

class ClMemory : public Memory {
 public:
  ClMemory(cl::Buffer buffer, uint64_t size) : Memory(size), buffer_(std::move(buffer)) {}
  const cl::Buffer& buffer() const { return buffer_; }

 private:
  cl::Buffer buffer_;  // the driver frees it after the last command that uses it
};

struct ClProgram : Program {
  ClProgram(cl::Program p, uint32_t lanes) : program(std::move(p)), group(lanes) {}
  static constexpr const char* kEntry = "main_";
  cl::Kernel kernel() const { return cl::Kernel(program, kEntry); }
  cl::Program program;
  uint32_t group;
};

class ClDevice : public Device {
 public:
  explicit ClDevice(const cl::Device& device);
  std::unique_ptr<Memory> allocate(uint32_t kind, uint64_t size, uint64_t align) override;
  std::unique_ptr<Stream> stream() override;
  void write(const Memory& to, uint64_t offset, std::span<const uint32_t> words) override;
  Language language() const override { return Language::kOpenCl; }
  std::string compiler() const override;
  bool binaries_are_dear() const override;
  std::unique_ptr<Program> build(const Source& source, const std::string& text, Binary& binary) override;
  uint64_t range_align() const override { return 0; }  // an argument is a whole buffer
  uint64_t free_bytes() override;

  const cl::Context& context() const { return context_; }
  const cl::Device& device() const { return device_; }

 private:
  cl::Device device_;
  cl::Context context_;
  std::optional<cl::Program> from_binary(const Bytes& bytes) const;
  cl::Program from_text(const Source& source, const std::string& text) const;

  std::mutex write_lock_;  // guards writes_
  cl::CommandQueue writes_;
};

}  // namespace opmux::gpu
