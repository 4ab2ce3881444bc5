// SPDX-License-Identifier: Apache-2.0
// Graphs over several cards: mock plugins that compute what the reference does and say what they cost.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "host/graph/instance.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/runtime.hpp"
#include "tests/support/mocks.hpp"
#include "tests/support/paths.h"

namespace opmux {
namespace {

constexpr uint64_t kLaunchNs = 1'000'000;  // what an operator costs on a card, and how much slowed ones
constexpr uint64_t kFactor = 100;

std::string plugin(const char* name) { return test::plugin_dir() + "/opmux_" + name + ".so"; }

// y = sum over rows of exp(exp(x w) w), and the graph's operators by their names.
struct Model {
  Graph graph;

  Model() {
    GraphBuilder b(graph, nullptr);
    const ValueId x = graph.add_value(make_desc(OPMUX_F32, {8, 8}), "x", StorageKind::kInput);
    graph.inputs.push_back({"x", x});
    HostTensor t(make_desc(OPMUX_F32, {8, 8}));
    fill(t, 5);
    const ValueId w = graph.add_constant(std::move(t), "w");
    ValueId y = b.pointwise(OPMUX_FN_EXP, {b.matmul(x, w)});
    y = b.pointwise(OPMUX_FN_EXP, {b.matmul(y, w)});
    const int64_t axes[] = {0};
    y = b.reduce(OPMUX_REDUCE_SUM, y, axes, false);
    graph.outputs.push_back({"y", y});
    finalise_outputs(graph);
  }

  static void fill(HostTensor& t, uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> unit(-0.2f, 0.2f);
    auto* p = reinterpret_cast<float*>(t.mutable_data());
    for (int64_t i = 0; i < element_count(t.desc()); ++i) p[i] = unit(random);
  }
};

std::shared_ptr<const CompiledGraph> compile_on(Runtime& runtime, const char* device) {
  Policy policy;
  policy.device = device;
  const Router router(runtime.registry, runtime.kernels, policy, &runtime.links);
  return compile(Model().graph, router, runtime.kernels, runtime.constants);
}

std::vector<float> run(Runtime& runtime, std::shared_ptr<const CompiledGraph> plan) {
  HostTensor x(make_desc(OPMUX_F32, {8, 8})), y(make_desc(OPMUX_F32, {8}));
  Model::fill(x, 6);
  std::vector<StateBuffer> states;
  Instance instance(std::move(plan), runtime.constants, states);
  Ports ports;
  ports.in = {x.data()};
  ports.out = {y.mutable_data()};
  instance.run(ports, nullptr);
  const auto values = y.values<float>();
  return {values.begin(), values.end()};
}

LoaderOptions two_cards(const std::string& slow_0, const std::string& slow_1) {
  LoaderOptions options = test::only_mock("slow");
  options.config = {{"slow.launch_ns", std::to_string(kLaunchNs)},
                    {"slow.slow_factor", std::to_string(kFactor)},
                    {"slow.slow_ops_0", slow_0},
                    {"slow.slow_ops_1", slow_1}};
  return options;
}

TEST(Price, ExactlyTheOperatorsThatAreSlowedMoveAway) {
  const char* const kOps[] = {"matmul", "pointwise", "reduce"};
  for (uint32_t set = 0; set < 8; ++set) {
    std::string slowed[2];  // those of the set on card 0, all others on card 1
    for (uint32_t k = 0; k < 3; ++k) {
      std::string& list = slowed[(set >> k & 1) != 0 ? 0 : 1];
      list += (list.empty() ? "" : ",") + std::string(kOps[k]);
    }
    Runtime runtime(two_cards(slowed[0], slowed[1]));
    const auto plan = compile_on(runtime, "auto");
    ASSERT_EQ(plan->graph.nodes.size(), 5u);
    for (uint32_t i = 0; i < plan->graph.nodes.size(); ++i) {
      const std::string op = schema::find(plan->graph.nodes[i].op)->name;
      const bool away = slowed[0].find(op) != std::string::npos;
      EXPECT_EQ(plan->choices[i].route->alias(), away ? "slow:1" : "slow:0")
          << op << ", slowed: " << slowed[0];
    }
    const Decision& d = plan->decision;
    EXPECT_EQ(d.by, "price");
    EXPECT_TRUE(d.exact);
    EXPECT_EQ(d.split, set != 0 && set != 7);
    EXPECT_GE(d.predicted_ns, 5 * kLaunchNs) << "five launches and the copies";
    EXPECT_LT(d.predicted_ns, (5 + kFactor) * kLaunchNs);
    EXPECT_EQ(run(runtime, plan), run(runtime, compile_on(runtime, "slow:0"))) << slowed[0];
  }
}

TEST(Price, EqualPricesStayOnThePreferredCard) {
  Runtime runtime(two_cards("", ""));
  const auto plan = compile_on(runtime, "auto");
  for (const Choice& c : plan->choices) {
    EXPECT_EQ(c.route->alias(), "slow:0");
    ASSERT_EQ(c.offers.size(), 1u);
    EXPECT_EQ(c.offers[0].route->alias(), "slow:1");
    EXPECT_EQ(c.offers[0].cost_ns, kLaunchNs);
    EXPECT_EQ(c.reason, "least price; slow:1 asks 1.0 ms");
  }
  EXPECT_FALSE(plan->decision.split);
}

TEST(Price, WhatACardRefusesGoesToTheOtherWithTheReasonKept) {
  LoaderOptions options = test::only({test::mock("slow"), test::mock("picky")});
  options.config = {{"picky.refuse", "reduce"}, {"slow.launch_ns", "50000000"}};
  Runtime runtime(options);
  const auto plan = compile_on(runtime, "auto");
  for (uint32_t i = 0; i < plan->graph.nodes.size(); ++i) {
    const Choice& c = plan->choices[i];
    const bool refused = std::string(schema::find(plan->graph.nodes[i].op)->name) == "reduce";
    EXPECT_EQ(c.route->alias(), refused ? "slow:0" : "picky:0") << i;
    if (!refused) continue;
    ASSERT_EQ(c.refused.size(), 1u);
    EXPECT_EQ(c.refused[0].reason, "picky:0 refused REDUCE: it has no such operator");
  }
}

TEST(Price, WhatEveryCardRefusesIsAnErrorThatNamesTheNodeAndAllReasons) {
  LoaderOptions options = test::only({test::mock("slow"), test::mock("picky")});
  options.config = {{"picky.refuse", "reduce"}, {"slow.refuse", "reduce"}};
  Runtime runtime(options);
  try {
    compile_on(runtime, "auto");
    FAIL() << "reduce was placed";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), OPMUX_E_UNSUPPORTED);
    for (const char* part : {"1 of 5 nodes cannot run on any device", "(reduce)", "picky:0 refused REDUCE",
                             "slow:0 refused REDUCE", "slow:1 refused REDUCE"})
      EXPECT_NE(e.text().find(part), std::string::npos) << part << " in: " << e.text();
  }
}

