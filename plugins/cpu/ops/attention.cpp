// SPDX-License-Identifier: Apache-2.0
// attention: blocks of queries, of one head or of several heads that share their keys, go over tiles of the
// keys that any of them sees; see kernels/attention.hpp. One block is one work item, so the result does not
// depend on the number of threads.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/answer.hpp"
#include "cpu/gemm_plan.hpp"
#include "cpu/kernels/attention.hpp"
#include "cpu/kernels/memory.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/strided_copy.hpp"
#include "cpu/tiles.hpp"
#include "opmux/ops/attention.gen.h"

namespace opmux::cpu {
namespace {

enum Input : uint32_t { kQ, kK, kV, kMask, kPastK, kPastV, kPastLen };
constexpr int64_t kMaxWidth = 1 << 14;  // of a head: its tiles must fit into the workspace

bool has_in(const opmux_opd& d, uint32_t i) { return i < d.n_in && d.in[i].dtype != OPMUX_NONE; }
bool has_out(const opmux_opd& d, uint32_t o) { return o < d.n_out && d.out[o].dtype != OPMUX_NONE; }
int64_t padded(int64_t n) { return (n + kAttentionPad - 1) / kAttentionPad * kAttentionPad; }

// Floats from the start of a worker's scratch.
struct Scratch {
  int64_t q, k, kt, v, s, mask, o, rows, total;
  Scratch(const opmux_opd& d, int64_t width, int64_t value_width) {
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
    mask = take(has_in(d, kMask) ? kAttentionRows * kAttentionKeys : 0);
    o = take(kAttentionRows * dvp);
    rows = take(4 * kAttentionRows);
    total = at;
  }
};

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const opmux_tdesc &q = d->in[kQ], &v = d->in[kV];
  if (q.dtype != OPMUX_F32 && q.dtype != OPMUX_F16 && q.dtype != OPMUX_BF16)
    return no(cap, OPMUX_WHY_DTYPE, kQ, q.dtype);
  if (!plain_operands(*d, cap)) return;
  if (q.dim[3] < 1 || q.dim[3] > kMaxWidth) return no(cap, OPMUX_WHY_DIM, kQ, q.dim[3], kMaxWidth, 3);
  if (v.dim[3] > kMaxWidth) return no(cap, OPMUX_WHY_DIM, kV, v.dim[3], kMaxWidth, 3);
  if (has_in(*d, kMask) && d->in[kMask].dtype != OPMUX_BOOL && d->in[kMask].dtype != q.dtype)
    return no(cap, OPMUX_WHY_DTYPE, kMask, d->in[kMask].dtype, q.dtype);
  if (d->alias && d->alias[0] != 0) return no(cap, OPMUX_WHY_ALIAS, d->n_in);
  for (uint32_t o : {1u, 2u}) {
    if (!has_out(*d, o)) continue;
    const uint32_t state = kPastK + o - 1;
    if (!has_in(*d, state) || !d->alias || d->alias[o] != state + 1 || !same_view(d->in[state], d->out[o]))
      return no(cap, OPMUX_WHY_ALIAS, d->n_in + o);
  }
  const double keys = static_cast<double>(d->in[has_in(*d, kPastK) ? kPastK : kK].dim[2]);
  const double width = static_cast<double>(q.dim[3] + v.dim[3]);
  const double keys_bytes = static_cast<double>(d->in[kK].dim[0] * d->in[kK].dim[1]) * keys * width;
  yes(cap, info,
      {.flops = 2 * static_cast<double>(elements(q)) / static_cast<double>(q.dim[3]) * keys * width,
       .bytes = (keys_bytes + static_cast<double>(elements(q) + elements(d->out[0]))) *
                static_cast<double>(element_bytes(q.dtype)),
       .flops_per_ns = 25,
       .ws = static_cast<uint64_t>(Scratch(*d, q.dim[3], v.dim[3]).total) * sizeof(float) *
                 static_cast<uint64_t>(scratch_slots()) +
             64});
}

// New rows of keys or values into the state that is output o.
struct Append {
  void plan(const opmux_opd& d, uint32_t fresh, uint32_t o) {
    if (!has_out(d, o)) return;
    there = true;
    opmux_tdesc rows = d.out[o];
    rows.dim[2] = d.in[fresh].dim[2];
    added.plan(rows, d.in[fresh]);
    whole.plan(d.out[o], d.in[kPastK + o - 1]);
    row_bytes = rows.stride[2] * element_bytes(rows.dtype);
  }
  void run(const kit_call* call, uint32_t fresh, uint32_t o, int64_t past) const {
    if (!there) return;
    auto* to = static_cast<char*>(call->arg[call->d->n_in + o]);
    const void* old = call->arg[kPastK + o - 1];
    if (to != old) whole.run(call->host, to, old);  // bound apart in spite of the alias
    added.run(call->host, to + past * row_bytes, call->arg[fresh]);
  }
  StridedCopy added, whole;
  int64_t row_bytes = 0;
  bool there = false;
};

struct State {
  explicit State(const opmux_opd& d)
      : desc(reinterpret_cast<const opmux_op_attention&>(d)), lay(d, d.in[kQ].dim[3], d.in[kV].dim[3]) {
    const opmux_tdesc &q = d.in[kQ], &k = d.in[kK];
    heads = q.dim[1];
    queries = q.dim[2];
    kv_heads = k.dim[1];
    group = heads / kv_heads;
    width = q.dim[3];
    value_width = d.in[kV].dim[3];
    scale = desc.scale == 0 ? 1 / std::sqrt(static_cast<float>(width)) : desc.scale;
    heads_per =
        std::clamp<int64_t>(kAttentionRows / std::max<int64_t>(queries, 1), 1, std::max<int64_t>(group, 1));
    parts = (group + heads_per - 1) / heads_per;
    blocks = (queries + kAttentionRows - 1) / kAttentionRows;
    items = q.dim[0] * kv_heads * parts * blocks;
    if (value_width == 0) items = 0;
    load = find_load(q.dtype);
    store = find_store(q.dtype);
    transpose = find_transpose(sizeof(float));
    append_k.plan(d, kK, 1);
    append_v.plan(d, kV, 2);
    if (!has_in(d, kMask)) return;
    const opmux_tdesc& m = d.in[kMask];
    load_mask = find_load(m.dtype);
    for (uint32_t i = 0; i < m.rank; ++i) mask_stride[4 - m.rank + i] = m.dim[i] == 1 ? 0 : m.stride[i];
  }
  const opmux_op_attention& desc;
  Scratch lay;
  int64_t heads, queries, kv_heads, group, width, value_width;
  int64_t heads_per, parts, blocks, items;  // heads of a group per block, blocks of heads, of queries, all
  float scale;
  LoadFn load, load_mask = nullptr;
  StoreFn store;
  TransposeFn transpose;
  Append append_k, append_v;
  int64_t mask_stride[4] = {};
};

opmux_status prepare(const opmux_host_api* host, const opmux_opd* d, void** state, opmux_err* err) {
  return make_state<State>(host, state, err, *d);
}

// Keys or values [0, split) in the state, the others in the new rows.
struct Source {
  Source(const kit_call* call, uint32_t fresh_in, uint32_t o, int64_t past, int64_t keys)
      : fresh(static_cast<const char*>(call->arg[fresh_in])), fresh_t(&call->d->in[fresh_in]) {
    if (!has_in(*call->d, kPastK)) return;
    const bool stored = has_out(*call->d, o);  // the new rows are in the state already
    old = static_cast<const char*>(stored ? call->arg[call->d->n_in + o] : call->arg[kPastK + o - 1]);
    old_t = &call->d->in[kPastK + o - 1];
    split = stored ? keys : past;
  }
  struct Rows {
    const char* p;
    int64_t row, step;  // strides in elements
  };
  Rows at(int64_t b, int64_t h, int64_t j) const {
    const bool is_old = j < split;
    const opmux_tdesc& t = is_old ? *old_t : *fresh_t;
    const int64_t o = b * t.stride[0] + h * t.stride[1] + (is_old ? j : j - split) * t.stride[2];
    return {(is_old ? old : fresh) + o * element_bytes(t.dtype), t.stride[2], t.stride[3]};
  }
  const char *fresh, *old = nullptr;
  const opmux_tdesc *fresh_t, *old_t = nullptr;
  int64_t split = 0;
};

class Attention {
 public:
  Attention(const kit_call* call, const State& s, int64_t past)
      : call_(call),
        s_(s),
        past_(past),
        keys_(past + call->d->in[kK].dim[2]),
        k_(call, kK, 1, past, keys_),
        v_(call, kV, 2, past, keys_) {}

