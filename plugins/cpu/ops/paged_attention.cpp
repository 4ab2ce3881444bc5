// SPDX-License-Identifier: Apache-2.0
// paged_attention: rows of keys and values by a table of pages; see attention_core.hpp.
#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/attention_core.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/state.hpp"
#include "kit/operands/attention.gen.hpp"
#include "opmux/ops/attention.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::paged_attention::Input;
using enum operands::paged_attention::Output;

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  const opmux_tdesc &q = d->in[kQ], &k = d->in[kKPages], &v = d->in[kVPages];
  if (q.dim[2] < 1 || q.dim[2] > kAttentionWidth)
    return no(cap, OPMUX_WHY_DIM, kQ, q.dim[2], kAttentionWidth, 2);
  if (v.dim[3] > kAttentionWidth) return no(cap, OPMUX_WHY_DIM, kVPages, v.dim[3], kAttentionWidth, 3);
  for (uint32_t o = 0; d->alias && o < d->n_out; ++o)
    if (d->alias[o] != 0) return no(cap, OPMUX_WHY_ALIAS, d->n_in + o);
  // As if every sequence were as long as its table.
  const auto keys = static_cast<double>(d->in[kTable].dim[1] * k.dim[1]);
  const auto widths = static_cast<double>(q.dim[2] + v.dim[3]);
  yes(cap, info,
      {.flops = 2 * static_cast<double>(q.dim[0] * q.dim[1]) * keys * widths,
       .bytes = static_cast<double>(d->in[kTable].dim[0] * k.dim[2] * element_bytes(k.dtype)) * keys * widths,
       .flops_per_ns = 25,
       .ws = AttentionScratch(q.dim[2], v.dim[3], has_in(*d, kSlopes)).bytes()});
}

struct State {
  explicit State(const opmux_opd& d) {
    const auto& a = reinterpret_cast<const opmux_op_paged_attention&>(d);
    const opmux_tdesc &q = d.in[kQ], &y = d.out[0];
    plan.batches = 1;
    plan.heads = q.dim[1];
    plan.kv_heads = d.in[kKPages].dim[2];
    plan.queries = q.dim[0];
    plan.width = q.dim[2];
    plan.value_width = y.dim[2];
    plan.packed = true;
    plan.causal = a.causal != 0;
    plan.window = a.window;
    plan.scale = a.scale;
    plan.soft_cap = a.soft_cap;
    plan.q_dtype = plan.y_dtype = q.dtype;
    plan.k_dtype = d.in[kKPages].dtype;
    plan.v_dtype = d.in[kVPages].dtype;
    const auto by_head = [](const opmux_tdesc& t, int64_t* stride) {  // [query, head, element]
      stride[1] = t.stride[1];
      stride[2] = t.stride[0];
      stride[3] = t.rank > 2 ? t.stride[2] : 0;
    };
    by_head(q, plan.q_stride);
    by_head(y, plan.y_stride);
    plan.has_lse = has_out(d, kLse);
    if (plan.has_lse) by_head(d.out[kLse], plan.lse_stride);
    plan.has_slopes = has_in(d, kSlopes);
    if (plan.has_slopes) plan.slope_stride = d.in[kSlopes].stride[0];
    plan.plan();
    if (has_in(d, kKScale)) broadcast_strides(d.in[kKScale], k_scale);
    if (has_in(d, kVScale)) broadcast_strides(d.in[kVScale], v_scale);
  }
  AttentionPlan plan;
  int64_t k_scale[4] = {}, v_scale[4] = {};  // [-, page, row, head]
};

int64_t page_of(const kit_call* call, int64_t sequence, int64_t block) {
  const opmux_tdesc& t = call->d->in[kTable];
  return index_value(t.dtype, call->arg[kTable], sequence * t.stride[0] + block * t.stride[1]);
}

