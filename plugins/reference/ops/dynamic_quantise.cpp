// SPDX-License-Identifier: Apache-2.0
// Scales from the data, group by group. Every step is one f32 operation, as the schema says, so that all
// backends have the same bits.
#include <algorithm>

#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

struct Group {
  float low = 0, high = 0;  // with 0 among the values
  void take(float x) {
    if (std::isnan(low)) return;
    low = std::isnan(x) ? x : std::min(low, x);
    high = std::isnan(x) ? x : std::max(high, x);
  }
};

double greatest(uint32_t dtype) {
  if (kit::is_float(dtype)) return kit::cast_to(OPMUX_F64, dtype, kit::of_float(INFINITY), true).f;
  return std::ldexp(1.0, int(OPMUX_DTYPE_BITS(dtype)) - (kit::is_signed(dtype) ? 1 : 0)) - 1;
}

struct Rule {
  uint32_t dtype;
  bool has_zero;
  float top = float(greatest(dtype));
  float bottom = kit::is_signed(dtype) ? -top - 1 : 0;

  float scale(const Group& g) const {
    const float span = has_zero ? g.high - g.low : std::max(-g.low, g.high);
    return span == 0 ? 1.0f : span / (has_zero ? top - bottom : top);
  }
  double integer(float x) const {
    return double(kit::cast_to(OPMUX_F32, OPMUX_I64, kit::of_float(clamp(x)), true).i);
  }
  float clamp(float x) const { return std::isnan(x) ? 0 : std::clamp(x, bottom, top); }
  double zero(const Group& g, float scale) const {
    return has_zero ? integer(std::nearbyint(bottom - g.low / scale)) : 0;
  }
  double element(float x, float scale, double zero) const {
    const float ratio = x / scale;
    if (kit::is_float(dtype)) return kit::cast_to(OPMUX_F32, dtype, kit::of_float(ratio), true).f;
    return integer(std::nearbyint(ratio) + float(zero));
  }
};

}  // namespace

void dynamic_quantise(Job& job) {
  const auto& a = job.desc<opmux_op_dynamic_quantise>();
  const opmux_tdesc &x = job.in(0), &s = job.out(1);
  const Rule rule{job.out(0).dtype, job.has_out(2)};
  const std::vector<double> values = job.read<double>(0);
  const int64_t n = x.dim[a.axis], per = a.block == 0 ? std::max<int64_t>(n, 1) : a.block;
  int64_t inner = 1;
  for (uint32_t i = a.axis + 1; i < x.rank; ++i) inner *= x.dim[i];
  const auto group_of = [&](size_t k) {
    const int64_t at = int64_t(k) / inner % n, outer = int64_t(k) / inner / n;
    return size_t((outer * s.dim[a.axis] + at / per) * inner + int64_t(k) % inner);
  };
  std::vector<Group> group(size_t(count_of(s)));
  for (size_t k = 0; k < values.size(); ++k) group[group_of(k)].take(float(values[k]));
  std::vector<double> scale, zero, y;
  for (const Group& g : group) {
    scale.push_back(double(rule.scale(g)));
    zero.push_back(rule.zero(g, rule.scale(g)));
  }
  for (size_t k = 0; k < values.size(); ++k)
    y.push_back(rule.element(float(values[k]), float(scale[group_of(k)]), zero[group_of(k)]));
  job.write(0, y);
  job.write(1, scale);
  job.write(2, zero);
}

}  // namespace opmux::reference
