// SPDX-License-Identifier: Apache-2.0
// Slices along an axis that differ. They are sorted stably, so that the first of equal ones has the least
// position; what lies behind the last one of an output is 0.
#include "reference/ops/index.hpp"
#include "reference/ops/ops.hpp"
#include "reference/ops/order.hpp"

namespace opmux::reference {
namespace {

// Slices of input 0 along an axis: element e of slice i is at i * step + within[e].
struct Slices {
  Slices(const Job& job, uint32_t axis) : dtype(job.in(0).dtype), base(job.in_data(0)) {
    opmux_tdesc slice = job.in(0);
    n = slice.dim[axis];
    step = slice.stride[axis];
    slice.dim[axis] = 1;
    within = offsets_of(slice);
  }
  // -1, 0 or 1: slice a comes before b, equals it, or comes after it.
  int compare(int64_t a, int64_t b) const {
    for (int64_t offset : within) {
      const Scalar x = kit::load(dtype, base, a * step + offset);
      const Scalar y = kit::load(dtype, base, b * step + offset);
      if (comes_before(dtype, x, y)) return -1;
      if (comes_before(dtype, y, x)) return 1;
    }
    return 0;
  }
  uint32_t dtype;
  const void* base;
  int64_t n, step;
  std::vector<int64_t> within;
};

struct Group {
  int64_t first;
  std::vector<int64_t> members;
};

std::vector<Group> groups_of(const Slices& slices, bool sorted) {
  std::vector<int64_t> order(static_cast<size_t>(slices.n));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    const int difference = slices.compare(a, b);
    return difference < 0 || (difference == 0 && a < b);
  });
  std::vector<Group> groups;
  for (int64_t at : order) {
    if (groups.empty() || slices.compare(groups.back().first, at) != 0) groups.push_back({at, {}});
    groups.back().members.push_back(at);
  }
  if (!sorted)
    std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.first < b.first; });
  return groups;
}

}  // namespace

void unique(Job& job) {
  const auto& d = job.desc<opmux_op_unique>();
  const opmux_tdesc& x = job.in(0);
  const Slices slices(job, d.axis);
  const std::vector<Group> groups = groups_of(slices, d.sorted != 0);
  std::vector<uint64_t> first(size_t(slices.n)), inverse(first), counts(first);
  for (size_t g = 0; g < groups.size(); ++g) {
    first[g] = uint64_t(groups[g].first);
    counts[g] = groups[g].members.size();
    for (int64_t at : groups[g].members) inverse[size_t(at)] = g;
  }
  std::array<int64_t, 8> along{}, others = std::to_array(x.stride);
  along[d.axis] = 1;
  others[d.axis] = 0;
  std::vector<int64_t> source;
  kit::Walk walk(x);
  walk.add_strides(along).add_strides(others);
  walk.each([&](const int64_t* offset) {
    const size_t g = size_t(offset[0]);
    source.push_back(g < groups.size() ? groups[g].first * slices.step + offset[1] : Job::kNoSource);
  });
  job.move(0, 0, source);
  job.write(1, first);
  job.write(2, inverse);
  job.write(3, counts);
  job.write(4, std::vector<uint64_t>{groups.size()});
}

}  // namespace opmux::reference
