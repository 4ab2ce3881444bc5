// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/values.hpp"
#include "kit/operands/position.gen.hpp"

namespace opmux::gpu {

using enum operands::rotary::Input;

bool plan_rotary(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &x = d.in[kX], &cosine = d.in[kCos], &sine = d.in[kSin];
  if (!check_operands(info, d, cap) || !check_places(d, cap, {{0, kX}})) return false;
  say_yes(info, d, cap);
  if (same_view(x, d.out[0])) cap.inplace_mask = 1;
  if (!plan) return true;
  StepMaker s("rotary");
  real_types(s, x.dtype, x.dtype == OPMUX_F64);
  bind_real(s, "x", d, kX);
  bind_real(s, "cosine", d, kCos);
  bind_real(s, "sine", d, kSin);
  bind_real(s, "y", d, d.n_in);
  s.define("GK_GET_CACHE(x)", cosine.dtype == x.dtype ? "GK_GET(x)" : "(x)");
  const bool located = has_in(d, kPositions);
  if (located) {
    bind_indices(s, "positions", d, kPositions, "words");
    set_strides(s, "ps", d.in[kPositions], 2);
  } else {
    s.unused("positions", OPMUX_U32);
  }
  const int64_t pairs = cosine.dim[cosine.rank - 1], items = x.dim[3] - pairs;
  const int64_t count = x.dim[0] * x.dim[1] * x.dim[2] * items;
  s.set("located", located);
  s.set("limit", static_cast<uint64_t>(cosine.dim[0]));
  s.set("interleaved", reinterpret_cast<const opmux_op_rotary&>(d).interleaved);
  s.set("items", static_cast<uint64_t>(items));
  s.set("pairs", static_cast<uint64_t>(pairs));
  s.set("tokens", static_cast<uint64_t>(x.dim[2]));
  s.set("heads", static_cast<uint64_t>(x.dim[1]));
  s.set("count", static_cast<uint64_t>(count));
  set_strides(s, "xs", x, 4);
  set_strides(s, "ys", d.out[0], 4);
  // A cache with places has the rows where one in place has the tokens.
  set_strides(s, "cs", cosine, 3);
  set_strides(s, "ss", sine, 3);
  s.elements(info, static_cast<uint64_t>(count));
  plan->steps.push_back(s.take());
  plan->faulty_arg = kPositions;
  return true;
}

}  // namespace opmux::gpu
