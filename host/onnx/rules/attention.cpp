// SPDX-License-Identifier: Apache-2.0
// Attention, with its past in a state of the run context or in ordinary tensors, and rotary embedding.
#include <cmath>
#include <limits>
#include <numeric>

#include "host/onnx/rules/heads.hpp"
#include "kit/schema/schema.hpp"

namespace opmux::onnx_import {
namespace {

enum Input : size_t { kQ, kK, kV, kMask, kPastK, kPastV, kLengths };

struct Operands {
  ValueId q, k, v;
  bool joined;  // given as [B, S, H * D]
};

Operands operands(NodeContext& c) {
  Operands o{c.in(kQ), c.in(kK), c.in(kV), c.b.rank(c.in(kQ)) == 3};
  for (ValueId v : {o.q, o.k, o.v}) {
    const int64_t want = o.joined ? 3 : 4;
    if (c.b.rank(v) != want)
      fail(OPMUX_E_INVALID, "an operand has rank {}, Q makes it {}", c.b.rank(v), want);
  }
  if (o.joined) {
    const int64_t kv_heads = c.integer("kv_num_heads");
    o.q = split_heads(c.b, o.q, c.integer("q_num_heads"), "q_num_heads");
    o.k = split_heads(c.b, o.k, kv_heads, "kv_num_heads");
    o.v = split_heads(c.b, o.v, kv_heads, "kv_num_heads");
  }
  return o;
}

// Which keys a query may see by position: query i stands at i + past and sees [that - left, that + right].
struct Band {
  int64_t past = 0;
  int64_t left = -1, right = -1;  // -1: no bound