// A route on the CPU's cores that claims a nanosecond for everything gets nothing that the CPU's own takes.
TEST(Price, RoutesOnTheCpusCoresAreNoChoiceAmongEachOther) {
  {
    Runtime runtime(test::only({plugin("cpu"), test::mock("liar")}));
    const auto plan = compile_on(runtime, "auto");
    EXPECT_EQ(plan->decision.by, "preference");
    for (const Choice& c : plan->choices) EXPECT_EQ(c.route->alias(), "cpu");
  }
  Runtime runtime(test::only({plugin("cpu"), test::mock("liar"), test::mock("slow")}));
  const auto plan = compile_on(runtime, "auto");
  EXPECT_EQ(plan->decision.by, "price");
  for (const Choice& c : plan->choices) {
    EXPECT_EQ(c.route->alias(), "cpu") << "a card asks a millisecond for each";
    EXPECT_EQ(c.offers.size(), 2u) << "the two cards'";
  }
}

TEST(Price, ANamedDeviceIsTakenWhateverItCosts) {
  Runtime runtime(two_cards("matmul,pointwise,reduce", ""));
  const auto plan = compile_on(runtime, "slow:0");
  EXPECT_EQ(plan->decision.by, "device");
  for (const Choice& c : plan->choices) EXPECT_EQ(c.route->alias(), "slow:0");
}

TEST(Price, ACardWithSlowCopiesGetsNothingThatDoesNotPayForThem) {
  LoaderOptions options = test::only({plugin("cpu"), test::mock("slow")});
  options.config = {{"slow.launch_ns", "1"}, {"slow.copy_latency_ns", "20000000"}};
  Runtime runtime(options);
  const auto plan = compile_on(runtime, "auto");
  for (const Choice& c : plan->choices) {
    EXPECT_EQ(c.route->alias(), "cpu");
    EXPECT_EQ(c.reason, "slow:0 asks 1.0 ns, which does not pay with its copies");
  }
}

}  // namespace
}  // namespace opmux
