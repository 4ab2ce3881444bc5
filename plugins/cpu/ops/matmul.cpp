// SPDX-License-Identifier: Apache-2.0
// matmul: any strides, broadcast batch, constant operands packed ahead.
#include "opmux/ops/matmul.gen.h"

#include <algorithm>

#include "cpu/gemm_op.hpp"
#include "cpu/matmul_shape.hpp"
#include "cpu/ops/ops.hpp"

namespace opmux::cpu {
namespace {

constexpr uint32_t kOwn = 2;

struct Shape {
  GemmPlan plan;
  bool swapped = false;  // operand 0 is the right one
};

const opmux_op_matmul& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_matmul&>(d); }

Shape shape(const opmux_opd& d) {
  Shape s;
  GemmPlan& p = s.plan;
  const opmux_tdesc &a = d.in[0], &b = d.in[1], &out = d.out[0];
  p.m = out.dim[out.rank - 2];
  p.n = out.dim[out.rank - 1];
  p.k = a.dim[a.rank - 1];
  p.a = matrix_operand(a, out, 2, 1);
  p.b = matrix_operand(b, out, 1, 2);
  p.grid.n_batch = out.rank - 2;
  std::copy(out.dim, out.dim + out.rank - 2, p.grid.batch);
  p.grid.rows = p.m;
  p.grid.col[0] = p.n;
  p.grid.out = grid_view(out, out);
  p.grid.n_extra = d.n_in - kOwn;
  for (uint32_t i = 0; i < p.grid.n_extra; ++i) p.grid.extra[i] = grid_view(d.in[kOwn + i], out);
  p.aliased = is_aliased(d);
  const bool thin = p.n <= 8 && p.m > p.n;
  const bool transposed = p.n > 1 && p.m > 1 && p.grid.out.rs == 1 && p.grid.out.cs[0] != 1;
  if ((thin && !(p.n > 1 && p.grid.out.cs[0] == 1 && p.m > 64 && p.a.ks != 1)) || transposed) {
    transpose(p);
    s.swapped = true;
  }
  free_stride(p);
  fold_batch(p);
  const uint32_t acc = desc(d).acc_dtype;
  with_accumulator(acc, [&](auto t) { cut(p, gemm_kernels<decltype(t)>().tile, acc, false); });
  return s;
}

// Operand i as it stands in the plan.
uint32_t side(const Shape& s, uint32_t i) { return (i == 0) == s.swapped ? kRight : kLeft; }

bool check(const opmux_opd& d, opmux_cap* cap) {
  const uint32_t acc = desc(d).acc_dtype;
  for (uint32_t i = 0; i < kOwn; ++i) {
    if (!accumulates(d.in[i].dtype, acc)) return no(cap, OPMUX_WHY_DTYPE, i, d.in[i].dtype, acc), false;
    if (d.in[i].rank < 2 || d.in[i].rank > OPMUX_MAX_RANK)
      return no(cap, OPMUX_WHY_RANK, i, d.in[i].rank, 2), false;
  }
  if (!alias_fits(d, kOwn)) return no(cap, OPMUX_WHY_ALIAS, d.alias[0] - 1), false;
  return Epilogue::supports(d, kOwn, acc, cap);
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!check(*d, cap)) return;
  const Shape s = shape(*d);
  for (uint32_t i = 0; i < kOwn; ++i) {
    const uint32_t want = panel_layout(side(s, i), s.plan);
    if (d->in[i].layout != 0 && d->in[i].layout != want)
      return no(cap, OPMUX_WHY_LAYOUT, i, d->in[i].layout, want);
    if ((d->in[i].flags & OPMUX_T_CONST) && cap->in_layout && i < cap->layout_cap) cap->in_layout[i] = want;
  }
  const double flops = 2.0 * static_cast<double>(s.plan.m) * static_cast<double>(s.plan.n) *
                       static_cast<double>(s.plan.k) * static_cast<double>(s.plan.batches);
  yes_product(info, *d, kOwn, flops, s.plan.workspace(), cap);
}

struct State {
  explicit State(const opmux_opd& d) : shape(opmux::cpu::shape(d)) {
    shape.plan.epilogue.compile(d, kOwn, desc(d).acc_dtype, shape.plan.grid);
  }
  Shape shape;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const Shape& s = static_cast<const State*>(call->state)->shape;
  return with_accumulator(desc(*call->d).acc_dtype, [&](auto t) {
    using T = decltype(t);
    gemm_run<T>({&s.plan, gemm_kernels<T>(), call->host, call->arg[s.swapped ? 1 : 0],
                 call->arg[s.swapped ? 0 : 1], nullptr, nullptr, call->arg[call->d->n_in], call->arg + kOwn,
                 call->ws});
    return opmux_status{OPMUX_OK};
  });
}

uint32_t packed_side(const Shape& s, uint32_t i) { return i < kOwn ? side(s, i) : kNoSide; }

// A packed operand is asked for before its own layout is in the descriptor.
opmux_status packed_size(const opmux_opd* d, uint32_t i, uint32_t layout, uint64_t* size, uint64_t* arg,
                         opmux_err* err) {
  const Shape s = shape(*d);
  return gemm_packed_size("matmul", s.plan, packed_side(s, i), desc(*d).acc_dtype, i, layout, size, arg, err);
}

opmux_status pack(const opmux_host_api* host, const opmux_opd* d, uint32_t i, uint32_t layout,
                  const void* src, void* dst, opmux_err* err) {
  const Shape s = shape(*d);
  return gemm_pack_side("matmul", host, s.plan, packed_side(s, i), desc(*d).acc_dtype, i, layout, src, dst,
                        err);
}

}  // namespace

const kit_op kMatmul =
    state_op<State, opmux_op_matmul>(OPMUX_OP_MATMUL, "packed", query, run, packed_size, pack);

}  // namespace opmux::cpu
