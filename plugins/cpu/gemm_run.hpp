// SPDX-License-Identifier: Apache-2.0
// Runs a planned matrix product.
#ifndef OPMUX_CPU_GEMM_RUN_HPP
#define OPMUX_CPU_GEMM_RUN_HPP

#include <cstddef>

#include "cpu/gemm_plan.hpp"
#include "opmux/plugin.h"

namespace opmux::cpu {

// Packs columns [col, col + cols) and rows [k0, k0 + k) of matrix B of a batch into panels of nr columns, one
// after the other, each k x nr; missing columns of the last panel become 0. dst may be overrun by 64
// elements.
template <class T>
using GemmPackB = void (*)(const void* ctx, int64_t batch, int64_t k0, int64_t k, int64_t col, int64_t cols,
                           int64_t nr, T* dst);

template <class T>
struct GemmCall {
  const GemmPlan* plan;
  GemmKernels<T> kernels;
  const opmux_host_api* host;
  const void *a, *b;  // element 0, or the panels where plan says packed
  GemmPackB<T> pack_b;
  const void* pack_ctx;
  void* out;
  void* const* extra;
  void* ws;  // plan->workspace() bytes
};

template <class T>
void gemm_run(const GemmCall<T>& call);

// Panels of a constant operand, all of its distinct batches: bytes, and packing. as_a: as left operand (rows
// of mr) of p, else as right one.
template <class T>
uint64_t gemm_packed_bytes(const GemmPlan& p, bool as_a);
template <class T>
void gemm_pack_operand(const opmux_host_api* host, const GemmPlan& p, bool as_a, const void* src, T* dst);

}  // namespace opmux::cpu
#endif
