// SPDX-License-Identifier: Apache-2.0
// Each pass alone: what it makes of a small graph, and that the graph still computes the same on the
// reference.
#include "host/graph/passes/passes.hpp"

#include <gtest/gtest.h>

#include <random>

#include "host/graph/instance.hpp"
#include "host/graph/runtime.hpp"
#include "tests/support/paths.h"

namespace opmux {
namespace {

class Passes : public ::testing::Test {
 protected:
  static Policy on(const char* device) {
    Policy p;
    p.device = device;
    return p;
  }

  ValueId input(const char* name, std::initializer_list<int64_t> dims) {
    const ValueId v = graph.add_value(make_desc(OPMUX_F32, dims), name, StorageKind::kInput);
    graph.inputs.push_back({name, v});
    return v;
  }
  ValueId constant(std::initializer_list<int64_t> dims, uint32_t seed) {
    HostTensor t(make_desc(OPMUX_F32, dims));
    fill(t, seed);
    return graph.add_constant(std::move(t), "c");
  }
  static void fill(HostTensor& t, uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> unit(-1, 1);
    auto* p = reinterpret_cast<float*>(t.mutable_data());
    for (int64_t i = 0; i < element_count(t.desc()); ++i) p[i] = unit(random);
  }
  void output(ValueId v) { graph.outputs.push_back({"y" + std::to_string(graph.outputs.size()), v}); }

  // All outputs of a graph, one after another, on a device.
  std::vector<float> run(Graph g, const char* device) {
    const Router router(runtime.registry, runtime.kernels, on(device));
    std::vector<HostTensor> in, out;
    Ports ports;
    for (const Port& p : g.inputs) {
      in.emplace_back(make_desc(OPMUX_F32, dims_of(g.values[p.value].desc)));
      fill(in.back(), 100 + static_cast<uint32_t>(in.size()));
    }
    for (const Port& p : g.outputs) out.emplace_back(make_desc(OPMUX_F32, dims_of(g.values[p.value].desc)));
    for (HostTensor& t : in) ports.in.push_back(t.data());
    for (HostTensor& t : out) ports.out.push_back(t.mutable_data());
    std::vector<StateBuffer> states;
    Instance instance(compile(std::move(g), router, runtime.kernels, runtime.constants), runtime.constants,
                      states);
    instance.run(ports, nullptr);
    std::vector<float> all;
    for (const HostTensor& t : out) all.insert(all.end(), t.values<float>().begin(), t.values<float>().end());
    return all;
  }

  // The optimised graph; both forms must give the same on reference and CPU.
  Graph optimised(double bound = 1e-5) {
    Graph plain = graph, better = graph;
    finalise_outputs(plain);
    const Router router(runtime.registry, runtime.kernels, on("cpu"));
    optimise(better, router, runtime.evaluator);
    const auto want = run(plain, "reference");
    for (const char* device : {"reference", "cpu"}) {
      const auto have = run(better, device);
      EXPECT_EQ(have.size(), want.size());
      for (size_t i = 0; i < want.size(); ++i)
        EXPECT_NEAR(have[i], want[i], bound) << device << " element " << i;
    }
    return better;
  }

  static LoaderOptions host_plugins() {
    LoaderOptions o;
    o.plugins = {test::plugin_dir() + "/opmux_cpu.so", test::plugin_dir() + "/opmux_reference.so"};
    o.search = false;
    return o;
  }

