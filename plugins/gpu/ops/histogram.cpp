// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "gpu/ops/series.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

// Elements of a lane: a group's sums of bins cost as much as some of them.
constexpr uint64_t kEach = 16;

Step clear_step(const opmux_devinfo& info, const opmux_opd& d) {
  const auto bins = static_cast<uint64_t>(d.out[0].dim[0]);
  StepMaker m("histogram_clear");
  m.bind("y", d, d.n_in, kRaw64);
  m.set("bins", bins);
  m.set("ystep", static_cast<uint64_t>(d.out[0].stride[0]));
  m.elements(info, bins);
  return m.take();
}

}  // namespace

bool plan_histogram(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  if (!check_moved(info, d, cap, {0, 1, 2}) || !check_apart(d, cap)) return false;
  if (!check_dtype(info, 0, OPMUX_F64, cap)) return false;  // the schema wants the bins of f64
  say_yes(info, d, cap);
  if (!plan) return true;
  plan->steps.push_back(clear_step(info, d));
  StepMaker m("histogram");
  const uint32_t dtype = lying_type(x.dtype), bits = OPMUX_DTYPE_BITS(x.dtype);
  m.bind("x", d, 0, dtype);
  m.bind("low", d, 1, dtype);
  m.bind("high", d, 2, dtype);
  m.bind("y", d, 3, OPMUX_U32);
  const bool real = kit::is_float(x.dtype), negative = !real && kit::is_signed(x.dtype);
  m.define("GK_NUMBER(v)", real         ? "GK_F64(v)"
                           : bits == 64 ? "(GK_CODE(P_sign) != 0u ? GK_F64(GK_I64(v)) : GK_F64(v))"
                                        : "(GK_CODE(P_sign) != 0u ? GK_F64(GK_I32(((v) ^ GK_CODE(P_sign)) - "
                                          "GK_CODE(P_sign))) : GK_F64(v))");
  m.source().doubles = true;
  m.set("sign", negative ? uint64_t{1} << (std::min(bits, 32u) - 1) : 0);
  kit::Walk w(x);
  w.add(x).collapse();
  m.walk(w, "rank", "dims", {{"xs"}});
  const auto n = static_cast<uint64_t>(elements(x));
  m.set("n", n);
  m.set("each", kEach);
  m.set("bins", static_cast<uint64_t>(y.dim[0]));
  m.set("ystep", static_cast<uint64_t>(y.stride[0]));
  m.groups(info, n / (kEach * m.source().file->group) + 1);
  plan->steps.push_back(m.take());
  plan->faulty_arg = 1;
  return true;
}

}  // namespace opmux::gpu
