// SPDX-License-Identifier: Apache-2.0
// Control flow that is decided while the graph is built: branches by known conditions, loops of known length,
// which are laid out step by step.
#include <algorithm>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

constexpr int64_t kMostSteps = 1 << 16;

void if_rule(NodeContext& c) {
  const bool holds = scalar_of(c, 0, "the condition") != 0;
  const auto y = c.lower(c.graph(holds ? "then_branch" : "else_branch"), {});
  for (size_t i = 0; i < y.size(); ++i) c.out(i, y[i]);
}

bool known_true(NodeContext& c, ValueId v) {
  const auto values = c.b.ints(v, "whether the loop goes on");
  return !values.empty() && values[0] != 0;
}

// The steps of one result behind each other along a new axis.
ValueId stacked(NodeContext& c, const std::vector<ValueId>& steps, int64_t axis) {
  if (steps.empty()) fail(OPMUX_E_UNSUPPORTED, "a loop without steps has results of unknown shape");
  axis = normal_axis(axis, c.b.rank(steps[0]) + 1, "axis");
  std::vector<ValueId> parts;
  for (ValueId v : steps) parts.push_back(c.b.unsqueeze(v, std::span(&axis, 1)));
  return parts.size() == 1 ? parts[0] : c.b.concat(parts, axis);
}

// Inputs: most steps, condition, carried values. The body takes the step, the condition and the carried
// values, and gives the condition, the carried values and what is collected.
void loop(NodeContext& c) {
  const SourceGraph& body = c.graph("body");
  const size_t carried = c.n_in() < 2 ? 0 : c.n_in() - 2;
  if (body.outputs.size() < 1 + carried) {
    fail(OPMUX_E_INVALID, "the body has {} outputs, {} carried values need {}", body.outputs.size(), carried,
         1 + carried);
  }
  int64_t most = kMostSteps + 1;
  if (c.has(0)) {
    const auto stated = c.b.ints(c.in(0), "the number of steps");
    if (stated.size() != 1) fail(OPMUX_E_INVALID, "the number of steps has {} elements", stated.size());
    most = std::min(stated[0], most);
  }
  std::vector<ValueId> args(2 + carried);
  args[1] = c.has(1) ? c.in(1) : c.b.scalar(OPMUX_BOOL, 1);
  for (size_t i = 0; i < carried; ++i) args[2 + i] = c.in(2 + i);
  std::vector<std::vector<ValueId>> collected(body.outputs.size() - 1 - carried);
  for (int64_t step = 0; step < most && known_true(c, args[1]); ++step) {
    if (step == kMostSteps)
      fail(OPMUX_E_UNSUPPORTED, "a loop of more than {} steps is not supported", kMostSteps);
    args[0] = c.b.scalar(OPMUX_I64, static_cast<double>(step));
    const auto y = c.lower(body, args);
    std::copy_n(y.begin(), 1 + carried, args.begin() + 1);
    for (size_t i = 0; i < collected.size(); ++i) collected[i].push_back(y[1 + carried + i]);
  }
  for (size_t i = 0; i < carried; ++i) c.out(i, args[2 + i]);
  for (size_t i = 0; i < collected.size(); ++i) {
    if (c.wants(carried + i)) c.out(carried + i, stacked(c, collected[i], 0));
  }
}

// Attribute with one entry per scanned tensor, all 0 by default.
std::vector<int64_t> per_tensor(const NodeContext& c, const char* attr, size_t count) {
  auto values = c.integers(attr).value_or(std::vector<int64_t>(count, 0));
  if (values.size() != count) {
    fail(OPMUX_E_INVALID, "attribute '{}' has {} entries, it must have {}", attr, values.size(), count);
  }
  return values;
}

// Inputs: carried values, then tensors that are taken apart along an axis.
void scan(NodeContext& c) {
  if (c.opset < 9) fail(OPMUX_E_UNSUPPORTED, "the form of operator set 8 is not supported");
  const SourceGraph& body = c.graph("body");
  const int64_t scanned_count = c.integer("num_scan_inputs");
  if (scanned_count < 1 || scanned_count > static_cast<int64_t>(c.n_in())) {
    fail(OPMUX_E_INVALID, "attribute 'num_scan_inputs' is {}, the node has {} inputs", scanned_count,
         c.n_in());
  }
  const auto scanned = static_cast<size_t>(scanned_count);
  const size_t carried = c.n_in() - scanned;
  if (body.outputs.size() < carried) {
    fail(OPMUX_E_INVALID, "the body has {} outputs, there are {} carried values", body.outputs.size(),
         carried);
  }
  const size_t collected_count = body.outputs.size() - carried;
  auto in_axis = per_tensor(c, "scan_input_axes", scanned);
  const auto in_back = per_tensor(c, "scan_input_directions", scanned);
  const auto out_axis = per_tensor(c, "scan_output_axes", collected_count);
  const auto out_back = per_tensor(c, "scan_output_directions", collected_count);
  int64_t steps = -1;
  for (size_t i = 0; i < scanned; ++i) {
    const ValueId v = c.in(carried + i);
    in_axis[i] = normal_axis(in_axis[i], c.b.rank(v), "scan_input_axes");
    const int64_t n = c.b.dim(v, in_axis[i]);
    if (steps >= 0 && n != steps) fail(OPMUX_E_INVALID, "scanned tensors have {} and {} steps", steps, n);
    steps = n;
  }
  if (steps > kMostSteps)
    fail(OPMUX_E_UNSUPPORTED, "a scan of {} steps is not supported, at most {}", steps, kMostSteps);
  std::vector<ValueId> args(carried + scanned);
  for (size_t i = 0; i < carried; ++i) args[i] = c.in(i);
  std::vector<std::vector<ValueId>> collected(collected_count);
  for (int64_t step = 0; step < steps; ++step) {
    for (size_t i = 0; i < scanned; ++i) {
      const int64_t at = in_back[i] != 0 ? steps - 1 - step : step;
      args[carried + i] =
          c.b.squeeze(c.b.slice(c.in(carried + i), in_axis[i], at, 1, 1), std::span(&in_axis[i], 1));
    }
    const auto y = c.lower(body, args);
    std::copy_n(y.begin(), carried, args.begin());
    for (size_t i = 0; i < collected_count; ++i) collected[i].push_back(y[carried + i]);
  }
  for (size_t i = 0; i < carried; ++i) c.out(i, args[i]);
  for (size_t i = 0; i < collected_count; ++i) {
    if (!c.wants(carried + i)) continue;
    if (out_back[i] != 0) std::reverse(collected[i].begin(), collected[i].end());
    c.out(carried + i, stacked(c, collected[i], out_axis[i]));
  }
}

constexpr Rule kRules[] = {{"If", if_rule}, {"Loop", loop}, {"Scan", scan}};

}  // namespace

std::span<const Rule> control_rules() { return kRules; }

}  // namespace opmux::onnx_import
