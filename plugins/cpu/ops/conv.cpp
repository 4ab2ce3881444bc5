// SPDX-License-Identifier: Apache-2.0
// conv as a matrix product of weights and patches, the patches packed where they are used (implicit GEMM).
// Kernels of one tap without padding take x as the right operand directly.
#include "opmux/ops/conv.gen.h"

#include <algorithm>
#include <cstring>

#include "cpu/conv_shape.hpp"
#include "cpu/gemm_op.hpp"
#include "cpu/kernels/conv_pack.hpp"
#include "cpu/ops/ops.hpp"

namespace opmux::cpu {
namespace {

constexpr uint32_t kOwn = 2;

struct Shape {
  ConvShape conv;
  GemmPlan plan;
  bool copy_weights = false;  // their inner dims are not one stride: made contiguous in the workspace first
  uint64_t weights_bytes = 0, last = 0;  // last: elements from element 0 of x to its last one in memory
};

const opmux_op_conv& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_conv&>(d); }

bool is_pointwise(const ConvShape& c) {
  for (int i = 0; i < 3; ++i) {
    if (c.kernel[i] != 1 || c.stride[i] != 1 || c.pad[i] != 0 || c.in[i] != c.out[i]) return false;
  }
  return joined_stride(c.in, c.x) != 0;
}

// One stride for [C / group, kernel] of w, or 0.
int64_t weight_stride(const ConvShape& c) {
  const int64_t taps = joined_stride(c.kernel, c.w);
  if (c.c == 1) return taps;
  if (c.taps() == 1) return c.w_1;
  return taps != 0 && c.w_1 == taps * c.taps() ? taps : 0;
}

Shape shape(const opmux_opd& d) {
  Shape s;
  s.conv = conv_shape(d);
  const ConvShape& c = s.conv;
  GemmPlan& p = s.plan;
  p.m = c.m;
  p.n = c.out_size();
  p.k = c.c * c.taps();
  p.grid = conv_grid(d, c);
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
  const bool pointwise = is_pointwise(c);
  p.b.rs = pointwise ? joined_stride(c.in, c.x) : 0;
  p.b.ks = c.x_c;
  p.b.bs[0] = c.x_n;
  p.b.bs[1] = c.c * c.x_c;
  p.aliased = is_aliased(d);
  const uint32_t acc = desc(d).acc_dtype;
  with_accumulator(acc, [&](auto t) { cut(p, gemm_kernels<decltype(t)>().tile, acc, !pointwise); });
  if (s.copy_weights)
    s.weights_bytes = static_cast<uint64_t>(c.group * c.m * p.k * element_bytes(p.a.dtype)) + 64;
  for (uint32_t i = 0; i < d.in[0].rank; ++i) {
    s.last += static_cast<uint64_t>(std::max<int64_t>(d.in[0].stride[i], 0) *
                                    (std::max<int64_t>(d.in[0].dim[i], 1) - 1));
  }
  return s;
}

bool check(const opmux_opd& d, opmux_cap* cap) {
  const uint32_t acc = desc(d).acc_dtype;
  for (uint32_t i = 0; i < kOwn; ++i) {
    if (!accumulates(d.in[i].dtype, acc)) return no(cap, OPMUX_WHY_DTYPE, i, d.in[i].dtype, acc), false;
    if (d.in[i].rank < 3 || d.in[i].rank > 5) return no(cap, OPMUX_WHY_RANK, i, d.in[i].rank, 5), false;
  }
  if (d.in[0].layout != 0) return no(cap, OPMUX_WHY_LAYOUT, 0, d.in[0].layout, 0), false;
  if (!alias_fits(d, kOwn)) return no(cap, OPMUX_WHY_ALIAS, d.alias[0] - 1), false;
  return Epilogue::supports(d, kOwn, acc, cap);
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!check(*d, cap)) return;
  const Shape s = shape(*d);
  const uint32_t want = panel_layout(kLeft, s.plan);
  if (d->in[1].layout != 0 && d->in[1].layout != want)
    return no(cap, OPMUX_WHY_LAYOUT, 1, d->in[1].layout, want);
  if ((d->in[1].flags & OPMUX_T_CONST) && cap->in_layout && cap->layout_cap > 1) cap->in_layout[1] = want;
  Cost c;
  c.flops = 2.0 * static_cast<double>(elements(d->out[0])) * static_cast<double>(s.plan.k);
  for (uint32_t i = 0; i < d->n_in; ++i)
    c.bytes += static_cast<double>(elements(d->in[i]) * element_bytes(d->in[i].dtype));
  c.bytes += static_cast<double>(elements(d->out[0]) * element_bytes(d->out[0].dtype));
  c.ws = s.plan.workspace() + s.weights_bytes;
  yes(cap, info, c);
  cap->inplace_mask = extra_mask(*d, kOwn);
}

