// SPDX-License-Identifier: Apache-2.0
// Coordinates of the elements that are not zero, one column each, and how many there are.
#include "reference/ops/ops.hpp"

namespace opmux::reference {

void non_zero(Job& job) {
  const opmux_tdesc& x = job.in(0);
  const size_t n = size_t(count_of(x));
  std::vector<uint64_t> y(x.rank * n);
  uint64_t count = 0, position = 0;
  kit::Walk walk(x);
  walk.add(x);
  walk.each([&](const int64_t* offset) {
    const Scalar v = kit::load(x.dtype, job.in_data(0), offset[0]);
    uint64_t rest = position++;
    if (kit::is_float(x.dtype) ? v.f == 0 : v.u == 0) return;
    for (uint32_t i = x.rank; i-- > 0; rest /= uint64_t(x.dim[i]))
      y[i * n + count] = rest % uint64_t(x.dim[i]);
    ++count;
  });
  job.write(0, y);
  job.write(1, std::vector<uint64_t>{count});
}

}  // namespace opmux::reference
