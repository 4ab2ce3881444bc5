// SPDX-License-Identifier: Apache-2.0
// The code words of a kernel under construction, and the checks that all kernels share.
#pragma once

#include "gpu/plan.hpp"
#include "gpu/program.hpp"
#include "kit/op.h"

namespace opmux::gpu {

// Indices are 32 bits wide and tiles overshoot, so extents stay below this.
inline constexpr int64_t kMaxExtent = int64_t{1} << 31;

// f32, no layout, no scalar by value, and a reach that one binding and 32-bit indices hold. own: the limits
// in numbers come from the device.
bool check_operand(const opmux_devinfo& info, const opmux_opd& d, uint32_t arg, opmux_cap& cap);

class CodeWords {
 public:
  CodeWords() : words_(GK_AT_CODE, 0) {}
  // Extents or strides of t, aligned at the last of 8 axes, as they are or broadcast to the shape of `to`.
  void dims(const opmux_tdesc& t);
  void strides(uint32_t at, const opmux_tdesc& t, const opmux_tdesc& to);
  void set(uint32_t at, uint32_t value) { words_[at] = value; }
  void program(const ProgramCode& p);
  std::vector<uint32_t>& words() { return words_; }

 private:
  std::vector<uint32_t> words_;
};

// Strides of t in the shape of `to`, an extent of 1 counting as stride 0; both end at the same axis.
void stretched(const opmux_tdesc& t, const opmux_tdesc& to, int64_t (&stride)[8]);

// A model's time for work of that size, in ns; CPUs stand for what PoCL and lavapipe reach with such kernels.
uint64_t cost_ns(const opmux_devinfo& info, double flops, double bytes);

}  // namespace opmux::gpu