struct State {
  explicit State(const opmux_opd& d) : shape(opmux::cpu::shape(d)) {
    shape.plan.epilogue.compile(d, kOwn, desc(d).acc_dtype, shape.plan.grid);
  }
  Shape shape;
};

opmux_status prepare(const opmux_host_api* host, const opmux_opd* d, void** state, opmux_err* err) {
  return make_state<State>(host, state, err, *d);
}

void copy_weights(const Shape& s, const void* src, char* dst) {
  const ConvShape& c = s.conv;
  const int64_t bytes = element_bytes(s.plan.a.dtype);
  for (int64_t m = 0; m < c.group * c.m; ++m) {
    for (int64_t i = 0; i < s.plan.k; ++i) {
      const int64_t tap = i % c.taps(), kw = tap % c.kernel[2], kh = tap / c.kernel[2] % c.kernel[1];
      const int64_t kd = tap / (c.kernel[1] * c.kernel[2]);
      const int64_t at = m * c.w_0 + i / c.taps() * c.w_1 + kd * c.w[0] + kh * c.w[1] + kw * c.w[2];
      std::memcpy(dst, static_cast<const char*>(src) + at * bytes, static_cast<size_t>(bytes));
      dst += bytes;
    }
  }
}

struct PackContext {
  const Shape* shape;
  const void* x;
};

template <class T>
void pack_b(const void* ctx, int64_t batch, int64_t k0, int64_t k, int64_t col, int64_t cols, int64_t nr,
            T* dst) {
  const auto& p = *static_cast<const PackContext*>(ctx);
  const ConvShape& c = p.shape->conv;
  const int64_t image = batch / c.group, group = batch % c.group,
                bytes = element_bytes(p.shape->plan.b.dtype);
  const char* x = static_cast<const char*>(p.x);
  const char* limit = x + (static_cast<int64_t>(p.shape->last) + 1) * bytes;
  x += (image * c.x_n + group * c.c * c.x_c) * bytes;
  pack_patches<T>({&c, p.shape->plan.b.dtype, x, limit}, k0, k, col, cols, nr, dst);
}

opmux_status run(const kit_call* call, opmux_err*) {
  const Shape& s = static_cast<const State*>(call->state)->shape;
  char* ws = static_cast<char*>(call->ws);
  const void* w = call->arg[1];
  if (s.copy_weights) {
    copy_weights(s, w, ws);
    w = ws;
    ws += s.weights_bytes;
  }
  const PackContext ctx{&s, call->arg[0]};
  return with_accumulator(desc(*call->d).acc_dtype, [&](auto t) {
    using T = decltype(t);
    gemm_run<T>({&s.plan, gemm_kernels<T>(), call->host, w, call->arg[0], pack_b<T>, &ctx,
                 call->arg[call->d->n_in], call->arg + kOwn, ws});
    return opmux_status{OPMUX_OK};
  });
}

opmux_status packed_size(const opmux_opd* d, uint32_t i, uint32_t layout, uint64_t* size, uint64_t* arg,
                         opmux_err* err) {
  const Shape s = shape(*d);
  if (i != 1 || layout != panel_layout(kLeft, s.plan)) {
    return kit_fail(err, OPMUX_E_UNSUPPORTED, i, "conv: operand %u has no layout 0x%x", i, layout);
  }
  *arg = 0;
  with_accumulator(desc(*d).acc_dtype, [&](auto t) { *size = gemm_packed_bytes<decltype(t)>(s.plan, true); });
  return OPMUX_OK;
}

opmux_status pack(const opmux_host_api* host, const opmux_opd* d, uint32_t i, uint32_t layout,
                  const void* src, void* dst, opmux_err* err) {
  uint64_t size, arg;
  if (opmux_status e = packed_size(d, i, layout, &size, &arg, err); e != OPMUX_OK) return e;
  const Shape s = shape(*d);
  void* plain = nullptr;
  const bool scattered = weight_stride(s.conv) == 0;
  const uint64_t bytes =
      static_cast<uint64_t>(s.conv.group * s.conv.m * s.plan.k * element_bytes(s.plan.a.dtype)) + 64;
  if (scattered) {
    plain = host->alloc(host->self, bytes, 64);
    if (!plain)
      return kit_fail(err, OPMUX_E_OUT_OF_MEMORY, i, "conv: no memory for %llu bytes of weights",
                      static_cast<unsigned long long>(bytes));
    copy_weights(s, src, static_cast<char*>(plain));
    src = plain;
  }
  with_accumulator(desc(*d).acc_dtype, [&](auto t) {
    gemm_pack_operand<decltype(t)>(host, s.plan, true, src, static_cast<decltype(t)*>(dst));
  });
  if (scattered) host->free_(host->self, plain, bytes, 64);
  return OPMUX_OK;
}

}  // namespace

const kit_op kConv = {
    OPMUX_OP_CONV, "implicit_gemm",       query, prepare, free_state<State>, run, packed_size,
    pack,          sizeof(opmux_op_conv), 1};

}  // namespace opmux::cpu
