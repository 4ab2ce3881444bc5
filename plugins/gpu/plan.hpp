// SPDX-License-Identifier: Apache-2.0
// What the host side of an operator works out once (KernelPlan) and what one run of it asks of a device
// (Launch). Nothing here knows a driver.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gpu/source.hpp"
#include "opmux/ops.h"
#include "opmux/plugin.h"

namespace opmux::gpu {

class Memory;   // a block of device memory, see backend.hpp
class Program;  // a kernel that a device has made ready, see backend.hpp

// Buffers of one kernel: the code, those of the widest pointwise program, and the word for faults.
inline constexpr uint32_t kMaxBindings = 2 + OPMUX_MAX_PROG_IN + OPMUX_MAX_PROG_OUT;

// Bytes that a view reaches, relative to its element 0: [low, high).
struct Reach {
  int64_t low = 0, high = 0;
  uint64_t size() const { return static_cast<uint64_t>(high - low); }
};
Reach reach_of(const opmux_tdesc& t);

// What lies at a binding: operand `arg` of a run (inputs, then outputs), or one of these; from kScalars on
// the values that a run brings, 8 bytes each.
inline constexpr uint32_t kWorkspace = 0xfffffffeu, kFaultWord = 0xffffffffu, kScalars = 0xff000000u;
inline constexpr uint32_t kScalarBytes = 8;
struct BindingUse {
  uint32_t arg = 0, binding = 0;
  Reach reach;         // in the workspace, from its start
  uint32_t bits = 32;  // of an element
  bool written = false;
  int64_t shift = 0;  // bytes from the operand's element 0 to that of the step
};

struct Dispatch {
  uint32_t groups[3] = {1, 1, 1};
  uint32_t first = 0;  // the kernel's `first`
};

// One kernel of a plan; those of a plan run in their order.
struct Step {
  Source source;
  std::vector<uint32_t> words;  // the kernel's code
  std::vector<BindingUse> uses;
  std::vector<Dispatch> dispatches;  // none: nothing to do
  // Nothing to do either in a run that binds these two operands at one place; its launches have no groups
  // then.
  std::array<uint32_t, 2> unless_same = {OPMUX_NO_ARG, OPMUX_NO_ARG};
  uint32_t faulty_arg = OPMUX_NO_ARG;  // whose values it reports; none: that of the plan
};

struct KernelPlan {
  std::vector<Step> steps;
  uint64_t workspace = 0;              // bytes
  uint32_t faulty_arg = OPMUX_NO_ARG;  // whose values may be at fault
};

// A range of a block; memory NULL: the kernel does not touch this binding.
struct BoundRange {
  const Memory* memory = nullptr;
  uint64_t offset = 0, size = 0;  // bytes; the offset is a multiple of the device's alignment
};

struct Launch {
  const Program* program = nullptr;
  uint32_t bindings = 0;  // how many of the following count
  uint32_t written = 0;   // bit b: binding b is written
  std::array<BoundRange, kMaxBindings> range{};
  std::array<uint32_t, kMaxBindings> base{};  // of element 0 in its range, in elements
  Dispatch dispatch;
};

class Launcher {
 public:
  virtual ~Launcher() = default;
  virtual void launch(const Launch& l) = 0;
};

// A step on a device: its program and where its code lies.
struct ReadyStep {
  const Program* program = nullptr;
  BoundRange code;
};

// What a run brings.
struct RunBinds {
  std::span<const opmux_bind> operands;
  opmux_bind workspace{};
  BoundRange fault{};  // the queue's word
  BoundRange scalars{};
};

// The launches of one run. align: of a range's offset, a power of two; 0: ranges start with their blocks.
// Throws kit::Failure for a bind that does not hold its operand.
void launch_run(const KernelPlan& plan, std::span<const ReadyStep> ready, const RunBinds& binds,
                uint64_t align, Launcher& launcher);

}  // namespace opmux::gpu
