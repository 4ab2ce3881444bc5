// SPDX-License-Identifier: Apache-2.0
// y = x between any two views of equal shape, bit for bit.
#include "reference/ops/ops.hpp"

namespace opmux::reference {

void copy(Job& job) {
  std::vector<int64_t> source;
  kit::Walk walk(job.in(0));
  walk.add_strides(std::to_array(job.in(0).stride));
  walk.each([&](const int64_t* offset) { source.push_back(offset[0]); });
  job.move(0, 0, source);
}

}  // namespace opmux::reference
