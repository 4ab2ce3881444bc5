// SPDX-License-Identifier: Apache-2.0
#include "host/platform/hash.hpp"

#include <cstddef>
#include <cstring>

namespace opmux {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

uint64_t checksum64(std::span<const std::byte> bytes, uint64_t seed) {
  uint64_t hash = mix(seed + 0x9e3779b97f4a7c15u * (bytes.size() + 1));
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    hash = mix(hash ^ word) + 0x9e3779b97f4a7c15u;
  }
  uint64_t tail = 0;
  if (at < bytes.size()) std::memcpy(&tail, bytes.data() + at, bytes.size() - at);
  return mix(hash ^ tail);
}

uint64_t checksum64(std::string_view text, uint64_t seed) {
  return checksum64(std::as_bytes(std::span(text.data(), text.size())), seed);
}

}  // namespace opmux
