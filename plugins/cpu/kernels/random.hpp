// SPDX-License-Identifier: Apache-2.0
// Words of Philox 4x32-10 and what is made of them.
#ifndef OPMUX_CPU_KERNELS_RANDOM_HPP
#define OPMUX_CPU_KERNELS_RANDOM_HPP

#include <cstdint>

namespace opmux::cpu {

// Blocks are made some at a time: so many words behind the last may be overwritten.
constexpr int64_t kPhiloxOverrun = 64;

// words[4 i .. 4 i + 3] = block number `block` + i, for i < blocks.
void philox(uint64_t seed, uint64_t block, int64_t blocks, uint32_t* words);

// z[2 i], z[2 i + 1] = the normal numbers of (v, w) = words[2 i], words[2 i + 1], for i < pairs; 1e-11
// relative. Whole vectors of pairs are read and written: words and z have room for pairs + 8.
void normal_pairs(const uint32_t* words, int64_t pairs, double* z);

}  // namespace opmux::cpu
#endif
