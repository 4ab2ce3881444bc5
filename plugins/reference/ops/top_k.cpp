// SPDX-License-Identifier: Apache-2.0
// The first k of each stably sorted row; not sorted: those again in the order of their positions.
#include "reference/ops/ops.hpp"
#include "reference/ops/order.hpp"

namespace opmux::reference {

void top_k(Job& job) {
  const auto& d = job.desc<opmux_op_top_k>();
  const Rows rows(job, d.axis);
  std::vector<int64_t> picked;
  for (size_t r = 0; r < rows.start.size(); ++r) {
    std::vector<int64_t> row = rows.sorted(r, d.largest != 0);
    row.resize(d.k);
    if (!d.sorted) std::sort(row.begin(), row.end());
    picked.insert(picked.end(), row.begin(), row.end());
  }
  write_picked(job, rows, d.axis, d.k, picked);
}

}  // namespace opmux::reference
