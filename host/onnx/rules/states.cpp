// SPDX-License-Identifier: Apache-2.0
// Layers that hand a state from one call to the next.
#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

// [B, T, H D] as [B, H, T, D], a view.
ValueId by_heads(GraphBuilder& b, ValueId v, int64_t heads, const char* what) {
  if (b.rank(v) != 3) fail(OPMUX_E_INVALID, "{} has rank {}, it must be 3", what, b.rank(v));
  if (heads < 1 || b.dim(v, 2) % heads != 0) {
    fail(OPMUX_E_INVALID, "{} has {} elements a token, which {} heads do not share evenly", what, b.dim(v, 2),
         heads);
  }
  const Dims dims = {b.dim(v, 0), b.dim(v, 1), heads, b.dim(v, 2) / heads};
  const int64_t perm[] = {0, 2, 1, 3};
  return b.permute(b.reshape(v, dims), perm);
}

void linear_attention(NodeContext& c) {
  enum Input : size_t { kQ, kK, kV, kPast, kDecay, kBeta };
  const std::string rule = c.text("update_rule", "gated_delta");
  const bool gated = rule == "gated" || rule == "gated_delta",
             delta = rule == "delta" || rule == "gated_delta";
  if (!gated && !delta && rule != "linear") {
    fail(OPMUX_E_INVALID,
         "attribute 'update_rule' is '{}', it must be 'linear', 'gated', 'delta' or 'gated_delta'", rule);
  }
  for (const auto& [input, wanted, name] : {std::tuple{kDecay, gated, "decay"}, {kBeta, delta, "beta"}}) {
    if (c.has(input) != wanted) {
      fail(OPMUX_E_INVALID, "input {} ({}) is {}, but the update rule is '{}'", static_cast<size_t>(input),
           name, wanted ? "missing" : "there", rule);
    }
  }
  const int64_t q_heads = c.integer("q_num_heads"), kv_heads = c.integer("kv_num_heads");
  GraphBuilder& b = c.b;
  Node node;
  node.op = OPMUX_OP_LINEAR_ATTENTION;
  node.in = {by_heads(b, c.in(kQ), q_heads, "query"), by_heads(b, c.in(kK), kv_heads, "key"),
             by_heads(b, c.in(kV), kv_heads, "value"), c.in_or_none(kPast)};
  node.in.push_back(gated ? by_heads(b, c.in(kDecay), kv_heads, "decay") : kNone);
  if (delta) node.in.push_back(by_heads(b, c.in(kBeta), c.b.dim(c.in(kBeta), 2), "beta"));
  while (node.in.back() == kNone) node.in.pop_back();
  opmux_op_linear_attention d{};
  d.scale = c.real("scale", 0);
  node.set(d);
  const auto out = b.emit_n(std::move(node), c.wants(1) ? 2 : 1);
  const int64_t perm[] = {0, 2, 1, 3};
  const ValueId y = b.permute(out[0], perm);
  const Dims packed = {b.dim(y, 0), b.dim(y, 1), b.dim(y, 2) * b.dim(y, 3)};
  c.out(0, b.reshape(y, packed));
  if (c.wants(1)) c.out(1, out[1]);
}

// A depthwise convolution over what is left of the last call and the new samples.
void causal_conv_with_state(NodeContext& c) {
  enum Input : size_t { kX, kW, kBias, kPast };
  GraphBuilder& b = c.b;
  const ValueId x = c.in(kX), w = c.in(kW);
  if (b.rank(x) != 3 || b.rank(w) != 3 || b.dim(w, 2) < 1) {
    fail(OPMUX_E_INVALID, "inputs 0 and 1 have ranks {} and {}, they must be 3 with a kernel of 1 or more",
         b.rank(x), b.rank(w));
  }
  const std::string activation = c.text("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish") {
    fail(OPMUX_E_INVALID, "attribute 'activation' is '{}', it must be 'none', 'silu' or 'swish'", activation);
  }
  const int64_t channels = b.dim(x, 1), kept = b.dim(w, 2) - 1;
  const Dims state = {b.dim(x, 0), channels, kept};
  ValueId all = x;
  if (kept > 0) {
    const ValueId past = c.has(kPast) ? c.in(kPast) : b.expand(b.scalar(b.dtype(x), 0), state);
    if (b.dims(past) != state)
      fail(OPMUX_E_INVALID, "past_state has other dims than [{}, {}, {}]", state[0], channels, kept);
    const ValueId parts[] = {past, x};
    all = b.concat(parts, 2);
  }
  const uint32_t dtype = b.dtype(x), wide = formula_dtype(dtype);
  opmux_op_conv d{};
  Node node;
  node.op = OPMUX_OP_CONV;
  node.in = {all, w};
  const int64_t one[] = {1}, none[] = {0, 0};
  d.group = static_cast<uint32_t>(channels);
  d.acc_dtype = wide;
  d.stride = node.add_list(one);
  d.dilation = node.add_list(one);
  d.pad = node.add_list(none);
  node.set(d);
  const opmux_tdesc y_desc = make_desc(wide, b.dims(x));
  ValueId y = b.emit_as(std::move(node), std::span(&y_desc, 1))[0];
  const Math m(b);
  if (c.has(kBias)) y = m.add(y, b.cast(b.reshape(c.in(kBias), channel_dims(channels, 3)), wide));
  if (activation != "none") y = m(OPMUX_FN_SILU, {y});
  c.out(0, b.cast(y, dtype));
  c.out(1, b.slice(all, 2, b.dim(all, 2) - kept, kept, 1));
}

constexpr Rule kRules[] = {{"CausalConvWithState", causal_conv_with_state},
                           {"LinearAttention", linear_attention}};

}  // namespace

std::span<const Rule> state_rules() { return kRules; }

}  // namespace opmux::onnx_import
