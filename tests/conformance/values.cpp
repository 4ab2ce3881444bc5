// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/values.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

#include "kit/scalar.hpp"
#include "kit/view.hpp"

namespace opmux::cts {
namespace {

using kit::Scalar;
using schema::ValueKind;
using schema::Values;

constexpr Values kAny{ValueKind::kMixed,
                      schema::kNoOperand,
                      0,
                      schema::kNoAttr,
                      0,
                      0,
                      nullptr,
                      nullptr,
                      true,
                      false,
                      false,
                      false};

double least_normal(uint32_t dtype) {
  return dtype == OPMUX_F64 ? 0x1p-1022 : dtype == OPMUX_F16 ? 0x1p-14 : 0x1p-126;
}

double special(uint32_t dtype, Flavour f, Random& r) {
  const double sign = r.one_in(2) ? -1 : 1;
  switch (f) {
    case Flavour::kNan:
      return std::numeric_limits<double>::quiet_NaN();
    case Flavour::kInfinity:
      return sign * std::numeric_limits<double>::infinity();
    case Flavour::kZeros:
      return std::copysign(0.0, sign);
    case Flavour::kSubnormal:
      return sign * least_normal(dtype) * r.unit();
    default:
      return sign * std::ldexp(1 + r.unit(), dtype == OPMUX_F64 ? 1020 : dtype == OPMUX_F16 ? 14 : 124);
  }
}

Scalar mixed(uint32_t dtype, Flavour flavour, uint64_t manner, Random& r) {
  if (dtype == OPMUX_BOOL) return kit::of_bool(r.one_in(2));
  if (kit::is_float(dtype)) {
    const bool rare = flavour == Flavour::kNan || flavour == Flavour::kInfinity;
    if (flavour != Flavour::kOrdinary && r.one_in(rare ? 40 : 3))
      return kit::of_float(special(dtype, flavour, r));
    double x = manner % 4 == 3 ? r.unit() : r.normal();
    if (manner % 8 == 5) x = std::round(x * 4) / 4;  // ties
    if (manner % 16 == 6) x = std::ldexp(x, static_cast<int>(r.between(-8, 8)));
    return kit::of_float(kit::round_to(dtype, x));
  }
  if (manner % 4 == 1) return kit::wrap(dtype, static_cast<uint64_t>(r.between(-9, 9)));
  const Scalar any = kit::wrap(dtype, r.bits());
  if (!r.one_in(16)) return any;
  const uint64_t least = uint64_t{1} << (OPMUX_DTYPE_BITS(dtype) - 1);  // of the signed types
  const uint64_t corners[] = {0, 0, 1, ~uint64_t{0}, least, least - 1};
  // The bounds in some tensors only: they hide what happens to the other large ones.
  return kit::wrap(dtype, corners[r.below(manner % 4 == 2 ? std::size(corners) : 4)]);
}

struct Range {
  double low, high;
};

// Bounds of the domain; for indices those of the axis.
Range range_of(const Values& v, const schema::View& view, int64_t axis_step) {
  const auto low = v.low_of ? static_cast<double>(v.low_of(view)) : v.low;
  if (v.of < 0) return {low, v.high_of ? static_cast<double>(v.high_of(view)) : v.high};
  int64_t axis = v.axis;
  if (v.axis_attr != schema::kNoAttr) {
    uint32_t value = 0;
    std::memcpy(&value, view.attrs.data() + v.axis_attr, sizeof value);
    axis = value;
  }
  const auto n = static_cast<double>(schema::extent(view.in(static_cast<uint32_t>(v.of)), axis + axis_step));
  if (v.kind == ValueKind::kLengths || v.kind == ValueKind::kOffsets) return {low, n};
  return {v.negative ? -n : 0, n - 1};
}

Scalar within(uint32_t dtype, Range range, bool whole, Random& r) {
  if (!kit::is_float(dtype) || whole)
    return kit::is_float(dtype)
               ? kit::of_float(static_cast<double>(
                     r.between(static_cast<int64_t>(range.low), static_cast<int64_t>(range.high))))
               : kit::of_int(r.between(static_cast<int64_t>(range.low), static_cast<int64_t>(range.high)));
  double x = kit::round_to(dtype, range.low + (range.high - range.low) * r.unit());
  return kit::of_float(std::clamp(x, range.low, range.high));
}

// One input: all its elements in row-major order, then changed as a whole and stored.
struct Filler {
  const opmux_tdesc& t;
  const Values& v;
  const schema::View& view;
  Flavour flavour;
  Random& random;
  uint64_t manner;
  std::vector<Scalar> all{};

