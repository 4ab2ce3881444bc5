// SPDX-License-Identifier: Apache-2.0
// What the handles of a GPU plugin stand for.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "gpu/programs.hpp"
#include "kit/guard.hpp"
#include "kit/kernel.h"
#include "kit/timeline.h"

namespace opmux::gpu {

// kit::guard that keeps a driver's code.
template <class F>
opmux_status guarded(opmux_err* err, F&& f) noexcept {
  return kit::guard(err, [&]() -> opmux_status {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
        f();
        return OPMUX_OK;
      } else {
        return f();
      }
    } catch (const DriverError& e) {
      return kit_fail_native(err, e.status(), OPMUX_NO_ARG, e.domain(), e.native(), "%s", e.what());
    }
  });
}

struct Plugin : opmux_plugin_s {
  std::unique_ptr<Backend> backend;
  std::vector<opmux_devinfo> devices;
};

// Where a kernel's code lies: a part of a slab that lives as long as any kernel in it, since drivers limit
// the number of allocations to a few thousand.
struct CodePlace {
  std::shared_ptr<Memory> slab;
  BoundRange range;
};

struct Dev : opmux_dev_s {
  Dev(opmux_plugin p, const opmux_devinfo& i, std::unique_ptr<Device> d);
  ~Dev();
  std::unique_ptr<Device> device;

  CodePlace place(const std::vector<uint32_t>& words);

  // Made ready once for each text, by the first thread that asks; lives as long as the device.
  const Program* program(const Source& source) { return programs_.get(source); }

  // A number for what a kernel reports about its data, and back.
  uint32_t fault_number(const std::string& sentence);
  std::string fault_sentence(uint32_t number);

 private:
  static constexpr uint64_t kSlabBytes = 256 << 10;
  Programs programs_;
  std::mutex slab_lock_;
  std::shared_ptr<Memory> slab_;
  uint64_t slab_used_ = 0;
  std::mutex fault_lock_;
  std::vector<std::string> faults_;
};

struct Kernel {
  Dev* dev = nullptr;
  KernelPlan plan;
  std::vector<ReadyStep> ready;                // as the plan's steps
  std::vector<std::shared_ptr<Memory>> slabs;  // where their codes lie
  uint32_t op = 0;
  std::vector<opmux_tdesc> operands;  // inputs, then outputs
  uint32_t scalars = 0;               // those that a run brings by value
};

struct Queue {
  Dev* dev = nullptr;
  std::unique_ptr<Memory> fault;    // the word that kernels report in
  std::unique_ptr<Memory> scalars;  // of the run that comes next
  std::unique_ptr<Stream> stream;   // after what its work uses
  bool may_fault = false;           // a kernel that reports has been launched since the last finish
  uint32_t seen = 0;                // copy of the word; 0 is no fault
};

struct RecordedRun {
  Kernel* kernel = nullptr;
  std::vector<opmux_bind> binds;
  opmux_bind workspace{};
  std::unique_ptr<Memory> scalars;
  size_t first = 0;  // launch of the recording
  bool stale = false;
};

struct Commands {
  std::vector<RecordedRun> runs;
  std::unique_ptr<Recording> recording;  // NULL: nothing to launch
  bool may_fault = false;
};

inline Plugin* of(opmux_plugin p) { return static_cast<Plugin*>(p); }
inline Dev* of(opmux_dev d) { return static_cast<Dev*>(d); }
inline Kernel* of(opmux_kernel k) { return reinterpret_cast<Kernel*>(k); }
inline Queue* of(opmux_queue q) { return reinterpret_cast<Queue*>(q); }
inline Commands* of(opmux_commands c) { return reinterpret_cast<Commands*>(c); }
inline Memory* memory_of(opmux_mem m) { return reinterpret_cast<Memory*>(static_cast<uintptr_t>(m)); }

extern const opmux_queue_api kQueueTable;
extern const opmux_op_api kOpTable;
const opmux_core_api* core_table();

}  // namespace opmux::gpu
