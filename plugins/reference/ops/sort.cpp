// SPDX-License-Identifier: Apache-2.0
// y = the elements of each row, stably sorted, bit for bit; index = where each came from.
#include "reference/ops/ops.hpp"
#include "reference/ops/order.hpp"

namespace opmux::reference {

void sort(Job& job) {
  const auto& d = job.desc<opmux_op_sort>();
  const Rows rows(job, d.axis);
  std::vector<int64_t> picked;
  for (size_t r = 0; r < rows.start.size(); ++r)
    for (int64_t at : rows.sorted(r, d.descending != 0)) picked.push_back(at);
  write_picked(job, rows, d.axis, rows.n, picked);
}

}  // namespace opmux::reference
