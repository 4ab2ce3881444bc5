// SPDX-License-Identifier: Apache-2.0
// Work side by side, on mock cards whose clocks run beside the host's.
#include "host/graph/lanes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "host/graph/instance.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/runtime.hpp"
#include "host/platform/clock.hpp"
#include "host/platform/error.hpp"
#include "tests/support/mocks.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/two_threads.hpp"

namespace opmux {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr int kTimes = 7;  // runs, the fastest counts: sleepers wake late on a busy machine

struct Ran {
  std::shared_ptr<const CompiledGraph> plan;
  std::vector<std::vector<float>> outputs;
  double least_ms = 1e9;
};

Ran run(Runtime& runtime, Graph graph, const char* device, const std::vector<HostTensor>& inputs,
        int times = kTimes) {
  Policy policy;
  policy.device = device;
  const Router router(runtime.registry, runtime.kernels, policy, &runtime.links);
  Ran out{compile(std::move(graph), router, runtime.kernels, runtime.constants), {}};
  std::vector<StateBuffer> states;
  Instance instance(out.plan, runtime.constants, states);
  Ports ports;
  std::vector<HostTensor> results;
  for (const HostTensor& t : inputs) ports.in.push_back(t.data());
  for (const Port& p : out.plan->graph.outputs) {
    const opmux_tdesc& d = out.plan->graph.values[p.value].desc;
    results.emplace_back(make_desc(d.dtype, dims_of(d)));
    ports.out.push_back(results.back().mutable_data());
  }
  for (int k = 0; k < times; ++k) {
    const uint64_t begin = now_ns();
    instance.run(ports, nullptr);
    out.least_ms = std::min(out.least_ms, static_cast<double>(now_ns() - begin) / kMs);
  }
  for (const HostTensor& t : results) {
    const auto v = t.values<float>();
    out.outputs.emplace_back(v.begin(), v.end());
  }
  return out;
}

LoaderOptions cards(std::map<std::string, std::string> config) {
  LoaderOptions options = test::only_mock("slow");
  for (const auto& [key, value] : config) options.config["slow." + key] = value;
  return options;
}

// y = exp^n(x) + x w^n: one branch of pointwise nodes, one of products.
Graph two_branches(int n) {
  Graph g;
  GraphBuilder b(g, nullptr);
  const ValueId x = g.add_value(make_desc(OPMUX_F32, {8, 8}), "x", StorageKind::kInput);
  g.inputs.push_back({"x", x});
  const ValueId w = g.add_constant(test::random_tensor({8, 8}, 5, 0.2f), "w");
  ValueId e = x, m = x;
  for (int k = 0; k < n; ++k) e = b.pointwise(OPMUX_FN_TANH, {e});
  for (int k = 0; k < n; ++k) m = b.matmul(m, w);
  g.outputs.push_back({"y", b.pointwise(OPMUX_FN_ADD, {e, m})});
  finalise_outputs(g);
  return g;
}

TEST(Lanes, BranchesRunOnTwoCardsAtOnce) {
  Runtime runtime(cards({{"launch_ns", "4000000"},
                         {"slow_factor", "10"},
                         {"slow_ops_0", "matmul"},
                         {"slow_ops_1", "pointwise"}}));
  const std::vector<HostTensor> x = {test::random_tensor({8, 8}, 6, 0.2f)};
  const Ran both = run(runtime, two_branches(6), "auto", x);
  for (uint32_t i = 0; i < both.plan->graph.nodes.size(); ++i) {
    const bool product = both.plan->graph.nodes[i].op == OPMUX_OP_MATMUL;
    EXPECT_EQ(both.plan->choices[i].route->alias(), product ? "slow:1" : "slow:0") << i;
  }
  EXPECT_GT(both.plan->lanes, 1u);
  // Branches of 24 ms each, then a sum of 4 ms: 52 ms one after the other.
  EXPECT_GE(both.least_ms, 28);
  EXPECT_LE(both.least_ms, 28 + 0.2 * 24);
  EXPECT_NEAR(both.plan->decision.predicted_ns / kMs, 28, 3);
  const Ran alone = run(runtime, two_branches(6), "slow:0", x, 1);
  EXPECT_GE(alone.least_ms, 6 * 40 + 7 * 4);
  EXPECT_EQ(both.outputs, alone.outputs);
}

// y = sum over k of max |x_k|, for ten inputs, added up one after the other.
Graph ten_parts() {
  Graph g;
  GraphBuilder b(g, nullptr);
  ValueId sum = kNone;
  for (int k = 0; k < 10; ++k) {
    const std::string name = "x" + std::to_string(k);
    const ValueId x = g.add_value(make_desc(OPMUX_F32, {4, 8}), name, StorageKind::kInput);
    g.inputs.push_back({name, x});
    const int64_t axes[] = {1};
    const ValueId y = b.reduce(OPMUX_REDUCE_MAX, b.pointwise(OPMUX_FN_ABS, {x}), axes, false);
    sum = sum == kNone ? y : b.pointwise(OPMUX_FN_ADD, {sum, y});
  }
  g.outputs.push_back({"y", sum});
  finalise_outputs(g);
  return g;
}

TEST(Lanes, CopiesHideBehindKernels) {
  // On one card, whose copies have a clock of their own: eleven of 6 ms, and 29 launches of 2 ms.
  const double copies = 11 * 6, kernels = 29 * 2;
  Runtime runtime(cards({{"launch_ns", "2000000"}, {"copy_latency_ns", "6000000"}, {"copy_engine", "1"}}));
  std::vector<HostTensor> x;
  for (uint32_t k = 0; k < 10; ++k) x.push_back(test::random_tensor({4, 8}, k, 0.2f));
  const Ran r = run(runtime, ten_parts(), "slow:0", x);
  EXPECT_GT(r.plan->lanes, 1u);
  EXPECT_GE(r.least_ms, copies + 6) << "the last part is computed when it is there";
  const double hidden = (copies + kernels - r.least_ms) / std::min(copies, kernels);
  std::printf("%.0f ms of copies and %.0f ms of kernels took %.1f ms: %.0f %% of the smaller are hidden\n",
              copies, kernels, r.least_ms, 100 * hidden);
  EXPECT_GE(hidden, 0.8);
  for (size_t row = 0; row < 4; ++row) {
    float sum = 0;
    for (uint32_t k = 0; k < 10; ++k) {
      float most = 0;
      for (size_t i = 0; i < 8; ++i) most = std::max(most, std::abs(x[k].values<float>()[row * 8 + i]));
      sum += most;
    }
    EXPECT_FLOAT_EQ(r.outputs[0][row], sum);
  }
}

TEST(Lanes, AChainIsDoneStepByStep) {
  Graph g;
  GraphBuilder b(g, nullptr);
  ValueId x = g.add_value(make_desc(OPMUX_F32, {8}), "x", StorageKind::kInput);
  g.inputs.push_back({"x", x});
  for (int k = 0; k < 4; ++k) x = b.pointwise(OPMUX_FN_TANH, {x});
  g.outputs.push_back({"y", x});
  finalise_outputs(g);
  Runtime runtime(cards({{"launch_ns", "100000"}}));
  EXPECT_EQ(run(runtime, g, "slow:0", {test::random_tensor({8}, 1, 0.2f)}, 1).plan->lanes, 1u);
}

// Steps that only count: the order is kept, and a failure stops all.
CompiledGraph steps(std::vector<std::pair<uint32_t, std::vector<uint32_t>>> lanes_and_after) {
  CompiledGraph plan;
  for (auto& [lane, after] : lanes_and_after) {
    Step s;
    s.lane = lane;
    s.after = after;
    plan.lanes = std::max(plan.lanes, lane + 1);
    plan.steps.push_back(s);
  }
  for (auto& [lane, after] : lanes_and_after) {
    for (uint32_t a : after) plan.steps[a].awaited = true;
  }
  return plan;
}

TEST(Lanes, StepsWaitForThoseOfOtherLanesInEveryRun) {
  const CompiledGraph plan = steps({{0, {}}, {1, {0}}, {2, {0}}, {0, {1, 2}}, {1, {3}}, {2, {4}}});
  Lanes lanes(plan);
  for (int k = 0; k < 2000; ++k) {
    std::atomic<uint32_t> clock{0};
    std::vector<uint32_t> at(plan.steps.size());
    lanes.run([&](uint32_t i) { at[i] = ++clock; });
    for (uint32_t i = 0; i < at.size(); ++i) {
      for (uint32_t a : plan.steps[i].after) ASSERT_LT(at[a], at[i]);
    }
    ASSERT_EQ(clock.load(), 6u);
  }
}

TEST(Lanes, AFailureStopsEveryLaneAndTheNextRunIsWhole) {
  const CompiledGraph plan = steps({{0, {}}, {1, {0}}, {2, {1}}, {0, {2}}});
  Lanes lanes(plan);
  for (uint32_t bad = 0; bad < 4; ++bad) {
    std::atomic<uint32_t> done{0};
    EXPECT_THROW(lanes.run([&](uint32_t i) {
      if (i == bad) fail(OPMUX_E_INTERNAL, "step {}", i);
      ++done;
    }),
                 Error);
    EXPECT_EQ(done.load(), bad);
    done = 0;
    lanes.run([&](uint32_t) { ++done; });
    EXPECT_EQ(done.load(), 4u);
  }
}

}  // namespace
}  // namespace opmux
