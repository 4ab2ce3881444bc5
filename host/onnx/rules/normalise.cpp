// SPDX-License-Identifier: Apache-2.0
// Norms and the softmax family.
#include <algorithm>
#include <numeric>

#include "host/onnx/rules/heads.hpp"

namespace opmux::onnx_import {
namespace {

// x * (scale / sqrt(var + eps)) + (bias - mean * that); over constants both brackets fold, and the
// convolution before it may take them in. In training mode mean and variance are those of the batch, and
// outputs 1 and 2 the running ones with them.
void batch_normalization(NodeContext& c) {
  if (!c.flag("spatial", true)) fail(OPMUX_E_UNSUPPORTED, "attribute 'spatial' = 0 is not supported");
  const Math m(c.b);
  const ValueId x = c.in(0);
  if (c.b.rank(x) < 2) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 2 or more", c.b.rank(x));
  const uint32_t dtype = c.b.dtype(x), through = formula_dtype(dtype);
  const Dims channel = channel_dims(c.b.dim(x, 1), c.b.rank(x));
  const auto parameter = [&](size_t i) { return c.b.reshape(c.b.cast(c.in(i), through), channel); };
  const ValueId wide = c.b.cast(x, through);
  ValueId mean = parameter(3), variance = parameter(4);
  if (c.flag("training_mode")) {
    std::vector<int64_t> axes(static_cast<size_t>(c.b.rank(x)));
    std::iota(axes.begin(), axes.end(), 0);
    axes.erase(axes.begin() + 1);
    const ValueId now = c.b.reduce(OPMUX_REDUCE_MEAN, wide, axes, true), centred = m.sub(wide, now);
    const ValueId spread = c.b.reduce(OPMUX_REDUCE_MEAN, m.mul(centred, centred), axes, true);
    const double keep = c.real("momentum", 0.9f);
    const auto running = [&](size_t o, ValueId old, ValueId fresh) {
      if (!c.wants(o)) return;
      const ValueId v = m.add(m.mul(c.b.reshape(old, channel), keep), m.mul(fresh, 1 - keep));
      const Dims flat = {c.b.dim(x, 1)};
      c.out(o, c.b.cast(c.b.reshape(v, flat), c.b.dtype(c.in(o + 2))));
    };
    running(1, mean, now);
    running(2, variance, spread);
    mean = now;
    variance = spread;
  }
  const ValueId deviation = m(OPMUX_FN_SQRT, {m.add(variance, c.real("epsilon", 1e-5f))});
  const ValueId scale = m.div(parameter(1), deviation);
  const ValueId shift = m.sub(parameter(2), m.mul(mean, scale));
  c.out(0, c.b.cast(m.add(m.mul(wide, scale), shift), dtype));
}

ValueId emit_group_norm(NodeContext& c, int64_t groups, ValueId scale, ValueId bias) {
  const ValueId x = c.in(0);
  Node node;
  node.op = OPMUX_OP_GROUP_NORM;
  node.in = {x, scale, bias};
  opmux_op_group_norm d{};
  d.groups = static_cast<uint32_t>(groups);
  d.epsilon = c.real("epsilon", 1e-5f);
  node.set(d);
  return c.b.emit(std::move(node));
}

void instance_normalization(NodeContext& c) {
  const ValueId x = c.in(0);
  if (c.b.rank(x) < 3) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 3 or more", c.b.rank(x));
  c.out(0, emit_group_norm(c, c.b.dim(x, 1), c.in(1), c.in(2)));
}

// Operator set 18 has one scale and bias per group, 21 one per channel.
void group_normalization(NodeContext& c) {
  const ValueId x = c.in(0);
  if (c.b.rank(x) < 3) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 3 or more", c.b.rank(x));
  const int64_t groups = c.integer("num_groups"), channels = c.b.dim(x, 1);
  if (groups < 1 || channels % groups != 0) {
    fail(OPMUX_E_INVALID, "attribute 'num_groups' is {}, which does not divide {} channels", groups,
         channels);
  }
  const auto per_channel = [&](size_t i) {
    const ValueId v = c.in(i);
    if (c.opset >= 21 || groups == channels) return v;
    const Dims column = {groups, 1}, full = {groups, channels / groups}, flat = {channels};
    return c.b.reshape(c.b.expand(c.b.reshape(v, column), full), flat);
  };
  const ValueId scale = per_channel(1), bias = per_channel(2);
  c.out(0, emit_group_norm(c, groups, c.b.contiguous(scale), c.b.contiguous(bias)));
}

void layer_norm(NodeContext& c, uint32_t kind) {
  const bool plain = kind == OPMUX_NORM_LAYER;
  const size_t n_out = plain && (c.wants(1) || c.wants(2)) ? 3 : 1;
  const auto y = emit_layer_norm(c.b, kind, c.in(0), c.in(1), plain ? c.in_or_none(2) : kNone,
                                 c.integer("axis", -1), c.real("epsilon", 1e-5f), n_out);
  for (size_t i = 0; i < n_out; ++i) c.out(i, y[i]);
}

void layer_normalization(NodeContext& c) { layer_norm(c, OPMUX_NORM_LAYER); }
void rms_normalization(NodeContext& c) { layer_norm(c, OPMUX_NORM_RMS); }

void lrn(NodeContext& c) {
  Node node;
  node.op = OPMUX_OP_LRN;
  node.in = {c.in(0)};
  opmux_op_lrn d{};
  const int64_t size = c.integer("size");
  if (size < 1 || size > int64_t{1} << 30)
    fail(OPMUX_E_INVALID, "attribute 'size' is {}, it must be 1 or more", size);
  d.size = static_cast<uint32_t>(size);
  d.alpha = c.real("alpha", 1e-4f);
  d.beta = c.real("beta", 0.75f);
  d.bias = c.real("bias", 1);
  node.set(d);
  c.out(0, c.b.emit(std::move(node)));
}

void mean_variance_normalization(NodeContext& c) {
  const auto axes = c.integers("axes").value_or(std::vector<int64_t>{0, 2, 3});
  apply_formula(c, [&](const Math& m, ValueId x) {
    const ValueId centred = m.sub(x, c.b.reduce(OPMUX_REDUCE_MEAN, x, axes, true));
    const ValueId variance = c.b.reduce(OPMUX_REDUCE_MEAN, m.mul(centred, centred), axes, true);
    // The small term is that of the function which defines this operator.
    return m.div(centred, m.add(m(OPMUX_FN_SQRT, {variance}), 1e-9));
  });
}

void lp_normalization(NodeContext& c) {
  const int64_t p = c.integer("p", 2);
  if (p != 1 && p != 2) fail(OPMUX_E_INVALID, "attribute 'p' is {}, it must be 1 or 2", p);
  const int64_t axis = c.integer("axis", -1);
  apply_formula(c, [&](const Math& m, ValueId x) {
    const ValueId norm = c.b.reduce(p == 1 ? OPMUX_REDUCE_L1 : OPMUX_REDUCE_L2, x, std::span(&axis, 1), true);
    const ValueId zero = m.number(x, 0);
    return m.select(m(OPMUX_FN_EQ, {norm, zero}), zero, m.div(x, norm));
  });
}

// Up to operator set 12 the input counts as a matrix, split before `axis`; since then `axis` alone is meant.
template <class F>
void along_axis(NodeContext& c, F f) {
  const ValueId x = c.in(0);
  const Dims dims = c.b.dims(x);
  const bool as_matrix = c.opset < 13;
  const int64_t rank = c.b.rank(x);
  int64_t axis = c.integer("axis", as_matrix ? 1 : -1);
  if (as_matrix && axis == rank) {  // legal there: every row has one element
    const Dims matrix = {element_count(c.b.desc(x)), 1};
    c.out(0, c.b.reshape(f(c.b.reshape(x, matrix), 1), dims));
    return;
  }
  axis = normal_axis(axis, rank, "axis");
  const bool alone = std::all_of(dims.begin() + axis + 1, dims.end(), [](int64_t d) { return d == 1; });
  if (!as_matrix || alone) {
    c.out(0, f(x, axis));
    return;
  }
  const auto [before, after] = split_at(dims, axis);
  const Dims matrix = {product_of(before), product_of(after)};
  c.out(0, c.b.reshape(f(c.b.reshape(x, matrix), 1), dims));
}

template <uint32_t Kind>
void softmax(NodeContext& c) {
  along_axis(c, [&](ValueId x, int64_t axis) {
    Node node;
    node.op = OPMUX_OP_SOFTMAX;
    node.in = {x};
    opmux_op_softmax d{};
    d.kind = Kind;
    d.axis = static_cast<uint32_t>(axis);
    node.set(d);
    return c.b.emit(std::move(node));
  });
}

void hardmax(NodeContext& c) {
  along_axis(c, [&](ValueId x, int64_t axis) {
    const ValueId winner = c.b.reduce(OPMUX_REDUCE_ARGMAX, x, std::span(&axis, 1), false);
    const ValueId zero = c.b.scalar(c.b.dtype(x), 0), one = c.b.scalar(c.b.dtype(x), 1);
    const int64_t front[] = {0};
    const ValueId values[] = {c.b.unsqueeze(zero, front), c.b.unsqueeze(one, front)};
    Node node;
    node.op = OPMUX_OP_ONE_HOT;
    node.in = {winner, c.b.concat(values, 0)};
    opmux_op_one_hot d{};
    d.axis = static_cast<uint32_t>(axis);
    node.set(d);
    const opmux_tdesc y = make_desc(c.b.dtype(x), c.b.dims(x));
    return c.b.emit_as(std::move(node), std::span(&y, 1))[0];
  });
}

constexpr Rule kRules[] = {
    {"BatchNormalization", batch_normalization},
    {"GroupNormalization", group_normalization},
    {"Hardmax", hardmax},
    {"InstanceNormalization", instance_normalization},
    {"LRN", lrn},
    {"LayerNormalization", layer_normalization},
    {"LogSoftmax", softmax<OPMUX_SOFTMAX_LOG>},
    {"LpNormalization", lp_normalization},
    {"MeanVarianceNormalization", mean_variance_normalization},
    {"RMSNormalization", rms_normalization},
    {"Softmax", softmax<OPMUX_SOFTMAX_PLAIN>},
};

}  // namespace

std::span<const Rule> normalise_rules() { return kRules; }

}  // namespace opmux::onnx_import
