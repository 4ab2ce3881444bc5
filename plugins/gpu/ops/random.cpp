// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/values.hpp"
#include "kit/operands/memory.gen.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {

using enum operands::random::Input;

bool plan_random(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc& y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  say_yes(info, d, cap);
  if (!plan) return true;
  StepMaker s("random");
  const uint32_t bits = OPMUX_DTYPE_BITS(y.dtype);
  const bool real = kit::is_float(y.dtype), wide = bits == 64;
  // Integers go by raw width.
  const uint32_t type = real ? real_storage(y.dtype) : wide ? OPMUX_U64 : raw_type(y.dtype);
  real_types(s, real ? y.dtype : OPMUX_F32, real && wide);
  if (real)
    for (const char* part :
         wide ? std::array{"double_core.h", "double_cycle.h"} : std::array{"powers.h", "angles.h"})
      s.source().parts.insert(part);
  s.bind("seed", d, kSeed, OPMUX_U32);
  s.bind("offset", d, kOffset, OPMUX_U32);
  s.bind("a", d, kA, type);
  s.bind("b", d, kB, type);
  s.bind("y", d, d.n_in, type);
  s.define("GK_FORM", real ? (wide ? "1" : "0") : wide ? "3" : "2");
  kit::Walk w(y);
  w.add(y).collapse();
  s.walk(w, "rank", "dims", {{"ys"}});
  s.set("count", static_cast<uint64_t>(elements(y)));
  s.set("normal", reinterpret_cast<const opmux_op_random&>(d).kind == OPMUX_RANDOM_NORMAL);
  s.set("bits", !real ? bits : y.dtype == OPMUX_F32 ? 24u : y.dtype == OPMUX_F16 ? 11u : 8u);
  s.set("is_signed", !real && kit::is_signed(y.dtype));
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
