// SPDX-License-Identifier: Apache-2.0
// Random numbers that depend on a name and a seed only, the same with every standard library.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

namespace opmux::cts {

// FNV-1a, 64 bits.
inline uint64_t hash_of(std::string_view text, uint64_t h = 0xcbf29ce484222325u) {
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  Random(std::string_view name, uint64_t seed) : state_(hash_of(name) ^ (seed * 0x9e3779b97f4a7c15u)) {}
  uint64_t bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t n) { return n == 0 ? 0 : bits() % n; }
  int64_t between(int64_t low, int64_t high) {
    return high <= low ? low : low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  bool one_in(uint64_t n) { return below(n) == 0; }
  double unit() { return std::ldexp(static_cast<double>(bits() >> 11), -53); }  // [0, 1)
  // Close to normal: the sum of twelve uniform numbers.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += unit();
    return sum;
  }
  template <class V>
  auto& any(V& v) {
    return v[below(v.size())];
  }

 private:
  uint64_t state_;
};

}  // namespace opmux::cts
