// SPDX-License-Identifier: Apache-2.0
// Activations. Those without a pointwise function of their own are formulas, which fusion makes one program.
#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

template <uint32_t Fn>
void direct(NodeContext& c) {
  c.out(0, c.b.pointwise(Fn, {c.in(0)}));
}

void gelu(NodeContext& c) {
  const std::string how = c.text("approximate", "none");
  if (how != "none" && how != "tanh") {
    fail(OPMUX_E_INVALID, "attribute 'approximate' is '{}', it must be none or tanh", how);
  }
  c.out(0, c.b.pointwise(how == "tanh" ? OPMUX_FN_GELU_TANH : OPMUX_FN_GELU, {c.in(0)}));
}

void leaky_relu(NodeContext& c) {
  apply_formula(c, [&](const Math& m, ValueId x) {
    return m.select(m(OPMUX_FN_LT, {x, m.number(x, 0)}), m.mul(x, c.real("alpha", 0.01f)), x);
  });
}

void prelu(NodeContext& c) {
  const Math m(c.b);
  const ValueId x = c.in(0);
  ValueId slope = c.in(1);
  // Up to operator set 6 it is one per channel, later it broadcasts.
  if (c.opset < 7 && c.b.rank(slope) == 1 && c.b.dim(slope, 0) > 1 && c.b.rank(x) > 1) {
    slope = c.b.reshape(slope, channel_dims(c.b.dim(slope, 0), c.b.rank(x)));
  }
  c.out(0, m.select(m(OPMUX_FN_LT, {x, m.number(x, 0)}), m.mul(x, slope), x));
}

void elu(NodeContext& c) {
  apply_formula(c, [&](const Math& m, ValueId x) {
    return m.select(m(OPMUX_FN_LT, {x, m.number(x, 0)}), m.mul(m(OPMUX_FN_EXPM1, {x}), c.real("alpha", 1)),
                    x);
  });
}

void selu(NodeContext& c) {
  // Klambauer et al. 2017, appendix 1.
  const float alpha = c.real("alpha", 1.67326319217681884765625f);
  const float gamma = c.real("gamma", 1.05070102214813232421875f);
  apply_formula(c, [&](const Math& m, ValueId x) {
    const ValueId low = m.mul(m(OPMUX_FN_EXPM1, {x}), alpha);
    return m.mul(m.select(m(OPMUX_FN_LE, {x, m.number(x, 0)}), low, x), gamma);
  });
}

void celu(NodeContext& c) {
  const float alpha = c.real("alpha", 1);
  if (alpha == 0) fail(OPMUX_E_INVALID, "attribute 'alpha' is 0, it must not be");
  apply_formula(c, [&](const Math& m, ValueId x) {
    const ValueId low = m.mul(m(OPMUX_FN_EXPM1, {m.div(x, alpha)}), alpha);
    const ValueId zero = m.number(x, 0);
    return m.add(m(OPMUX_FN_MAX, {x, zero}), m(OPMUX_FN_MIN, {low, zero}));
  });
}

void thresholded_relu(NodeContext& c) {
  apply_formula(c, [&](const Math& m, ValueId x) {
    return m.select(m(OPMUX_FN_GT, {x, m.number(x, c.real("alpha", 1))}), x, m.number(x, 0));
  });
}

ValueId clamp01(const Math& m, ValueId x) { return m(OPMUX_FN_CLAMP, {x, m.number(x, 0), m.number(x, 1)}); }

void hard_sigmoid(NodeContext& c) {
  apply_formula(c, [&](const Math& m, ValueId x) {
    return clamp01(m, m.add(m.mul(x, c.real("alpha", 0.2f)), c.real("beta", 0.5f)));
  });
}

void hard_swish(NodeContext& c) {
  apply_formula(
      c, [](const Math& m, ValueId x) { return m.mul(x, clamp01(m, m.add(m.mul(x, 1.0 / 6.0), 0.5))); });
}

void shrink(NodeContext& c) {
  const float lambda = c.real("lambd", 0.5f), bias = c.real("bias", 0);
  apply_formula(c, [&](const Math& m, ValueId x) {
    if (!is_float(c.b.dtype(x))) fail(OPMUX_E_UNSUPPORTED, "only floats are supported");
    const ValueId inner = m.select(m(OPMUX_FN_GT, {x, m.number(x, lambda)}), m.sub(x, bias), m.number(x, 0));
    return m.select(m(OPMUX_FN_LT, {x, m.number(x, -lambda)}), m.add(x, bias), inner);
  });
}

void swish(NodeContext& c) {
  const float alpha = c.real("alpha", 1);
  if (alpha == 1) {
    c.out(0, c.b.pointwise(OPMUX_FN_SILU, {c.in(0)}));
    return;
  }
  apply_formula(c,
                [&](const Math& m, ValueId x) { return m.mul(x, m(OPMUX_FN_SIGMOID, {m.mul(x, alpha)})); });
}

// The swish of one half times the other.
void swiglu(NodeContext& c) {
  swish(c);
  c.out(0, Math(c.b).mul(c.outputs()[0], c.in(1)));
}

constexpr Rule kRules[] = {
    {"Celu", celu},
    {"Elu", elu},
    {"Gelu", gelu},
    {"HardSigmoid", hard_sigmoid},
    {"HardSwish", hard_swish},
    {"LeakyRelu", leaky_relu},
    {"Mish", direct<OPMUX_FN_MISH>},
    {"PRelu", prelu},
    {"Relu", direct<OPMUX_FN_RELU>},
    {"Selu", selu},
    {"Shrink", shrink},
    {"Sigmoid", direct<OPMUX_FN_SIGMOID>},
    {"Softplus", direct<OPMUX_FN_SOFTPLUS>},
    {"Softsign", direct<OPMUX_FN_SOFTSIGN>},
    {"SwiGLU", swiglu},
    {"Swish", swish},
    {"ThresholdedRelu", thresholded_relu},
};

}  // namespace

std::span<const Rule> activation_rules() { return kRules; }

}  // namespace opmux::onnx_import
