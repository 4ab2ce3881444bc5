// SPDX-License-Identifier: Apache-2.0
// Every element of y becomes the rank-0 value, bit for bit.
#include "reference/ops/ops.hpp"

namespace opmux::reference {

void fill(Job& job) { job.move(0, 0, std::vector<int64_t>(size_t(count_of(job.out(0))), 0)); }

}  // namespace opmux::reference
