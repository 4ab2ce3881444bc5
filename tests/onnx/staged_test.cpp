// SPDX-License-Identifier: Apache-2.0
// Models whose shapes, branches or loops depend on data, run as an application runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/graph/run_context.hpp"
#include "host/onnx/read.hpp"
#include "tests/onnx/evaluate.hpp"
#include "tests/support/paths.h"

namespace opmux {
namespace {

using onnx::TensorProto;
using test::floats;
using test::ints;
using test::ModelWriter;
using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<Runtime> runtime() {
  static const auto shared = [] {
    LoaderOptions o;
    o.plugins = {test::plugin_dir() + "/opmux_cpu.so", test::plugin_dir() + "/opmux_reference.so"};
    o.search = false;
    o.probe = false;
    o.use_cache = false;
    return std::make_shared<Runtime>(o);
  }();
  return shared;
}

HostTensor flag(bool value) {
  const uint8_t byte = value;
  return HostTensor::of<uint8_t>(OPMUX_BOOL, {}, {&byte, 1});
}

// A model with a plan and a run context; called with inputs it gives the outputs.
class Program {
 public:
  explicit Program(const ModelWriter& w, bool profile = false)
      : model_(std::make_shared<Model>(runtime(), test::read(w))) {
    PlanOptions options;
    options.policy.device = "cpu";
    options.profile = profile;
    plan_ = std::make_shared<Plan>(model_, options);
    context_ = std::make_unique<RunContext>(plan_);
  }

  std::vector<HostTensor> operator()(const std::vector<HostTensor>& inputs) {
    for (uint32_t i = 0; i < inputs.size(); ++i) {
      context_->bind_input(i, {inputs[i].desc(), const_cast<std::byte*>(inputs[i].data())});
    }
    context_->run();
    std::vector<HostTensor> out;
    for (uint32_t i = 0; i < model_->outputs().size(); ++i) {
      const opmux_tensor t = context_->output(i);
      HostTensor copy(t.desc);
      copy_strided(copy.desc(), copy.mutable_data(), t.desc, static_cast<const std::byte*>(t.data));
      out.push_back(std::move(copy));
    }
    return out;
  }
  Plan& plan() { return *plan_; }
  RunContext& context() { return *context_; }
  // Compiled graphs that the last run went through.
  int stages() const { return nlohmann::json::parse(context_->report())["stages"].get<int>(); }

