// SPDX-License-Identifier: Apache-2.0
#include "reference/op_table.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "kit/schema_hook.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

template <Body kBody>
opmux_status run(const kit_call* call, opmux_err* err) {
  return kit::guard(err, [&] {
    Job job(*call);
    kBody(job);
  });
}

// Do both views put every element in the same place of one memory? Only then may an output share an input's.
bool same_place(const opmux_tdesc& x, const opmux_tdesc& y) {
  if (OPMUX_DTYPE_BITS(x.dtype) != OPMUX_DTYPE_BITS(y.dtype) || x.rank != y.rank) return false;
  for (uint32_t i = 0; i < x.rank; ++i)
    if (x.dim[i] != y.dim[i] || (x.dim[i] > 1 && x.stride[i] != y.stride[i])) return false;
  return true;
}

// The schemas have checked the descriptor; whatever makes sense can be computed here.
void query(const opmux_devinfo*, const opmux_opd* d, opmux_cap* cap) {
  for (uint32_t i = 0; i < d->n_in + d->n_out; ++i) {
    const opmux_tdesc& t = *kit_operand(d, i);
    if (t.dtype == OPMUX_NONE) continue;  // nothing is there to be laid out
    if (t.layout != 0) {
      kit_no(cap, OPMUX_WHY_LAYOUT, i, 0, t.layout, 0);
      return;
    }
    if (t.quant != 0) {
      kit_no(cap, OPMUX_WHY_QUANT, i, 0, int64_t(t.quant), 0);
      return;
    }
  }
  for (uint32_t o = 0; d->alias && o < d->n_out; ++o)
    if (d->alias[o] && !same_place(d->in[d->alias[o] - 1], d->out[o])) {
      kit_no(cap, OPMUX_WHY_ALIAS, d->n_in + o, 0, d->alias[o] - 1, 0);
      return;
    }
  // About 4 ns per operation and 1 ns per byte, from the scalar loops here; capped far above any real plan.
  constexpr uint64_t kMost = uint64_t{1} << 58;
  kit_yes(cap, OPMUX_ACC_STRICT,
          1000 + 4 * std::min(schema::flops(*d), kMost / 8) + std::min(schema::bytes(*d), kMost));
  if (d->op != OPMUX_OP_POINTWISE) return;
  for (uint32_t i = 0; i < d->n_in && i < 32; ++i)
    if (d->n_out == 1 && same_place(d->in[i], d->out[0])) cap->inplace_mask |= 1u << i;
}

void describe(opmux_devinfo* info) { info->features |= OPMUX_FEAT_F16; }

struct Listed {
  kit_op op;
  Body body;  // for the oracle
};

template <class Desc, Body kBody>
constexpr Listed list(uint32_t op) {
  return {{op, "plain", query, nullptr, nullptr, run<kBody>, nullptr, nullptr, uint32_t(sizeof(Desc)), 1},
          kBody};
}

