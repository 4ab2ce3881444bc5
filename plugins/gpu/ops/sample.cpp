// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/values.hpp"
#include "kit/operands/sampling.gen.hpp"

namespace opmux::gpu {
namespace {

using enum operands::sample::Input;
using enum operands::sample::Output;

// Logits and weights of all tokens, then the marks.
struct Work {
  uint64_t numbers, marks;
  explicit Work(const opmux_opd& d) {
    const auto n = static_cast<uint64_t>(std::max<int64_t>(elements(d.in[kLogits]), 1));
    numbers = 16 * n;
    marks = has_in(d, kHistory) ? 4 * n : 0;
  }
  uint64_t bytes() const { return numbers + marks; }
};

Step mark_step(const opmux_devinfo& info, const opmux_opd& d, const Work& work, bool clear) {
  const opmux_tdesc &logits = d.in[kLogits], &history = d.in[kHistory];
  StepMaker s("sample_marks");
  bind_indices(s, "history", d, kHistory, "words");
  set_strides(s, "hs", history, 2);
  s.workspace("marks", work.numbers, work.marks, OPMUX_U32);
  const int64_t count = elements(clear ? logits : history);
  s.set("clear", clear);
  s.set("count", static_cast<uint64_t>(count));
  s.set("length", static_cast<uint64_t>(history.dim[1]));
  s.set("tokens", static_cast<uint64_t>(logits.dim[1]));
  s.elements(info, static_cast<uint64_t>(count));
  return s.take();
}

bool check(const opmux_devinfo& info, const opmux_opd& d, const Work& work, opmux_cap& cap) {
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  if (!(info.features & OPMUX_FEAT_F64))
    return kit_no(&cap, OPMUX_WHY_FEATURE, kLogits, 0, static_cast<int64_t>(OPMUX_FEAT_F64), 0);
  const uint64_t most = info.max_binding_bytes < 256 ? 0 : info.max_binding_bytes - 256;
  return work.numbers <= most || kit_no(&cap, OPMUX_WHY_MEMORY, kLogits, 0,
                                        static_cast<int64_t>(work.numbers), static_cast<int64_t>(most));
}

}  // namespace

bool plan_sample(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const Work work(d);
  if (!check(info, d, work, cap)) return false;
  say_yes(info, d, cap, work.bytes());
  if (!plan) return true;
  const opmux_tdesc& logits = d.in[kLogits];
  const bool marked = has_in(d, kHistory) && elements(d.in[kHistory]) > 0;
  plan->workspace = work.bytes();
  plan->faulty_arg = kLogits;
  if (marked) {
    plan->steps.push_back(mark_step(info, d, work, true));
    plan->steps.push_back(mark_step(info, d, work, false));
  }
  StepMaker s("sample");
  real_types(s, logits.dtype, true);
  bind_real(s, "logits", d, kLogits);
  set_strides(s, "ls", logits, 2);
  if (marked)
    s.workspace("marks", work.numbers, work.marks, OPMUX_U32);
  else
    s.unused("marks", OPMUX_U32);
  s.bind("temperature", d, kTemperature);
  s.bind("top_k", d, kTopK, OPMUX_U32);
  s.bind("top_p", d, kTopP);
  s.bind("min_p", d, kMinP);
  s.bind("penalty", d, kPenalty);
  s.bind("seed", d, kSeed, OPMUX_U32);
  s.bind("offset", d, kOffset, OPMUX_U32);
  s.workspace("work", 0, work.numbers, OPMUX_F64);
  s.bind("token", d, d.n_in + kToken);
  s.set("ts", static_cast<uint64_t>(d.out[kToken].stride[0]));
  const bool probable = has_out(d, kProbability);
  if (probable) {
    s.bind("probability", d, d.n_in + kProbability);
    s.set("prs", static_cast<uint64_t>(d.out[kProbability].stride[0]));
  } else {
    s.unused("probability", OPMUX_F32);
  }
  s.set("marked", marked);
  s.set("with_probability", probable);
  s.set("rows", static_cast<uint64_t>(logits.dim[0]));
  s.set("tokens", static_cast<uint64_t>(logits.dim[1]));
  // Without rows the settings are checked all the same.
  s.groups(info, static_cast<uint64_t>(std::max<int64_t>(logits.dim[0], 1)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
