// SPDX-License-Identifier: Apache-2.0
#include "cpu/attention_core.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "cpu/answer.hpp"
#include "cpu/scratch.hpp"
#include "kit/half.hpp"
#include "opmux/ops/pointwise.gen.h"

namespace opmux::cpu {
namespace {

constexpr float kUnseen = -std::numeric_limits<float>::infinity();

int64_t padded(int64_t n) { return (n + kAttentionPad - 1) / kAttentionPad * kAttentionPad; }

}  // namespace

AttentionSequence AttentionSequences::at(int64_t s) const {
  AttentionSequence r{s, packed ? 0 : s, 0, queries, 0, keys, shift};
  if (packed) {
    r.q_begin = q[s];
    r.q_count = q[s + 1] - r.q_begin;
    r.k_begin = k_lengths ? 0 : k[s];
    r.k_count = k_lengths ? k[s] : k[s + 1] - r.k_begin;
  } else {
    if (q.p) r.q_count = q[s];
    if (k.p) r.k_count = k[s];
  }
  if (q.p || k.p) r.shift = r.k_count - r.q_count;
  return r;
}

int64_t AttentionSequences::behind(int64_t query) const {
  int64_t from = 0, to = count;
  while (from < to) {
    const int64_t middle = (from + to) / 2;
    if (q[middle + 1] > query)
      to = middle;
    else
      from = middle + 1;
  }
  return from;
}

opmux_status check_counts(const AttentionCounts& counts, int64_t n, int64_t most, bool rising,
                          uint32_t operand, const char* name, opmux_err* err) {
  int64_t least = 0;
  for (int64_t i = 0; i < n && counts.p; ++i) {
    const int64_t v = counts[i];
    if (v < least || v > most)
      return kit_fail(err, OPMUX_E_FAULT, operand, "%s[%lld] is %lld, outside [%lld, %lld]", name,
                      static_cast<long long>(i), static_cast<long long>(v), static_cast<long long>(least),
                      static_cast<long long>(most));
    if (rising) least = v;
  }
  return OPMUX_OK;
}

bool RowLoader::plan(uint32_t dtype) {
  dtype_ = dtype;
  bytes_ = element_bytes(dtype);
  if (dtype == OPMUX_E4M3FN) {
    static const std::array<float, 256> values = [] {
      std::array<float, 256> v{};
      for (unsigned i = 0; i < 256; ++i) v[i] = static_cast<float>(kit::decode(kit::kE4m3fn, i));
      return v;
    }();
    table_ = values.data();
    return true;
  }
  load_ = find_load(dtype);
  if (dtype == OPMUX_I8) cast_ = find_cast(OPMUX_I8, OPMUX_F32, false);
  return dtype == OPMUX_F32 || dtype == OPMUX_F16 || dtype == OPMUX_BF16 || dtype == OPMUX_I8;
}

void RowLoader::operator()(float* to, const char* from, int64_t step, int64_t n) const {
  if (table_) {
    for (int64_t i = 0; i < n; ++i) to[i] = table_[static_cast<uint8_t>(from[i * step])];
  } else if (cast_) {
    int8_t lanes[256];
    for (int64_t i = 0; i < n; i += 256) {
      const auto part = static_cast<size_t>(std::min<int64_t>(256, n - i));
      load_(lanes, from + i * step, step, part);
      cast_(to + i, lanes, nullptr, nullptr, part);
    }
  } else {
    load_(to, from, step, static_cast<size_t>(n));
  }
}

AttentionScratch::AttentionScratch(int64_t width, int64_t value_width, bool biased) {
  const int64_t dp = padded(width), dvp = padded(value_width);
  int64_t at = 0;
  const auto take = [&at](int64_t n) {
    const int64_t from = at;
    at += padded(n);
    return from;
  };
  q = take(kAttentionRows * dp);
  k = take(kAttentionKeys * dp);
  kt = take(kAttentionKeys * dp);
  v = take(kAttentionKeys * dvp);
  s = take(kAttentionRows * kAttentionKeys);
  bias = take(biased ? kAttentionRows * kAttentionKeys : 0);
  o = take(kAttentionRows * dvp);
  rows = take(4 * kAttentionRows);
  total = at;
}

uint64_t AttentionScratch::bytes() const {
  return scratch_bytes(static_cast<uint64_t>(total) * sizeof(float));
}

void broadcast_strides(const opmux_tdesc& t, int64_t* stride) {
  for (uint32_t i = 0; i < t.rank; ++i) stride[4 - t.rank + i] = t.dim[i] == 1 ? 0 : t.stride[i];
}

void AttentionPlan::plan() {
  group = heads / kv_heads;
  wide_scale = scale == 0 ? 1 / std::sqrt(static_cast<double>(width)) : static_cast<double>(scale);
  if (scale == 0) scale = 1 / std::sqrt(static_cast<float>(width));
  const int64_t most = std::max<int64_t>(group, 1);
  heads_per = packed ? std::min(most, kAttentionRows)
                     : std::clamp<int64_t>(kAttentionRows / std::max<int64_t>(queries, 1), 1, most);
  parts = (group + heads_per - 1) / heads_per;
  per_block = kAttentionRows / heads_per;
  // Packed queries are mostly of different sequences, which share no keys: enough items for many threads then
  // count for more than full blocks.
  constexpr int64_t kItems = 64;
  if (packed) per_block = std::clamp<int64_t>(queries * kv_heads * parts / kItems, 1, per_block);
  blocks = (queries + per_block - 1) / per_block;
  items = batches * kv_heads * parts * blocks;
  if (value_width == 0 && !has_lse) items = 0;
  load = find_load(q_dtype);
  store = find_store(y_dtype);
  if (mask_dtype != 0) load_mask = find_load(mask_dtype);
  load_k.plan(k_dtype);
  load_v.plan(v_dtype);
  if (q_dtype == OPMUX_F64) {
    items = batches * heads * queries;
    return;
  }
  transpose = find_transpose(sizeof(float));
  times = find_tile(OPMUX_FN_MUL, Lane::kF32, kUniformB);
  lay = AttentionScratch(width, value_width, biased());
}

namespace {

// One work item: a block of queries against the keys of each sequence that it touches.
class Block {
 public:
  Block(const AttentionPlan& plan, const AttentionCall& call, int64_t item, float* scratch)
      : p_(plan), c_(call), scratch_(scratch) {
    const int64_t first = item % p_.blocks * p_.per_block;
    item /= p_.blocks;
    const int64_t part = item % p_.parts * p_.heads_per;
    item /= p_.parts;
    kv_head_ = item % p_.kv_heads;
    batch_ = item / p_.kv_heads;
    head_ = kv_head_ * p_.group + part;
    n_head_ = std::min(p_.heads_per, p_.group - part);
    t_.d = p_.width;
    t_.dv = padded(p_.value_width);
    t_.q = scratch + p_.lay.q;
    t_.ldq = padded(p_.width);
    t_.mask = p_.biased() ? scratch + p_.lay.bias : nullptr;
    t_.soft_cap = p_.soft_cap;
    t_.s = scratch + p_.lay.s;
    t_.o = scratch + p_.lay.o;
    t_.top = scratch + p_.lay.rows;
    t_.sum = t_.top + kAttentionRows;
    t_.lo = lo_;
    t_.hi = hi_;
    run(first, std::min(first + p_.per_block, p_.queries));
  }