  Runtime runtime{host_plugins()};
  Graph graph;
  GraphBuilder b{graph, nullptr};
};

TEST_F(Passes, AChainOfPointwiseNodesBecomesOne) {
  ValueId x = input("x", {3, 4}), z = input("z", {4});
  ValueId y = b.pointwise(OPMUX_FN_ADD, {x, z});
  y = b.pointwise(OPMUX_FN_TANH, {y});
  y = b.pointwise(OPMUX_FN_MUL, {y, b.scalar(OPMUX_F32, 3)});
  output(b.pointwise(OPMUX_FN_SUB, {y, x}));
  const Graph g = optimised();
  ASSERT_EQ(g.nodes.size(), 1u);
  EXPECT_EQ(g.nodes[0].progs[0].n_in, 2u);
  EXPECT_EQ(g.nodes[0].progs[0].insn.size(), 5u);  // the constant is one
}

TEST_F(Passes, AChainGoesOnAcrossAReshape) {
  ValueId x = input("x", {4, 6});
  ValueId y = b.pointwise(OPMUX_FN_EXP, {x});
  const int64_t dims[] = {2, 2, 6};
  y = b.reshape(y, dims);
  output(b.pointwise(OPMUX_FN_ADD, {y, input("z", {6})}));
  EXPECT_EQ(optimised().nodes.size(), 1u);
}

TEST_F(Passes, AResultThatTwoNodesReadIsNotComputedTwice) {
  ValueId x = input("x", {5});
  ValueId y = b.pointwise(OPMUX_FN_EXP, {x});
  output(b.pointwise(OPMUX_FN_NEG, {y}));
  output(b.pointwise(OPMUX_FN_ABS, {y}));
  EXPECT_EQ(optimised().nodes.size(), 3u);
}

TEST_F(Passes, AnOutputThatIsReadOnStaysAnOutput) {
  ValueId x = input("x", {5});
  ValueId y = b.pointwise(OPMUX_FN_EXP, {x});
  output(y);
  output(b.pointwise(OPMUX_FN_NEG, {y}));
  EXPECT_EQ(optimised().nodes.size(), 2u);
}

TEST_F(Passes, AnInputOrAViewAsOutputIsCopied) {
  ValueId x = input("x", {2, 3});
  const int64_t perm[] = {1, 0};
  output(x);
  output(b.permute(x, perm));
  output(constant({2}, 4));
  EXPECT_EQ(optimised().nodes.size(), 3u);
}

TEST_F(Passes, DeadNodesGoAndEqualNodesBecomeOne) {
  ValueId x = input("x", {4});
  (void)b.pointwise(OPMUX_FN_EXP, {x});
  ValueId a = b.matmul(x, constant({4, 4}, 1)), c = b.matmul(x, graph.nodes.back().in[1]);
  output(b.pointwise(OPMUX_FN_ADD, {a, c}));
  const Graph g = optimised();
  int matmuls = 0;
  for (const Node& n : g.nodes) matmuls += n.op == OPMUX_OP_MATMUL;
  EXPECT_EQ(matmuls, 1);
}

TEST_F(Passes, BiasAndActivationBecomeTheEpilogueAcrossTheFoldedBatch) {
  ValueId x = input("x", {2, 3, 4});
  ValueId y = b.matmul(x, constant({4, 5}, 1));
  y = b.pointwise(OPMUX_FN_ADD, {y, constant({5}, 2)});
  y = b.pointwise(OPMUX_FN_RELU, {y});
  output(b.pointwise(OPMUX_FN_ADD, {y, input("r", {2, 3, 5})}));
  const Graph g = optimised();
  ASSERT_EQ(g.nodes.size(), 1u);
  EXPECT_EQ(g.nodes[0].op, OPMUX_OP_MATMUL);
  EXPECT_EQ(g.nodes[0].progs[0].n_in, 3u);
}

ValueId conv(GraphBuilder& b, ValueId x, ValueId w) {
  Node n;
  n.op = OPMUX_OP_CONV;
  n.in = {x, w};
  opmux_op_conv d{};
  d.group = 1;
  d.acc_dtype = OPMUX_F32;
  const int64_t ones[] = {1, 1}, pads[] = {1, 1, 1, 1};
  d.stride = n.add_list(ones);
  d.dilation = n.add_list(ones);
  d.pad = n.add_list(pads);
  n.set(d);
  return b.emit(std::move(n));
}

TEST_F(Passes, AScalePerChannelFoldsIntoTheWeights) {
  ValueId x = input("x", {1, 3, 5, 5});
  ValueId y = conv(b, x, constant({4, 3, 3, 3}, 1));
  y = b.pointwise(OPMUX_FN_MUL, {y, constant({4, 1, 1}, 2)});
  y = b.pointwise(OPMUX_FN_ADD, {y, constant({4, 1, 1}, 3)});
  output(b.pointwise(OPMUX_FN_RELU, {y}));
  const Graph g = optimised();
  ASSERT_EQ(g.nodes.size(), 1u);
  ASSERT_EQ(g.nodes[0].op, OPMUX_OP_CONV);
  EXPECT_EQ(g.nodes[0].progs[0].insn.size(), 2u);  // add, relu
  EXPECT_EQ(g.nodes[0].progs[0].n_in, 2u);
}

TEST_F(Passes, ConcatPartsAreWrittenInPlace) {
  ValueId x = input("x", {1, 2, 4, 4});
  ValueId parts[] = {conv(b, x, constant({3, 2, 3, 3}, 1)), conv(b, x, constant({5, 2, 3, 3}, 2)), x};
  ValueId y = b.concat(parts, 1);
  output(b.pointwise(OPMUX_FN_RELU, {y}));
  const Graph g = optimised();
  int copies = 0;
  for (const Node& n : g.nodes) copies += n.op == OPMUX_OP_COPY;
  EXPECT_EQ(copies, 1) << "only the input is copied";
}

TEST_F(Passes, RandomPointwiseGraphsKeepTheirMeaning) {
  const uint32_t unary[] = {OPMUX_FN_NEG, OPMUX_FN_ABS, OPMUX_FN_TANH, OPMUX_FN_RELU};
  const uint32_t binary[] = {OPMUX_FN_ADD, OPMUX_FN_SUB, OPMUX_FN_MIN, OPMUX_FN_MAX};
  for (uint32_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    graph = {};
    std::vector<ValueId> values{input("a", {2, 6}), input("b", {6}), constant({2, 1}, seed)};
    for (int i = 0; i < 25; ++i) {
      const ValueId u = values[random() % values.size()], v = values[random() % values.size()];
      const bool two = random() % 2;
      values.push_back(two ? b.pointwise(binary[random() % 4], {u, v})
                           : b.pointwise(unary[random() % 4], {u}));
    }
    output(values.back());
    output(values[values.size() / 2]);
    (void)optimised();
  }
}

}  // namespace
}  // namespace opmux