class Pages final : public KeyStore {
 public:
  Pages(const kit_call* call, uint32_t pages, uint32_t scale, const int64_t* scale_stride)
      : call_(call),
        t_(call->d->in[pages]),
        p_(static_cast<const char*>(call->arg[pages])),
        scale_(has_in(*call->d, scale) ? static_cast<const float*>(call->arg[scale]) : nullptr),
        scale_stride_(scale_stride) {}
  KeyRows at(const AttentionSequence& s, int64_t head, int64_t key) const override {
    const int64_t page = page_of(call_, s.index, key / t_.dim[1]), row = key % t_.dim[1];
    const int64_t o = page * t_.stride[0] + row * t_.stride[1] + head * t_.stride[2];
    KeyRows rows{p_ + o * element_bytes(t_.dtype), t_.stride[1], t_.stride[3], t_.dim[1] - row};
    if (!scale_) return rows;
    rows.scale = scale_ + page * scale_stride_[1] + row * scale_stride_[2] + head * scale_stride_[3];
    rows.scale_step = scale_stride_[2];
    return rows;
  }

 private:
  const kit_call* call_;
  const opmux_tdesc& t_;
  const char* p_;
  const float* scale_;
  const int64_t* scale_stride_;
};

AttentionCounts counts_of(const kit_call* call, uint32_t i) {
  const opmux_tdesc& t = call->d->in[i];
  return {call->arg[i], t.dtype, t.stride[0]};
}

opmux_status check_pages(const kit_call* call, const AttentionCounts& lengths, opmux_err* err) {
  const opmux_tdesc &table = call->d->in[kTable], &k = call->d->in[kKPages];
  for (int64_t b = 0; b < table.dim[0]; ++b)
    for (int64_t i = 0; i * k.dim[1] < lengths[b]; ++i) {
      const int64_t page = page_of(call, b, i);
      if (page < 0 || page >= k.dim[0])
        return kit_fail(err, OPMUX_E_FAULT, kTable, "paged_attention: table[%lld] is %lld, outside [0, %lld]",
                        static_cast<long long>(b * table.dim[1] + i), static_cast<long long>(page),
                        static_cast<long long>(k.dim[0] - 1));
    }
  return OPMUX_OK;
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  const opmux_opd& d = *call->d;
  const int64_t most = d.in[kTable].dim[1] * d.in[kKPages].dim[1];
  AttentionCall c;
  AttentionSequences& all = c.sequences;
  all.packed = all.k_lengths = true;
  all.count = d.in[kTable].dim[0];
  all.q = counts_of(call, kQStart);
  all.k = counts_of(call, kKLen);
  all.queries = d.in[kQ].dim[0];
  all.keys = most;
  opmux_status status =
      check_counts(all.q, all.count + 1, all.queries, true, kQStart, "paged_attention: q_start", err);
  if (status == OPMUX_OK)
    status = check_counts(all.k, all.count, most, false, kKLen, "paged_attention: k_len", err);
  if (status == OPMUX_OK) status = check_pages(call, all.k, err);
  if (status != OPMUX_OK) return status;
  const Pages keys(call, kKPages, kKScale, s.k_scale), values(call, kVPages, kVScale, s.v_scale);
  c.q = static_cast<const char*>(call->arg[kQ]);
  c.slopes = s.plan.has_slopes ? static_cast<const char*>(call->arg[kSlopes]) : nullptr;
  c.y = static_cast<char*>(call->arg[d.n_in]);
  c.lse = s.plan.has_lse ? static_cast<char*>(call->arg[d.n_in + kLse]) : nullptr;
  c.k = &keys;
  c.v = &values;
  run_attention(s.plan, c, call->host, call->ws);
  return OPMUX_OK;
}

}  // namespace

const kit_op kPagedAttention =
    state_op<State, opmux_op_paged_attention>(OPMUX_OP_PAGED_ATTENTION, "flash", query, run);

}  // namespace opmux::cpu
