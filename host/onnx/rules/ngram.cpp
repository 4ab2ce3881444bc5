// SPDX-License-Identifier: Apache-2.0
// Frequencies of n-grams of numbers.
#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

struct Pool {
  std::vector<int64_t> items, starts, places;  // starts: of the n-grams of length 1, 2, ..
  std::vector<float> weights;
};

Pool pool_of(NodeContext& c) {
  if (c.has_attr("pool_strings")) fail(OPMUX_E_UNSUPPORTED, "n-grams of strings are not supported");
  Pool p{c.integers("pool_int64s").value_or(Dims()), c.integers("ngram_counts").value_or(Dims()),
         c.integers("ngram_indexes").value_or(Dims()), c.reals("weights").value_or(std::vector<float>())};
  const auto n = static_cast<int64_t>(p.items.size());
  size_t grams = 0;
  p.starts.push_back(n);
  for (size_t i = 0; i + 1 < p.starts.size(); ++i) {
    const int64_t size = p.starts[i + 1] - p.starts[i], length = static_cast<int64_t>(i) + 1;
    if (p.starts[i] < 0 || size < 0 || p.starts[i + 1] > n || size % length != 0) {
      fail(OPMUX_E_INVALID,
           "attribute 'ngram_counts': n-grams of length {} from {} to {} do not fit a pool of {}", length,
           p.starts[i], p.starts[i + 1], n);
    }
    grams += static_cast<size_t>(size / length);
  }
  if (p.places.size() != grams) {
    fail(OPMUX_E_INVALID, "attribute 'ngram_indexes' has {} entries for {} n-grams", p.places.size(), grams);
  }
  for (int64_t at : p.places) {
    if (at < 0 || at >= kMostMade) {
      fail(OPMUX_E_INVALID, "attribute 'ngram_indexes' has {}, it must be from 0 to {}", at, kMostMade - 1);
    }
  }
  if (!p.weights.empty() && p.weights.size() != grams) {
    fail(OPMUX_E_INVALID, "attribute 'weights' has {} entries for {} n-grams", p.weights.size(), grams);
  }
  return p;
}

// How often each n-gram of one length stands in each row of x [N, C]: f32 [N, n-grams].
ValueId counts_of(const Math& m, ValueId x, std::span<const int64_t> items, int64_t length, int64_t skips) {
  GraphBuilder& b = m.b;
  const int64_t rows = b.dim(x, 0), columns = b.dim(x, 1),
                grams = static_cast<int64_t>(items.size()) / length;
  const Dims out = {rows, grams};
  ValueId counts = b.expand(b.scalar(OPMUX_F32, 0), out);
  const Dims table = {1, grams, length};
  const ValueId gram = b.constant(HostTensor::of<int64_t>(OPMUX_I64, table, items));
  for (int64_t skip = 1; skip <= (length == 1 ? std::min<int64_t>(skips, 1) : skips); ++skip) {
    const int64_t starts = columns - skip * (length - 1);
    if (starts <= 0) break;
    ValueId match = kNone;
    for (int64_t k = 0; k < length; ++k) {
      const int64_t middle = 1;
      const ValueId items_here = b.unsqueeze(b.slice(x, 1, k * skip, starts, 1), std::span(&middle, 1));
      const ValueId equal = m(OPMUX_FN_EQ, {items_here, b.slice(gram, 2, k, 1, 1)});
      match = match == kNone ? equal : m(OPMUX_FN_AND, {match, equal});
    }
    const int64_t last = 2;
    counts = m.add(counts, b.reduce(OPMUX_REDUCE_SUM, b.cast(match, OPMUX_F32), std::span(&last, 1), false));
  }
  return counts;
}

void tf_idf(NodeContext& c) {
  GraphBuilder& b = c.b;
  const Math m(b);
  const Pool p = pool_of(c);
  ValueId x = b.cast(c.in(0), OPMUX_I64);
  const int64_t rank = b.rank(x), front = 0;
  if (rank != 1 && rank != 2) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 1 or 2", rank);
  if (rank == 1) x = b.unsqueeze(x, std::span(&front, 1));
  const int64_t shortest = c.integer("min_gram_length"), longest = c.integer("max_gram_length");
  const int64_t skips = c.integer("max_skip_count") + 1;
  std::vector<ValueId> parts;
  for (size_t i = 0; i + 1 < p.starts.size(); ++i) {
    const auto length = static_cast<int64_t>(i) + 1;
    const auto items = std::span(p.items).subspan(static_cast<size_t>(p.starts[i]),
                                                  static_cast<size_t>(p.starts[i + 1] - p.starts[i]));
    const bool counted = length >= shortest && length <= longest;
    parts.push_back(counts_of(m, x, items, length, counted ? skips : 0));
  }
  // Where no n-gram has its place, the column of zeros behind them all.
  const Dims zero = {b.dim(x, 0), 1};
  parts.push_back(b.expand(b.scalar(OPMUX_F32, 0), zero));
  ValueId y = b.concat(parts, 1);
  const std::string mode = c.text("mode", "");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    fail(OPMUX_E_INVALID, "attribute 'mode' is '{}', it must be TF, IDF or TFIDF", mode);
  if (mode == "IDF") y = b.cast(m(OPMUX_FN_GT, {y, m.number(y, 0)}), OPMUX_F32);
  if (mode != "TF" && !p.weights.empty()) {
    auto weights = p.weights;
    weights.push_back(0);
    const Dims dims = {static_cast<int64_t>(weights.size())};
    y = m.mul(y, b.constant(HostTensor::of<float>(OPMUX_F32, dims, weights)));
  }
  int64_t width = 0;
  for (int64_t at : p.places) width = std::max(width, at + 1);
  std::vector<int64_t> from(static_cast<size_t>(width), static_cast<int64_t>(p.places.size()));
  for (size_t g = 0; g < p.places.size(); ++g)
    from[static_cast<size_t>(p.places[g])] = static_cast<int64_t>(g);
  Node node;
  node.op = OPMUX_OP_GATHER;
  node.in = {y, b.int_vector(from)};
  opmux_op_gather d{};
  d.axis = 1;
  node.set(d);
  y = b.emit(std::move(node));
  c.out(0, rank == 1 ? b.squeeze(y, std::span(&front, 1)) : y);
}

constexpr Rule kRules[] = {{"TfIdfVectorizer", tf_idf}};

}  // namespace

std::span<const Rule> ngram_rules() { return kRules; }

}  // namespace opmux::onnx_import
