// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/image.hpp"

#include <algorithm>

#include "kit/view.hpp"

namespace opmux::cts {
namespace {

constexpr uint64_t kCanary = 64;  // bytes before and behind an operand

// Strides of the dims in this order of memory, the last one fastest.
void pack(opmux_tdesc& t, const std::vector<uint32_t>& order, int64_t step) {
  for (size_t i = order.size(); i-- > 0;) {
    t.stride[order[i]] = step;
    step *= std::max<int64_t>(t.dim[order[i]], 1);
  }
}

std::vector<uint32_t> usual_order(const opmux_tdesc& t) {
  std::vector<uint32_t> order(t.rank);
  for (uint32_t i = 0; i < t.rank; ++i) order[i] = i;
  return order;
}

void broadcast(opmux_tdesc& t, Random& random) {
  bool done = false;
  for (uint32_t i = 0; i < t.rank; ++i)
    if (t.dim[i] > 1 && random.one_in(2)) t.stride[i] = 0, done = true;
  for (uint32_t i = 0; i < t.rank && !done; ++i)
    if (t.dim[i] > 1) t.stride[i] = 0, done = true;
}

// Gaps between elements and between rows.
void slice(opmux_tdesc& t, Random& random) {
  int64_t step = 1 + static_cast<int64_t>(random.below(3));
  for (uint32_t i = t.rank; i-- > 0;) {
    t.stride[i] = step;
    step = step * std::max<int64_t>(t.dim[i], 1) + static_cast<int64_t>(random.below(4));
  }
}

}  // namespace

void set_view(opmux_tdesc& t, View view, Random& random) {
  std::vector<uint32_t> order = usual_order(t);
  if (view == kTransposed) std::reverse(order.begin(), order.end());
  if (view == kTransposed && t.rank > 2 && random.one_in(2)) std::swap(order[0], order[1]);
  if (view == kChannelsLast && t.rank > 2) {
    order.erase(order.begin() + 1);
    order.push_back(1);
  }
  pack(t, order, 1);
  if (view == kReversed)
    for (uint32_t i = 0; i < t.rank; ++i)
      if (i + 1 == t.rank || random.one_in(2)) t.stride[i] = -t.stride[i];
  if (view == kBroadcast) broadcast(t, random);
  if (view == kSliced) slice(t, random);
}

Image::Image(const std::vector<opmux_tdesc>& operands, const std::vector<int>& alias, uint64_t align,
             Random& random) {
  uint64_t end = 0;
  place.resize(operands.size());
  for (size_t i = 0; i < operands.size(); ++i) {
    const opmux_tdesc& t = operands[i];
    if (t.dtype == OPMUX_NONE) continue;
    if (alias[i] >= 0) {
      place[i] = place[static_cast<size_t>(alias[i])];
      continue;
    }
    place[i].scalar = (t.flags & OPMUX_T_HOST_SCALAR) != 0;
    const int64_t bits = OPMUX_DTYPE_BITS(t.dtype);
    int64_t low = 0, high = 0;
    bool none = false;
    for (uint32_t a = 0; a < t.rank; ++a) {
      none |= t.dim[a] == 0;
      if (t.dim[a] > 1) (t.stride[a] < 0 ? low : high) += (t.dim[a] - 1) * t.stride[a];
    }
    if (none) low = 0, high = -1;
    const auto before = static_cast<uint64_t>((-low * bits + 7) / 8);
    const auto after = static_cast<uint64_t>(((high + 1) * bits + 7) / 8);
    // Element 0 at the least alignment that is promised, and no better.
    const uint64_t natural = std::max<uint64_t>({static_cast<uint64_t>(bits) / 8, align, 1});
    uint64_t zero = (end + kCanary + before + natural - 1) / natural * natural;
    zero += natural * random.below(4);
    place[i].offset = zero;
    place[i].begin = zero - before;
    place[i].end = end = zero + after;
  }
  bytes.resize((end + kCanary + 63) / 64 * 64);
  for (unsigned char& b : bytes) b = static_cast<unsigned char>(random.bits());
  allowed_.assign(bytes.size(), 0);
}

void Image::allow(const opmux_tdesc& t, uint32_t operand) {
  const int64_t bits = OPMUX_DTYPE_BITS(t.dtype);
  unsigned char* base = allowed_.data() + place[operand].offset;
  kit::Walk walk(t);
  walk.add(t);
  walk.each([&](const int64_t* at) {
    if (bits >= 8)
      std::fill_n(base + at[0] * (bits / 8), bits / 8, static_cast<unsigned char>(0xff));
    else
      base[(at[0] * bits) >> 3] |=
          static_cast<unsigned char>(((1u << bits) - 1) << (static_cast<uint64_t>(at[0] * bits) & 7));
  });
}

void Image::spoil(Random& random) {
  for (size_t i = 0; i < bytes.size(); ++i)
    if (allowed_[i] != 0)
      bytes[i] = static_cast<unsigned char>((bytes[i] & ~allowed_[i]) | (random.bits() & allowed_[i]));
}

int64_t Image::first_change(const std::vector<unsigned char>& before) const {
  for (size_t i = 0; i < bytes.size(); ++i)
    if (((bytes[i] ^ before[i]) & ~allowed_[i]) != 0) return static_cast<int64_t>(i);
  return -1;
}

}  // namespace opmux::cts
