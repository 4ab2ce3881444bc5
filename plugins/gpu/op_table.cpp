// SPDX-License-Identifier: Apache-2.0
#include "gpu/op_table.hpp"

#include "gpu/ops/ops.hpp"
#include "kit/guard.hpp"

namespace opmux::gpu {
namespace {

template <PlanFn Plan>
void query_by(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  kit::guard(nullptr, [&] { Plan(*info, *d, *cap, nullptr); });
}

template <PlanFn Plan, class Desc>
constexpr kit_op op(uint32_t id, const char* variant) {
  return {id, variant, query_by<Plan>, nullptr, nullptr, nullptr, nullptr, nullptr, sizeof(Desc), 1};
}

}  // namespace

// One line each: what it is asked for, and what makes its plan.
#define OPMUX_GPU_OPS(OP)                                                           \
  OP(POINTWISE, pointwise, "generated", plan_pointwise)                             \
  OP(COPY, copy, "elements", plan_copy)                                             \
  OP(FILL, fill, "elements", plan_copy)                                             \
  OP(MATMUL, matmul, "tiled", plan_matmul)                                          \
  OP(CONV, conv, "product", plan_conv_product)                                      \
  OP(CONV, conv, "winograd", plan_conv_winograd)                                    \
  OP(CONV, conv, "tiled", plan_conv)                                                \
  OP(CONV, conv, "direct", plan_conv_direct)                                        \
  OP(POOL, pool, "windows", plan_pool)                                              \
  OP(GATHER, gather, "elements", plan_gather)                                       \
  OP(GATHER_ELEMENTS, gather_elements, "elements", plan_gather_elements)            \
  OP(GATHER_ND, gather_nd, "elements", plan_gather_nd)                              \
  OP(ONE_HOT, one_hot, "elements", plan_one_hot)                                    \
  OP(PAD, pad, "elements", plan_pad)                                                \
  OP(IOTA, iota, "elements", plan_iota)                                             \
  OP(REDUCE, reduce, "rows", plan_reduce)                                           \
  OP(SOFTMAX, softmax, "rows", plan_softmax)                                        \
  OP(LAYER_NORM, layer_norm, "rows", plan_layer_norm)                               \
  OP(GROUP_NORM, group_norm, "rows", plan_group_norm)                               \
  OP(ATTENTION, attention, "online", plan_attention)                                \
  OP(SCATTER_ELEMENTS, scatter_elements, "elements", plan_scatter_elements)         \
  OP(SCATTER_ND, scatter_nd, "elements", plan_scatter_nd)                           \
  OP(ROTARY, rotary, "pairs", plan_rotary)                                          \
  OP(PAGED_ATTENTION, paged_attention, "online", plan_paged_attention)              \
  OP(KV_APPEND, kv_append, "rows", plan_kv_append)                                  \
  OP(QUANT_MATMUL, quant_matmul, "tiled", plan_quant_matmul)                        \
  OP(GROUPED_MATMUL, grouped_matmul, "tiled", plan_grouped_matmul)                  \
  OP(DYNAMIC_QUANTISE, dynamic_quantise, "groups", plan_dynamic_quantise)           \
  OP(RECURRENT, recurrent, "steps", plan_recurrent)                                 \
  OP(LINEAR_ATTENTION, linear_attention, "columns", plan_linear_attention)          \
  OP(SELECTIVE_SCAN, selective_scan, "channels", plan_selective_scan)               \
  OP(LRN, lrn, "elements", plan_lrn)                                                \
  OP(RANDOM, random, "elements", plan_random)                                       \
  OP(SAMPLE, sample, "rows", plan_sample)                                           \
  OP(SPECULATIVE, speculative, "rows", plan_speculative)                            \
  OP(RESIZE, resize, "tables", plan_resize)                                         \
  OP(CONV_TRANSPOSE, conv_transpose, "tiled", plan_conv_transpose)                  \
  OP(CONV_TRANSPOSE, conv_transpose, "direct", plan_conv_transpose_direct)          \
  OP(GRID_SAMPLE, grid_sample, "points", plan_grid_sample)                          \
  OP(ROI_ALIGN, roi_align, "bins", plan_roi_align)                                  \
  OP(COL2IM, col2im, "pixels", plan_col2im)                                         \
  OP(NON_MAX_SUPPRESSION, non_max_suppression, "classes", plan_non_max_suppression) \
  OP(DFT, dft, "stages", plan_dft)                                                  \
  OP(DEFORM_CONV, deform_conv, "tiled", plan_deform_conv)                           \
  OP(DET, det, "pivoted", plan_det)                                                 \
  OP(TENSOR_STATS, tensor_stats, "parts", plan_tensor_stats)                        \
  OP(SCAN, scan, "parts", plan_scan)                                                \
  OP(SORT, sort, "merges", plan_sort)                                               \
  OP(TOP_K, top_k, "merges", plan_top_k)                                            \
  OP(NON_ZERO, non_zero, "parts", plan_non_zero)                                    \
  OP(UNIQUE, unique, "merges", plan_unique)                                         \
  OP(HISTOGRAM, histogram, "atomics", plan_histogram)                               \
  OP(SEGMENT, segment, "sorted", plan_segment)                                      \
  OP(EMBEDDING_BAG, embedding_bag, "lanes", plan_embedding_bag)

#define OPMUX_GPU_KIT_OP(ID, name, variant, plan) op<plan, opmux_op_##name>(OPMUX_OP_##ID, variant),
#define OPMUX_GPU_PLAN(ID, name, variant, plan) plan,
const kit_op kOps[] = {OPMUX_GPU_OPS(OPMUX_GPU_KIT_OP)};
const uint32_t kOpCount = sizeof kOps / sizeof kOps[0];

PlanFn plan_at(size_t index) {
  static constexpr PlanFn kPlans[] = {OPMUX_GPU_OPS(OPMUX_GPU_PLAN)};
  return kPlans[index];
}

}  // namespace opmux::gpu
