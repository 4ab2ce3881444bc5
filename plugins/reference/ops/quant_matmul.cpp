// SPDX-License-Identifier: Apache-2.0
// c = (a - a_zero) a_scale times (b - b_zero) b_scale: both sides are made plain first, then multiplied as in
// matmul. The sum is exact for integers without scales, else in double.
#include <span>

#include "kit/operands/matmul.gen.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

using enum operands::quant_matmul::Input;

// Dettmers et al., "QLoRA" (2023), appendix E.
constexpr double kNf4[16] = {-1.0,
                             -0.6961928009986877,
                             -0.5250730514526367,
                             -0.39491748809814453,
                             -0.28444138169288635,
                             -0.18477343022823334,
                             -0.09105003625154495,
                             0.0,
                             0.07958029955625534,
                             0.16093020141124725,
                             0.24611230194568634,
                             0.33791524171829224,
                             0.44070982933044434,
                             0.5626170039176941,
                             0.7229568362236023,
                             1.0};

// One operand and what makes it plain. k_axis: where its k is, counted from the end.
struct Side {
  uint32_t operand, scale, zero, k_from_end;
  int64_t group;
  bool nf4 = false;
};

// A parameter spread over the dims of its operand.
template <class R>
std::vector<R> spread(Job& job, const Side& side, uint32_t i, const opmux_tdesc& shape) {
  const opmux_tdesc& t = job.in(i);
  opmux_tdesc own = t;
  const std::vector<R> values = job.read_as<R>(i, own);
  std::vector<R> out;
  const int64_t n = count_of(shape);
  for (int64_t e = 0; e < n; ++e) {
    int64_t rest = e, at = 0, step = 1;
    for (uint32_t back = 0; back < shape.rank; ++back) {
      const int64_t dim = shape.dim[shape.rank - 1 - back], index = rest % dim;
      rest /= dim;
      if (back >= t.rank) continue;
      const int64_t extent = t.dim[t.rank - 1 - back];
      const int64_t mine = back == side.k_from_end ? (side.group == 0 ? 0 : index / side.group)
                           : extent == 1           ? 0
                                                   : index;
      at += mine * step;
      step *= extent;
    }
    out.push_back(values[size_t(at)]);
  }
  return out;
}

// Side as plain numbers with its own dims, then broadcast to the leading dims of c.
template <class R>
std::vector<R> plain(Job& job, const Side& side, const opmux_tdesc& c) {
  const opmux_tdesc& t = job.in(side.operand);
  std::vector<R> v = job.read<R>(side.operand);
  if constexpr (std::is_floating_point_v<R>) {
    if (side.nf4)
      for (R& x : v) x = kNf4[size_t(x)];
  }
  if (job.has_in(side.zero)) {
    const std::vector<R> zero = spread<R>(job, side, side.zero, t);
    for (size_t i = 0; i < v.size(); ++i) v[i] -= zero[i];
  }
  if (job.has_in(side.scale)) {
    const std::vector<R> scale = spread<R>(job, side, side.scale, t);
    for (size_t i = 0; i < v.size(); ++i) v[i] *= scale[i];
  }
  opmux_tdesc wide = c, dense = t;
  wide.dim[c.rank - 2] = t.dim[t.rank - 2];
  wide.dim[c.rank - 1] = t.dim[t.rank - 1];
  int64_t step = 1;
  for (uint32_t i = t.rank; i-- > 0;) {
    dense.stride[i] = step;
    step *= t.dim[i];
  }
  std::vector<R> out;
  kit::Walk walk(wide);
  walk.add(dense);
  walk.each([&](const int64_t* offset) { out.push_back(v[size_t(offset[0])]); });
  return out;
}

template <class R>
std::vector<R> product(const std::vector<R>& a, const std::vector<R>& b, const opmux_tdesc& c, int64_t k) {
  const int64_t m = c.dim[c.rank - 2], n = c.dim[c.rank - 1];
  std::vector<R> sum(size_t(count_of(c)), R(0));
  for (size_t e = 0; e < sum.size(); ++e) {
    const int64_t j = int64_t(e) % n, row = int64_t(e) / n, matrix = row / m;
    for (int64_t l = 0; l < k; ++l) sum[e] += a[size_t(row * k + l)] * b[size_t((matrix * k + l) * n + j)];
  }
  return sum;
}

template <class R>
void run(Job& job) {
  const auto& m = job.desc<opmux_op_quant_matmul>();
  const opmux_tdesc &a = job.in(kA), &c = job.out(0);
  const int64_t k = a.dim[a.rank - 1];
  const std::vector<R> left = plain<R>(job, {kA, kAScale, kAZero, 0, m.a_group}, c);
  const std::vector<R> right =
      plain<R>(job, {kB, kBScale, kBZero, 1, m.b_group, m.b_code == OPMUX_WEIGHT_NF4}, c);
  std::vector<double> magnitude;
  if (job.wants_magnitude(0)) magnitude = product(absolute(left), absolute(right), c, k);
  job.write(0, product(left, right, c, k), magnitude, m.acc_dtype);
}

}  // namespace

void quant_matmul(Job& job) {
  if (job.desc<opmux_op_quant_matmul>().acc_dtype == OPMUX_I32)
    run<uint64_t>(job);
  else
    run<double>(job);
}

}  // namespace opmux::reference
