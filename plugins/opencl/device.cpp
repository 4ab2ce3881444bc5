// SPDX-License-Identifier: Apache-2.0
#include "opencl/device.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

namespace opmux::gpu {
namespace {

// Texts of other languages share macros and functions, not all of which every kernel uses; a driver may print
// what it thinks of them.
constexpr const char* kOptions = "-cl-std=CL1.2 -w";

const cl::Buffer& buffer_of(const Memory* m) { return static_cast<const ClMemory*>(m)->buffer(); }
const ClProgram& program_of(const Launch& l) { return *static_cast<const ClProgram*>(l.program); }

// The kernel's parameters are its bindings in their order, and the structure last: the first group of the
// launch and the positions of element 0.
void set_arguments(cl::Kernel& kernel, const Launch& l) {
  cl_uint params[1 + kMaxBindings];
  params[0] = l.dispatch.first;
  for (uint32_t b = 0; b < l.bindings; ++b) {
    // An untouched binding gets the code buffer: some drivers do not take a null pointer.
    kernel.setArg(b, buffer_of(l.range[b].memory ? l.range[b].memory : l.range[0].memory));
    params[1 + b] = l.base[b];
  }
  kernel.setArg(l.bindings, (1 + l.bindings) * sizeof(cl_uint), params);
}

// Bytes that go by fills, which take their value at once, where a write would wait for the queue.
constexpr uint64_t kTakenAtOnce = 4 * sizeof(cl_ulong);

// Kernel objects with their arguments, ready to be enqueued again.
struct ClRecording : Recording {
  std::vector<cl::Kernel> kernels;
  std::vector<Launch> launches;
};

class ClStream : public Stream {
 public:
  explicit ClStream(ClDevice& device) : queue_(device.context(), device.device()) {}
  ~ClStream() override {
    try {
      queue_.finish();
    } catch (const cl::Error&) {  // nobody is left to tell
    }
  }

  void copy(const Copy& c) override {
    cl_try("copy", [&] {
      if (c.src && c.dst) {
        queue_.enqueueCopyBuffer(buffer_of(c.src), buffer_of(c.dst), c.src_offset, c.dst_offset, c.size);
      } else if (c.dst && (c.size | c.dst_offset) % sizeof(cl_ulong) == 0 && c.size <= kTakenAtOnce) {
        for (uint64_t at = 0; at < c.size; at += sizeof(cl_ulong)) {
          cl_ulong value;
          std::memcpy(&value, static_cast<const char*>(c.src_host) + at, sizeof value);
          queue_.enqueueFillBuffer(buffer_of(c.dst), value, c.dst_offset + at, sizeof value);
        }
      } else if (c.dst) {
        queue_.enqueueWriteBuffer(buffer_of(c.dst), CL_TRUE, c.dst_offset, c.size, c.src_host);
      } else {
        queue_.enqueueReadBuffer(buffer_of(c.src), CL_FALSE, c.src_offset, c.size, c.dst_host);
      }
    });
  }

  void launch(const Launch& l) override {
    cl_try("launch", [&] {
      cl::Kernel& kernel = kernels_[l.program];
      if (!kernel()) kernel = program_of(l).kernel();
      set_arguments(kernel, l);
      enqueue(kernel, l);
    });
  }

  bool finish(uint64_t timeout_ns) override {
    return cl_try("finish", [&] {
      if (timeout_ns == UINT64_MAX) {
        queue_.finish();
        return true;
      }
      return finish_within(std::chrono::nanoseconds(std::min<uint64_t>(timeout_ns, INT64_MAX / 2)));
    });
  }

  std::unique_ptr<Recording> record(std::span<const Launch> launches) override {
    return cl_try("record", [&] {
      auto r = std::make_unique<ClRecording>();
      r->launches.assign(launches.begin(), launches.end());
      for (const Launch& l : launches) {
        r->kernels.push_back(program_of(l).kernel());
        set_arguments(r->kernels.back(), l);
      }
      return r;
    });
  }
  void update(Recording& recording, size_t first, std::span<const Launch> launches) override {
    cl_try("replay", [&] {
      auto& r = static_cast<ClRecording&>(recording);
      for (size_t i = 0; i < launches.size(); ++i) {
        r.launches[first + i] = launches[i];
        set_arguments(r.kernels[first + i], launches[i]);
      }
    });
  }
  void replay(Recording& recording) override {
    cl_try("replay", [&] {
      auto& r = static_cast<ClRecording&>(recording);
      for (size_t i = 0; i < r.kernels.size(); ++i) enqueue(r.kernels[i], r.launches[i]);
    });
  }

 private:
  void enqueue(const cl::Kernel& kernel, const Launch& l) {
    const size_t group = program_of(l).group;
    const uint32_t(&g)[3] = l.dispatch.groups;
    if (g[0] == 0) return;  // OpenCL 1.2 refuses it
    queue_.enqueueNDRangeKernel(kernel, cl::NullRange, cl::NDRange(g[0] * group, g[1], g[2]),
                                cl::NDRange(group, 1, 1));
  }

