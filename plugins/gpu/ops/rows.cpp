// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/rows.hpp"

#include <algorithm>

namespace opmux::gpu {

uint32_t row_width(const Source& s, int64_t rows, int64_t len) {
  uint32_t width = 1;
  while (width < s.file->group && int64_t{width} * 8 < len && rows * width * 2 < kMaxElements) width *= 2;
  return width;
}

uint32_t shared_width(const Source& s, int64_t cells, int64_t len) {
  constexpr int64_t kEnough = 65536;  // lanes of a large device
  uint32_t width = 1;
  while (width < s.file->group && int64_t{width} * 8 < len && cells * width * 2 <= kEnough) width *= 2;
  return width;
}

void row_groups(const opmux_devinfo& info, int64_t rows, int64_t len, StepMaker& s) {
  const uint32_t width = row_width(s.source(), rows, len);
  s.set("width", width);
  s.set("len", static_cast<uint64_t>(len));
  s.elements(info, static_cast<uint64_t>(rows) * width);
}

namespace {

struct Parts {
  int64_t part, count;
};

// Several groups a row only where rows alone leave the device idle, and 64 elements a lane at least.
Parts parts_of(const RowPlan& r) {
  constexpr int64_t kLeastPart = 8192, kEnoughGroups = 1024;
  const int64_t count = std::min(r.len / kLeastPart, kEnoughGroups / std::max<int64_t>(r.rows, 1));
  if (count < 2) return {r.len, 1};
  const int64_t part = (r.len + count - 1) / count;
  return {part, (r.len + part - 1) / part};
}

}  // namespace

uint64_t RowPlan::workspace() const {
  const int64_t count = parts_of(*this).count;
  return count > 1 ? static_cast<uint64_t>(2 * rows * count) * element_bytes(sum) : 0;
}

void row_steps(const opmux_devinfo& info, const RowPlan& r, const StepMaker& s, KernelPlan& plan) {
  const Parts p = parts_of(r);
  const auto stage = [&](uint32_t k, int64_t split) {
    StepMaker m = s;
    const uint32_t width = p.count > 1 ? m.source().file->group : row_width(m.source(), r.rows, r.len);
    if (p.count > 1)
      m.workspace("partial", 0, r.workspace(), r.sum);
    else
      m.unused("partial", r.sum);
    m.set("width", width);
    m.set("len", static_cast<uint64_t>(r.len));
    m.set("split", static_cast<uint64_t>(split));
    m.set("parts", static_cast<uint64_t>(p.count));
    m.set("part", static_cast<uint64_t>(p.part));
    m.set("stage", k);
    m.set("second", static_cast<uint64_t>(r.rows * p.count));
    m.elements(info, static_cast<uint64_t>(r.rows * split) * width);
    plan.steps.push_back(m.take());
  };
  plan.workspace = r.workspace();
  if (p.count == 1) return stage(0, 1);
  for (uint32_t k = r.first; k < 3; ++k) stage(k, p.count);
  stage(3, r.joined ? 1 : p.count);
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