  void block(int64_t item, float* scratch) const {
    Work w{};
    w.query = item % s_.blocks * kAttentionRows;
    w.n_query = std::min(kAttentionRows, s_.queries - w.query);
    item /= s_.blocks;
    const int64_t part = item % s_.parts * s_.heads_per;
    item /= s_.parts;
    w.kv_head = item % s_.kv_heads;
    w.batch = item / s_.kv_heads;
    w.head = w.kv_head * s_.group + part;
    w.scratch = scratch;
    AttentionTile& t = w.tile;
    t.rows = std::min(s_.heads_per, s_.group - part) * w.n_query;
    t.d = s_.width;
    t.dv = padded(s_.value_width);
    t.q = scratch + s_.lay.q;
    t.ldq = padded(s_.width);
    t.mask = s_.load_mask ? scratch + s_.lay.mask : nullptr;
    t.soft_cap = s_.desc.soft_cap;
    t.s = scratch + s_.lay.s;
    t.o = scratch + s_.lay.o;
    t.top = scratch + s_.lay.rows;
    t.sum = t.top + kAttentionRows;
    t.lo = w.lo;
    t.hi = w.hi;
    load_queries(w);
    go_over_keys(w);
    if (!attention_finish(t)) {
      t.careful = true;
      go_over_keys(w);
      attention_finish(t);
    }
    store(w);
  }

