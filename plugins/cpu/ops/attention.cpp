// SPDX-License-Identifier: Apache-2.0
// attention: keys and values are rows of tensors, in front of them those of a state; see attention_core.hpp.
#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/attention_core.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/state.hpp"
#include "cpu/strided_copy.hpp"
#include "kit/operands/attention.gen.hpp"
#include "opmux/ops/attention.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::attention::Input;
using enum operands::attention::Output;

// Outputs must be apart from all inputs, but for the state, which is where it was.
bool sound_aliases(const opmux_opd& d, opmux_cap* cap) {
  for (uint32_t o = 0; o < d.n_out; ++o) {
    if (!has_out(d, o)) continue;
    const uint32_t alias = d.alias ? d.alias[o] : 0, state = kPastK + o - kPresentK;
    const bool ok = o == kPresentK || o == kPresentV ? alias == state + 1 && same_view(d.in[state], d.out[o])
                                                     : alias == 0;
    if (!ok) return no(cap, OPMUX_WHY_ALIAS, d.n_in + o), false;
  }
  return true;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const opmux_tdesc &q = d->in[kQ], &v = d->in[kV];
  const bool wide = q.dtype == OPMUX_F64;
  if (!wide && q.dtype != OPMUX_F32 && q.dtype != OPMUX_F16 && q.dtype != OPMUX_BF16)
    return no(cap, OPMUX_WHY_DTYPE, kQ, q.dtype);
  if (!plain_operands(*d, cap)) return;
  if (q.dim[3] < 1 || q.dim[3] > kAttentionWidth)
    return no(cap, OPMUX_WHY_DIM, kQ, q.dim[3], kAttentionWidth, 3);
  if (v.dim[3] > kAttentionWidth) return no(cap, OPMUX_WHY_DIM, kV, v.dim[3], kAttentionWidth, 3);
  if (!sound_aliases(*d, cap)) return;
  const double keys = static_cast<double>(d->in[has_in(*d, kPastK) ? kPastK : kK].dim[2]);
  const double width = static_cast<double>(q.dim[3] + v.dim[3]);
  const double keys_bytes = static_cast<double>(d->in[kK].dim[0] * d->in[kK].dim[1]) * keys * width;
  const bool biased = has_in(*d, kMask) || has_in(*d, kSlopes) || has_in(*d, kBlocks);
  yes(cap, info,
      {.flops = 2 * static_cast<double>(elements(q)) / static_cast<double>(q.dim[3]) * keys * width,
       .bytes = (keys_bytes + static_cast<double>(elements(q) + elements(d->out[0]))) *
                static_cast<double>(element_bytes(q.dtype)),
       .flops_per_ns = wide ? 1.0 : 25.0,
       .ws = wide ? wide_attention_bytes(q.dim[3], v.dim[3])
                  : AttentionScratch(q.dim[3], v.dim[3], biased).bytes()});
}

// New rows of keys or values into the state that is output o.
struct Append {
  void plan(const opmux_opd& d, uint32_t fresh, uint32_t o) {
    if (!has_out(d, o)) return;
    there = true;
    opmux_tdesc rows = d.out[o];
    rows.dim[2] = d.in[fresh].dim[2];
    added.plan(rows, d.in[fresh]);
    whole.plan(d.out[o], d.in[kPastK + o - kPresentK]);
    row_bytes = rows.stride[2] * element_bytes(rows.dtype);
  }
  void run(const kit_call* call, uint32_t fresh, uint32_t o, int64_t past) const {
    if (!there) return;
    auto* to = static_cast<char*>(call->arg[call->d->n_in + o]);
    const void* old = call->arg[kPastK + o - kPresentK];
    if (to != old) whole.run(call->host, to, old);  // bound apart in spite of the alias
    added.run(call->host, to + past * row_bytes, call->arg[fresh]);
  }
  StridedCopy added, whole;
  int64_t row_bytes = 0;
  bool there = false;
};

struct State {
  explicit State(const opmux_opd& d) {
    const auto& a = reinterpret_cast<const opmux_op_attention&>(d);
    const opmux_tdesc &q = d.in[kQ], &y = d.out[0];
    plan.batches = q.dim[0];
    plan.heads = q.dim[1];
    plan.kv_heads = d.in[kK].dim[1];
    plan.queries = q.dim[2];
    plan.width = q.dim[3];
    plan.value_width = y.dim[3];
    plan.packed = has_in(d, kQStart);
    plan.causal = a.causal != 0;
    plan.window = a.window;
    plan.scale = a.scale;
    plan.soft_cap = a.soft_cap;
    plan.q_dtype = plan.y_dtype = plan.k_dtype = plan.v_dtype = q.dtype;
    std::copy_n(q.stride, 4, plan.q_stride);
    std::copy_n(y.stride, 4, plan.y_stride);
    plan.has_lse = has_out(d, kLse);
    if (plan.has_lse) std::copy_n(d.out[kLse].stride, 3, plan.lse_stride);
    if (has_in(d, kMask)) {
      plan.mask_dtype = d.in[kMask].dtype;
      broadcast_strides(d.in[kMask], plan.mask_stride);
    }
    plan.has_slopes = has_in(d, kSlopes);
    if (plan.has_slopes) plan.slope_stride = d.in[kSlopes].stride[0];
    plan.has_blocks = has_in(d, kBlocks);
    if (plan.has_blocks) {
      broadcast_strides(d.in[kBlocks], plan.block_stride);
      plan.block_q = a.block_q;
      plan.block_k = a.block_k;
    }
    plan.plan();
    append_k.plan(d, kK, kPresentK);
    append_v.plan(d, kV, kPresentV);
  }
  AttentionPlan plan;
  Append append_k, append_v;
};