 private:
  // Queries that belong to no sequence give 0.
  void run(int64_t query, int64_t end) {
    const AttentionSequences& all = c_.sequences;
    const int64_t from = all.packed ? all.behind(query) : batch_;
    const int64_t to = all.packed ? all.count : batch_ + 1;
    for (int64_t s = from; s < to && query < end; ++s) {
      s_ = all.at(s);
      const int64_t begin = std::clamp(s_.q_begin, query, end);
      const int64_t stop = std::clamp(s_.q_begin + s_.q_count, begin, end);
      blank(query, begin);
      attend(begin, stop);
      query = stop;
    }
    blank(query, end);
  }

  void take_rows(int64_t begin, int64_t end) {
    query_ = begin;
    n_query_ = end - begin;
    t_.rows = n_head_ * n_query_;
  }

  void blank(int64_t begin, int64_t end) {
    if (begin == end) return;
    take_rows(begin, end);
    std::fill(t_.o, t_.o + t_.rows * t_.dv, 0.0f);
    std::fill(t_.top, t_.top + t_.rows, kUnseen);
    std::fill(t_.sum, t_.sum + t_.rows, 0.0f);
    store();
  }

  void attend(int64_t begin, int64_t end) {
    if (begin == end) return;
    take_rows(begin, end);
    load_queries();
    t_.careful = false;
    go_over_keys();
    if (!attention_finish(t_)) {
      t_.careful = true;
      go_over_keys();
      attention_finish(t_);
    }
    store();
  }

