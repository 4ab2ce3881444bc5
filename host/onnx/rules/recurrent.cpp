// SPDX-License-Identifier: Apache-2.0
// RNN, GRU, LSTM.
#include <algorithm>
#include <cctype>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

struct Function {
  std::string_view name;  // lower case: models write them in any
  uint32_t code;
  float alpha, beta;   // where the model gives none
  int parameters = 0;  // how many it takes from the lists
};
constexpr Function kFunctions[] = {
    {"affine", OPMUX_ACT_AFFINE, 1, 0, 2},
    {"elu", OPMUX_ACT_ELU, 1, 0, 1},
    {"hardsigmoid", OPMUX_ACT_HARD_SIGMOID, 0.2f, 0.5f, 2},
    {"leakyrelu", OPMUX_ACT_LEAKY_RELU, 0.01f, 0, 1},
    {"relu", OPMUX_ACT_RELU, 0, 0, 0},
    {"scaledtanh", OPMUX_ACT_SCALED_TANH, 1, 1, 2},
    {"sigmoid", OPMUX_ACT_SIGMOID, 0, 0, 0},
    {"softplus", OPMUX_ACT_SOFTPLUS, 0, 0, 0},
    {"softsign", OPMUX_ACT_SOFTSIGN, 0, 0, 0},
    {"tanh", OPMUX_ACT_TANH, 0, 0, 0},
    {"thresholdedrelu", OPMUX_ACT_THRESHOLDED_RELU, 1, 0, 1},
};

const Function& function_of(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](unsigned char l) { return static_cast<char>(std::tolower(l)); });
  const auto* found = std::ranges::find(kFunctions, std::string_view(name), &Function::name);
  if (found == std::end(kFunctions)) fail(OPMUX_E_INVALID, "the activation '{}' is unknown", name);
  return *found;
}

// Parameters are taken from the lists in the order of the functions that have some.
void set_activations(const NodeContext& c, opmux_op_recurrent& d, std::vector<std::string> standard) {
  const size_t directions = d.direction == OPMUX_DIRECTION_BOTH ? 2 : 1, per = standard.size();
  const auto given = c.texts("activations");
  if (given && given->size() != per * directions) {
    fail(OPMUX_E_INVALID, "there are {} activations, there must be {}", given->size(), per * directions);
  }
  const auto alphas = c.reals("activation_alpha").value_or(std::vector<float>{});
  const auto betas = c.reals("activation_beta").value_or(std::vector<float>{});
  size_t alpha = 0, beta = 0;
  for (size_t i = 0; i < per * directions; ++i) {
    const Function& f = function_of(given ? (*given)[i] : standard[i % per]);
    const size_t at = 3 * (i / per) + i % per;
    (&d.activation0)[at] = f.code;
    (&d.alpha0)[at] = f.parameters > 0 && alpha < alphas.size() ? alphas[alpha++] : f.alpha;
    (&d.beta0)[at] = f.parameters > 1 && beta < betas.size() ? betas[beta++] : f.beta;
  }
}

uint32_t direction_of(const NodeContext& c) {
  const std::string text = c.text("direction", "forward");
  if (text == "forward") return OPMUX_DIRECTION_FORWARD;
  if (text == "reverse") return OPMUX_DIRECTION_REVERSE;
  if (text == "bidirectional") return OPMUX_DIRECTION_BOTH;
  fail(OPMUX_E_INVALID, "the direction is '{}', it must be 'forward', 'reverse' or 'bidirectional'", text);
}

void layer(NodeContext& c, uint32_t kind, std::vector<std::string> activations) {
  const bool lstm = kind == OPMUX_RECURRENT_LSTM, batch_first = c.integer("layout", 0) == 1;
  opmux_op_recurrent d{};
  d.kind = kind;
  d.direction = direction_of(c);
  d.clip = c.real("clip", 0);
  if (kind == OPMUX_RECURRENT_GRU) d.linear_before_reset = c.flag("linear_before_reset");
  if (lstm) d.input_forget = c.flag("input_forget");
  set_activations(c, d, std::move(activations));
  const int64_t swap[] = {1, 0, 2}, y_back[] = {2, 0, 1, 3};
  const auto turned = [&](ValueId v) {
    if (v == kNone || !batch_first) return v;
    if (c.b.rank(v) != 3) fail(OPMUX_E_INVALID, "an input has rank {}, it must be 3", c.b.rank(v));
    return c.b.permute(v, swap);
  };
  Node node;
  node.op = OPMUX_OP_RECURRENT;
  node.set(d);
  node.in = {turned(c.in(0)), c.in(1), c.in(2), c.in_or_none(3), c.in_or_none(4), turned(c.in_or_none(5))};
  if (lstm) node.in.insert(node.in.end(), {turned(c.in_or_none(6)), c.in_or_none(7)});
  while (node.in.back() == kNone) node.in.pop_back();
  const auto hidden = c.integer("hidden_size", 0);
  if (c.b.rank(c.in(2)) == 3 && hidden != 0 && hidden != c.b.dim(c.in(2), 2)) {
    fail(OPMUX_E_INVALID, "attribute 'hidden_size' is {}, R makes it {}", hidden, c.b.dim(c.in(2), 2));
  }
  const size_t n_out = c.wants(2) && lstm ? 3 : c.wants(1) ? 2 : 1;
  const std::vector<ValueId> y = c.b.emit_n(std::move(node), n_out);
  c.out(0, batch_first ? c.b.permute(y[0], y_back) : y[0]);
  for (size_t i = 1; i < n_out; ++i) c.out(i, turned(y[i]));
}

void rnn(NodeContext& c) { layer(c, OPMUX_RECURRENT_RNN, {"tanh"}); }
void gru(NodeContext& c) { layer(c, OPMUX_RECURRENT_GRU, {"sigmoid", "tanh"}); }
void lstm(NodeContext& c) { layer(c, OPMUX_RECURRENT_LSTM, {"sigmoid", "tanh", "tanh"}); }

constexpr Rule kRules[] = {{"GRU", gru}, {"LSTM", lstm}, {"RNN", rnn}};

}  // namespace

std::span<const Rule> recurrent_rules() { return kRules; }

}  // namespace opmux::onnx_import
