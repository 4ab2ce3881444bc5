// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/ops.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {

bool plan_one_hot(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const uint32_t axis = reinterpret_cast<const opmux_op_one_hot&>(d).axis;
  const opmux_tdesc &index = d.in[0], &y = d.out[0];
  if (!check_moved(info, d, cap, {0}) || !check_apart(d, cap)) return false;
  // Floats count exactly up to there.
  constexpr int64_t kMost = int64_t{1} << 23;
  if (kit::is_float(index.dtype) && y.dim[axis] > kMost)
    return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, axis, y.dim[axis], kMost);
  say_yes(info, d, cap);
  if (!plan) return true;
  StepMaker s("one_hot");
  s.bind("index", d, 0);
  s.bind("values", d, 1, raw_type(y.dtype));
  s.bind("y", d, 2, raw_type(y.dtype));
  s.define("GK_TRUNC(v)", kit::is_float(index.dtype) ? "trunc(v)" : "(v)");
  std::array<int64_t, 8> element{}, along{};
  along[axis] = 1;
  for (uint32_t i = 0; i < y.rank; ++i)
    if (i != axis) element[i] = index.stride[i < axis ? i : i - 1];
  kit::Walk w(y);
  w.add(y).add_strides(element).add_strides(along).collapse();
  s.walk(w, "rank", "dims", {{"ys"}, {"is"}, {"along"}});
  s.set("depth", static_cast<uint64_t>(y.dim[axis]));
  s.set("on", static_cast<uint64_t>(d.in[1].stride[0]));
  s.elements(info, static_cast<uint64_t>(elements(y)));
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace opmux::gpu
