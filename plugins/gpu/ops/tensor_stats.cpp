// SPDX-License-Identifier: Apache-2.0
// tensor_stats: parts of the tensor, then the whole from the parts.
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

constexpr int64_t kPart = 4096, kMostParts = 128;  // elements of a part at least; lanes of the second kernel

uint32_t kind_word(uint32_t dtype) {
  if (dtype == OPMUX_F16) return 2;
  if (dtype == OPMUX_BF16) return 3;
  return kit::is_float(dtype) ? 4 : kit::is_signed(dtype) ? 1 : 0;
}

}  // namespace

bool plan_tensor_stats(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_tdesc& x = d.in[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap) || !check_doubles(info, cap)) return false;
  const int64_t count = elements(x);
  const int64_t parts = std::clamp<int64_t>(count / kPart, 1, kMostParts);
  const auto workspace = static_cast<uint64_t>(parts) * 64;
  say_yes(info, d, cap, workspace);
  if (!plan) return true;
  plan->workspace = workspace;
  const uint32_t bits = OPMUX_DTYPE_BITS(x.dtype);
  StepMaker s("stats_part");
  s.source().doubles = true;
  s.bind("x", d, 0, bits == 64 ? uint32_t{OPMUX_U64} : raw_type(x.dtype));
  if (bits == 64) s.define("GK_WIDE", "1");
  s.workspace("parts", 0, workspace, OPMUX_F64);
  s.set("count", static_cast<uint64_t>(count));
  s.set("per", static_cast<uint64_t>((count + parts - 1) / parts));
  s.set("kind", kind_word(x.dtype));
  s.set("shift", bits < 32 ? 32 - bits : 0);
  kit::Walk w(x);
  w.add(x).collapse();
  s.walk(w, "rank", "dims", {{"xs"}});
  s.groups(info, static_cast<uint64_t>(parts));
  plan->steps.push_back(s.take());
  StepMaker whole("stats_whole");
  whole.workspace("parts", 0, workspace, OPMUX_F64);
  whole.bind("counts", d, 1);
  whole.bind("y", d, 2);
  whole.set("count", static_cast<uint64_t>(parts));
  whole.set("counts_step", static_cast<uint64_t>(d.out[0].stride[0]));
  whole.set("y_step", static_cast<uint64_t>(d.out[1].stride[0]));
  whole.groups(info, 1);
  plan->steps.push_back(whole.take());
  return true;
}

}  // namespace opmux::gpu
