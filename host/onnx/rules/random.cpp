// SPDX-License-Identifier: Apache-2.0
// Random numbers and what draws them. A node's stream has a seed of its own, the attribute's or one from the
// name of its output, and goes on from run to run, so that a run context draws the same numbers each time it
// is made anew.
#include <bit>

#include "host/onnx/rules/common.hpp"
#include "kit/schema/schema.hpp"

namespace opmux::onnx_import {
namespace {

HostTensor seed_of(const NodeContext& c) {
  uint64_t seed = 0xcbf29ce484222325;  // FNV-1a
  if (c.has_attr("seed")) {
    const bool whole = c.op() == "Dropout";  // there it is an integer
    seed = whole ? static_cast<uint64_t>(c.integer("seed", 0)) : std::bit_cast<uint32_t>(c.real("seed", 0));
  } else {
    for (const char letter : c.source().outputs.at(0)) {
      seed = (seed ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    }
  }
  return HostTensor::of<uint64_t>(OPMUX_U64, {}, std::span(&seed, 1));
}

ValueId draw(NodeContext& c, uint32_t kind, uint32_t dtype, const Dims& dims, double a, double b) {
  if (!is_float(dtype) || OPMUX_DTYPE_BITS(dtype) < 16) {
    fail(OPMUX_E_INVALID, "random numbers of type {} are not supported", schema::dtype_name(dtype));
  }
  Node node;
  node.op = OPMUX_OP_RANDOM;
  node.in = {c.b.constant(seed_of(c)), c.random_offset(), c.b.scalar(dtype, a), c.b.scalar(dtype, b)};
  opmux_op_random d{};
  d.kind = kind;
  node.set(d);
  const opmux_tdesc y = make_desc(dtype, dims);
  return c.b.emit_as(std::move(node), std::span(&y, 1))[0];
}

ValueId uniform(NodeContext& c, uint32_t dtype, const Dims& dims) {
  return draw(c, OPMUX_RANDOM_UNIFORM, dtype, dims, c.real("low", 0), c.real("high", 1));
}
ValueId normal(NodeContext& c, uint32_t dtype, const Dims& dims) {
  return draw(c, OPMUX_RANDOM_NORMAL, dtype, dims, c.real("mean", 0), c.real("scale", 1));
}

using Drawn = ValueId (*)(NodeContext&, uint32_t, const Dims&);

template <Drawn kDraw>
void of_shape(NodeContext& c) {
  const auto shape = c.integers("shape");
  if (!shape) fail(OPMUX_E_INVALID, "attribute 'shape' is missing");
  c.out(0, kDraw(c, dtype_of_attr(c.integer("dtype", 1)), *shape));
}
template <Drawn kDraw>
void like(NodeContext& c) {
  const ValueId x = c.in(0);
  const uint32_t dtype = c.has_attr("dtype") ? dtype_of_attr(c.integer("dtype")) : c.b.dtype(x);
  c.out(0, kDraw(c, dtype, c.b.dims(x)));
}

// Uniform numbers of [0, 1) in a type that can tell small probabilities apart.
ValueId unit(NodeContext& c, uint32_t dtype, const Dims& dims) {
  return draw(c, OPMUX_RANDOM_UNIFORM, formula_dtype(dtype), dims, 0, 1);
}

void bernoulli(NodeContext& c) {
  const ValueId p = c.in(0);
  const uint32_t dtype = c.has_attr("dtype") ? dtype_of_attr(c.integer("dtype")) : c.b.dtype(p);
  const ValueId u = unit(c, c.b.dtype(p), c.b.dims(p));
  c.out(0, convert(c.b, c.b.pointwise(OPMUX_FN_LT, {u, c.b.cast(p, c.b.dtype(u))}), dtype));
}

// The largest of log p + g over the classes, g of the Gumbel distribution, falls on each with probability p.
void multinomial(NodeContext& c) {
  const Math m(c.b);
  const ValueId x = c.in(0);
  const int64_t samples = c.integer("sample_size", 1);
  if (c.b.rank(x) != 2 || samples < 1) {
    fail(OPMUX_E_INVALID, "input 0 has rank {} and sample_size is {}, they must be 2 and at least 1",
         c.b.rank(x), samples);
  }
  const Dims dims = {c.b.dim(x, 0), samples, c.b.dim(x, 1)};
  const int64_t middle[] = {1}, last[] = {2};
  const ValueId u = unit(c, c.b.dtype(x), dims);
  const auto minus_log = [&](ValueId v) { return m(OPMUX_FN_NEG, {m(OPMUX_FN_LOG, {v})}); };
  const ValueId score = m.add(c.b.unsqueeze(c.b.cast(x, c.b.dtype(u)), middle), minus_log(minus_log(u)));
  const ValueId best = c.b.reduce(OPMUX_REDUCE_ARGMAX, score, last, false);
  c.out(0, c.b.cast(best, dtype_of_attr(c.integer("dtype", 6))));
}

void dropout(NodeContext& c) {
  const ValueId x = c.in(0);
  const bool training = c.has(2) && scalar_of(c, 2, "the training mode") != 0;
  const double ratio = c.has(1) ? scalar_of(c, 1, "the ratio") : 0.5;
  if (training && !(ratio >= 0 && ratio < 1)) {
    fail(OPMUX_E_INVALID, "the ratio is {}, it must be in [0, 1)", ratio);
  }
  if (training && ratio > 0) {
    const Math m(c.b);
    const ValueId u = unit(c, c.b.dtype(x), c.b.dims(x));
    const ValueId kept = m(OPMUX_FN_GE, {u, m.number(u, ratio)});
    const ValueId scaled = m.div(c.b.cast(x, c.b.dtype(u)), 1 - ratio);
    c.out(0, c.b.cast(m.select(kept, scaled, m.number(scaled, 0)), c.b.dtype(x)));
    c.out(1, kept);
    return;
  }
  c.out(0, x);
  if (!c.wants(1)) return;
  const uint32_t dtype = c.opset < 10 ? c.b.dtype(x) : OPMUX_BOOL;
  c.out(1, c.b.expand(c.b.scalar(dtype, 1), c.b.dims(x)));
}

constexpr Rule kRules[] = {
    {"Bernoulli", bernoulli},
    {"Dropout", dropout},
    {"Multinomial", multinomial},
    {"RandomNormal", of_shape<normal>},
    {"RandomNormalLike", like<normal>},
    {"RandomUniform", of_shape<uniform>},
    {"RandomUniformLike", like<uniform>},
};

}  // namespace

std::span<const Rule> random_rules() { return kRules; }

}  // namespace opmux::onnx_import
