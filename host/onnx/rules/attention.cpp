// SPDX-License-Identifier: Apache-2.0
// Attention, with its past in a state of the run context or in ordinary tensors, and rotary embedding.
#include <limits>
#include <numeric>

#include "host/onnx/rules/common.hpp"
#include "kit/schema/schema.hpp"

namespace opmux::onnx_import {
namespace {

enum Input : size_t { kQ, kK, kV, kMask, kPastK, kPastV, kLengths };

constexpr int64_t kSwapHeads[] = {0, 2, 1, 3};

// [B, S, H * D] to [B, H, S, D].
ValueId split_heads(GraphBuilder& b, ValueId v, int64_t heads, const char* attr) {
  const Dims d = b.dims(v);
  if (heads < 1 || d[2] % heads != 0) {
    fail(OPMUX_E_INVALID, "attribute '{}' is {}, which does not divide {}", attr, heads, d[2]);
  }
  const Dims split = {d[0], d[1], heads, d[2] / heads};
  return b.permute(b.reshape(v, split), kSwapHeads);
}

ValueId join_heads(GraphBuilder& b, ValueId v) {
  const Dims d = b.dims(v), joined = {d[0], d[2], d[1] * d[3]};
  return b.reshape(b.permute(v, kSwapHeads), joined);
}

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
  Node node;
  node.op = OPMUX_OP_PAD;
  const bool is_bool = c.b.dtype(mask) == OPMUX_BOOL;
  node.in = {mask, is_bool ? c.b.scalar(OPMUX_BOOL, 0) : c.b.scalar(q_type, minus_infinity())};
  std::vector<int64_t> pads(static_cast<size_t>(2 * rank));
  pads.back() = missing;
  opmux_op_pad d{};
  d.mode = OPMUX_PAD_CONSTANT;
  d.pad = node.add_list(pads);
  node.set(d);
  return c.b.emit(std::move(node));
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
  if (c.has_attr("scale") && !(d.scale > 0)) {
    fail(OPMUX_E_UNSUPPORTED, "attribute 'scale' is {}, only positive ones are supported", d.scale);
  }
  d.soft_cap = c.real("softcap", 0);
  return d;
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
  if (band.right > 0) {
    fail(OPMUX_E_UNSUPPORTED, "attribute 'right_window_size' is {}, with a state only -1 and 0 are supported",
         band.right);
  }
  if (c.has(kLengths)) fail(OPMUX_E_INVALID, "both nonpad_kv_seqlen and past_key are there");
  Node node;
  node.op = OPMUX_OP_ATTENTION;
  const ValueId mask = c.has(kMask) ? given_mask(c, 0) : kNone;
  const ValueId past_k = buffer(kPastK, o.k), past_v = buffer(kPastV, o.v);
  node.in = {o.q, o.k, o.v, mask, past_k, past_v, c.state_length()};
  node.alias = {0, 5, 6};
  opmux_op_attention d = attributes(c);
  d.causal = band.right == 0;
  d.window = static_cast<int32_t>(std::min<int64_t>(band.left, INT32_MAX));
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
  ValueId mask = c.has(kMask) ? given_mask(c, keys) : kNone;
  opmux_op_attention d = attributes(c);
  const bool native = band.past == 0 && band.right <= 0;
  if (c.has(kLengths)) {
    if (c.has(kPastK)) fail(OPMUX_E_INVALID, "both nonpad_kv_seqlen and past_key are there");
    mask = both(c.b, mask, length_mask(c, band, queries, keys));
  } else if (native) {
    d.causal = band.right == 0;
    d.window = static_cast<int32_t>(std::min<int64_t>(band.left, INT32_MAX));
  } else if (band.left >= 0 || (band.right >= 0 && queries - 1 + band.right > 0)) {
    mask = both(c.b, mask, band_mask(c.b, band, queries, keys));
  }
  Node node;
  node.op = OPMUX_OP_ATTENTION;
  node.in = {o.q, o.k, o.v, mask};
  node.set(d);
  return c.b.emit(std::move(node));
}

void attention(NodeContext& c) {
  const Operands o = operands(c);
  const ValueId y = c.is_state(kPastK) || c.is_state(kPastV) ? with_state(c, o) : without_state(c, o);
  c.out(0, o.joined ? join_heads(c.b, y) : y);
}

// x [B, H, S, D] with cosines and sines [B, 1, S, r / 2]: pairs of the first r elements are rotated.
ValueId rotate(const Math& m, ValueId x, ValueId cosine, ValueId sine, bool interleaved) {
  GraphBuilder& b = m.b;
  const int64_t r = 2 * b.dim(cosine, 3), half = r / 2, d = b.dim(x, 3);
  const ValueId head = b.slice(x, 3, 0, r, 1);
  const ValueId a = interleaved ? b.slice(head, 3, 0, half, half > 1 ? 2 : 1) : b.slice(head, 3, 0, half, 1);
  const ValueId e =
      interleaved ? b.slice(head, 3, 1, half, half > 1 ? 2 : 1) : b.slice(head, 3, half, half, 1);
  ValueId real = m.sub(m.mul(cosine, a), m.mul(sine, e)), imaginary = m.add(m.mul(sine, a), m.mul(cosine, e));
  const Dims flat = [&] {
    Dims dims = b.dims(x);
    dims[3] = r;
    return dims;
  }();
  const int64_t last[] = {4};
  if (interleaved) real = b.unsqueeze(real, last), imaginary = b.unsqueeze(imaginary, last);
  const ValueId parts[] = {real, imaginary};
  const ValueId turned = b.reshape(b.concat(parts, interleaved ? 4 : 3), flat);
  if (r == d) return turned;
  const ValueId whole[] = {turned, b.slice(x, 3, r, d - r, 1)};
  return b.concat(whole, 3);
}

// Rows of a cache for the positions, as [B, 1, S, r / 2].
ValueId cache_rows(NodeContext& c, size_t i) {
  ValueId cache = c.in(i);
  if (c.has(3)) {
    if (c.b.rank(cache) != 2)
      fail(OPMUX_E_INVALID, "with positions, input {} must have rank 2, not {}", i, c.b.rank(cache));
    Node node;
    node.op = OPMUX_OP_GATHER;
    node.in = {cache, c.in(3)};
    node.set(opmux_op_gather{});
    cache = c.b.emit(std::move(node));
  }
  if (c.b.rank(cache) != 3) fail(OPMUX_E_INVALID, "input {} has rank {}, it must be 3", i, c.b.rank(cache));
  const int64_t head[] = {1};
  return c.b.unsqueeze(cache, head);
}

void rotary_embedding(NodeContext& c) {
  ValueId x = c.in(0);
  const bool joined = c.b.rank(x) == 3;
  if (joined) x = split_heads(c.b, x, c.integer("num_heads", 0), "num_heads");
  if (c.b.rank(x) != 4) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 3 or 4", c.b.rank(x));
  const ValueId cosine = cache_rows(c, 1), sine = cache_rows(c, 2);
  const int64_t stated = c.integer("rotary_embedding_dim", 0), d = c.b.dim(x, 3), r = 2 * c.b.dim(cosine, 3);
  if ((stated != 0 && stated != r) || r > d || r == 0) {
    fail(OPMUX_E_INVALID,
         "the caches turn {} elements, attribute 'rotary_embedding_dim' says {}, a head has {}", r, stated,
         d);
  }
  const uint32_t dtype = c.b.dtype(x), through = formula_dtype(dtype);
  const auto wide = [&](ValueId v) { return c.b.cast(v, through); };
  const ValueId y = rotate(Math(c.b), wide(x), wide(cosine), wide(sine), c.flag("interleaved"));
  const ValueId narrow = c.b.cast(y, dtype);
  c.out(0, joined ? join_heads(c.b, narrow) : narrow);
}

constexpr Rule kRules[] = {{"Attention", attention}, {"RotaryEmbedding", rotary_embedding}};

}  // namespace

std::span<const Rule> attention_rules() { return kRules; }

}  // namespace opmux::onnx_import
