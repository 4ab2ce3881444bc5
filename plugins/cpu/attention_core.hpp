// SPDX-License-Identifier: Apache-2.0
// Attention over sequences of queries whose keys and values lie anywhere: what attention and paged_attention
// share. Blocks of queries, of one head or of several heads that share their keys, go over tiles of the keys
// that any of them sees; see kernels/attention.hpp. One block is one work item, so the result does not depend
// on the number of threads.
#ifndef OPMUX_CPU_ATTENTION_CORE_HPP
#define OPMUX_CPU_ATTENTION_CORE_HPP

#include <cstdint>

#include "cpu/index_value.hpp"
#include "cpu/kernels/attention.hpp"
#include "cpu/kernels/memory.hpp"
#include "cpu/tiles.hpp"
#include "kit/op.h"

namespace opmux::cpu {

constexpr int64_t kAttentionWidth = 1 << 14;  // of a head at most: its tiles must fit into the workspace

struct AttentionSequence {
  int64_t index;             // among all sequences
  int64_t batch;             // of q, y and the masks
  int64_t q_begin, q_count;  // its queries among those of the batch
  int64_t k_begin, k_count;  // its keys among those of the batch, which are the columns of masks too
  int64_t shift;             // its query i stands at its key i + shift
};

// A vector of lengths or starts; p may be NULL.
struct AttentionCounts {
  const void* p = nullptr;
  uint32_t dtype = 0;
  int64_t step = 0;
  int64_t operator[](int64_t i) const { return index_value(dtype, p, i * step); }
};

// Sequence b is batch b; or all lie one after another in batch 0 (packed), where `q` has their starts and one
// end more, and `k` the same or, with k_lengths, their numbers of keys.
struct AttentionSequences {
  bool packed = false, k_lengths = false;
  int64_t count = 0;
  AttentionCounts q, k;
  int64_t queries = 0, keys = 0, shift = 0;  // of each, where there are no counts

  AttentionSequence at(int64_t s) const;
  // Packed: the first sequence that ends behind this query; `count` if there is none.
  int64_t behind(int64_t query) const;
};

// Rows of keys or values of one head, `count` of them evenly spaced; steps in elements. scale: the factor of
// the first row, or NULL.
struct KeyRows {
  const char* p;
  int64_t row, step, count;
  const float* scale = nullptr;
  int64_t scale_step = 0;
};

class KeyStore {
 public:
  virtual KeyRows at(const AttentionSequence& s, int64_t head, int64_t key) const = 0;

 protected:
  ~KeyStore() = default;
};

// Elements of f32, f16, bf16, i8 and e4m3fn as f32.
class RowLoader {
 public:
  // False for types that it cannot load.
  bool plan(uint32_t dtype);
  void operator()(float* to, const char* from, int64_t step, int64_t n) const;
  int64_t bytes() const { return bytes_; }
  bool is_f32() const { return dtype_ == OPMUX_F32; }

 private:
  uint32_t dtype_ = 0;
  int64_t bytes_ = 0;
  LoadFn load_ = nullptr;
  TileFn cast_ = nullptr;
  const float* table_ = nullptr;
};

// Floats from the start of a worker's scratch.
struct AttentionScratch {
  int64_t q, k, kt, v, s, bias, o, rows, total;
  AttentionScratch() = default;
  AttentionScratch(int64_t width, int64_t value_width, bool biased);
  uint64_t bytes() const;  // of all workers
};

struct AttentionPlan {
  // To be filled in; strides in elements over [batch, head, query, element], 0 where an operand repeats.
  int64_t batches = 0, heads = 0, kv_heads = 1, queries = 0, width = 0, value_width = 0;
  bool packed = false, causal = false;
  int64_t window = -1;
  float scale = 0, soft_cap = 0;                                                // scale 0: 1 / sqrt(width)
  uint32_t q_dtype = 0, y_dtype = 0, k_dtype = 0, v_dtype = 0, mask_dtype = 0;  // mask_dtype 0: no mask
  int64_t q_stride[4] = {}, y_stride[4] = {}, lse_stride[4] = {}, mask_stride[4] = {};
  bool has_lse = false, has_slopes = false, has_blocks = false;
  int64_t slope_stride = 0, block_stride[4] = {}, block_q = 1, block_k = 1;

  // After that.
  void plan();

  int64_t group = 1, heads_per = 1, per_block = 1, parts = 0, blocks = 0, items = 0;
  RowLoader load_k, load_v;
  LoadFn load = nullptr, load_mask = nullptr;
  StoreFn store = nullptr;
  TransposeFn transpose = nullptr;
  TileFn times = nullptr;  // by one number
  AttentionScratch lay;
  double wide_scale = 0;  // for f64

  bool biased() const { return mask_dtype != 0 || has_slopes || has_blocks; }
};

struct AttentionCall {
  const char *q = nullptr, *mask = nullptr, *slopes = nullptr, *blocks = nullptr;
  char *y = nullptr, *lse = nullptr;
  const KeyStore *k = nullptr, *v = nullptr;
  AttentionSequences sequences;
};

// OPMUX_E_FAULT unless all n values are in [0, most] and, if so, rising; `name` of the operand says which.
opmux_status check_counts(const AttentionCounts& counts, int64_t n, int64_t most, bool rising,
                          uint32_t operand, const char* name, opmux_err* err);

void run_attention(const AttentionPlan& plan, const AttentionCall& call, const opmux_host_api* host,
                   void* ws);

// The form in which all floats are f64; run_attention goes there by itself. ws: of all workers.
uint64_t wide_attention_bytes(int64_t width, int64_t value_width);
void run_wide_attention(const AttentionPlan& plan, const AttentionCall& call, const opmux_host_api* host,
                        void* ws);

// Strides of t over dims that it broadcasts to, as the last ones of four.
void broadcast_strides(const opmux_tdesc& t, int64_t* stride);

}  // namespace opmux::cpu
#endif
