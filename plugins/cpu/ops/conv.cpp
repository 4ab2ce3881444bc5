// SPDX-License-Identifier: Apache-2.0
// conv as a matrix product of weights and patches, the patches packed where they are used (implicit GEMM).
// Kernels of one tap without padding take x as the right operand directly.
#include "opmux/ops/conv.gen.h"

#include <algorithm>

#include "cpu/conv_product.hpp"
#include "cpu/kernels/conv_pack.hpp"
#include "cpu/ops/ops.hpp"

namespace opmux::cpu {
namespace {

constexpr uint32_t kOwn = 2;

const opmux_op_conv& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_conv&>(d); }

ConvProduct product(const opmux_opd& d) { return conv_product(d, kOwn, !conv_is_pointwise(conv_shape(d))); }

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!conv_check(*d, kOwn, cap)) return;
  const ConvProduct p = product(*d);
  if (conv_check_layout(*d, p, cap)) conv_yes(*d, kOwn, p, 0, info, cap);
}

struct State {
  explicit State(const opmux_opd& d) : product(opmux::cpu::product(d)) {
    product.plan.epilogue.compile(d, kOwn, desc(d).acc_dtype, product.plan.grid);
    for (uint32_t i = 0; i < d.in[0].rank; ++i)
      last += std::max<int64_t>(d.in[0].stride[i], 0) * (std::max<int64_t>(d.in[0].dim[i], 1) - 1);
  }
  ConvProduct product;
  int64_t last = 0;  // elements from element 0 of x to its last one in memory
};

struct PackContext {
  const State* state;
  const void* x;
};

template <class T>
void pack_b(const void* ctx, int64_t batch, int64_t k0, int64_t k, int64_t col, int64_t cols, int64_t nr,
            T* dst) {
  const auto& p = *static_cast<const PackContext*>(ctx);
  const ConvShape& c = p.state->product.conv;
  const uint32_t dtype = p.state->product.plan.b.dtype;
  const int64_t image = batch / c.group, group = batch % c.group, bytes = element_bytes(dtype);
  const char* x = static_cast<const char*>(p.x);
  const char* limit = x + (p.state->last + 1) * bytes;
  x += (image * c.x_n + group * c.c * c.x_c) * bytes;
  pack_patches<T>({&c, dtype, x, limit}, k0, k, col, cols, nr, dst);
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  char* ws = static_cast<char*>(call->ws);
  const void* w = s.product.weights(call->arg[1], ws);
  const PackContext ctx{&s, call->arg[0]};
  return with_accumulator(desc(*call->d).acc_dtype, [&](auto t) {
    using T = decltype(t);
    gemm_run<T>({&s.product.plan, gemm_kernels<T>(), call->host, w, call->arg[0], pack_b<T>, &ctx,
                 call->arg[call->d->n_in], call->arg + kOwn, ws});
    return opmux_status{OPMUX_OK};
  });
}

opmux_status packed_size(const opmux_opd* d, uint32_t i, uint32_t layout, uint64_t* size, uint64_t* arg,
                         opmux_err* err) {
  return conv_packed_size("conv", *d, product(*d), i, layout, size, arg, err);
}

opmux_status pack(const opmux_host_api* host, const opmux_opd* d, uint32_t i, uint32_t layout,
                  const void* src, void* dst, opmux_err* err) {
  return conv_pack("conv", host, *d, product(*d), i, layout, src, dst, err);
}

}  // namespace

const kit_op kConv =
    state_op<State, opmux_op_conv>(OPMUX_OP_CONV, "implicit_gemm", query, run, packed_size, pack);

}  // namespace opmux::cpu
