// SPDX-License-Identifier: Apache-2.0
// Losses of classification.
#include <numeric>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

struct Weighted {
  ValueId loss, weight;  // weight: kNone when all are 1
};

// -x[n, target[n, ..], ..] of x [N, C, ..], weighted; targets that are ignored count nothing.
Weighted losses(NodeContext& c, ValueId x, size_t weight_input) {
  const Math m(c.b);
  ValueId target = c.in(1);
  if (c.b.rank(x) < 2 || c.b.rank(target) != c.b.rank(x) - 1) {
    fail(OPMUX_E_INVALID,
         "the target has rank {}, the scores have rank {}, which must be one more and 2 at least",
         c.b.rank(target), c.b.rank(x));
  }
  ValueId ignored = kNone;
  if (c.has_attr("ignore_index")) {
    const auto index = static_cast<double>(c.integer("ignore_index"));
    ignored = m(OPMUX_FN_EQ, {target, m.number(target, index)});
    target = m.select(ignored, m.number(target, 0), target);
  }
  const int64_t channel[] = {1};
  Node pick;
  pick.op = OPMUX_OP_GATHER_ELEMENTS;
  pick.in = {x, c.b.unsqueeze(target, channel)};
  opmux_op_gather_elements d{};
  d.axis = 1;
  pick.set(d);
  Weighted w{m(OPMUX_FN_NEG, {c.b.squeeze(c.b.emit(std::move(pick)), channel)}), kNone};
  if (c.has(weight_input)) {
    Node node;
    node.op = OPMUX_OP_GATHER;
    node.in = {c.in(weight_input), target};
    node.set(opmux_op_gather{});
    w.weight = c.b.emit(std::move(node));
  }
  if (ignored != kNone) {
    const ValueId one = w.weight == kNone ? m.number(w.loss, 1) : w.weight;
    w.weight = m.select(ignored, m.number(w.loss, 0), one);
    // Selected, not multiplied: an ignored score may be infinite.
    w.loss = m.select(ignored, m.number(w.loss, 0), w.loss);
  }
  if (w.weight != kNone) w.loss = m.mul(w.loss, w.weight);
  return w;
}

ValueId reduced(NodeContext& c, const Weighted& w) {
  const std::string how = c.text("reduction", "mean");
  if (how == "none") return w.loss;
  if (how != "sum" && how != "mean") {
    fail(OPMUX_E_INVALID, "attribute 'reduction' is '{}', it must be none, sum or mean", how);
  }
  const auto over_all = [&](uint32_t kind, ValueId v) {
    std::vector<int64_t> axes(static_cast<size_t>(c.b.rank(v)));
    std::iota(axes.begin(), axes.end(), 0);
    return c.b.reduce(kind, v, axes, false);
  };
  if (how == "mean" && w.weight == kNone) return over_all(OPMUX_REDUCE_MEAN, w.loss);
  const ValueId sum = over_all(OPMUX_REDUCE_SUM, w.loss);
  if (how == "sum") return sum;
  return Math(c.b).div(sum, over_all(OPMUX_REDUCE_SUM, w.weight));
}

void negative_log_likelihood(NodeContext& c) { c.out(0, reduced(c, losses(c, c.in(0), 2))); }

void softmax_cross_entropy(NodeContext& c) {
  Node node;
  node.op = OPMUX_OP_SOFTMAX;
  node.in = {c.in(0)};
  opmux_op_softmax d{};
  d.kind = OPMUX_SOFTMAX_LOG;
  d.axis = 1;
  node.set(d);
  const ValueId x = c.b.emit(std::move(node));
  c.out(0, reduced(c, losses(c, x, 2)));
  c.out(1, x);
}

constexpr Rule kRules[] = {{"NegativeLogLikelihoodLoss", negative_log_likelihood},
                           {"SoftmaxCrossEntropyLoss", softmax_cross_entropy}};

}  // namespace

std::span<const Rule> loss_rules() { return kRules; }

}  // namespace opmux::onnx_import
