// SPDX-License-Identifier: Apache-2.0
// What a tensor holds: NaN, infinities and zeros counted, the rest described. In long double, in two passes.
#include <limits>

#include "reference/ops/ops.hpp"

namespace opmux::reference {

void tensor_stats(Job& job) {
  constexpr long double kInfinity = std::numeric_limits<long double>::infinity();
  std::vector<uint64_t> counts(3);
  std::vector<long double> finite;
  const uint32_t dtype = job.in(0).dtype;
  with_wide_type(dtype, [&]<class R>(R) {
    for (R v : job.read<R>(0)) {
      long double wide = v;
      if constexpr (!std::is_floating_point_v<R>) wide = to_wide<long double>(dtype, Scalar{.u = v});
      counts[0] += std::isnan(wide);
      counts[1] += std::isinf(wide);
      counts[2] += wide == 0;
      if (std::isfinite(wide)) finite.push_back(wide);
    }
  });
  long double most = 0, least = kInfinity, greatest = -kInfinity, sum = 0, square = 0;
  for (long double v : finite) {
    most = std::max(most, std::fabs(v));
    least = std::min(least, v);
    greatest = std::max(greatest, v);
    sum += v;
  }
  const auto n = static_cast<long double>(finite.size());
  const long double mean = sum / n;
  for (long double v : finite) square += (v - mean) * (v - mean);
  job.write(0, counts);
  const std::vector<double> magnitude = {double(most), double(most), double(most), double(most),
                                         double(most * most)};
  job.write(1, std::vector<long double>{most, least, greatest, mean, square / n}, magnitude);
}

}  // namespace opmux::reference