  // OpenCL has no wait with a limit, so the end of the queue is polled at growing intervals.
  bool finish_within(std::chrono::nanoseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    cl::Event last;
    queue_.enqueueMarkerWithWaitList(nullptr, &last);
    queue_.flush();
    for (std::chrono::microseconds pause(20);; pause = std::min(pause * 2, std::chrono::microseconds(1000))) {
      const cl_int status = last.getInfo<CL_EVENT_COMMAND_EXECUTION_STATUS>();
      if (status < 0) throw cl::Error(status, "a command of the queue");
      if (status == CL_COMPLETE) return true;
      if (std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::sleep_for(pause);
    }
  }

  cl::CommandQueue queue_;
  std::unordered_map<const Program*, cl::Kernel>
      kernels_;  // arguments belong to the object, so each queue has its own
};

}  // namespace

opmux_status status_of(cl_int code) {
  switch (code) {
    case CL_OUT_OF_HOST_MEMORY:
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_INVALID_BUFFER_SIZE:
      return OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE;
    case CL_OUT_OF_RESOURCES:
      return OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE;
    case CL_DEVICE_NOT_AVAILABLE:
    case CL_INVALID_COMMAND_QUEUE:
    case CL_INVALID_CONTEXT:
      return OPMUX_E_DEVICE_LOST | OPMUX_F_STICKY;
    case CL_BUILD_PROGRAM_FAILURE:
    case CL_COMPILER_NOT_AVAILABLE:
      return OPMUX_E_BROKEN_PROMISE;
    default:
      return OPMUX_E_INTERNAL;
  }
}

ClDevice::ClDevice(const cl::Device& device) : device_(device), context_(device), writes_(context_, device) {}

std::unique_ptr<Memory> ClDevice::allocate(uint32_t kind, uint64_t size, uint64_t) {
  const cl_mem_flags flags = CL_MEM_READ_WRITE | (kind == OPMUX_MEM_HOST ? CL_MEM_ALLOC_HOST_PTR : 0);
  return cl_try("alloc", [&] { return std::make_unique<ClMemory>(cl::Buffer(context_, flags, size), size); });
}

std::unique_ptr<Stream> ClDevice::stream() {
  return cl_try("queue", [&] { return std::make_unique<ClStream>(*this); });
}

void ClDevice::write(const Memory& to, uint64_t offset, std::span<const uint32_t> words) {
  const std::lock_guard lock(write_lock_);
  cl_try("prepare", [&] {
    writes_.enqueueWriteBuffer(buffer_of(&to), CL_TRUE, offset, words.size_bytes(), words.data());
  });
}

std::string ClDevice::compiler() const {
  return cl_try("open", [&] {
    const cl::Platform platform(device_.getInfo<CL_DEVICE_PLATFORM>());
    return platform.getInfo<CL_PLATFORM_NAME>() + '|' + platform.getInfo<CL_PLATFORM_VERSION>() + '|' +
           device_.getInfo<CL_DEVICE_NAME>() + '|' + device_.getInfo<CL_DRIVER_VERSION>() + '|' + kOptions;
  });
}

// PoCL compiles every kernel once more, for groups of any size, when it is asked for a binary.
bool ClDevice::binaries_are_dear() const {
  return cl_try("open", [&] {
    const cl::Platform platform(device_.getInfo<CL_DEVICE_PLATFORM>());
    return platform.getInfo<CL_PLATFORM_NAME>().starts_with("Portable Computing Language");
  });
}

std::unique_ptr<Program> ClDevice::build(const Source& source, const std::string& text, Binary& binary) {
  return cl_try("prepare", [&] {
    if (const auto kept = from_binary(binary.bytes))
      return std::make_unique<ClProgram>(*kept, source.file->group);
    const cl::Program made = from_text(source, text);
    binary.compiled = true;
    if (!binary.wanted) return std::make_unique<ClProgram>(made, source.file->group);
    const auto all = made.getInfo<CL_PROGRAM_BINARIES>();
    binary.bytes.clear();
    if (!all.empty()) {
      const auto* bytes = reinterpret_cast<const std::byte*>(all[0].data());
      binary.bytes.assign(bytes, bytes + all[0].size());
    }
    return std::make_unique<ClProgram>(made, source.file->group);
  });
}

// None: there are no bytes, or the driver does not take them, which it may after an update.
std::optional<cl::Program> ClDevice::from_binary(const Bytes& bytes) const {
  if (bytes.empty()) return std::nullopt;
  try {
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    cl::Program kept(context_, {device_}, cl::Program::Binaries{{data, data + bytes.size()}});
    kept.build(kOptions);
    (void)cl::Kernel(kept, ClProgram::kEntry);
    return kept;
  } catch (const cl::Error&) {
    return std::nullopt;
  }
}

cl::Program ClDevice::from_text(const Source& source, const std::string& text) const {
  cl::Program made(context_, text);
  try {
    made.build(kOptions);
  } catch (const cl::BuildError& e) {
    const std::string log = e.getBuildLog().empty() ? std::string() : e.getBuildLog().front().second;
    throw DriverError(
        OPMUX_E_BROKEN_PROMISE, OPMUX_NATIVE_OPENCL, e.err(),
        fmt::format("opencl: kernel {} does not compile: {}", source.file->name, log.substr(0, 300)));
  }
  return made;
}

uint64_t ClDevice::free_bytes() {
  if (!cl_try("status", [&] { return device_.getInfo<CL_DEVICE_AVAILABLE>(); })) {
    throw DriverError(OPMUX_E_DEVICE_LOST | OPMUX_F_STICKY, OPMUX_NATIVE_OPENCL, CL_DEVICE_NOT_AVAILABLE,
                      "opencl: the device is not available any more");
  }
  return 0;
}

}  // namespace opmux::gpu
