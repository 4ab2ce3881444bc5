// SPDX-License-Identifier: Apache-2.0
#include "cpu/conv_product.hpp"

#include <cstring>

#include "opmux/ops/conv.gen.h"

namespace opmux::cpu {
namespace {

// Both descriptors begin alike.
static_assert(offsetof(opmux_op_conv, acc_dtype) == offsetof(opmux_op_deform_conv, acc_dtype));

uint32_t accumulator(const opmux_opd& d) { return reinterpret_cast<const opmux_op_conv&>(d).acc_dtype; }

// One stride for [C / group, kernel] of w, or 0.
int64_t weight_stride(const ConvShape& c) {
  const int64_t taps = joined_stride(c.kernel, c.w);
  if (c.c == 1) return taps;
  if (c.taps() == 1) return c.w_1;
  return taps != 0 && c.w_1 == taps * c.taps() ? taps : 0;
}

uint64_t contiguous_bytes(const ConvProduct& p) {
  return static_cast<uint64_t>(p.conv.group * p.conv.m * p.plan.k * element_bytes(p.plan.a.dtype)) + 64;
}

void copy_weights(const ConvProduct& p, const void* src, char* dst) {
  const ConvShape& c = p.conv;
  const int64_t bytes = element_bytes(p.plan.a.dtype);
  for (int64_t m = 0; m < c.group * c.m; ++m) {
    for (int64_t i = 0; i < p.plan.k; ++i) {
      const int64_t tap = i % c.taps(), kw = tap % c.kernel[2], kh = tap / c.kernel[2] % c.kernel[1];
      const int64_t kd = tap / (c.kernel[1] * c.kernel[2]);
      const int64_t at = m * c.w_0 + i / c.taps() * c.w_1 + kd * c.w[0] + kh * c.w[1] + kw * c.w[2];
      std::memcpy(dst, static_cast<const char*>(src) + at * bytes, static_cast<size_t>(bytes));
      dst += bytes;
    }
  }
}

}  // namespace

bool conv_is_pointwise(const ConvShape& c) {
  for (int i = 0; i < 3; ++i) {
    if (c.kernel[i] != 1 || c.stride[i] != 1 || c.pad[i] != 0 || c.in[i] != c.out[i]) return false;
  }
  return joined_stride(c.in, c.x) != 0;
}

const void* ConvProduct::weights(const void* w, char*& ws) const {
  if (!copy_weights) return w;
  cpu::copy_weights(*this, w, ws);
  const char* copied = ws;
  ws += weights_bytes;
  return copied;
}

ConvProduct conv_product(const opmux_opd& d, uint32_t own, bool custom) {
  ConvProduct s;
  s.conv = conv_shape(d);
  const ConvShape& c = s.conv;
  GemmPlan& p = s.plan;
  p.m = c.m;
  p.n = c.out_size();
  p.k = c.c * c.taps();
  p.grid = conv_grid(d, c, own);
  p.a.dtype = d.in[1].dtype;
  p.a.packed = d.in[1].layout != 0;
  p.a.rs = c.w_0;
  p.a.ks = weight_stride(c);
  p.a.bs[1] = c.group == 1 ? 0 : c.m * c.w_0;
  s.copy_weights = !p.a.packed && p.a.ks == 0;
  if (p.a.ks == 0) {
    p.a.ks = 1;
    p.a.rs = p.k;
    p.a.bs[1] = c.group == 1 ? 0 : c.m * p.k;
  }
  p.b.dtype = d.in[0].dtype;
  p.b.rs = custom ? 0 : joined_stride(c.in, c.x);
  p.b.ks = c.x_c;
  p.b.bs[0] = c.x_n;
  p.b.bs[1] = c.group == 1 ? 0 : c.c * c.x_c;
  p.aliased = is_aliased(d);
  const uint32_t acc = accumulator(d);
  with_accumulator(acc, [&](auto t) { cut(p, gemm_kernels<decltype(t)>().tile, acc, custom); });
  if (s.copy_weights) s.weights_bytes = contiguous_bytes(s);
  return s;
}

bool conv_check(const opmux_opd& d, uint32_t own, opmux_cap* cap) {
  const uint32_t acc = accumulator(d);
  for (uint32_t i = 0; i < 2; ++i) {
    if (!accumulates(d.in[i].dtype, acc)) return no(cap, OPMUX_WHY_DTYPE, i, d.in[i].dtype, acc), false;
    if (d.in[i].rank < 3 || d.in[i].rank > 5) return no(cap, OPMUX_WHY_RANK, i, d.in[i].rank, 5), false;
  }
  for (uint32_t i = 0; i < own; ++i)
    if (i != 1 && d.in[i].layout != 0) return no(cap, OPMUX_WHY_LAYOUT, i, d.in[i].layout, 0), false;
  if (!alias_fits(d, own)) return no(cap, OPMUX_WHY_ALIAS, d.alias[0] - 1), false;
  return Epilogue::supports(d, own, acc, cap);
}

bool conv_check_layout(const opmux_opd& d, const ConvProduct& p, opmux_cap* cap) {
  const uint32_t want = panel_layout(kLeft, p.plan);
  if (d.in[1].layout != 0 && d.in[1].layout != want)
    return no(cap, OPMUX_WHY_LAYOUT, 1, d.in[1].layout, want), false;
  if ((d.in[1].flags & OPMUX_T_CONST) && cap->in_layout && cap->layout_cap > 1) cap->in_layout[1] = want;
  return true;
}

void conv_yes(const opmux_opd& d, uint32_t own, const ConvProduct& p, double extra_flops,
              const opmux_devinfo* info, opmux_cap* cap) {
  const double flops = 2.0 * static_cast<double>(elements(d.out[0])) * static_cast<double>(p.plan.k);
  yes_product(info, d, own, flops + extra_flops, p.workspace(), cap);
}

opmux_status conv_packed_size(const char* name, const opmux_opd& d, const ConvProduct& p, uint32_t i,
                              uint32_t layout, uint64_t* size, uint64_t* arg, opmux_err* err) {
  return gemm_packed_size(name, p.plan, i == 1 ? kLeft : kNoSide, accumulator(d), i, layout, size, arg, err);
}

opmux_status conv_pack(const char* name, const opmux_host_api* host, const opmux_opd& d, const ConvProduct& p,
                       uint32_t i, uint32_t layout, const void* src, void* dst, opmux_err* err) {
  void* plain = nullptr;
  const bool scattered = i == 1 && weight_stride(p.conv) == 0;
  const uint64_t bytes = contiguous_bytes(p);
  if (scattered) {
    plain = host->alloc(host->self, bytes, 64);
    if (!plain)
      return kit_fail(err, OPMUX_E_OUT_OF_MEMORY, i, "%s: no memory for %llu bytes of weights", name,
                      static_cast<unsigned long long>(bytes));
    copy_weights(p, src, static_cast<char*>(plain));
    src = plain;
  }
  const opmux_status status =
      gemm_pack_side(name, host, p.plan, i == 1 ? kLeft : kNoSide, accumulator(d), i, layout, src, dst, err);
  if (scattered) host->free_(host->self, plain, bytes, 64);
  return status;
}

}  // namespace opmux::cpu
