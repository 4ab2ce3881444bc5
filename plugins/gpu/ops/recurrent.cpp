// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/states.hpp"
#include "kit/operands/recurrent.gen.hpp"

namespace opmux::gpu {
namespace {

using enum operands::recurrent::Input;
using enum operands::recurrent::Output;

struct Shape {
  const opmux_op_recurrent& a;
  int64_t steps, batch, inputs, hidden, directions, count;
  bool wide, before;

  explicit Shape(const opmux_opd& d)
      : a(reinterpret_cast<const opmux_op_recurrent&>(d)),
        steps(d.in[kX].dim[0]),
        batch(d.in[kX].dim[1]),
        inputs(d.in[kX].dim[2]),
        hidden(d.in[kR].dim[2]),
        directions(d.in[kR].dim[0]),
        count(directions * batch * hidden),
        wide(d.in[kX].dtype == OPMUX_F64),
        before(a.linear_before_reset != 0) {}
  uint32_t gates() const {
    return a.kind == OPMUX_RECURRENT_LSTM ? 4 : a.kind == OPMUX_RECURRENT_GRU ? 3 : 1;
  }
  uint32_t phases() const { return a.kind == OPMUX_RECURRENT_GRU && !before ? 2 : 1; }
  // h twice, then c, or the update gate and the reset h.
  uint64_t state_bytes() const { return static_cast<uint64_t>(count) * 4 * (wide ? 8 : 4); }
};

void bind_operands(const opmux_opd& d, StepMaker& s) {
  const uint32_t type = real_storage(d.in[kX].dtype);
  bind_in(s, d, "x", kX, type, "xs");
  bind_in(s, d, "w", kW, type, "ws");
  bind_in(s, d, "r", kR, type, "rs");
  bind_in(s, d, "bias", kB, type, "bs", "with_b");
  bind_in(s, d, "initial_h", kInitialH, type, "hs", "with_h");
  bind_in(s, d, "initial_c", kInitialC, type, "cs", "with_c");
  bind_in(s, d, "p_hole", kP, type, "ps", "with_p");
  bind_out(s, d, "y", kY, type, "ys");
  bind_out(s, d, "y_h", kYH, type, "yhs", "with_y_h");
  bind_out(s, d, "y_c", kYC, type, "ycs", "with_y_c");
  if (!has_in(d, kLengths)) return s.unused("lengths", OPMUX_U32);
  bind_indices(s, "lengths", d, kLengths, "l_words");
  s.set("l_step", static_cast<uint64_t>(d.in[kLengths].stride[0]));
}

void fill(const Shape& f, StepMaker& s) {
  s.set("count", static_cast<uint64_t>(f.count));
  s.set("phases", f.phases());
  s.set("kind", f.a.kind);
  s.set("gates", f.gates());
  s.set("hidden", static_cast<uint64_t>(f.hidden));
  s.set("inputs", static_cast<uint64_t>(f.inputs));
  s.set("steps", static_cast<uint64_t>(f.steps));
  s.set("batch", static_cast<uint64_t>(f.batch));
  s.set("reversed", f.a.direction == OPMUX_DIRECTION_REVERSE);
  s.set("before", f.before);
  s.set("forget", f.a.input_forget);
  set_real(s, "clip", static_cast<double>(f.a.clip));
  for (uint32_t j = 0; j < 6; ++j) {
    s.set("acts", (&f.a.activation0)[j], j);
    set_real(s, "alpha", static_cast<double>((&f.a.alpha0)[j]), j);
    set_real(s, "beta", static_cast<double>((&f.a.beta0)[j]), j);
  }
}

}  // namespace

bool plan_recurrent(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  if (!check_operands(info, d, cap) || !check_places(d, cap, {{kYH, kInitialH}, {kYC, kInitialC}}))
    return false;
  const Shape f(d);
  const uint64_t most_bytes = info.max_binding_bytes < 256 ? 0 : info.max_binding_bytes - 256;
  if (f.state_bytes() > most_bytes)
    return kit_no(&cap, OPMUX_WHY_MEMORY, OPMUX_NO_ARG, 0, static_cast<int64_t>(f.state_bytes()),
                  static_cast<int64_t>(most_bytes));
  StepMaker s("recurrent");
  real_types(s, d.in[kX].dtype, f.wide);
  if (!f.wide) s.source().parts.insert("powers.h");
  bind_operands(d, s);
  s.workspace("state", 0, f.state_bytes(), f.wide ? OPMUX_F64 : OPMUX_F32);
  if (!s.fits(info, cap)) return false;
  const uint32_t width = row_width(s.source(), f.count, std::max(f.inputs, f.hidden));
  const int64_t groups = (f.count * width + 127) / 128;
  if (groups > static_cast<int64_t>(info.max_groups[0]))
    return kit_no(&cap, OPMUX_WHY_DIM, kR, 2, groups, static_cast<int64_t>(info.max_groups[0]));
  say_yes(info, d, cap, f.state_bytes());
  if (!plan) return true;
  plan->workspace = f.state_bytes();
  if (has_in(d, kLengths)) {
    plan->steps.push_back(check_step(info, d, kLengths, 0, f.steps, false));
    plan->faulty_arg = kLengths;
  }
  fill(f, s);
  s.set("width", width);
  const auto stages = static_cast<uint32_t>(f.steps) * f.phases() + 2;
  for (uint32_t stage = 0; groups > 0 && stage < stages; ++stage)
    s.dispatch({{static_cast<uint32_t>(groups), 1, 1}, stage});
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
