// SPDX-License-Identifier: Apache-2.0
// Control flow that is decided while the graph is built: branches by known conditions, and short loops of
// known length, which are laid out step by step. All else is left to the host (HostNeeded; graph/staged_run).
#include <algorithm>
#include <limits>

#include "host/onnx/lowering.hpp"
#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

// Most nodes that a loop is laid out to: building and placing a node takes some 10 us, a step that the host
// runs about as much.
constexpr int64_t kMostUnrolled = 4096;

int64_t nodes_in(const SourceGraph& graph) {
  auto n = static_cast<int64_t>(graph.nodes.size());
  for (const SourceNode& node : graph.nodes) {
    for (const SourceAttr& a : node.attrs) {
      if (a.graph) n += nodes_in(*a.graph);
    }
  }
  return n;
}

void need_few(int64_t steps, const SourceGraph& body) {
  const int64_t each = std::max<int64_t>(nodes_in(body), 1);
  if (steps > kMostUnrolled / each) {
    throw HostNeeded(fmt::format("{} steps of {} nodes are too many to be laid out", steps, each));
  }
}

void if_rule(NodeContext& c) {
  const bool holds = scalar_of(c, 0, "the condition") != 0;
  const auto y = c.lower(c.graph(holds ? "then_branch" : "else_branch"), {});
  for (size_t i = 0; i < y.size(); ++i) c.out(i, y[i]);
}

bool known_true(NodeContext& c, ValueId v) {
  const auto values = c.b.known(v);
  if (!values) throw HostNeeded("whether the loop goes on depends on data that is not known before the run");
  return element_count(values->desc()) > 0 && values->to_int64()[0] != 0;
}