constexpr Listed kList[] = {
    list<opmux_op_fill, fill>(OPMUX_OP_FILL),
    list<opmux_op_iota, iota>(OPMUX_OP_IOTA),
    list<opmux_op_copy, copy>(OPMUX_OP_COPY),
    list<opmux_op_matmul, matmul>(OPMUX_OP_MATMUL),
    list<opmux_op_quant_matmul, quant_matmul>(OPMUX_OP_QUANT_MATMUL),
    list<opmux_op_grouped_matmul, grouped_matmul>(OPMUX_OP_GROUPED_MATMUL),
    list<opmux_op_dynamic_quantise, dynamic_quantise>(OPMUX_OP_DYNAMIC_QUANTISE),
    list<opmux_op_pointwise, pointwise>(OPMUX_OP_POINTWISE),
    list<opmux_op_reduce, reduce>(OPMUX_OP_REDUCE),
    list<opmux_op_gather, gather>(OPMUX_OP_GATHER),
    list<opmux_op_gather_elements, gather_elements>(OPMUX_OP_GATHER_ELEMENTS),
    list<opmux_op_gather_nd, gather_nd>(OPMUX_OP_GATHER_ND),
    list<opmux_op_one_hot, one_hot>(OPMUX_OP_ONE_HOT),
    list<opmux_op_scatter_elements, scatter_elements>(OPMUX_OP_SCATTER_ELEMENTS),
    list<opmux_op_scatter_nd, scatter_nd>(OPMUX_OP_SCATTER_ND),
    list<opmux_op_scan, scan>(OPMUX_OP_SCAN),
    list<opmux_op_histogram, histogram>(OPMUX_OP_HISTOGRAM),
    list<opmux_op_tensor_stats, tensor_stats>(OPMUX_OP_TENSOR_STATS),
    list<opmux_op_segment, segment>(OPMUX_OP_SEGMENT),
    list<opmux_op_embedding_bag, embedding_bag>(OPMUX_OP_EMBEDDING_BAG),
    list<opmux_op_sort, sort>(OPMUX_OP_SORT),
    list<opmux_op_top_k, top_k>(OPMUX_OP_TOP_K),
    list<opmux_op_non_zero, non_zero>(OPMUX_OP_NON_ZERO),
    list<opmux_op_unique, unique>(OPMUX_OP_UNIQUE),
    list<opmux_op_conv, conv>(OPMUX_OP_CONV),
    list<opmux_op_conv_transpose, conv_transpose>(OPMUX_OP_CONV_TRANSPOSE),
    list<opmux_op_pool, pool>(OPMUX_OP_POOL),
    list<opmux_op_softmax, softmax>(OPMUX_OP_SOFTMAX),
    list<opmux_op_layer_norm, layer_norm>(OPMUX_OP_LAYER_NORM),
    list<opmux_op_group_norm, group_norm>(OPMUX_OP_GROUP_NORM),
    list<opmux_op_lrn, lrn>(OPMUX_OP_LRN),
    list<opmux_op_attention, attention>(OPMUX_OP_ATTENTION),
    list<opmux_op_paged_attention, paged_attention>(OPMUX_OP_PAGED_ATTENTION),
    list<opmux_op_kv_append, kv_append>(OPMUX_OP_KV_APPEND),
    list<opmux_op_rotary, rotary>(OPMUX_OP_ROTARY),
    list<opmux_op_pad, pad>(OPMUX_OP_PAD),
    list<opmux_op_grid_sample, grid_sample>(OPMUX_OP_GRID_SAMPLE),
    list<opmux_op_col2im, col2im>(OPMUX_OP_COL2IM),
    list<opmux_op_roi_align, roi_align>(OPMUX_OP_ROI_ALIGN),
    list<opmux_op_resize, resize>(OPMUX_OP_RESIZE),
    list<opmux_op_non_max_suppression, non_max_suppression>(OPMUX_OP_NON_MAX_SUPPRESSION),
    list<opmux_op_deform_conv, deform_conv>(OPMUX_OP_DEFORM_CONV),
    list<opmux_op_det, det>(OPMUX_OP_DET),
    list<opmux_op_random, random>(OPMUX_OP_RANDOM),
    list<opmux_op_recurrent, recurrent>(OPMUX_OP_RECURRENT),
    list<opmux_op_dft, dft>(OPMUX_OP_DFT),
    list<opmux_op_linear_attention, linear_attention>(OPMUX_OP_LINEAR_ATTENTION),
    list<opmux_op_sample, sample>(OPMUX_OP_SAMPLE),
    list<opmux_op_selective_scan, selective_scan>(OPMUX_OP_SELECTIVE_SCAN),
    list<opmux_op_speculative, speculative>(OPMUX_OP_SPECULATIVE),
};

constexpr auto kOps = [] {
  std::array<kit_op, std::size(kList)> ops{};
  for (size_t i = 0; i < ops.size(); ++i) ops[i] = kList[i].op;
  return ops;
}();

}  // namespace

Body body_of(const kit_op* op) { return kList[op - kOps.data()].body; }

}  // namespace opmux::reference

extern "C" const kit_device kit_the_device = {
    "reference",
    OPMUX_DEV_CPU,
    0,
    opmux::reference::kOps.data(),
    uint32_t(opmux::reference::kOps.size()),
    opmux::kit::schema_validate,
    opmux::reference::describe,
    opmux::kit::schema_explain,
};
