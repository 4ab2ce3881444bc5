// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "gpu/ops/code.hpp"
#include "kit/schema/schema.hpp"

namespace opmux::gpu {
namespace {

// Output and inputs with neighbouring axes joined where every view allows it: each axis costs the kernel a
// division an element.
class Joined {
 public:
  explicit Joined(const opmux_opd& d) : n_(d.n_in + 1) {
    const opmux_tdesc& y = d.out[0];
    stretched(y, y, stride_[0]);
    for (uint32_t i = 0; i < d.n_in; ++i) stretched(d.in[i], y, stride_[i + 1]);
    for (uint32_t i = 0; i < 8; ++i) dim_[i] = i + y.rank < 8 ? 1 : y.dim[i + y.rank - 8];
    for (uint32_t axis = 8; axis-- > 0;) add(axis);
  }

  uint32_t rank() const { return rank_; }
  void write(CodeWords& w) const {
    w.set(GK_AT_RANK, rank_);
    for (uint32_t i = 0; i < 8; ++i)
      w.set(GK_AT_DIMS + i, i + rank_ < 8 ? 1 : static_cast<uint32_t>(dim_[i]));
    for (uint32_t v = 0; v < n_; ++v) {
      const uint32_t at = v == 0 ? GK_AT_OUT : GK_AT_STRIDES + 8 * (v - 1);
      for (uint32_t i = 8 - rank_; i < 8; ++i) w.set(at + i, static_cast<uint32_t>(stride_[v][i]));
    }
  }

 private:
  // Axes are taken from the last one; kept ones gather at the end.
  void add(uint32_t axis) {
    if (dim_[axis] == 1) return;
    const uint32_t inner = 8 - rank_;
    bool join = rank_ > 0 && dim_[axis] * dim_[inner] < kMaxExtent;
    for (uint32_t v = 0; v < n_ && join; ++v) join = stride_[v][axis] == stride_[v][inner] * dim_[inner];
    if (join) {
      dim_[inner] *= dim_[axis];
      return;
    }
    ++rank_;
    dim_[8 - rank_] = dim_[axis];
    for (uint32_t v = 0; v < n_; ++v) stride_[v][8 - rank_] = stride_[v][axis];
  }

  uint32_t n_, rank_ = 0;
  int64_t dim_[8];
  int64_t stride_[GK_OPERANDS + 1][8];
};

// In place only where every element lies where its input did.
bool check_alias(const opmux_opd& d, opmux_cap& cap) {
  if (!d.alias || d.alias[0] == 0) return true;
  const opmux_tdesc& in = d.in[d.alias[0] - 1];
  const opmux_tdesc& out = d.out[0];
  for (uint32_t i = 0; i < out.rank; ++i) {
    if (in.rank != out.rank || in.dim[i] != out.dim[i] || (out.dim[i] > 1 && in.stride[i] != out.stride[i])) {
      return kit_no(&cap, OPMUX_WHY_ALIAS, d.n_in, i, d.alias[0], 0);
    }
  }
  return true;
}

}  // namespace

bool plan_pointwise(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const opmux_prog& p = d.prog[0];
  ProgramCode code;
  if (d.n_out != 1 || d.n_in > GK_OPERANDS)
    return kit_no(&cap, OPMUX_WHY_PROGRAM, 0, 0, p.n_insn, GK_OPERANDS);
  for (uint32_t i = 0; i <= d.n_in; ++i) {
    if (!check_operand(info, d, i, cap)) return false;
  }
  if (!check_alias(d, cap)) return false;
  const ProgramRefusal r = translate(p, 0, d.in, code);
  if (r.refused) return kit_no(&cap, OPMUX_WHY_PROGRAM, 0, 0, r.insn, 0);
  int64_t count = 1;
  for (uint32_t i = 0; i < d.out[0].rank; ++i) {
    count *= d.out[0].dim[i];
    if (count >= kMaxExtent) return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, i, count, kMaxExtent - 1);
  }
  kit_yes(&cap, OPMUX_ACC_STRICT,
          cost_ns(info, static_cast<double>(count) * p.n_insn, static_cast<double>(schema::bytes(d))));
  if (!plan) return true;
  *plan = {};
  plan->kernel = KernelId::kPointwise;
  if (count == 0) return true;
  CodeWords w;
  Joined(d).write(w);
  w.program(code);
  plan->code = std::move(w.words());
  plan->uses.push_back({d.n_in, GK_BIND_OUT, reach_of(d.out[0])});
  for (uint32_t i = 0; i < d.n_in; ++i) plan->uses.push_back({i, GK_BIND_OPERANDS + i, reach_of(d.in[i])});
  const int64_t groups = (count + GK_POINTWISE_GROUP - 1) / GK_POINTWISE_GROUP;
  const auto most = static_cast<int64_t>(std::max<uint64_t>(info.max_groups[0], 1));
  for (int64_t first = 0; first < groups; first += most) {
    plan->dispatches.push_back(
        {{static_cast<uint32_t>(std::min(most, groups - first)), 1, 1}, static_cast<uint32_t>(first)});
  }
  return true;
}

}  // namespace opmux::gpu