  // Keys [first_key(i), end_key(i)) of the sequence are seen by query i of the batch.
  int64_t place(int64_t i) const { return i - s_.q_begin + s_.shift; }
  int64_t first_key(int64_t i) const {
    return p_.window < 0 ? 0 : std::max<int64_t>(0, place(i) - p_.window);
  }
  int64_t end_key(int64_t i) const {
    return p_.causal ? std::clamp<int64_t>(place(i) + 1, 0, s_.k_count) : s_.k_count;
  }

  int64_t head_of(int64_t r) const { return head_ + r / n_query_; }
  int64_t query_of(int64_t r) const { return query_ + r % n_query_; }
  int64_t offset(const int64_t* stride, int64_t r) const {
    return batch_ * stride[0] + head_of(r) * stride[1] + query_of(r) * stride[2];
  }

  void load_queries() {
    for (int64_t r = 0; r < t_.rows; ++r) {
      float* to = scratch_ + p_.lay.q + r * t_.ldq;
      p_.load(to, c_.q + offset(p_.q_stride, r) * element_bytes(p_.q_dtype), p_.q_stride[3],
              static_cast<size_t>(p_.width));
      p_.times(to, to, &p_.scale, nullptr, static_cast<size_t>(p_.width));
    }
  }

  void go_over_keys() {
    attention_start(t_);
    const int64_t end = end_key(query_ + n_query_ - 1);
    for (int64_t j = first_key(query_); j < end;) {
      int64_t n = end - j;
      if (p_.has_blocks) {
        const int64_t column = s_.k_begin + j;
        n = std::min(n, p_.block_k - column % p_.block_k);
        if (!any_sees(column)) {
          j += n;
          continue;
        }
      }
      t_.keys = std::min(n, kAttentionKeys);
      load_keys(j);
      t_.ldv = t_.dv;
      const bool whole = t_.dv == p_.value_width;  // products go over padded rows of values
      t_.v = rows_of(*c_.v, p_.load_v, j, p_.value_width, whole, scratch_ + p_.lay.v, t_.ldv);
      set_limits(j);
      if (t_.mask) load_bias(j);
      attention_tile(t_);
      j += t_.keys;
    }
  }

  bool sees_block(int64_t r, int64_t column) const {
    const int64_t* step = p_.block_stride;
    return c_.blocks[batch_ * step[0] + head_of(r) * step[1] + query_of(r) / p_.block_q * step[2] +
                     column / p_.block_k * step[3]] != 0;
  }
  bool any_sees(int64_t column) const {
    for (int64_t r = 0; r < t_.rows; ++r)
      if (sees_block(r, column)) return true;
    return false;
  }

  // The rows from key j on as f32: where they are, if they are that, even, and may be `direct`; else gathered
  // into `to` and filled up with zeros to ld elements.
  const float* rows_of(const KeyStore& store, const RowLoader& load, int64_t j, int64_t width, bool direct,
                       float* to, int64_t& ld) const {
    KeyRows rows = store.at(s_, kv_head_, j);
    if (direct && load.is_f32() && rows.step == 1 && rows.count >= t_.keys && !rows.scale) {
      ld = rows.row;
      return reinterpret_cast<const float*>(rows.p);
    }
    float* row = to;
    for (int64_t done = 0; done < t_.keys;) {
      if (done > 0) rows = store.at(s_, kv_head_, j + done);
      const int64_t n = std::min(rows.count, t_.keys - done);
      for (int64_t i = 0; i < n; ++i, row += ld) {
        load(row, rows.p + i * rows.row * load.bytes(), rows.step, width);
        if (rows.scale)
          p_.times(row, row, rows.scale + i * rows.scale_step, nullptr, static_cast<size_t>(width));
        std::fill(row + width, row + ld, 0.0f);
      }
      done += n;
    }
    return to;
  }

