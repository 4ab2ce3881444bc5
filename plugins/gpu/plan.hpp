// SPDX-License-Identifier: Apache-2.0
// What the host side of an operator works out once (KernelPlan) and what one run of it asks of a device
// (Launch). Nothing here knows a driver.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gpu/kernels/layout.h"
#include "opmux/ops.h"
#include "opmux/plugin.h"

namespace opmux::gpu {

class Memory;  // a block of device memory, see backend.hpp

enum class KernelId : uint32_t { kMatmul, kPointwise };
inline constexpr uint32_t kKernelCount = 2;
inline constexpr const char* kKernelName[kKernelCount] = {"matmul", "pointwise"};

// Bytes that a view reaches, relative to its element 0: [low, high).
struct Reach {
  int64_t low = 0, high = 0;
  uint64_t size() const { return static_cast<uint64_t>(high - low); }
};
Reach reach_of(const opmux_tdesc& t);

// Operand `arg` of a run (inputs, then outputs) at a binding of the kernel.
struct OperandUse {
  uint32_t arg = 0, binding = 0;
  Reach reach;
};

struct Dispatch {
  uint32_t groups[3] = {1, 1, 1};
  uint32_t first = 0;  // the kernel's `first`
};

struct KernelPlan {
  KernelId kernel = KernelId::kMatmul;
  std::vector<uint32_t> code;
  std::vector<OperandUse> uses;
  std::vector<Dispatch> dispatches;  // none: the output is empty
};

// A range of a block; memory NULL: the kernel does not touch this binding.
struct BoundRange {
  const Memory* memory = nullptr;
  uint64_t offset = 0, size = 0;  // bytes; the offset is a multiple of the device's alignment
};

struct Launch {
  KernelId kernel = KernelId::kMatmul;
  std::array<BoundRange, GK_BINDINGS> range{};  // the one at GK_BIND_OUT is written
  uint32_t base[GK_BINDINGS] = {};              // of element 0 in its range, in elements
  Dispatch dispatch;
};

class Launcher {
 public:
  virtual ~Launcher() = default;
  virtual void launch(const Launch& l) = 0;
};

// The launches of one run. code: where the plan's code lies; align: of a range's offset, a power of two.
// Throws kit::Failure for a bind that does not hold its operand.
void launch_run(const KernelPlan& plan, const BoundRange& code, std::span<const opmux_bind> binds,
                uint64_t align, Launcher& launcher);

// Where operators answer; both set cap and, with YES, fill *plan if it is not NULL. d is valid by its schema.
bool plan_matmul(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_pointwise(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);

}  // namespace opmux::gpu