 private:
  std::shared_ptr<Model> model_;
  std::shared_ptr<Plan> plan_;
  std::unique_ptr<RunContext> context_;
};

// A sub-graph: nodes as the writer has them, all its ports f32 unless told otherwise.
onnx::GraphProto graph(const std::vector<std::pair<std::string, int>>& inputs,
                       const std::vector<std::pair<std::string, int>>& outputs, ModelWriter nodes) {
  onnx::GraphProto g = nodes.proto().graph();
  g.set_name("body");
  const auto add = [](onnx::ValueInfoProto* v, const std::string& name, int type) {
    v->set_name(name);
    v->mutable_type()->mutable_tensor_type()->set_elem_type(type);
  };
  for (const auto& [name, type] : inputs) add(g.add_input(), name, type);
  for (const auto& [name, type] : outputs) add(g.add_output(), name, type);
  return g;
}

constexpr int kFloat = TensorProto::FLOAT, kInt = TensorProto::INT64, kBool = TensorProto::BOOL;

TEST(Staged, AShapeGivenAsAnInputIsReadAndAnotherOneServesToo) {
  ModelWriter w;
  w.input("x", kFloat, {"N"}).input("shape", kInt, {"R"});
  w.node("Neg", {"x"}, {"n"}).node("Reshape", {"n", "shape"}, {"y"}).output("y");
  Program run(w);
  const HostTensor x = floats({6}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(to_string(run({x, ints({2}, {2, -1})})[0].desc()), "f32[2,3]");
  EXPECT_EQ(to_string(run({x, ints({3}, {3, 1, 2})})[0].desc()), "f32[3,1,2]");
  EXPECT_THAT(run({x, ints({1}, {6})})[0].to_double(), ElementsAre(-1, -2, -3, -4, -5, -6));
}

TEST(Staged, TheSameContentsCompileNothingAnew) {
  ModelWriter w;
  w.input("x", kFloat, {"N"}).input("k", kInt, {"1"});
  w.node("Expand", {"x", "k"}, {"e"}).node("Exp", {"e"}, {"y"}).output("y");
  Program run(w);
  const HostTensor x = floats({1}, {0});
  run({x, ints({1}, {3})});
  run({x, ints({1}, {5})});
  const auto before = runtime()->kernels.stats();
  EXPECT_THAT(run({x, ints({1}, {3})})[0].to_double(), ElementsAre(1, 1, 1));
  EXPECT_THAT(run({floats({1}, {0}), ints({1}, {5})})[0].to_double(), ElementsAre(1, 1, 1, 1, 1));
  const auto after = runtime()->kernels.stats();
  EXPECT_EQ(after.queries, before.queries);
  EXPECT_EQ(after.prepares, before.prepares);
}

TEST(Staged, AnExtentComputedByNodesIsReadBetweenTwoStages) {
  ModelWriter w;
  w.input("x", kFloat, {"N"});
  w.node("ReduceSum", {"x"}, {"sum"}).node("Cast", {"sum"}, {"n"}, {{"to", kInt}});
  w.ints("one", {1}, {1}).node("Reshape", {"n", "one"}, {"dims"});
  w.node("ConstantOfShape", {"dims"}, {"z"}).node("Add", {"z", "sum"}, {"y"}).output("y");
  Program run(w);
  EXPECT_THAT(run({floats({2}, {1, 2})})[0].to_double(), ElementsAre(3, 3, 3));
  EXPECT_THAT(run({floats({2}, {0, 1})})[0].to_double(), ElementsAre(1));
  EXPECT_TRUE(run({floats({2}, {0, 0})})[0].to_double().empty());
  EXPECT_EQ(run.stages(), 2);
}

TEST(Staged, NonZeroHasAsManyResultsAsTheDataSay) {
  ModelWriter w;
  w.input("x", kFloat, {"N"}).node("NonZero", {"x"}, {"at"}).node("Transpose", {"at"}, {"rows"});
  w.node("GatherND", {"x", "rows"}, {"picked"}).node("Neg", {"picked"}, {"y"}).output("y");
  Program run(w);
  EXPECT_THAT(run({floats({4}, {0, 3, 0, 4})})[0].to_double(), ElementsAre(-3, -4));
  EXPECT_THAT(run({floats({4}, {1, 0, 0, 0})})[0].to_double(), ElementsAre(-1));
  EXPECT_EQ(to_string(run({floats({4}, {0, 0, 0, 0})})[0].desc()), "f32[0]");
}

TEST(Staged, LengthsThatOnlyReverseAreDataAndACompiledModelServesThemAll) {
  ModelWriter w;
  w.input("x", kFloat, {"2", "3"}).input("n", kInt, {"2"});
  w.node("ReverseSequence", {"x", "n"}, {"y"}, {{"time_axis", 1}, {"batch_axis", 0}}).output("y");
  Program run(w);
  const HostTensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(run({x, ints({2}, {3, 2})})[0].to_double(), ElementsAre(3, 2, 1, 5, 4, 6));
  EXPECT_THAT(run({x, ints({2}, {0, 1})})[0].to_double(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_FALSE(nlohmann::json::parse(run.context().report()).contains("stages"));
  for (int64_t wrong : {4, -1}) {
    EXPECT_THAT(test::sentence_of([&] { run({x, ints({2}, {1, wrong})}); }), HasSubstr("is outside"));
  }
}

// s = 0; for i: s += x[i .. i + 1].
TEST(Staged, ASliceAtTheStepOfALoopIsTakenAnewInEveryStep) {
  ModelWriter body, w;
  body.ints("one", {}, {1}).ints("front", {1}, {0}).node("Add", {"i", "one"}, {"j"});
  body.node("Unsqueeze", {"i", "front"}, {"from"}).node("Unsqueeze", {"j", "front"}, {"to"});
  body.node("Slice", {"x", "from", "to", "front"}, {"part"}).node("Add", {"s", "part"}, {"s2"});
  body.node("Identity", {"go_in"}, {"go"});
  w.input("x", kFloat, {"N"}).input("most", kInt, {}).input("start", kFloat, {"1"});
  const auto b = graph({{"i", kInt}, {"go_in", kBool}, {"s", kFloat}}, {{"go", kBool}, {"s2", kFloat}}, body);
  w.node("Loop", {"most", "", "start"}, {"y"}, {{"body", b}}).output("y");
  Program run(w);
  HostTensor x(make_desc(OPMUX_F32, {200}));
  for (int i = 0; i < 200; ++i) reinterpret_cast<float*>(x.mutable_data())[i] = static_cast<float>(i);
  EXPECT_THAT(run({x, ints({}, {200}), floats({1}, {1})})[0].to_double(), ElementsAre(1 + 199 * 100));
}

TEST(Staged, CompressTakesAsManyRowsAsTheConditionSays) {
  ModelWriter w;
  w.input("x", kFloat, {"N"}).input("low", kFloat, {}).node("Greater", {"x", "low"}, {"c"});
  w.node("Compress", {"x", "c"}, {"picked"}, {{"axis", 0}}).node("Neg", {"picked"}, {"y"}).output("y");
  Program run(w);
  EXPECT_THAT(run({floats({4}, {1, 3, 2, 4}), floats({}, {2})})[0].to_double(), ElementsAre(-3, -4));
  EXPECT_THAT(run({floats({4}, {1, 3, 2, 4}), floats({}, {1})})[0].to_double(), ElementsAre(-3, -2, -4));
  EXPECT_EQ(to_string(run({floats({2}, {1, 3}), floats({}, {9})})[0].desc()), "f32[0]");
}

TEST(Staged, UniqueHasAsManyResultsAsThereAreDifferentElements) {
  ModelWriter w;
  w.input("x", kFloat, {"N"}).node("Unique", {"x"}, {"u", "", "inverse", "counts"});
  w.node("Neg", {"u"}, {"y"}).output("y").output("inverse").output("counts");
  Program run(w);
  const auto have = run({floats({5}, {7, 3, 7, 7, 3})});
  EXPECT_THAT(have[0].to_double(), ElementsAre(-3, -7));
  EXPECT_THAT(have[1].to_double(), ElementsAre(1, 0, 1, 1, 0));
  EXPECT_THAT(have[2].to_double(), ElementsAre(2, 3));
  EXPECT_THAT(run({floats({2}, {1, 1})})[0].to_double(), ElementsAre(-1));
}

TEST(Staged, TopKTakesAsManyAsAnInputSays) {
  ModelWriter w;
  w.input("x", kFloat, {"N"}).input("k", kInt, {"1"}).node("TopK", {"x", "k"}, {"y", "at"});
  w.output("y").output("at");
  Program run(w);
  const auto have = run({floats({4}, {1, 3, 2, 3}), ints({1}, {3})});
  EXPECT_THAT(have[0].to_double(), ElementsAre(3, 3, 2));
  EXPECT_THAT(have[1].to_double(), ElementsAre(1, 3, 2));
  EXPECT_THAT(run({floats({4}, {1, 3, 2, 3}), ints({1}, {1})})[0].to_double(), ElementsAre(3));
}

TEST(Staged, ABranchIsChosenByDataAndMayHaveAnotherShape) {
  ModelWriter one, two, w;
  one.node("Neg", {"x"}, {"a"});
  two.node("Concat", {"x", "x"}, {"b"}, {{"axis", 0}});
  w.input("x", kFloat, {"N"}).node("ReduceMax", {"x"}, {"most"}, {{"keepdims", 0}});
  w.floats("limit", {}, {2}).node("Greater", {"most", "limit"}, {"c"});
  w.node(
      "If", {"c"}, {"y"},
      {{"then_branch", graph({}, {{"a", kFloat}}, one)}, {"else_branch", graph({}, {{"b", kFloat}}, two)}});
  w.output("y");
  Program run(w);
  EXPECT_THAT(run({floats({2}, {1, 3})})[0].to_double(), ElementsAre(-1, -3));
  EXPECT_THAT(run({floats({2}, {1, 2})})[0].to_double(), ElementsAre(1, 2, 1, 2));
}

// sum = 0; while sum < limit: sum += x; the sums are collected.
ModelWriter counting_loop() {
  ModelWriter body, w;
  body.node("Add", {"s", "x"}, {"s2"})
      .node("Less", {"s2", "limit"}, {"go"})
      .node("Identity", {"s2"}, {"each"});
  w.input("x", kFloat, {"N"}).input("limit", kFloat, {}).input("most", kInt, {});
  w.node("Mul", {"x", "x"}, {"squares"}).floats("zero", {1}, {0}).node("Mul", {"x", "zero"}, {"start"});
  const auto b = graph({{"i", kInt}, {"go_in", kBool}, {"s", kFloat}},
                       {{"go", kBool}, {"s2", kFloat}, {"each", kFloat}}, body);
  w.node("Loop", {"most", "", "start"}, {"last", "all"}, {{"body", b}});
  return w.output("last").output("all");
}

TEST(Staged, ALoopGoesOnAsLongAsItsConditionAndItsCountSay) {
  Program run(counting_loop());
  const HostTensor x = floats({1}, {3});
  auto y = run({x, floats({}, {10}), ints({}, {100})});
  EXPECT_THAT(y[0].to_double(), ElementsAre(12));
  EXPECT_EQ(to_string(y[1].desc()), "f32[4,1]");
  EXPECT_THAT(y[1].to_double(), ElementsAre(3, 6, 9, 12));
  EXPECT_THAT(run({x, floats({}, {10}), ints({}, {2})})[1].to_double(), ElementsAre(3, 6));
  EXPECT_THAT(run({x, floats({}, {100}), ints({}, {0})})[0].to_double(), ElementsAre(0));
}

TEST(Staged, StepsOfALoopShareOneCompiledBody) {
  Program run(counting_loop());
  run({floats({1}, {1}), floats({}, {3}), ints({}, {100})});
  const auto before = runtime()->kernels.stats();
  EXPECT_THAT(run({floats({1}, {1}), floats({}, {500}), ints({}, {1000})})[0].to_double(), ElementsAre(500));
  EXPECT_EQ(runtime()->kernels.stats().queries, before.queries);
}

TEST(Staged, ACarriedValueMayGrowFromStepToStep) {
  ModelWriter body, w;
  body.node("Concat", {"s", "x"}, {"s2"}, {{"axis", 0}}).node("Identity", {"go_in"}, {"go"});
  w.input("x", kFloat, {"1"}).input("most", kInt, {}).node("Neg", {"x"}, {"start"});
  const auto b = graph({{"i", kInt}, {"go_in", kBool}, {"s", kFloat}}, {{"go", kBool}, {"s2", kFloat}}, body);
  w.node("Loop", {"most", "", "start"}, {"y"}, {{"body", b}}).output("y");
  Program run(w);
  EXPECT_THAT(run({floats({1}, {3}), ints({}, {3})})[0].to_double(), ElementsAre(-3, 3, 3, 3));
}

TEST(Staged, LoopsAndBranchesNestAndSeeOuterNames) {
  ModelWriter even, odd, body, w;
  even.node("Add", {"s", "x"}, {"t"});
  odd.node("Sub", {"s", "half"}, {"f"});
  body.ints("two", {}, {2}).ints("nothing", {}, {0});
  body.node("Mod", {"i", "two"}, {"r"}).node("Equal", {"r", "nothing"}, {"is_even"});
  body.node(
      "If", {"is_even"}, {"s2"},
      {{"then_branch", graph({}, {{"t", kFloat}}, even)}, {"else_branch", graph({}, {{"f", kFloat}}, odd)}});
  body.node("Identity", {"go_in"}, {"go"});
  w.input("x", kFloat, {"1"})
      .input("most", kInt, {})
      .floats("h", {1}, {0.5f})
      .node("Mul", {"x", "h"}, {"half"});
  const auto b = graph({{"i", kInt}, {"go_in", kBool}, {"s", kFloat}}, {{"go", kBool}, {"s2", kFloat}}, body);
  w.node("Loop", {"most", "", "x"}, {"y"}, {{"body", b}}).output("y");
  Program run(w);
  EXPECT_THAT(run({floats({1}, {4}), ints({}, {5})})[0].to_double(), ElementsAre(4 + 4 - 2 + 4 - 2 + 4));
}

TEST(Staged, AScanOfManyStepsIsRunByTheHost) {
  ModelWriter body, w;
  body.node("Add", {"s", "x"}, {"s2"}).node("Neg", {"s2"}, {"each"});
  w.input("start", kFloat, {"2"}).input("xs", kFloat, {"T", "2"});
  const auto b = graph({{"s", kFloat}, {"x", kFloat}}, {{"s2", kFloat}, {"each", kFloat}}, body);
  w.node("Scan", {"start", "xs"}, {"last", "all"},
         {{"body", b}, {"num_scan_inputs", 1}, {"scan_input_directions", {1}}, {"scan_output_axes", {1}}});
  w.output("last").output("all");
  Program run(w);
  constexpr int64_t kSteps = 5000;
  HostTensor xs(make_desc(OPMUX_F32, {kSteps, 2}));
  for (int64_t i = 0; i < kSteps * 2; ++i) {
    reinterpret_cast<float*>(xs.mutable_data())[i] = static_cast<float>(i / 2 == kSteps - 1 ? 7 : i % 2);
  }
  const auto y = run({floats({2}, {0, 0}), xs});
  EXPECT_THAT(y[0].to_double(), ElementsAre(7, 7 + kSteps - 1));
  EXPECT_EQ(to_string(y[1].desc()), "f32[2,5000]");
  EXPECT_EQ(y[1].to_double()[0], -7);
  EXPECT_EQ(y[1].to_double()[2 * kSteps - 1], -(7 + kSteps - 1));
}

TEST(Staged, AFunctionWithAnExtentThatDependsOnDataIsTakenApart) {
  ModelWriter w;
  w.input("x", kFloat, {"N"})
      .input("n", kInt, {"1"})
      .node("Repeat", {"x", "n"}, {"y"}, {{"by", 2.0f}}, "mine");
  w.output("y");
  auto* domain = w.proto().add_opset_import();
  domain->set_domain("mine");
  domain->set_version(1);
  auto* f = w.proto().add_functions();
  f->set_name("Repeat");
  f->set_domain("mine");
  f->add_input("a");
  f->add_input("count");
  f->add_output("z");
  f->add_attribute("by");
  f->add_opset_import()->set_version(23);
  ModelWriter inner;
  inner.node("Abs", {"count"}, {"many"}).node("Expand", {"a", "many"}, {"wide"});
  inner.node("Constant", {}, {"factor"}, {}).node("Mul", {"wide", "factor"}, {"z"});
  auto* reference = inner.proto().mutable_graph()->mutable_node(2)->add_attribute();
  reference->set_name("value_float");
  reference->set_ref_attr_name("by");
  reference->set_type(onnx::AttributeProto::FLOAT);
  *f->mutable_node() = inner.proto().graph().node();
  Program run(w);
  EXPECT_THAT(run({floats({1}, {3}), ints({1}, {-3})})[0].to_double(), ElementsAre(6, 6, 6));
  EXPECT_THAT(run({floats({1}, {3}), ints({1}, {1})})[0].to_double(), ElementsAre(6));
}

void add_function(ModelWriter& w, const char* name, const ModelWriter& nodes) {
  auto* f = w.proto().add_functions();
  f->set_name(name);
  f->set_domain("mine");
  f->add_input("a");
  f->add_input("count");
  f->add_output("z");
  f->add_opset_import()->set_version(23);
  auto* mine = f->add_opset_import();
  mine->set_domain("mine");
  mine->set_version(1);
  *f->mutable_node() = ModelWriter(nodes).proto().graph().node();
}

// Both have a value "t" of their own.
TEST(Staged, FunctionsThatCallEachOtherKeepTheirNamesApart) {
  ModelWriter inner, outer, w;
  inner.node("Neg", {"a"}, {"t"}).node("Expand", {"t", "count"}, {"z"});
  outer.node("Exp", {"a"}, {"t"}).node("Inner", {"t", "count"}, {"z"}, {}, "mine");
  w.input("x", kFloat, {"1"})
      .input("n", kInt, {"1"})
      .node("Outer", {"x", "n"}, {"y"}, {}, "mine")
      .output("y");
  auto* domain = w.proto().add_opset_import();
  domain->set_domain("mine");
  domain->set_version(1);
  add_function(w, "Inner", inner);
  add_function(w, "Outer", outer);
  Program run(w);
  EXPECT_THAT(run({floats({1}, {0}), ints({1}, {2})})[0].to_double(), ElementsAre(-1, -1));
}

TEST(Staged, AFunctionThatCallsItselfIsRefused) {
  ModelWriter body, w;
  body.node("Expand", {"a", "count"}, {"wide"}).node("Identity", {"count"}, {"next"});
  body.node("Self", {"wide", "next"}, {"z"}, {}, "mine");
  w.input("x", kFloat, {"1"}).input("n", kInt, {"1"}).node("Self", {"x", "n"}, {"y"}, {}, "mine").output("y");
  auto* domain = w.proto().add_opset_import();
  domain->set_domain("mine");
  domain->set_version(1);
  add_function(w, "Self", body);
  Program run(w);
  EXPECT_THAT(test::sentence_of([&] { run({floats({1}, {0}), ints({1}, {1})}); }),
              HasSubstr("nested more than 64 deep"));
}

TEST(Staged, AFunctionMayHoldALoopThatTheHostRuns) {
  ModelWriter body, inner, w;
  body.node("Add", {"s", "a"}, {"s2"}).node("Identity", {"go_in"}, {"go"});
  const auto b = graph({{"i", kInt}, {"go_in", kBool}, {"s", kFloat}}, {{"go", kBool}, {"s2", kFloat}}, body);
  inner.node("Loop", {"count", "", "a"}, {"z"}, {{"body", b}});
  w.input("x", kFloat, {"N"}).input("n", kInt, {}).node("Times", {"x", "n"}, {"t"}, {}, "mine");
  w.node("Times", {"t", "n"}, {"y"}, {}, "mine").output("y");
  auto* domain = w.proto().add_opset_import();
  domain->set_domain("mine");
  domain->set_version(1);
  add_function(w, "Times", inner);
  Program run(w);
  for (int64_t n = 1; n < 12; ++n) {  // more shapes than a plan keeps
    const HostTensor x(make_desc(OPMUX_F32, {n}));
    reinterpret_cast<float*>(const_cast<std::byte*>(x.data()))[n - 1] = 1;
    const auto factor = static_cast<double>((n + 1) * (n + 1));
    EXPECT_EQ(run({x, ints({}, {n})})[0].to_double().back(), factor);
  }
}

TEST(Staged, AnInputThatIsAnOutputIsACopy) {
  ModelWriter w;
  w.input("x", kFloat, {"2"}).input("c", kBool, {});
  ModelWriter one, two;
  one.node("Identity", {"x"}, {"a"});
  two.node("Neg", {"x"}, {"b"});
  w.node(
      "If", {"c"}, {"y"},
      {{"then_branch", graph({}, {{"a", kFloat}}, one)}, {"else_branch", graph({}, {{"b", kFloat}}, two)}});
  w.output("y");
  Program run(w);
  const HostTensor x = floats({2}, {1, 2});
  EXPECT_THAT(run({x, flag(true)})[0].to_double(), ElementsAre(1, 2));
  EXPECT_NE(run.context().output(0).data, x.data());
  EXPECT_THAT(run({x, flag(false)})[0].to_double(), ElementsAre(-1, -2));
}

TEST(Staged, TheReportsSayWhatIsLeftToTheRun) {
  Program run(counting_loop(), true);
  const opmux_tdesc inputs[] = {make_desc(OPMUX_F32, {1}), make_desc(OPMUX_F32, {}),
                                make_desc(OPMUX_I64, {})};
  const auto plan = nlohmann::json::parse(run.plan().report(inputs));
  ASSERT_EQ(plan["later"].size(), 1u);
  EXPECT_EQ(plan["later"][0]["op"], "Loop");
  EXPECT_EQ(plan["later"][0]["reason"],
            "the number of steps depends on data that is not known before the run");
  run({floats({1}, {3}), floats({}, {10}), ints({}, {100})});
  const auto report = nlohmann::json::parse(run.context().report());
  EXPECT_EQ(report["stages"], 2);
  EXPECT_GT(report["nodes"].size(), 1u);
}

TEST(Staged, WhatGoesWrongNamesTheNodeAndTheNumbers) {
  ModelWriter w;
  w.input("x", kFloat, {"6"}).input("shape", kInt, {"1"});
  w.node("Reshape", {"x", "shape"}, {"y"}).output("y");
  Program run(w);
  EXPECT_THAT(test::sentence_of([&] { run({floats({6}, {1, 2, 3, 4, 5, 6}), ints({1}, {4})}); }),
              HasSubstr("node 'n0' (Reshape)"));
  EXPECT_THAT(run({floats({6}, {1, 2, 3, 4, 5, 6}), ints({1}, {6})})[0].to_double(),
              ElementsAre(1, 2, 3, 4, 5, 6));
}

}  // namespace
}  // namespace opmux
