// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/product.hpp"
#include "gpu/ops/tile.hpp"

namespace opmux::gpu {
namespace {

void fill(const opmux_devinfo& info, const opmux_opd& d, StepMaker& s) {
  const opmux_tdesc &a = d.in[0], &b = d.in[1], &y = d.out[0];
  const int64_t rows = y.dim[y.rank - 2], cols = y.dim[y.rank - 1];
  s.set("rows", static_cast<uint64_t>(rows));
  s.set("cols", static_cast<uint64_t>(cols));
  s.set("depth", static_cast<uint64_t>(a.dim[a.rank - 1]));
  s.set("a_row", static_cast<uint64_t>(a.stride[a.rank - 2]));
  s.set("a_col", static_cast<uint64_t>(a.stride[a.rank - 1]));
  s.set("b_row", static_cast<uint64_t>(b.stride[b.rank - 2]));
  s.set("b_col", static_cast<uint64_t>(b.stride[b.rank - 1]));
  product_walk(d, {{"as", &a}, {"bs", &b}}, 2, s);
  int64_t count = 1;
  for (uint32_t i = 0; i + 2 < y.rank; ++i) count *= y.dim[i];
  tile_groups(info, rows, cols, count, s);
}

constexpr int64_t kMostParts = 64;

// Columns [first, first + count) of a product as a product of its own: b, the epilogue's operands and y lose
// their other columns, and begin later by `shift` bytes.
class Part {
 public:
  Part(const opmux_opd& d, int64_t first, int64_t count)
      : op_(reinterpret_cast<const opmux_op_matmul&>(d)), in_(d.in, d.in + d.n_in), y_(d.out[0]) {
    for (uint32_t i = 1; i <= d.n_in; ++i) cut(i < d.n_in ? in_[i] : y_, i, first, count);
    op_.o.in = in_.data();
    op_.o.out = &y_;
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  const opmux_opd& opd() const { return op_.o; }
  void shift(StepMaker& s) const {
    for (const auto& [arg, bytes] : shifts_) s.shift(arg, bytes);
  }
  // Do all operands lie on whole bytes, and within a binding?
  bool fits(uint64_t limit) const {
    const auto one = [&](const opmux_tdesc& t) { return !is_present(t) || reach_of(t).size() <= limit; };
    return whole_ && std::ranges::all_of(in_, one) && one(y_);
  }

 private:
  void cut(opmux_tdesc& t, uint32_t arg, int64_t first, int64_t count) {
    if (!is_present(t) || t.rank == 0 || t.dim[t.rank - 1] == 1) return;
    const int64_t bits = first * t.stride[t.rank - 1] * static_cast<int64_t>(OPMUX_DTYPE_BITS(t.dtype));
    whole_ &= OPMUX_DTYPE_BITS(t.dtype) >= 8;
    shifts_.emplace_back(arg, bits / 8);
    t.dim[t.rank - 1] = count;
  }
  opmux_op_matmul op_;
  std::vector<opmux_tdesc> in_;
  opmux_tdesc y_;
  std::vector<std::pair<uint32_t, int64_t>> shifts_;
  bool whole_ = true;
};

// Columns of one part, such that no operand is larger than a binding: all of them where that cannot be had.
int64_t part_columns(const opmux_devinfo& info, const opmux_opd& d) {
  const int64_t cols = d.out[0].dim[d.out[0].rank - 1];
  const uint64_t limit = binding_limit(info);
  if (reach_of(d.in[1]).size() <= limit && reach_of(d.out[0]).size() <= limit) return cols;
  for (int64_t parts = 2; parts <= std::min(cols, kMostParts); ++parts) {
    const int64_t count = (cols + parts - 1) / parts;
    if (Part(d, 0, count).fits(limit)) return count;
  }
  return cols;
}

// The step of a product that fits.
bool plan_part(const opmux_devinfo& info, const opmux_opd& d, const Part* part, opmux_cap& cap,
               KernelPlan* plan) {
  const opmux_tdesc& y = d.out[0];
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  if (!check_tile_groups(info, d, y.rank - 2, y.dim[y.rank - 2], y.rank - 1, y.dim[y.rank - 1], cap))
    return false;
  const uint32_t sum = reinterpret_cast<const opmux_op_matmul&>(d).acc_dtype;
  StepMaker s("matmul");
  if (part) part->shift(s);
  tile_types(s, sum);
  s.bind("a", d, 0);
  s.bind("b", d, 1);
  if (!s.epilogue(info, d, sum, cap)) return false;
  if (!plan) return true;
  fill(info, d, s);
  plan->steps.push_back(s.take());
  return true;
}

}  // namespace

bool plan_matmul(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  const int64_t cols = d.out[0].dim[d.out[0].rank - 1], count = part_columns(info, d);
  if (count == cols) {
    if (!plan_part(info, d, nullptr, cap, plan)) return false;
  } else {
    for (int64_t first = 0; first < cols; first += count) {
      const Part part(d, first, std::min(count, cols - first));
      if (!plan_part(info, part.opd(), &part, cap, plan)) return false;
    }
  }
  return say_yes(info, d, cap);
}

}  // namespace opmux::gpu
