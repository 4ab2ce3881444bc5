// SPDX-License-Identifier: Apache-2.0
// y[i] = start + i * step, with one rounding at the end; integers wrap. ONNX Range.
#include "reference/ops/ops.hpp"

namespace opmux::reference {

void iota(Job& job) {
  const uint32_t dtype = job.out(0).dtype;
  with_wide_type(dtype, [&]<class R>(R) {
    const R start = to_wide<R>(dtype, job.scalar(0)), step = to_wide<R>(dtype, job.scalar(1));
    std::vector<R> y;
    for (int64_t i = 0; i < job.out(0).dim[0]; ++i) y.push_back(start + R(i) * step);
    job.write(0, y);
  });
}

}  // namespace opmux::reference
