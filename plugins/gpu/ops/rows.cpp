// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/rows.hpp"

namespace opmux::gpu {

uint32_t row_width(const Source& s, int64_t rows, int64_t len) {
  uint32_t width = 1;
  while (width < s.file->group && int64_t{width} * 8 < len && rows * width * 2 < kMaxElements) width *= 2;
  return width;
}

void row_groups(const opmux_devinfo& info, int64_t rows, int64_t len, StepMaker& s) {
  const uint32_t width = row_width(s.source(), rows, len);
  s.set("width", width);
  s.set("len", static_cast<uint64_t>(len));
  s.elements(info, static_cast<uint64_t>(rows) * width);
}

kit::Walk walk_of(const opmux_tdesc& t, const std::array<bool, 8>& taken) {
  std::vector<int64_t> dims;
  for (uint32_t i = 0; i < t.rank; ++i)
    if (taken[i]) dims.push_back(t.dim[i]);
  return kit::Walk(dims);
}

std::array<int64_t, 8> strides_of(const opmux_tdesc& t, const opmux_tdesc& to,
                                  const std::array<bool, 8>& taken) {
  std::array<int64_t, 8> all{};
  uint32_t n = 0;
  for (uint32_t i = 0; i < to.rank; ++i) {
    if (!taken[i]) continue;
    const uint32_t axis = i + t.rank - to.rank;  // wraps where t has fewer dims
    const bool there = i + t.rank >= to.rank && t.dim[axis] != 1;
    all[n++] = there ? t.stride[axis] : 0;
  }
  return all;
}

}  // namespace opmux::gpu