 private:
  struct Work {
    int64_t batch, head, kv_head, query, n_query;  // row r: head + r / n_query, query + r % n_query
    float* scratch;
    int32_t lo[kAttentionRows], hi[kAttentionRows];
    AttentionTile tile;
  };

  // Keys [first_key(i), end_key(i)) are seen by query i.
  int64_t first_key(int64_t i) const {
    return s_.desc.window < 0 ? 0 : std::max<int64_t>(0, i + past_ - s_.desc.window);
  }
  int64_t end_key(int64_t i) const { return s_.desc.causal ? std::min(keys_, i + past_ + 1) : keys_; }

  int64_t offset(const int64_t* stride, const Work& w, int64_t r) const {
    return w.batch * stride[0] + (w.head + r / w.n_query) * stride[1] + (w.query + r % w.n_query) * stride[2];
  }

  void load_queries(const Work& w) const {
    const opmux_tdesc& q = call_->d->in[kQ];
    const auto* from = static_cast<const char*>(call_->arg[kQ]);
    for (int64_t r = 0; r < w.tile.rows; ++r) {
      float* to = w.scratch + s_.lay.q + r * w.tile.ldq;
      s_.load(to, from + offset(q.stride, w, r) * element_bytes(q.dtype), q.stride[3],
              static_cast<size_t>(s_.width));
      for (int64_t e = 0; e < s_.width; ++e) to[e] *= s_.scale;
    }
  }

  void go_over_keys(Work& w) const {
    attention_start(w.tile);
    const int64_t end = end_key(w.query + w.n_query - 1);
    for (int64_t j = first_key(w.query); j < end;) {
      int64_t n = std::min(kAttentionKeys, end - j);
      for (const Source* s : {&k_, &v_})
        if (j < s->split) n = std::min(n, s->split - j);
      w.tile.keys = n;
      load_keys(w, j);
      load_values(w, j);
      set_limits(w, j);
      if (w.tile.mask) load_mask(w, j);
      attention_tile(w.tile);
      j += n;
    }
  }

  bool direct(const Source::Rows& rows) const {
    return call_->d->in[kQ].dtype == OPMUX_F32 && rows.step == 1;
  }

  void load_keys(Work& w, int64_t j) const {
    AttentionTile& t = w.tile;
    const Source::Rows rows = k_.at(w.batch, w.kv_head, j);
    if (direct(rows)) {
      t.k = reinterpret_cast<const float*>(rows.p);
      t.ldk = rows.row;
    } else {
      t.k = w.scratch + s_.lay.k;
      t.ldk = padded(s_.width);
      convert(rows, t.keys, s_.width, w.scratch + s_.lay.k, t.ldk);
    }
    t.transposed = t.rows > kAttentionFew;
    if (!t.transposed) return;
    float* kt = w.scratch + s_.lay.kt;
    s_.transpose(kt, kAttentionKeys, t.k, t.ldk, s_.width, t.keys, false);
    t.k = kt;
    t.ldk = kAttentionKeys;
  }

  void load_values(Work& w, int64_t j) const {
    AttentionTile& t = w.tile;
    const Source::Rows rows = v_.at(w.batch, w.kv_head, j);
    if (direct(rows) && t.dv == s_.value_width) {
      t.v = reinterpret_cast<const float*>(rows.p);
      t.ldv = rows.row;
      return;
    }
    t.v = w.scratch + s_.lay.v;
    t.ldv = t.dv;
    convert(rows, t.keys, s_.value_width, w.scratch + s_.lay.v, t.ldv);
  }