  int64_t last() const { return t.rank == 0 ? 1 : std::max<int64_t>(t.dim[t.rank - 1], 1); }

  Scalar one(int64_t k) {
    switch (v.kind) {
      case ValueKind::kMixed:
        return mixed(t.dtype, flavour, manner, random);
      case ValueKind::kBits:
        return kit::from_bits(t.dtype, random.bits());
      case ValueKind::kPositive:
        return kit::is_float(t.dtype) ? kit::of_float(kit::round_to(t.dtype, 0.0625 + 4 * random.unit()))
                                      : kit::of_int(random.between(1, 100));
      case ValueKind::kProbability:
        return kit::of_float(random.one_in(5) ? 0 : random.unit());
      case ValueKind::kCoordinates:
        return within(t.dtype, range_of(v, view, k % last()), true, random);
      case ValueKind::kRange:
        return within(t.dtype, range_of(v, view, 0), t.dtype != OPMUX_F64 && v.low_of != nullptr, random);
      default:
        return within(t.dtype, range_of(v, view, 0), true, random);
    }
  }
  double number(size_t k) const { return kit::is_float(t.dtype) ? all[k].f : static_cast<double>(all[k].i); }
  // No value twice, counting an index and its form from the end as one. Lines run along the axis of the
  // index, or over everything where that axis is not the operand's.
  void make_unique() {
    const Range range = range_of(v, view, 0);
    if (v.kind == ValueKind::kCoordinates) return unique_rows();
    const auto n = static_cast<int64_t>(range.high) + 1,
               low = std::max<int64_t>(0, static_cast<int64_t>(range.low));
    int64_t axis = 0;
    if (v.axis_attr != schema::kNoAttr) {
      uint32_t value = 0;
      std::memcpy(&value, view.attrs.data() + v.axis_attr, sizeof value);
      axis = value;
    }
    const bool along = v.of >= 0 && view.in(static_cast<uint32_t>(v.of)).rank == t.rank;
    int64_t inner = 1;
    for (uint32_t i = along ? static_cast<uint32_t>(axis) + 1 : t.rank; i < t.rank; ++i) inner *= t.dim[i];
    const int64_t line = along ? t.dim[axis] : static_cast<int64_t>(all.size());
    for (int64_t start = 0; start < static_cast<int64_t>(all.size()); ++start) {
      if (start / inner % line != 0) continue;
      const std::vector<int64_t> picked = shuffled(low, n);
      for (int64_t k = 0; k < line && k < static_cast<int64_t>(picked.size()); ++k) {
        const int64_t value = picked[static_cast<size_t>(k)];
        const bool back = v.negative && v.of >= 0 && random.one_in(3);
        all[static_cast<size_t>(start + k * inner)] = kit::of_int(back ? value - n : value);
      }
    }
  }
  std::vector<int64_t> shuffled(int64_t low, int64_t n) {
    std::vector<int64_t> picked;
    for (int64_t i = low; i < n; ++i) picked.push_back(i);
    for (size_t i = picked.size(); i > 1; --i) std::swap(picked[i - 1], picked[random.below(i)]);
    return picked;
  }
  // Rows of coordinates: row k gets the kth of all positions in a shuffled walk.
  void unique_rows() {
    const int64_t width = last();
    std::vector<int64_t> extent;
    int64_t count = 1;
    for (int64_t i = 0; i < width; ++i) {
      extent.push_back(static_cast<int64_t>(range_of(v, view, i).high) + 1);
      count *= std::max<int64_t>(extent.back(), 1);
    }
    if (count > (1 << 20)) return;
    const std::vector<int64_t> picked = shuffled(0, count);
    for (size_t row = 0; row < all.size() / static_cast<size_t>(width); ++row) {
      int64_t at = picked[row % picked.size()];
      for (int64_t i = width; i-- > 0;) {
        const int64_t n = std::max<int64_t>(extent[static_cast<size_t>(i)], 1), value = at % n;
        at /= n;
        all[row * static_cast<size_t>(width) + static_cast<size_t>(i)] =
            kit::of_int(v.negative && random.one_in(3) ? value - n : value);
      }
    }
  }
  void shape_rows() {
    const auto n = static_cast<size_t>(last());
    for (size_t start = 0; start + n <= all.size() && n != 0; start += n) {
      if (v.sorted || v.kind == ValueKind::kOffsets)
        std::sort(all.begin() + static_cast<int64_t>(start), all.begin() + static_cast<int64_t>(start + n),
                  [&](Scalar a, Scalar b) { return kit::is_float(t.dtype) ? a.f < b.f : a.i < b.i; });
      if (v.kind == ValueKind::kOffsets) {
        all[start + n - 1] = kit::of_int(static_cast<int64_t>(range_of(v, view, 0).high));
        all[start] = kit::of_int(0);
      }
      if (v.kind != ValueKind::kProbability) continue;
      double sum = 0;
      for (size_t k = 0; k < n; ++k) sum += all[start + k].f;
      for (size_t k = 0; k < n; ++k)
        all[start + k].f =
            kit::round_to(t.dtype, sum > 0 ? all[start + k].f / sum : 1.0 / static_cast<double>(n));
    }
  }
  void fill() {
    int64_t count = 1;
    for (uint32_t i = 0; i < t.rank; ++i) count *= t.dim[i];
    for (int64_t k = 0; k < count; ++k) all.push_back(one(k));
    if (all.empty()) return;
    if (v.unique) make_unique();
    shape_rows();
  }
};

const Values& domain_of(std::span<const Values> domain, uint32_t i, uint32_t n_own) {
  if (i >= n_own || domain.empty()) return kAny;
  return domain[std::min<size_t>(i, domain.size() - 1)];
}

uint64_t scalar_bits(uint32_t dtype, Scalar s) {
  return kit::is_float(dtype) ? kit::float_bits(dtype, s.f) : s.u;
}

}  // namespace

void fill_inputs(const opmux_opd& d, std::span<const Values> domain, Flavour flavour, Image& image,
                 std::vector<uint64_t>& params, Random& random) {
  schema::View view;
  schema::open_view(d, view);
  params.clear();
  for (uint32_t i = 0; i < d.n_in; ++i) {
    const opmux_tdesc& t = d.in[i];
    if (t.dtype == OPMUX_NONE) continue;
    // Padding times a weight that is not finite is nothing or NaN, so convolutions keep such weights finite.
    const bool weight = i > 0 && std::strcmp(schema::find(d.op)->family, "conv") == 0;
    Filler f{t,      domain_of(domain, i, view.n_own),
             view,   weight ? Flavour::kOrdinary : flavour,
             random, random.bits() >> 8};
    f.fill();
    if (image.place[i].scalar) {
      params.push_back(scalar_bits(t.dtype, f.all[0]));
      continue;
    }
    kit::Walk walk(t);
    walk.add(t);
    size_t k = 0;
    walk.each([&](const int64_t* at) { kit::store(t.dtype, image.at(i), at[0], f.all[k++]); });
  }
}

bool put_outside(const opmux_opd& d, const Values& v, uint32_t i, Image& image, std::vector<uint64_t>& params,
                 Random& random) {
  schema::View view;
  const opmux_tdesc& t = d.in[i];
  if (!v.fault || t.dtype == OPMUX_NONE || !schema::open_view(d, view)) return false;
  int64_t count = 1;
  for (uint32_t a = 0; a < t.rank; ++a) count *= t.dim[a];
  if (count == 0) return false;
  const auto target = static_cast<int64_t>(random.below(static_cast<uint64_t>(count)));
  const int64_t width = t.rank == 0 ? 1 : t.dim[t.rank - 1];
  const Range range = range_of(v, view, v.kind == ValueKind::kCoordinates ? target % width : 0);
  const auto high = static_cast<int64_t>(range.high), low = static_cast<int64_t>(range.low);
  const int64_t far = t.dtype == OPMUX_I64 ? INT64_MAX : INT32_MAX;
  const int64_t choices[] = {high + 1, low - 1, far, -far - 1, high + 1000};
  const Scalar bad = kit::of_int(choices[random.below(5)]);
  if (image.place[i].scalar) {
    size_t p = 0;
    for (uint32_t k = 0; k < i; ++k) p += image.place[k].scalar;
    params[p] = bad.u;
    return true;
  }
  kit::Walk walk(t);
  walk.add(t);
  int64_t k = 0;
  walk.each([&](const int64_t* at) {
    if (k++ == target) kit::store(t.dtype, image.at(i), at[0], bad);
  });
  return true;
}

}  // namespace opmux::cts
