// SPDX-License-Identifier: Apache-2.0
// What matmul and conv share as operators: element types, packed layouts, state.
#ifndef OPMUX_CPU_GEMM_OP_HPP
#define OPMUX_CPU_GEMM_OP_HPP

#include "cpu/answer.hpp"
#include "cpu/gemm_run.hpp"
#include "cpu/loops.hpp"
#include "cpu/state.hpp"
#include "kit/host_device.h"

namespace opmux::cpu {

// Layout id of panels: 0x0c, left or right operand, rows of a left panel or columns of a right one, and the
// same number for the instruction set's tile, so that panels of another cut are never taken for these.
constexpr uint32_t kLeft = 0, kRight = 1;
inline uint32_t panel_layout(uint32_t side, const GemmPlan& p) {
  const auto width = static_cast<uint32_t>(side == kLeft ? p.mr : p.tile.nr);
  return 0x0c000000u | side << 16 | width;
}

// Calls f with a value of the accumulator's C++ type.
template <class F>
auto with_accumulator(uint32_t acc, F&& f) {
  if (acc == OPMUX_F64) return f(double{});
  if (acc == OPMUX_I32) return f(int32_t{});
  return f(float{});
}

// Do two operands of these types sum up in acc?
inline bool accumulates(uint32_t dtype, uint32_t acc) {
  switch (acc) {
    case OPMUX_F32:
      return dtype == OPMUX_F32 || dtype == OPMUX_F16 || dtype == OPMUX_BF16;
    case OPMUX_F64:
      return dtype == OPMUX_F64;
    case OPMUX_I32:
      return dtype == OPMUX_I8 || dtype == OPMUX_U8;
    default:
      return false;
  }
}

inline bool is_aliased(const opmux_opd& d) { return d.alias != nullptr && d.alias[0] != 0; }

// Operands `own` and later may be overwritten by the output, element by element, if the query was asked with
// the alias set.
inline uint32_t extra_mask(const opmux_opd& d, uint32_t own) {
  uint32_t mask = 0;
  for (uint32_t i = own; i < d.n_in && i < 32; ++i)
    mask |= d.in[i].dtype == d.out[0].dtype && same_view(d.in[i], d.out[0]) ? 1u << i : 0u;
  return mask;
}
inline bool alias_fits(const opmux_opd& d, uint32_t own) {
  return !is_aliased(d) || (d.alias[0] <= 32 && ((extra_mask(d, own) >> (d.alias[0] - 1)) & 1u) != 0);
}

// Accepts a product that reads each operand and writes its output once.
inline void yes_product(const opmux_devinfo* info, const opmux_opd& d, uint32_t own, double flops,
                        uint64_t ws, opmux_cap* cap) {
  Cost c{.flops = flops, .ws = ws};
  for (uint32_t i = 0; i < d.n_in; ++i) c.bytes += static_cast<double>(tensor_bytes(d.in[i]));
  c.bytes += static_cast<double>(tensor_bytes(d.out[0]));
  yes(cap, info, c);
  cap->inplace_mask = extra_mask(d, own);
}

// What a product answers about the panels of operand i, which is of this side (kNoSide: never packed).
constexpr uint32_t kNoSide = 2;
inline opmux_status gemm_packed_size(const char* name, const GemmPlan& p, uint32_t side, uint32_t acc,
                                     uint32_t i, uint32_t layout, uint64_t* size, uint64_t* arg,
                                     opmux_err* err) {
  if (side == kNoSide || layout != panel_layout(side, p))
    return kit_fail(err, OPMUX_E_UNSUPPORTED, i, "%s: operand %u has no layout 0x%x", name, i, layout);
  *arg = 0;
  with_accumulator(acc, [&](auto t) { *size = gemm_packed_bytes<decltype(t)>(p, side == kLeft); });
  return OPMUX_OK;
}
inline opmux_status gemm_pack_side(const char* name, const opmux_host_api* host, const GemmPlan& p,
                                   uint32_t side, uint32_t acc, uint32_t i, uint32_t layout, const void* src,
                                   void* dst, opmux_err* err) {
  uint64_t size, arg;
  const opmux_status status = gemm_packed_size(name, p, side, acc, i, layout, &size, &arg, err);
  if (status != OPMUX_OK) return status;
  with_accumulator(acc, [&](auto t) {
    gemm_pack_operand<decltype(t)>(host, p, side == kLeft, src, static_cast<decltype(t)*>(dst));
  });
  return OPMUX_OK;
}

}  // namespace opmux::cpu
#endif
