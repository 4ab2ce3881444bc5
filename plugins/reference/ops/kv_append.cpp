// SPDX-License-Identifier: Apache-2.0
// Rows of keys or values into the slots of pages, rounded as their type asks. The arithmetic is that of f32,
// as the schema says, so that every backend stores the same bits.
#include "kit/half.hpp"
#include "kit/operands/attention.gen.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

using enum operands::kv_append::Input;
using enum operands::kv_append::Output;

Scalar stored(uint32_t dtype, float v) {
  if (dtype == OPMUX_I8)
    return kit::of_int(std::isnan(v) ? 0 : int64_t(std::nearbyint(std::fmin(127.f, std::fmax(-128.f, v)))));
  if (dtype == OPMUX_E4M3FN)
    return kit::of_float(kit::decode(kit::kE4m3fn, kit::encode(kit::kE4m3fn, double(v), true)));
  return kit::of_float(kit::round_to(dtype, double(v)));
}

// The elements of output o where they are, after those of the input have been copied if it is bound apart.
void carry_over(Job& job, uint32_t i, uint32_t o) {
  if (job.in_data(i) == job.out_data(o)) return;
  const uint32_t raw = raw_type(job.in(i).dtype);
  kit::Walk walk(job.in(i));
  walk.add(job.in(i)).add(job.out(o));
  walk.each([&](const int64_t* at) {
    kit::store(raw, job.out_data(o), at[1], kit::load(raw, job.in_data(i), at[0]));
  });
}

float row_scale(uint32_t dtype, const float* x, int64_t n) {
  if (dtype != OPMUX_I8 && dtype != OPMUX_E4M3FN) return 1;
  float most = 0;
  for (int64_t e = 0; e < n; ++e)
    if (std::isfinite(x[e])) most = std::fmax(most, std::fabs(x[e]));
  return most / (dtype == OPMUX_I8 ? 127.f : 448.f);
}

}  // namespace

void kv_append(Job& job) {
  const opmux_tdesc &pages = job.in(kPages), &to = job.out(kNewPages), &x = job.in(kX);
  const int64_t page = pages.dim[1], limit = pages.dim[0] * page, heads = x.dim[1], width = x.dim[2];
  const std::vector<uint64_t> slots = job.read<uint64_t>(kSlots);
  for (size_t n = 0; n < slots.size(); ++n)
    if (int64_t(slots[n]) < -1 || int64_t(slots[n]) >= limit)
      fail(OPMUX_E_FAULT, kSlots, "kv_append: slots[%zu] is %lld, outside [-1, %lld]", n,
           static_cast<long long>(slots[n]), static_cast<long long>(limit - 1));
  const std::vector<double> wide = job.read<double>(kX);
  const std::vector<float> values(wide.begin(), wide.end());
  opmux_tdesc rows = pages;
  rows.rank = 3;
  std::vector<double> scale(size_t(count_of(rows)), 1.0);
  if (job.has_in(kScale)) scale = job.read_as<double>(kScale, rows);
  std::vector<double> result = job.read<double>(kPages);
  const bool find = job.has_out(kNewScale);
  for (size_t n = 0; n < slots.size(); ++n)
    for (int64_t h = 0; h < heads && int64_t(slots[n]) >= 0; ++h) {
      const float* row = values.data() + (int64_t(n) * heads + h) * width;
      const auto place = size_t(int64_t(slots[n]) * heads + h);
      if (find) scale[place] = double(row_scale(pages.dtype, row, width));
      const auto by = float(scale[place]);
      for (int64_t e = 0; e < width; ++e) {
        const Scalar s = stored(pages.dtype, by == 0 ? 0 : job.has_in(kScale) ? row[e] / by : row[e]);
        result[place * size_t(width) + size_t(e)] = pages.dtype == OPMUX_I8 ? double(s.i) : s.f;
      }
    }
  if (job.oracle()) {
    job.write(kNewPages, result);
    if (find) job.write(kNewScale, scale);
    return;
  }
  carry_over(job, kPages, kNewPages);
  if (find) carry_over(job, kScale, kNewScale);
  for (uint64_t slot : slots)
    for (int64_t h = 0; h < heads && int64_t(slot) >= 0; ++h) {
      const int64_t p = int64_t(slot) / page, t = int64_t(slot) % page, place = int64_t(slot) * heads + h;
      for (int64_t e = 0; e < width; ++e)
        kit::store(to.dtype, job.out_data(0),
                   p * to.stride[0] + t * to.stride[1] + h * to.stride[2] + e * to.stride[3],
                   narrow(to.dtype, result[size_t(place * width + e)]));
      if (!find) continue;
      const opmux_tdesc& s = job.out(kNewScale);
      kit::store(s.dtype, job.out_data(1), p * s.stride[0] + t * s.stride[1] + h * s.stride[2],
                 kit::of_float(scale[size_t(place)]));
    }
}

}  // namespace opmux::reference
