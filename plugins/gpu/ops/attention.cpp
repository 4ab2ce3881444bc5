// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/attend.hpp"
#include "gpu/ops/ops.hpp"
#include "kit/operands/attention.gen.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

using enum operands::attention::Input;
using enum operands::attention::Output;

bool check(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap) {
  return check_operands(info, d, cap) && check_widths(kQ, d.in[kQ].dim[3], 3, kV, d.in[kV].dim[3], cap) &&
         check_places(d, cap, {{kPresentK, kPastK, true}, {kPresentV, kPastV, true}});
}

void bind_operands(const opmux_opd& d, StepMaker& s) {
  const uint32_t dtype = d.in[kQ].dtype;
  const auto optional = [&](const char* name, uint32_t arg, const char* flag, const char* strides) {
    if (!has_in(d, arg)) return s.unused(name, real_storage(dtype));
    bind_real(s, name, d, arg);
    if (flag) s.set(flag, 1);
    set_strides(s, strides, d.in[arg], 4);
  };
  optional("q", kQ, nullptr, "qs");
  optional("k", kK, nullptr, "ks");
  optional("v", kV, nullptr, "vs");
  bind_real(s, "y", d, d.n_in);
  set_strides(s, "ys", d.out[0], 4);
  const bool truth = has_in(d, kMask) && d.in[kMask].dtype == OPMUX_BOOL;
  optional("mask", kMask, "masked", "ms");
  if (truth) s.type("mask", OPMUX_U8);
  s.define("GK_MASK(m)", truth ? "((m) != 0u ? TO_sum(0) : TO_sum(-GK_INF))" : "GK_GET(m)");
  optional("blocks", kBlocks, "blocked", "fs");
  s.type("blocks", OPMUX_U8);
  optional("past_k", kPastK, nullptr, "pks");
  optional("past_v", kPastV, nullptr, "pvs");
  bind_slopes(s, d, kSlopes);
  bind_lse(s, d, kLse);
}

enum Mode : uint32_t { kAll, kLengths, kStarts, kState };

Mode bind_counts(const opmux_opd& d, StepMaker& s) {
  const Mode mode = has_in(d, kPastK)                      ? kState
                    : has_in(d, kQStart)                   ? kStarts
                    : has_in(d, kQLen) || has_in(d, kKLen) ? kLengths
                                                           : kAll;
  const auto bind = [&](const char* name, bool there, uint32_t arg, const char* words, const char* step) {
    if (!there) return s.unused(name, OPMUX_U32);
    bind_indices(s, name, d, arg, words);
    if (d.in[arg].rank > 0) s.set(step, static_cast<uint64_t>(d.in[arg].stride[0]));
  };
  const uint32_t q = mode == kStarts ? kQStart : kQLen, k = mode == kState ? kPastLen : q + 1;
  bind("q_count", mode != kState && has_in(d, q), q, "q_words", "q_step");
  bind("k_count", has_in(d, k), k, "k_words", "k_step");
  s.set("mode", mode);
  if (mode == kStarts) s.set("sequences", static_cast<uint64_t>(d.in[kQStart].dim[0] - 1));
  return mode;
}

void add_checks(const opmux_devinfo& info, const opmux_opd& d, Mode mode, KernelPlan& plan) {
  const int64_t queries = d.in[kQ].dim[2], keys = d.in[kK].dim[2];
  const auto add = [&](uint32_t arg, int64_t most, bool rising) {
    if (!has_in(d, arg)) return;
    plan.steps.push_back(check_step(info, d, arg, 0, most, rising));
    plan.faulty_arg = arg;
  };
  if (mode == kState) add(kPastLen, std::max<int64_t>(d.in[kPastK].dim[2] - keys, -1), false);
  add(kQLen, queries, false);
  add(kKLen, keys, false);
  add(kQStart, queries, true);
  add(kKStart, keys, true);
}

void fill(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s) {
  const auto& a = reinterpret_cast<const opmux_op_attention&>(d);
  const opmux_tdesc &q = d.in[kQ], &k = d.in[kK];
  set_attend(s, a, q.dim[3], d.in[kV].dim[3]);
  s.set("heads", static_cast<uint64_t>(q.dim[1]));
  s.set("queries", static_cast<uint64_t>(q.dim[2]));
  s.set("fresh", static_cast<uint64_t>(k.dim[2]));
  s.set("head_group", static_cast<uint64_t>(k.dim[1] > 0 ? q.dim[1] / k.dim[1] : 1));
  // A state that is too short is reported, and counts as empty.
  s.set("capacity", static_cast<uint64_t>(std::max(has_in(d, kPastK) ? d.in[kPastK].dim[2] : 0, k.dim[2])));
  s.set("block_q", std::max(a.block_q, 1u));
  s.set("block_k", std::max(a.block_k, 1u));
  s.groups(info, static_cast<uint64_t>(q.dim[0] * q.dim[1] * q.dim[2]));
}

// New rows of keys or values into the state that is output o, which is copied first if it is bound apart.
void append(const opmux_devinfo& info, const opmux_opd& d, uint32_t fresh, uint32_t o, KernelPlan& plan) {
  if (!has_out(d, o)) return;
  const uint32_t state = kPastK + o - kPresentK, raw = raw_type(d.out[o].dtype);
  plan.steps.push_back(copy_step(info, d, state, d.n_in + o));
  plan.steps.back().unless_same = {state, d.n_in + o};
  StepMaker s("state_append");
  s.bind("x", d, fresh, raw);
  s.bind("past_len", d, kPastLen);
  s.bind("y", d, d.n_in + o, raw);
  s.set("fresh", static_cast<uint64_t>(d.in[fresh].dim[2]));
  s.set("capacity", static_cast<uint64_t>(d.out[o].dim[2]));
  s.set("row", static_cast<uint64_t>(d.out[o].stride[2]));
  kit::Walk w(d.in[fresh]);
  w.add(d.in[fresh]).add_strides(std::to_array(d.out[o].stride)).collapse();
  s.walk(w, "rank", "dims", {{"xs"}, {"ys"}});
  s.elements(info, static_cast<uint64_t>(elements(d.in[fresh])));
  plan.steps.push_back(s.take());
}

}  // namespace

bool plan_attention(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  if (!check(info, d, cap)) return false;
  StepMaker s("attention");
  real_types(s, d.in[kQ].dtype, d.in[kQ].dtype == OPMUX_F64);
  bind_operands(d, s);
  const Mode mode = bind_counts(d, s);
  if (!s.fits(info, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  add_checks(info, d, mode, *plan);
  fill(info, d, s);
  plan->steps.push_back(s.take());
  append(info, d, kK, kPresentK, *plan);
  append(info, d, kV, kPresentV, *plan);
  return true;
}

}  // namespace opmux::gpu
