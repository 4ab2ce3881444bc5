// SPDX-License-Identifier: Apache-2.0
// y = x with elements added or (negative pads) cropped at both ends of each axis. Bit for bit.
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

// Coordinate of x behind coordinate i, which may lie outside of [0, n); -1: the constant.
int64_t coordinate(uint32_t mode, int64_t i, int64_t n) {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case OPMUX_PAD_EDGE:
      return i < 0 ? 0 : n - 1;
    case OPMUX_PAD_REFLECT:
      return i < 0 ? -i : 2 * (n - 1) - i;
    case OPMUX_PAD_WRAP:
      return i < 0 ? i + n : i - n;
    default:
      return -1;
  }
}

}  // namespace

void pad(Job& job) {
  const auto& d = job.desc<opmux_op_pad>();
  const opmux_tdesc &x = job.in(0), &y = job.out(0);
  const std::span<const int64_t> pads = job.list(d.pad);
  uint64_t constant = 0;
  if (job.has_in(1)) constant = kit::load(raw_type(x.dtype), job.in_data(1), 0).u;
  std::vector<int64_t> source;
  std::array<int64_t, 8> index{};
  for (int64_t k = count_of(y); k > 0; --k) {
    int64_t offset = 0;
    for (uint32_t i = 0; i < x.rank && offset != Job::kNoSource; ++i) {
      const int64_t c = coordinate(d.mode, index[i] - pads[i], x.dim[i]);
      offset = c < 0 ? Job::kNoSource : offset + c * x.stride[i];
    }
    source.push_back(offset);
    for (uint32_t i = y.rank; i-- > 0;) {
      if (++index[i] < y.dim[i]) break;
      index[i] = 0;
    }
  }
  job.move(0, 0, source, constant);
}

}  // namespace opmux::reference