// Keys or values [0, split) in the state, the others in the new rows.
class Rows final : public KeyStore {
 public:
  Rows(const kit_call* call, uint32_t fresh_in, uint32_t o, int64_t past, int64_t keys)
      : fresh_(static_cast<const char*>(call->arg[fresh_in])), fresh_t_(&call->d->in[fresh_in]), keys_(keys) {
    if (!has_in(*call->d, kPastK)) return;
    const bool stored = has_out(*call->d, o);  // the new rows are in the state already
    old_ =
        static_cast<const char*>(stored ? call->arg[call->d->n_in + o] : call->arg[kPastK + o - kPresentK]);
    old_t_ = &call->d->in[kPastK + o - 1];
    split_ = stored ? keys : past;
  }
  KeyRows at(const AttentionSequence& s, int64_t head, int64_t key) const override {
    const int64_t row = s.k_begin + key;
    const bool is_old = row < split_;
    const opmux_tdesc& t = is_old ? *old_t_ : *fresh_t_;
    const int64_t o =
        s.batch * t.stride[0] + head * t.stride[1] + (is_old ? row : row - split_) * t.stride[2];
    return {(is_old ? old_ : fresh_) + o * element_bytes(t.dtype), t.stride[2], t.stride[3],
            (is_old ? split_ : keys_) - row};
  }

 private:
  const char *fresh_, *old_ = nullptr;
  const opmux_tdesc *fresh_t_, *old_t_ = nullptr;
  int64_t keys_, split_ = 0;
};

AttentionCounts counts_of(const kit_call* call, uint32_t i) {
  if (!has_in(*call->d, i)) return {};
  const opmux_tdesc& t = call->d->in[i];
  return {call->arg[i], t.dtype, t.stride[0]};
}

opmux_status find_sequences(const kit_call* call, AttentionSequences& s, opmux_err* err) {
  const opmux_opd& d = *call->d;
  const int64_t queries = d.in[kQ].dim[2], keys = d.in[kK].dim[2];
  s.packed = has_in(d, kQStart);
  s.q = counts_of(call, s.packed ? kQStart : kQLen);
  s.k = counts_of(call, s.packed ? kKStart : kKLen);
  s.count = s.packed ? d.in[kQStart].dim[0] - 1 : d.in[kQ].dim[0];
  const int64_t n = s.count + (s.packed ? 1 : 0);
  const uint32_t q = s.packed ? kQStart : kQLen;
  const opmux_status status =
      check_counts(s.q, n, queries, s.packed, q, s.packed ? "attention: q_start" : "attention: q_len", err);
  if (status != OPMUX_OK) return status;
  return check_counts(s.k, n, keys, s.packed, q + 1, s.packed ? "attention: k_start" : "attention: k_len",
                      err);
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  const opmux_opd& d = *call->d;
  const int64_t added = d.in[kK].dim[2];
  int64_t past = 0;
  AttentionCall c;
  if (has_in(d, kPastK)) {
    past = *static_cast<const int64_t*>(call->arg[kPastLen]);
    const int64_t capacity = d.in[kPastK].dim[2];
    if (past < 0 || past > capacity - added)
      return kit_fail(err, OPMUX_E_FAULT, kPastLen,
                      "attention: past_len %lld with %lld new keys is outside the state of %lld rows",
                      static_cast<long long>(past), static_cast<long long>(added),
                      static_cast<long long>(capacity));
  }
  c.sequences.queries = d.in[kQ].dim[2];
  c.sequences.keys = past + added;
  c.sequences.shift = past;
  const opmux_status status = find_sequences(call, c.sequences, err);
  if (status != OPMUX_OK) return status;
  s.append_k.run(call, kK, 1, past);
  s.append_v.run(call, kV, 2, past);
  const Rows keys(call, kK, 1, past, past + added), values(call, kV, 2, past, past + added);
  const auto in = [&](uint32_t i) { return has_in(d, i) ? static_cast<const char*>(call->arg[i]) : nullptr; };
  c.q = in(kQ);
  c.mask = in(kMask);
  c.slopes = in(kSlopes);
  c.blocks = in(kBlocks);
  c.y = static_cast<char*>(call->arg[d.n_in]);
  c.lse = has_out(d, kLse) ? static_cast<char*>(call->arg[d.n_in + kLse]) : nullptr;
  c.k = &keys;
  c.v = &values;
  run_attention(s.plan, c, call->host, call->ws);
  return OPMUX_OK;
}

}  // namespace

const kit_op kAttention = state_op<State, opmux_op_attention>(OPMUX_OP_ATTENTION, "flash", query, run);

}  // namespace opmux::cpu
