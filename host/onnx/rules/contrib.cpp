// SPDX-License-Identifier: Apache-2.0
// Operators of com.microsoft that language models are exported with: norms with a residual, rotary embedding
// and attention over a cache with a length for each batch.
#include <algorithm>
#include <numeric>

#include "host/onnx/rules/heads.hpp"

namespace opmux::onnx_import {
namespace {

// output = norm(input + skip + bias); output 3 is that sum.
void skip_norm(NodeContext& c, uint32_t kind, size_t bias) {
  const Math m(c.b);
  const ValueId x = c.in(0);
  ValueId sum = m.add(x, c.b.expand(c.in(1), c.b.dims(x)));
  if (c.has(bias)) sum = m.add(sum, c.b.expand(c.in(bias), c.b.dims(x)));
  const ValueId beta = kind == OPMUX_NORM_LAYER ? c.in_or_none(3) : kNone;
  const bool statistics = c.wants(1) || c.wants(2);
  if (kind == OPMUX_NORM_RMS && c.wants(1)) fail(OPMUX_E_UNSUPPORTED, "the mean (output 1) is not supported");
  if (kind == OPMUX_NORM_RMS && statistics) {
    fail(OPMUX_E_UNSUPPORTED, "the inverse deviation (output 2) is not supported");
  }
  const auto y =
      emit_layer_norm(c.b, kind, sum, c.in(2), beta, -1, c.real("epsilon", 1e-12f), statistics ? 3 : 1);
  for (size_t i = 0; i < y.size(); ++i) c.out(i, y[i]);
  c.out(3, sum);
}
void skip_layer_norm(NodeContext& c) { skip_norm(c, OPMUX_NORM_LAYER, 4); }
void skip_rms_norm(NodeContext& c) { skip_norm(c, OPMUX_NORM_RMS, 3); }

void simplified_layer_norm(NodeContext& c) {
  if (c.wants(1)) fail(OPMUX_E_UNSUPPORTED, "the inverse deviation (output 1) is not supported");
  c.out(0, emit_layer_norm(c.b, OPMUX_NORM_RMS, c.in(0), c.in(1), kNone, c.integer("axis", -1),
                           c.real("epsilon", 1e-5f), 1)[0]);
}

// 0 .. n - 1 as i64 [1, n].
ValueId count_up(GraphBuilder& b, int64_t n) {
  std::vector<int64_t> v(static_cast<size_t>(checked_made({n})));
  std::iota(v.begin(), v.end(), 0);
  const Dims row = {1, n};
  return b.reshape(b.int_vector(v), row);
}

// first [B, 1] + 0 .. n - 1.
ValueId positions_from(GraphBuilder& b, ValueId first, int64_t n) {
  return Math(b).add(b.cast(first, OPMUX_I64), count_up(b, n));
}

void refuse_flag(const NodeContext& c, const char* attr) {
  if (c.flag(attr)) fail(OPMUX_E_UNSUPPORTED, "attribute '{}' is not supported", attr);
}

void rotary_embedding(NodeContext& c) {
  refuse_flag(c, "is_packed_batching");
  if (const float scale = c.real("scale", 1); scale != 1) {
    fail(OPMUX_E_UNSUPPORTED, "attribute 'scale' is {}, only 1 is supported", scale);
  }
  ValueId x = c.in(0), positions = c.in(1);
  const ValueId cosine = c.in(2), sine = c.in(3);
  const bool joined = c.b.rank(x) == 3;
  if (c.b.rank(cosine) != 2) fail(OPMUX_E_INVALID, "input 2 has rank {}, it must be 2", c.b.rank(cosine));
  if (joined) {
    const int64_t width = c.integer("rotary_embedding_dim", 0) == 0 ? 2 * c.b.dim(cosine, 1) : 0;
    int64_t heads = c.integer("num_heads", 0);
    if (heads == 0 && width > 0) heads = c.b.dim(x, 2) / width;
    x = split_heads(c.b, x, heads, "num_heads");
  }
  if (c.b.rank(x) != 4) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 3 or 4", c.b.rank(x));
  const int64_t batch = c.b.dim(x, 0), tokens = c.b.dim(x, 2);
  if (c.b.rank(positions) != 2) {  // the first position of all
    const Dims one = {1, 1}, all = {batch, tokens};
    positions = c.b.expand(positions_from(c.b, c.b.reshape(positions, one), tokens), all);
  }
  const ValueId y = rotate(c.b, x, cosine, sine, positions, c.flag("interleaved"));
  c.out(0, joined ? join_heads(c.b, y) : y);
}

// ---- GroupQueryAttention
enum Input : size_t { kQ, kK, kV, kPastK, kPastV, kSeqlens, kTotal, kCos, kSin, kPositions, kBias, kSink };

struct Heads {
  ValueId q, k, v;  // [B, H, S, D]
};

Heads heads_of(NodeContext& c, int64_t heads, int64_t kv_heads) {
  const ValueId q = c.in(kQ);
  if (c.b.rank(q) != 3) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 3", c.b.rank(q));
  if (c.has(kK)) {
    return {split_heads(c.b, q, heads, "num_heads"), split_heads(c.b, c.in(kK), kv_heads, "kv_num_heads"),
            split_heads(c.b, c.in(kV), kv_heads, "kv_num_heads")};
  }
  const ValueId all = split_heads(c.b, q, heads + 2 * kv_heads, "num_heads");
  return {c.b.slice(all, 1, 0, heads, 1), c.b.slice(all, 1, heads, kv_heads, 1),
          c.b.slice(all, 1, heads + kv_heads, kv_heads, 1)};
}

// Row j of batch b is row j of the past where j < past_len[b], else the new row j - past_len[b].
ValueId present_rows(GraphBuilder& b, ValueId past, ValueId fresh, ValueId past_len, int64_t rows) {
  const Math m(b);
  const int64_t capacity = b.dim(past, 2), added = b.dim(fresh, 2);
  const ValueId parts[] = {past, fresh}, both = b.concat(parts, 2), j = count_up(b, rows);
  const ValueId behind = m.add(m.sub(j, past_len), static_cast<double>(capacity));
  const ValueId last = m.number(j, static_cast<double>(capacity + added - 1));
  const ValueId index = m.select(m(OPMUX_FN_LT, {j, past_len}), j, m(OPMUX_FN_MIN, {behind, last}));
  Dims full = b.dims(fresh);
  full[2] = rows;
  const Dims column = {full[0], 1, rows, 1};
  Node node;
  node.op = OPMUX_OP_GATHER_ELEMENTS;
  node.in = {both, b.expand(b.reshape(index, column), full)};
  opmux_op_gather_elements d{};
  d.axis = 2;
  node.set(d);
  return b.emit(std::move(node));
}

// A length of the whole sequence for each batch is known (seqlens_k, less 1). Without a past, the rows from
// there on are padding, of keys as of queries.
void group_query_attention(NodeContext& c) {
  const Math m(c.b);
  refuse_flag(c, "smooth_softmax");
  if (c.has(kSink)) fail(OPMUX_E_UNSUPPORTED, "input {} (head_sink) is not supported", size_t{kSink});
  if (c.is_state(kPastK)) fail(OPMUX_E_UNSUPPORTED, "a past as a state is not supported");
  const int64_t kv_heads = c.integer("kv_num_heads");
  Heads h = heads_of(c, c.integer("num_heads"), kv_heads);
  const int64_t batch = c.b.dim(h.q, 0), added = c.b.dim(h.q, 2);
  const int64_t capacity = c.has(kPastK) ? c.b.dim(c.in(kPastK), 2) : 0;
  const Dims per_batch = {batch}, column = {batch, 1};
  const ValueId total = c.b.reshape(m.add(c.b.cast(c.in(kSeqlens), OPMUX_I64), 1.0), per_batch);
  const ValueId past_len = capacity == 0 ? c.b.expand(c.b.scalar(OPMUX_I64, 0), column)
                                         : c.b.reshape(m.sub(total, static_cast<double>(added)), column);
  if (c.flag("do_rotary")) {
    const Dims all = {batch, added};
    const ValueId positions =
        c.has(kPositions) ? c.in(kPositions) : c.b.expand(positions_from(c.b, past_len, added), all);
    const bool interleaved = c.flag("rotary_interleaved");
    h.q = rotate(c.b, h.q, c.in(kCos), c.in(kSin), positions, interleaved);
    h.k = rotate(c.b, h.k, c.in(kCos), c.in(kSin), positions, interleaved);
  }
  if (capacity > 0) {
    const auto longest = static_cast<int64_t>(scalar_of(c, kTotal, "the total length"));
    const int64_t rows = std::max(capacity, longest);
    h.k = present_rows(c.b, c.in(kPastK), h.k, past_len, rows);
    h.v = present_rows(c.b, c.in(kPastV), h.v, past_len, rows);
  }
  c.out(1, h.k);
  c.out(2, h.v);
  opmux_op_attention d{};
  d.causal = 1;
  const int64_t window = c.integer("local_window_size", -1);  // keys that are seen, the own one included
  d.window = window < 1 ? -1 : static_cast<int32_t>(std::min<int64_t>(window - 1, INT32_MAX));
  d.scale = c.real("scale", 0);
  d.soft_cap = c.real("softcap", 0);
  Node node;
  node.op = OPMUX_OP_ATTENTION;
  node.in = {h.q,   h.k,   h.v,   c.in_or_none(kBias),           kNone,
             kNone, kNone, kNone, capacity == 0 ? total : kNone, total};
  node.set(d);
  c.out(0, join_heads(c.b, c.b.emit(std::move(node))));
}

constexpr Rule kRules[] = {
    {"SimplifiedLayerNormalization", simplified_layer_norm},
    {"com.microsoft.GroupQueryAttention", group_query_attention},
    {"com.microsoft.RotaryEmbedding", rotary_embedding},
    {"com.microsoft.SimplifiedLayerNormalization", simplified_layer_norm},
    {"com.microsoft.SkipLayerNormalization", skip_layer_norm},
    {"com.microsoft.SkipSimplifiedLayerNormalization", skip_rms_norm},
};

}  // namespace

std::span<const Rule> contrib_rules() { return kRules; }

}  // namespace opmux::onnx_import