// The steps of one result behind each other along a new axis.
ValueId stacked(NodeContext& c, const std::vector<ValueId>& steps, int64_t axis) {
  if (steps.empty()) throw HostNeeded("a loop without steps has results of unknown shape");
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
  if (c.has(0) && !c.b.is_constant(c.in(0))) {
    throw HostNeeded("the number of steps depends on data that is not known before the run");
  }
  const auto most = c.has(0) ? static_cast<int64_t>(scalar_of(c, 0, "the number of steps"))
                             : std::numeric_limits<int64_t>::max();
  std::vector<ValueId> args(2 + carried);
  args[1] = c.has(1) ? c.in(1) : c.b.scalar(OPMUX_BOOL, 1);
  for (size_t i = 0; i < carried; ++i) args[2 + i] = c.in(2 + i);
  std::vector<std::vector<ValueId>> collected(body.outputs.size() - 1 - carried);
  for (int64_t step = 0; step < most && known_true(c, args[1]); ++step) {
    need_few(step + 1, body);
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

struct Scan {
  const SourceGraph& body;
  size_t carried = 0, scanned = 0, collected = 0;
};

Scan scan_of(NodeContext& c, size_t first) {
  const SourceGraph& body = c.graph("body");
  const int64_t scanned = c.integer("num_scan_inputs"), given = static_cast<int64_t>(c.n_in() - first);
  if (scanned < 1 || scanned > given) {
    fail(OPMUX_E_INVALID, "attribute 'num_scan_inputs' is {}, the node has {} inputs", scanned, given);
  }
  const auto carried = static_cast<size_t>(given - scanned);
  if (body.outputs.size() < carried) {
    fail(OPMUX_E_INVALID, "the body has {} outputs, there are {} carried values", body.outputs.size(),
         carried);
  }
  return {body, carried, static_cast<size_t>(scanned), body.outputs.size() - carried};
}

// Runs the body over `steps` slices. args: carried values, then whole tensors; afterwards the carried values
// are the last ones. Returns what is collected, by output and step.
std::vector<std::vector<ValueId>> run_scan(NodeContext& c, const Scan& scan, std::vector<ValueId>& args,
                                           std::span<const int64_t> axes, std::span<const int64_t> back,
                                           int64_t steps) {
  need_few(steps, scan.body);
  std::vector<std::vector<ValueId>> collected(scan.collected);
  const std::vector<ValueId> whole(args.begin() + static_cast<std::ptrdiff_t>(scan.carried), args.end());
  for (int64_t step = 0; step < steps; ++step) {
    for (size_t i = 0; i < scan.scanned; ++i) {
      const int64_t extent = c.b.dim(whole[i], axes[i]), at = back[i] != 0 ? extent - 1 - step : step;
      args[scan.carried + i] = c.b.squeeze(c.b.slice(whole[i], axes[i], at, 1, 1), std::span(&axes[i], 1));
    }
    const auto y = c.lower(scan.body, args);
    std::copy_n(y.begin(), scan.carried, args.begin());
    for (size_t i = 0; i < scan.collected; ++i) collected[i].push_back(y[scan.carried + i]);
  }
  return collected;
}

// The form of operator set 8: a batch in front of everything, and a length for each of its members. Steps
// beyond a member's length leave zeros.
void scan_batched(NodeContext& c) {
  const Scan s = scan_of(c, 1);
  const auto back = per_tensor(c, "directions", s.scanned);
  const std::vector<int64_t> axes(s.scanned, 0);
  const ValueId first = c.in(1 + s.carried);
  if (c.b.rank(first) < 2)
    fail(OPMUX_E_INVALID, "a scanned tensor has rank {}, it must be 2 or more", c.b.rank(first));
  const int64_t batch = c.b.dim(first, 0), extent = c.b.dim(first, 1);
  auto lengths =
      c.has(0) ? c.b.ints(c.in(0), "the lengths") : std::vector<int64_t>(static_cast<size_t>(batch), extent);
  if (batch == 0 || extent == 0) throw HostNeeded("a loop without steps has results of unknown shape");
  if (static_cast<int64_t>(lengths.size()) != batch)
    fail(OPMUX_E_INVALID, "there are {} lengths, the batch has {}", lengths.size(), batch);
  std::vector<std::vector<ValueId>> last(s.carried), all(s.collected);
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t steps = lengths[static_cast<size_t>(b)];
    if (steps < 1 || steps > extent)
      fail(OPMUX_E_INVALID, "a length is {}, it must be from 1 to {}", steps, extent);
    const int64_t front = 0;
    std::vector<ValueId> args;
    for (size_t i = 0; i < s.carried + s.scanned; ++i) {
      ValueId v = c.b.squeeze(c.b.slice(c.in(1 + i), 0, b, 1, 1), std::span(&front, 1));
      if (i >= s.carried) v = c.b.slice(v, 0, 0, steps, 1);
      args.push_back(v);
    }
    const auto collected = run_scan(c, s, args, axes, back, steps);
    for (size_t i = 0; i < s.carried; ++i) last[i].push_back(args[i]);
    for (size_t i = 0; i < s.collected; ++i) {
      ValueId y = stacked(c, collected[i], 0);
      if (steps < extent) {
        Dims rest = c.b.dims(y);
        rest[0] = extent - steps;
        const ValueId parts[] = {y, c.b.expand(c.b.scalar(c.b.dtype(y), 0), rest)};
        y = c.b.concat(parts, 0);
      }
      all[i].push_back(y);
    }
  }
  for (size_t i = 0; i < s.carried; ++i) c.out(i, stacked(c, last[i], 0));
  for (size_t i = 0; i < s.collected; ++i) c.out(s.carried + i, stacked(c, all[i], 0));
}

// Inputs: carried values, then tensors that are taken apart along an axis.
void scan(NodeContext& c) {
  if (c.opset < 9) return scan_batched(c);
  const Scan s = scan_of(c, 0);
  auto in_axis = per_tensor(c, "scan_input_axes", s.scanned);
  const auto in_back = per_tensor(c, "scan_input_directions", s.scanned);
  const auto out_axis = per_tensor(c, "scan_output_axes", s.collected);
  const auto out_back = per_tensor(c, "scan_output_directions", s.collected);
  int64_t steps = -1;
  for (size_t i = 0; i < s.scanned; ++i) {
    const ValueId v = c.in(s.carried + i);
    in_axis[i] = normal_axis(in_axis[i], c.b.rank(v), "scan_input_axes");
    const int64_t n = c.b.dim(v, in_axis[i]);
    if (steps >= 0 && n != steps) fail(OPMUX_E_INVALID, "scanned tensors have {} and {} steps", steps, n);
    steps = n;
  }
  std::vector<ValueId> args;
  for (size_t i = 0; i < s.carried + s.scanned; ++i) args.push_back(c.in(i));
  auto collected = run_scan(c, s, args, in_axis, in_back, steps);
  for (size_t i = 0; i < s.carried; ++i) c.out(i, args[i]);
  for (size_t i = 0; i < s.collected; ++i) {
    if (!c.wants(s.carried + i)) continue;
    if (out_back[i] != 0) std::reverse(collected[i].begin(), collected[i].end());
    c.out(s.carried + i, stacked(c, collected[i], out_axis[i]));
  }
}

// See NodeContext::out_counted.
void counted(NodeContext& c) {
  const int64_t axis = c.integer("axis"), n = c.b.ints(c.in(1), "the count").at(0);
  if (n < 0 || n > c.b.dim(c.in(0), axis))
    fail(OPMUX_E_FAULT, "the count is {}, it must be from 0 to {}", n, c.b.dim(c.in(0), axis));
  c.out(0, c.b.slice(c.in(0), axis, 0, n, 1));
}

constexpr Rule kRules[] = {{"If", if_rule}, {"Loop", loop}, {"Scan", scan}, {kCountedOp, counted}};

}  // namespace

std::span<const Rule> control_rules() { return kRules; }

}  // namespace opmux::onnx_import