  bool sees(int64_t query, int64_t key) const {
    const int64_t at = query + past;
    return (left < 0 || key >= at - left) && (right < 0 || key <= at + right);
  }
};

ValueId band_mask(GraphBuilder& b, const Band& band, int64_t queries, int64_t keys) {
  checked_made({queries, keys}, kMostMasked);
  HostTensor mask(make_desc(OPMUX_BOOL, {queries, keys}));
  for (int64_t i = 0; i < queries; ++i) {
    for (int64_t j = 0; j < keys; ++j)
      mask.mutable_data()[i * keys + j] = static_cast<std::byte>(band.sees(i, j));
  }
  return b.constant(std::move(mask));
}

double minus_infinity() { return -std::numeric_limits<double>::infinity(); }

// The model's mask, its last dim filled up with unseen keys, in a type that the operator takes.
ValueId given_mask(NodeContext& c, int64_t keys) {
  ValueId mask = c.in(kMask);
  const uint32_t q_type = c.b.dtype(c.in(kQ));
  if (c.b.dtype(mask) != OPMUX_BOOL) mask = c.b.cast(mask, q_type);
  const int64_t rank = c.b.rank(mask);
  if (rank < 1 || rank > 4) fail(OPMUX_E_INVALID, "the mask has rank {}, it must be 1 to 4", rank);
  const int64_t missing = keys - c.b.dim(mask, rank - 1);
  if (missing <= 0 || c.b.dim(mask, rank - 1) == 1) return mask;
  std::vector<int64_t> pads(static_cast<size_t>(2 * rank));
  pads.back() = missing;
  const bool is_bool = c.b.dtype(mask) == OPMUX_BOOL;
  return padded(c.b, mask, pads, is_bool ? c.b.scalar(OPMUX_BOOL, 0) : c.b.scalar(q_type, minus_infinity()));
}

ValueId both(GraphBuilder& b, ValueId mask, ValueId band) {
  if (mask == kNone) return band;
  const Math m(b);
  if (b.dtype(mask) == OPMUX_BOOL) return m(OPMUX_FN_AND, {mask, band});
  return m.select(band, mask, m.number(mask, minus_infinity()));
}

// The same band where the valid keys of each batch are an operand: query i of batch b stands at
// i + lengths[b] - queries, and only the first lengths[b] keys count. bool [B, 1, queries, keys].
ValueId length_mask(NodeContext& c, const Band& band, int64_t queries, int64_t keys) {
  const Math m(c.b);
  const auto count_up = [&](int64_t n, const Dims& dims) {
    std::vector<int64_t> v(static_cast<size_t>(checked_made({n})));
    std::iota(v.begin(), v.end(), 0);
    return c.b.reshape(c.b.int_vector(v), dims);
  };
  const ValueId given = c.b.cast(c.in(kLengths), OPMUX_I64);
  const Dims per_batch = {element_count(c.b.desc(given)), 1, 1, 1};
  const ValueId length = c.b.reshape(given, per_batch), key = count_up(keys, {1, 1, 1, keys});
  const ValueId at =
      m.add(count_up(queries, {1, 1, queries, 1}), m.sub(length, static_cast<double>(queries)));
  ValueId seen = m(OPMUX_FN_LT, {key, length});
  if (band.right >= 0) {
    seen = m(OPMUX_FN_AND, {seen, m(OPMUX_FN_LE, {key, m.add(at, static_cast<double>(band.right))})});
  }
  if (band.left >= 0) {
    seen = m(OPMUX_FN_AND, {seen, m(OPMUX_FN_GE, {key, m.sub(at, static_cast<double>(band.left))})});
  }
  return seen;
}

Band band_of(const NodeContext& c) {
  Band band;
  band.left = c.integer("left_window_size", -1);
  band.right = c.integer("right_window_size", -1);
  if (band.left < -1 || band.right < -1) {
    fail(OPMUX_E_INVALID, "windows of {} and {} keys: -1 or more is allowed", band.left, band.right);
  }
  if (c.flag("is_causal")) band.right = 0;
  return band;
}

opmux_op_attention attributes(const NodeContext& c) {
  opmux_op_attention d{};
  d.window = -1;
  d.scale = c.real("scale", 0);
  d.soft_cap = c.real("softcap", 0);
  return d;
}

// The operator takes positive scales only; the sign, or the zero, goes to the queries then.
ValueId scaled_queries(NodeContext& c, ValueId q, opmux_op_attention& d) {
  if (!c.has_attr("scale") || d.scale > 0) return q;
  const double factor = d.scale < 0 ? -1 : 0;
  d.scale = d.scale < 0 ? -d.scale : 1;
  return Math(c.b).mul(q, factor);
}

int32_t window_of(const Band& band) { return static_cast<int32_t>(std::min<int64_t>(band.left, INT32_MAX)); }

// The scores before or after the softmax as a tensor, if the model wants them (output 3): the operator has
// none, so they are composed. bias: what was added, or kNone; seen: bool, or kNone.
void scores_output(NodeContext& c, const Operands& o, const opmux_op_attention& d, ValueId q, ValueId bias,
                   ValueId seen) {
  if (!c.wants(3)) return;
  const Math m(c.b);
  const uint32_t dtype = c.b.dtype(q), through = formula_dtype(dtype);
  const int64_t mode = c.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) {
    fail(OPMUX_E_INVALID, "attribute 'qk_matmul_output_mode' is {}, it must be 0 to 3", mode);
  }
  const double scale = d.scale == 0 ? 1 / std::sqrt(static_cast<double>(c.b.dim(q, 3))) : d.scale;
  ValueId s =
      m.mul(grouped_matmul(c.b, c.b.cast(q, through), c.b.permute(c.b.cast(o.k, through), kSwapLast)), scale);
  if (mode > 0 && d.soft_cap > 0) s = m.mul(m(OPMUX_FN_TANH, {m.div(s, d.soft_cap)}), d.soft_cap);
  if (mode > 1) {
    ValueId added = bias == kNone ? c.b.scalar(through, 0)
                    : c.b.dtype(bias) == OPMUX_BOOL
                        ? m.select(bias, c.b.scalar(through, 0), c.b.scalar(through, minus_infinity()))
                        : c.b.cast(bias, through);
    if (seen != kNone) added = m.select(seen, added, c.b.scalar(through, minus_infinity()));
    s = m.add(s, added);
    if (mode == 3) {  // a query that sees no key has probabilities of 0
      const int64_t last[] = {3};
      const Dims full = c.b.dims(s);
      const ValueId most = c.b.reduce(OPMUX_REDUCE_MAX, c.b.contiguous(c.b.expand(added, full)), last, true);
      s = m.select(m(OPMUX_FN_EQ, {most, m.number(most, minus_infinity())}), m.number(s, 0),
                   softmax_last(c.b, s));
    }
  }
  c.out(3, c.b.cast(s, dtype));
}

// The keys and values of a state: the operator itself appends to the buffers and works on them.
ValueId with_state(NodeContext& c, const Operands& o) {
  if (!c.is_state(kPastK) || !c.is_state(kPastV)) {
    fail(OPMUX_E_INVALID, "one of past_key and past_value is a state, the other is not");
  }
  const int64_t rows = c.b.dim(o.k, 2), capacity = c.state_capacity();
  if (rows > capacity) fail(OPMUX_E_INVALID, "{} rows do not fit into the state's {}", rows, capacity);
  const auto buffer = [&](size_t i, ValueId like) {
    Dims d = c.b.dims(like);
    d[2] = capacity;
    return c.state(i, make_desc(c.b.dtype(like), d), rows);
  };
  const Band band = band_of(c);
  if (c.wants(3)) fail(OPMUX_E_UNSUPPORTED, "the scores (output 3) are not supported together with a state");
  if (band.right > 0) {
    fail(OPMUX_E_UNSUPPORTED, "attribute 'right_window_size' is {}, with a state only -1 and 0 are supported",
         band.right);
  }
  if (c.has(kLengths)) fail(OPMUX_E_INVALID, "both nonpad_kv_seqlen and past_key are there");
  Node node;
  node.op = OPMUX_OP_ATTENTION;
  const ValueId mask = c.has(kMask) ? given_mask(c, 0) : kNone;
  const ValueId past_k = buffer(kPastK, o.k), past_v = buffer(kPastV, o.v);
  opmux_op_attention d = attributes(c);
  node.in = {scaled_queries(c, o.q, d), o.k, o.v, mask, past_k, past_v, c.state_length()};
  node.alias = {0, 5, 6};
  d.causal = band.right == 0;
  d.window = window_of(band);
  node.set(d);
  node.name = c.source().name;
  Graph& graph = c.b.graph();
  Dims y_dims = c.b.dims(o.q);
  y_dims[3] = c.b.dim(o.v, 3);
  const ValueId y = graph.add_value(make_desc(c.b.dtype(o.q), y_dims), c.source().outputs[0]);
  node.out = {y, past_k, past_v};
  schema::Problem p;
  if (!schema::validate(Descriptor(graph, node).get(), p)) fail(OPMUX_E_INVALID, "{}", p.text);
  graph.nodes.push_back(std::move(node));
  return y;
}

ValueId without_state(NodeContext& c, Operands o) {
  Band band = band_of(c);
  if (c.has(kPastK) != c.has(kPastV)) fail(OPMUX_E_INVALID, "only one of past_key and past_value is there");
  if (c.has(kPastK)) {
    const ValueId keys[] = {c.in(kPastK), o.k}, values[] = {c.in(kPastV), o.v};
    if (c.b.rank(keys[0]) != 4)
      fail(OPMUX_E_INVALID, "past_key has rank {}, it must be 4", c.b.rank(keys[0]));
    band.past = c.b.dim(keys[0], 2);
    o.k = c.b.concat(keys, 2);
    o.v = c.b.concat(values, 2);
  }
  c.out(1, o.k);
  c.out(2, o.v);
  const int64_t queries = c.b.dim(o.q, 2), keys = c.b.dim(o.k, 2);
  const ValueId given = c.has(kMask) ? given_mask(c, keys) : kNone;
  opmux_op_attention d = attributes(c);
  const bool bounded = band.left >= 0 || (band.right >= 0 && queries - 1 + band.right > 0);
  if (c.has(kLengths) && c.has(kPastK)) {
    fail(OPMUX_E_INVALID, "both nonpad_kv_seqlen and past_key are there");
  }
  // What a query sees by position; the operator itself knows the usual forms, and then this is not needed.
  const auto seen = [&] {
    if (c.has(kLengths)) return length_mask(c, band, queries, keys);
    return bounded || band.right == 0 ? band_mask(c.b, band, queries, keys) : kNone;
  };
  const ValueId q = scaled_queries(c, o.q, d);
  Node node;
  node.op = OPMUX_OP_ATTENTION;
  node.in = {q, o.k, o.v, given};
  if (band.right <= 0 && (c.has(kLengths) || band.past == 0)) {
    d.causal = band.right == 0;
    d.window = window_of(band);
    if (c.has(kLengths)) {
      const Dims per_batch = {element_count(c.b.desc(c.in(kLengths)))};
      node.in.resize(9, kNone);
      node.in.push_back(c.b.reshape(c.in(kLengths), per_batch));
    }
  } else if (c.has(kLengths) || bounded) {
    node.in[3] = both(c.b, given, seen());
  }
  node.set(d);
  if (c.wants(3)) scores_output(c, o, d, q, given, seen());
  return c.b.emit(std::move(node));
}

void attention(NodeContext& c) {
  const Operands o = operands(c);
  const ValueId y = c.is_state(kPastK) || c.is_state(kPastV) ? with_state(c, o) : without_state(c, o);
  c.out(0, o.joined ? join_heads(c.b, y) : y);
}

void rotary_embedding(NodeContext& c) {
  ValueId x = c.in(0);
  const bool joined = c.b.rank(x) == 3;
  if (joined) x = split_heads(c.b, x, c.integer("num_heads", 0), "num_heads");
  if (c.b.rank(x) != 4) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 3 or 4", c.b.rank(x));
  const ValueId cosine = c.in(1), sine = c.in(2);
  const int64_t stated = c.integer("rotary_embedding_dim", 0), cache_rank = c.b.rank(cosine);
  const int64_t turned = cache_rank > 0 ? 2 * c.b.dim(cosine, cache_rank - 1) : 0;
  if (stated != 0 && stated != turned) {
    fail(OPMUX_E_INVALID, "the caches turn {} elements, attribute 'rotary_embedding_dim' says {}", turned,
         stated);
  }
  const ValueId y = rotate(c.b, x, cosine, sine, c.in_or_none(3), c.flag("interleaved"));
  c.out(0, joined ? join_heads(c.b, y) : y);
}

constexpr Rule kRules[] = {{"Attention", attention}, {"RotaryEmbedding", rotary_embedding}};

}  // namespace

std::span<const Rule> attention_rules() { return kRules; }

}  // namespace opmux::onnx_import