  // Rows as f32, padded with zeros.
  void convert(const Source::Rows& rows, int64_t n, int64_t length, float* to, int64_t ld) const {
    const int64_t bytes = element_bytes(call_->d->in[kQ].dtype);
    for (int64_t j = 0; j < n; ++j, to += ld) {
      s_.load(to, rows.p + j * rows.row * bytes, rows.step, static_cast<size_t>(length));
      std::fill(to + length, to + ld, 0.0f);
    }
  }

  void set_limits(Work& w, int64_t j) const {
    for (int64_t r = 0; r < w.tile.rows; ++r) {
      const int64_t i = w.query + r % w.n_query;
      w.lo[r] = static_cast<int32_t>(std::clamp<int64_t>(first_key(i) - j, 0, w.tile.keys));
      w.hi[r] = static_cast<int32_t>(std::clamp<int64_t>(end_key(i) - j, 0, w.tile.keys));
    }
  }

  void load_mask(const Work& w, int64_t j) const {
    const uint32_t dtype = call_->d->in[kMask].dtype;
    const auto* from = static_cast<const char*>(call_->arg[kMask]);
    const auto n = static_cast<size_t>(w.tile.keys);
    for (int64_t r = 0; r < w.tile.rows; ++r) {
      float* to = w.scratch + s_.lay.mask + r * kAttentionKeys;
      const int64_t at = offset(s_.mask_stride, w, r) + j * s_.mask_stride[3];
      const char* row = from + at * element_bytes(dtype);
      if (dtype != OPMUX_BOOL) {
        s_.load_mask(to, row, s_.mask_stride[3], n);
        continue;
      }
      uint8_t seen[kAttentionKeys];
      s_.load_mask(seen, row, s_.mask_stride[3], n);
      for (size_t c = 0; c < n; ++c) to[c] = seen[c] ? 0 : -std::numeric_limits<float>::infinity();
    }
  }

  void store(const Work& w) const {
    const opmux_tdesc& y = call_->d->out[0];
    auto* to = static_cast<char*>(call_->arg[call_->d->n_in]);
    for (int64_t r = 0; r < w.tile.rows; ++r)
      s_.store(to + offset(y.stride, w, r) * element_bytes(y.dtype), y.stride[3], w.tile.o + r * w.tile.dv,
               static_cast<size_t>(s_.value_width));
  }

  const kit_call* call_;
  const State& s_;
  int64_t past_, keys_;
  Source k_, v_;
};

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  const opmux_opd& d = *call->d;
  const int64_t added = d.in[kK].dim[2];
  int64_t past = 0;
  if (has_in(d, kPastK)) {
    past = *static_cast<const int64_t*>(call->arg[kPastLen]);
    const int64_t capacity = d.in[kPastK].dim[2];
    if (past < 0 || past > capacity - added)
      return kit_fail(err, OPMUX_E_FAULT, kPastLen,
                      "attention: past_len %lld with %lld new keys is outside the state of %lld rows",
                      static_cast<long long>(past), static_cast<long long>(added),
                      static_cast<long long>(capacity));
    s.append_k.run(call, kK, 1, past);
    s.append_v.run(call, kV, 2, past);
  }
  const Attention attention(call, s, past);
  const int64_t keys = past + added, rows = std::min(kAttentionRows, s.heads_per * s.queries);
  const double ns = 200 + 0.05 * static_cast<double>(rows * keys * (s.width + s.value_width));
  const auto base = reinterpret_cast<uintptr_t>(call->ws);
  auto* scratch = reinterpret_cast<float*>((base + 63) & ~uintptr_t{63});
  const auto items = static_cast<uint64_t>(s.items);
  parallel_slots(call->host, items, grain_for(items, ns), static_cast<uint64_t>(scratch_slots()),
                 [&](uint64_t begin, uint64_t end, uint64_t slot) {
                   for (uint64_t i = begin; i < end; ++i)
                     attention.block(static_cast<int64_t>(i),
                                     scratch + static_cast<int64_t>(slot) * s.lay.total);
                 });
  return OPMUX_OK;
}

}  // namespace

const kit_op kAttention = {OPMUX_OP_ATTENTION,         "flash", query,   prepare,
                           free_state<State>,          run,     nullptr, nullptr,
                           sizeof(opmux_op_attention), 1};

}  // namespace opmux::cpu