  void load_keys(int64_t j) {
    t_.ldk = padded(p_.width);
    t_.k = rows_of(*c_.k, p_.load_k, j, p_.width, true, scratch_ + p_.lay.k, t_.ldk);
    t_.transposed = t_.rows > kAttentionFew;
    if (!t_.transposed) return;
    float* kt = scratch_ + p_.lay.kt;
    p_.transpose(kt, kAttentionKeys, t_.k, t_.ldk, p_.width, t_.keys, false);
    t_.k = kt;
    t_.ldk = kAttentionKeys;
  }

  void set_limits(int64_t j) {
    for (int64_t r = 0; r < t_.rows; ++r) {
      const int64_t i = query_of(r);
      lo_[r] = static_cast<int32_t>(std::clamp<int64_t>(first_key(i) - j, 0, t_.keys));
      hi_[r] = static_cast<int32_t>(std::clamp<int64_t>(end_key(i) - j, 0, t_.keys));
    }
  }

  void load_bias(int64_t j) {
    const int64_t column = s_.k_begin + j;
    const auto n = static_cast<size_t>(t_.keys);
    for (int64_t r = 0; r < t_.rows; ++r) {
      float* to = scratch_ + p_.lay.bias + r * kAttentionKeys;
      if (p_.has_blocks && !sees_block(r, column)) {
        std::fill(to, to + n, kUnseen);
        continue;
      }
      if (p_.mask_dtype != 0)
        load_mask(to, r, column, n);
      else
        std::fill(to, to + n, 0.0f);
      if (!p_.has_slopes) continue;
      float slope;
      std::memcpy(&slope, c_.slopes + head_of(r) * p_.slope_stride * 4, sizeof slope);
      const auto from = static_cast<float>(place(query_of(r)) - j);
      for (size_t c = 0; c < n; ++c) to[c] -= slope * std::fabs(from - static_cast<float>(c));
    }
  }

  void load_mask(float* to, int64_t r, int64_t column, size_t n) const {
    const int64_t step = p_.mask_stride[3];
    const char* row = c_.mask + (offset(p_.mask_stride, r) + column * step) * element_bytes(p_.mask_dtype);
    if (p_.mask_dtype != OPMUX_BOOL) return p_.load_mask(to, row, step, n);
    uint8_t seen[kAttentionKeys];
    p_.load_mask(seen, row, step, n);
    for (size_t c = 0; c < n; ++c) to[c] = seen[c] ? 0 : kUnseen;
  }

  void store() const {
    for (int64_t r = 0; r < t_.rows; ++r) {
      p_.store(c_.y + offset(p_.y_stride, r) * element_bytes(p_.y_dtype), p_.y_stride[3], t_.o + r * t_.dv,
               static_cast<size_t>(p_.value_width));
      if (!p_.has_lse) continue;
      const float lse = t_.top[r] + std::log(t_.sum[r]);
      std::memcpy(c_.lse + offset(p_.lse_stride, r) * 4, &lse, sizeof lse);
    }
  }

  const AttentionPlan& p_;
  const AttentionCall& c_;
  float* scratch_;
  int64_t batch_, head_, n_head_, kv_head_, query_ = 0, n_query_ = 0;
  AttentionSequence s_{};
  int32_t lo_[kAttentionRows], hi_[kAttentionRows];
  AttentionTile t_{};
};

}  // namespace

void run_attention(const AttentionPlan& plan, const AttentionCall& call, const opmux_host_api* host,
                   void* ws) {
  if (plan.q_dtype == OPMUX_F64) return run_wide_attention(plan, call, host, ws);
  const int64_t rows = std::min(kAttentionRows, plan.heads_per * plan.queries);
  const double ns =
      200 + 0.05 * static_cast<double>(rows * call.sequences.keys * (plan.width + plan.value_width));
  const auto slot_bytes = static_cast<uint64_t>(plan.lay.total) * sizeof(float);
  parallel_scratch(host, plan.items, ns, ws, slot_bytes, [&](int64_t begin, int64_t end, char* slot) {
    for (int64_t i = begin; i < end; ++i) Block(plan, call, i, reinterpret_cast<float*>(slot));
  });
}

}  // namespace opmux::cpu
