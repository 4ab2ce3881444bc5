// SPDX-License-Identifier: Apache-2.0
// Philox 4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (2011).
#pragma once

#include <array>
#include <cstdint>

namespace opmux::reference {

// The four words of the block with this number (the low half of the counter; the high half is 0).
inline std::array<uint32_t, 4> philox(uint64_t seed, uint64_t block) {
  std::array<uint32_t, 4> c = {uint32_t(block), uint32_t(block >> 32), 0, 0};
  auto key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p = uint64_t{0xD2511F53} * c[0], q = uint64_t{0xCD9E8D57} * c[2];
    c = {uint32_t(q >> 32) ^ c[1] ^ key0, uint32_t(q), uint32_t(p >> 32) ^ c[3] ^ key1, uint32_t(p)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return c;
}

// Words of the stream that begins with block `offset`.
class RandomWords {
 public:
  RandomWords(uint64_t seed, uint64_t offset) : seed_(seed), offset_(offset) {}
  uint32_t word32(uint64_t i) const { return philox(seed_, offset_ + i / 4)[i % 4]; }
  uint64_t word64(uint64_t i) const {
    const auto block = philox(seed_, offset_ + i / 2);
    return block[2 * (i % 2)] | uint64_t{block[2 * (i % 2) + 1]} << 32;
  }

 private:
  uint64_t seed_, offset_;
};

}  // namespace opmux::reference
