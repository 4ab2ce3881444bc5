// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/code.hpp"

#include <algorithm>

namespace opmux::gpu {

bool check_operand(const opmux_devinfo& info, const opmux_opd& d, uint32_t arg, opmux_cap& cap) {
  const opmux_tdesc& t = *kit_operand(&d, arg);
  if (t.dtype != OPMUX_F32) return kit_no(&cap, OPMUX_WHY_DTYPE, arg, 0, t.dtype, 0);
  if (t.layout != 0) return kit_no(&cap, OPMUX_WHY_LAYOUT, arg, 0, t.layout, 0);
  if (t.quant != 0) return kit_no(&cap, OPMUX_WHY_QUANT, arg, 0, static_cast<int64_t>(t.quant), 0);
  if (t.flags & OPMUX_T_HOST_SCALAR) {
    return kit_no(&cap, OPMUX_WHY_LAYOUT, arg, 0, OPMUX_T_HOST_SCALAR, 0);
  }
  for (uint32_t i = 0; i < t.rank; ++i) {
    if (t.dim[i] >= kMaxExtent) return kit_no(&cap, OPMUX_WHY_DIM, arg, i, t.dim[i], kMaxExtent - 1);
  }
  // The offset of a range is rounded down, so a range may be longer than the view by less than 256 bytes.
  const uint64_t size = reach_of(t).size();
  const uint64_t limit = info.max_binding_bytes < 256 ? 0 : info.max_binding_bytes - 256;
  if (size > limit) {
    return kit_no(&cap, OPMUX_WHY_MEMORY, arg, 0, static_cast<int64_t>(size), static_cast<int64_t>(limit));
  }
  return true;
}

void stretched(const opmux_tdesc& t, const opmux_tdesc& to, int64_t (&stride)[8]) {
  std::fill(stride, stride + 8, int64_t{0});
  for (uint32_t i = 0; i < t.rank && i < to.rank; ++i) {
    const uint32_t axis = t.rank - 1 - i;
    stride[7 - i] = t.dim[axis] == 1 ? 0 : t.stride[axis];
  }
}

void CodeWords::dims(const opmux_tdesc& t) {
  for (uint32_t i = 0; i < 8; ++i) {
    words_[GK_AT_DIMS + 7 - i] = i < t.rank ? static_cast<uint32_t>(t.dim[t.rank - 1 - i]) : 1;
  }
  words_[GK_AT_RANK] = t.rank;
}

void CodeWords::strides(uint32_t at, const opmux_tdesc& t, const opmux_tdesc& to) {
  int64_t stride[8];
  stretched(t, to, stride);
  for (uint32_t i = 0; i < 8; ++i) words_[at + i] = static_cast<uint32_t>(stride[i]);
}

void CodeWords::program(const ProgramCode& p) {
  words_[GK_AT_OPERANDS] = p.operands;
  words_[GK_AT_INSNS] = p.n_insn;
  words_[GK_AT_RESULT] = p.result;
  words_.insert(words_.end(), p.words.begin(), p.words.end());
}

uint64_t cost_ns(const opmux_devinfo& info, double flops, double bytes) {
  const bool cpu = info.kind == OPMUX_DEV_CPU;
  const double units = std::max(1u, info.compute_units);
  const double flops_per_ns = cpu ? 1.0 : units * 50;
  const double bytes_per_ns = cpu ? 2.0 : 200.0;
  const double start_ns = cpu ? 100e3 : 10e3;
  return static_cast<uint64_t>(start_ns + std::max(flops / flops_per_ns, bytes / bytes_per_ns));
}

}  // namespace opmux::gpu
