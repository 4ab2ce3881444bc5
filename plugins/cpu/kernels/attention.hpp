// SPDX-License-Identifier: Apache-2.0
// One step of attention with a running softmax (Milakov and Gimelshein 2018, as in FlashAttention, Dao et al.
// 2022): a block of queries against a tile of keys and values.
#ifndef OPMUX_CPU_KERNELS_ATTENTION_HPP
#define OPMUX_CPU_KERNELS_ATTENTION_HPP

#include <cstdint>

namespace opmux::cpu {

constexpr int64_t kAttentionRows = 48;  // queries of a block
constexpr int64_t kAttentionKeys = 64;  // of a tile; a multiple of every vector
constexpr int64_t kAttentionPad = 16;   // rows of values and outputs are padded to a multiple of this
constexpr int64_t kAttentionFew = 4;    // so many queries do not repay a transposed tile of keys

struct AttentionTile {
  int64_t rows, keys, d, dv;  // dv: padded
  const float* q;             // scaled queries
  int64_t ldq;
  const float* k;  // keys [keys, d] in steps of ldk, or transposed [d, kAttentionKeys]
  int64_t ldk;
  bool transposed;
  const float* v;  // [keys, dv]
  int64_t ldv;
  const float* mask;       // [rows, kAttentionKeys], added to the scores, or nullptr
  const int32_t *lo, *hi;  // the columns [lo, hi) that each row sees
  float soft_cap;          // 0: none
  bool careful;            // values of weight 0 may be infinite or NaN: they are left out
  float* s;                // scratch [rows, kAttentionKeys]
  float *o, *top, *sum;    // the running state: sums of values [rows, dv], maximum and sum of weights per row
};

void attention_start(const AttentionTile& t);
void attention_tile(const AttentionTile& t);
// Divides o by the sums; rows that have seen no key are 0. False: a NaN has come up in a row whose weights
// have none, so it must be done again with `careful`.
bool attention_finish(const AttentionTile& t);

}  // namespace opmux::cpu
#endif
