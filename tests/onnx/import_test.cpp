// SPDX-License-Identifier: Apache-2.0
// Import as a whole: inputs, scopes, functions, branches, and the sentences for what cannot be done.
#include "host/onnx/import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/onnx/read.hpp"
#include "tests/onnx/evaluate.hpp"
#include "tests/support/paths.h"

namespace opmux {
namespace {

using onnx::TensorProto;
using test::floats;
using test::ModelWriter;
using testing::ElementsAre;
using testing::HasSubstr;

ModelWriter relu_of(std::initializer_list<const char*> dims) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, dims).node("Relu", {"x"}, {"y"}).output("y");
  return w;
}

std::string refusal(const ModelWriter& w, const std::vector<NamedTensorDesc>& inputs) {
  return test::sentence_of([&] { test::import(w, inputs); });
}

TEST(OnnxImport, BindsInputsByNameAndNamesThePorts) {
  const Graph g = test::import(relu_of({"N", "3"}), {{"x", make_desc(OPMUX_F32, {5, 3})}});
  ASSERT_EQ(g.inputs.size(), 1u);
  EXPECT_EQ(g.inputs[0].name, "x");
  EXPECT_EQ(to_string(g.values[g.inputs[0].value].desc), "f32[5,3]");
  EXPECT_EQ(g.storages[g.values[g.inputs[0].value].storage].kind, StorageKind::kInput);
  ASSERT_EQ(g.outputs.size(), 1u);
  EXPECT_EQ(g.outputs[0].name, "y");
  ASSERT_EQ(g.nodes.size(), 1u);
  EXPECT_EQ(g.nodes[0].name, "n0");
}

TEST(OnnxImport, WrongInputsGiveBothNumbers) {
  const ModelWriter w = relu_of({"N", "3"});
  EXPECT_EQ(refusal(w, {}), "input 'x' is missing");
  EXPECT_EQ(refusal(w, {{"x", make_desc(OPMUX_F32, {5, 4})}}), "input 'x': dim 1 is 4, the model says 3");
  EXPECT_EQ(refusal(w, {{"x", make_desc(OPMUX_F32, {5})}}), "input 'x' has rank 1, the model says 2");
  EXPECT_EQ(refusal(w, {{"x", make_desc(OPMUX_F64, {5, 3})}}), "input 'x' is f64, the model says f32");
  EXPECT_EQ(refusal(w, {{"x", make_desc(OPMUX_F32, {5, 3})}, {"z", make_desc(OPMUX_F32, {1})}}),
            "the model has no input 'z'; its inputs: x");
}

TEST(OnnxImport, OneSymbolIsOneNumber) {
  ModelWriter w;
  w.input("a", TensorProto::FLOAT, {"N"}).input("b", TensorProto::FLOAT, {"N"});
  w.node("Add", {"a", "b"}, {"y"}).output("y");
  EXPECT_EQ(refusal(w, {{"a", make_desc(OPMUX_F32, {4})}, {"b", make_desc(OPMUX_F32, {1})}}),
            "input 'b': dim 0 ('N') is 1, but in input 'a' it is 4");
}

TEST(OnnxImport, RefusesInputsThatAreNoTensors) {
  ModelWriter w = relu_of({"1"});
  auto* s = w.proto().mutable_graph()->add_input();
  s->set_name("list");
  s->mutable_type()->mutable_sequence_type();
  EXPECT_EQ(refusal(w, {{"x", make_desc(OPMUX_F32, {1})}, {"list", make_desc(OPMUX_F32, {1})}}),
            "input 'list' is a sequence, only tensors are supported");
}

TEST(OnnxImport, NamesUnknownOperators) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"1"}).node("Foo", {"x"}, {"y"}, {}, "com.example").output("y");
  EXPECT_EQ(refusal(w, {{"x", make_desc(OPMUX_F32, {1})}}),
            "node 'n0' (Foo, domain com.example): operator Foo is not supported");
}

TEST(OnnxImport, LeavesOutNodesThatNobodyNeeds) {
  ModelWriter w = relu_of({"1"});
  w.node("Foo", {"x"}, {"unused"});
  EXPECT_EQ(test::import(w, {{"x", make_desc(OPMUX_F32, {1})}}).nodes.size(), 1u);
}

TEST(OnnxImport, RefusesOperatorSetsThatItDoesNotKnow) {
  for (int64_t version : {0, 29}) {
    ModelWriter w(version);
    w.input("x", TensorProto::FLOAT, {"1"}).node("Relu", {"x"}, {"y"}).output("y");
    EXPECT_THAT(refusal(w, {{"x", make_desc(OPMUX_F32, {1})}}),
                HasSubstr("operator set " + std::to_string(version) + " of ai.onnx is not supported"));
  }
}

TEST(OnnxImport, UsesKnownInputsAsConstants) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"N"}).input("shape", TensorProto::INT64, {"2"});
  w.node("Reshape", {"x", "shape"}, {"y"}).output("y");
  const auto model = test::read(w);
  const std::vector<NamedTensorDesc> inputs = {{"x", make_desc(OPMUX_F32, {6})}};
  const std::vector<NamedHostTensor> known = {{"shape", test::ints({2}, {2, -1})}};
  const Graph g = import_onnx(*model, inputs, known, &test::reference());
  EXPECT_EQ(to_string(g.values[g.outputs[0].value].desc), "f32[2,3]");
  EXPECT_EQ(g.inputs.size(), 1u);
  const std::vector<NamedTensorDesc> both = {{"x", make_desc(OPMUX_F32, {6})},
                                             {"shape", make_desc(OPMUX_I64, {2})}};
  EXPECT_THAT(test::sentence_of([&] { import_onnx(*model, both, {}, &test::reference()); }),
              HasSubstr("depends on data that is not known before the run"));
}

TEST(OnnxImport, ShapeArithmeticLeavesNoNodes) {
  ModelWriter w(15);
  w.input("x", TensorProto::FLOAT, {"N", "6"});
  w.ints("zero", {1}, {0}).ints("one", {1}, {1}).ints("pair", {2}, {2, 3});
  w.node("Shape", {"x"}, {"s"}).node("Slice", {"s", "zero", "one"}, {"n"});
  w.node("Concat", {"n", "pair"}, {"t"}, {{"axis", 0}}).node("Reshape", {"x", "t"}, {"y"}).output("y");
  const Graph g = test::import(w, {{"x", make_desc(OPMUX_F32, {4, 6})}});
  EXPECT_TRUE(g.nodes.empty());
  EXPECT_EQ(to_string(g.values[g.outputs[0].value].desc), "f32[4,2,3]");
}

TEST(OnnxImport, ExpandsFunctionsWithGivenAndDefaultAttributes) {
  ModelWriter w;
  auto* f = w.proto().add_functions();
  f->set_name("Leak");
  f->set_domain("local");
  f->add_input("a");
  f->add_output("b");
  *f->add_attribute_proto() = test::to_proto({"slope", 0.5f});
  auto* set = f->add_opset_import();
  set->set_version(16);
  auto* n = f->add_node();
  n->set_op_type("LeakyRelu");
  n->add_input("a");
  n->add_output("b");
  auto* a = n->add_attribute();
  a->set_name("alpha");
  a->set_type(onnx::AttributeProto::FLOAT);
  a->set_ref_attr_name("slope");
  w.input("x", TensorProto::FLOAT, {"2"});
  w.node("Leak", {"x"}, {"y"}, {{"slope", 0.25f}}, "local").node("Leak", {"x"}, {"z"}, {}, "local");
  w.output("y").output("z");
  const auto out = test::evaluate(*test::read(w), {{"x", floats({2}, {-4, 4})}});
  EXPECT_THAT(out[0].to_double(), ElementsAre(-1, 4));
  EXPECT_THAT(out[1].to_double(), ElementsAre(-2, 4));
}

TEST(OnnxImport, RefusesFunctionsThatCallThemselves) {
  ModelWriter w;
  auto* f = w.proto().add_functions();
  f->set_name("Self");
  f->set_domain("local");
  f->add_input("a");
  f->add_output("b");
  auto* n = f->add_node();
  n->set_op_type("Self");
  n->set_domain("local");
  n->add_input("a");
  n->add_output("b");
  w.input("x", TensorProto::FLOAT, {"1"}).node("Self", {"x"}, {"y"}, {}, "local").output("y");
  EXPECT_THAT(refusal(w, {{"x", make_desc(OPMUX_F32, {1})}}), HasSubstr("nested more than 64 deep"));
}

onnx::GraphProto branch(const std::string& op) {
  onnx::GraphProto g;
  auto* n = g.add_node();
  n->set_op_type(op);
  n->add_input("x");
  n->add_output("r");
  g.add_output()->set_name("r");
  return g;
}

TEST(OnnxImport, TakesTheBranchOfAKnownCondition) {
  for (const uint8_t condition : {0, 1}) {
    ModelWriter w;
    w.input("x", TensorProto::FLOAT, {"1"});
    w.initializer(test::tensor_proto<uint8_t>("c", TensorProto::BOOL, {}, {condition}));
    w.node("If", {"c"}, {"y"}, {{"then_branch", branch("Neg")}, {"else_branch", branch("Abs")}}).output("y");
    const auto out = test::evaluate(*test::read(w), {{"x", floats({1}, {-3})}});
    EXPECT_THAT(out[0].to_double(), ElementsAre(3));
    const Graph g = test::import(w, {{"x", make_desc(OPMUX_F32, {1})}});
    EXPECT_EQ(g.nodes[0].progs[0].insn[0].op, condition ? OPMUX_FN_NEG : OPMUX_FN_ABS);
  }
}

TEST(OnnxImport, RefusesBranchesByDataAndNamesTheNode) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"1"}).input("c", TensorProto::BOOL, {});
  w.node("If", {"c"}, {"y"}, {{"then_branch", branch("Neg")}, {"else_branch", branch("Abs")}}).output("y");
  EXPECT_EQ(refusal(w, {{"x", make_desc(OPMUX_F32, {1})}, {"c", make_desc(OPMUX_BOOL, {})}}),
            "node 'n0' (If): the condition depends on data that is not known before the run");
}

TEST(OnnxImport, NamesTheNodeOfABadAttribute) {
  ModelWriter w(13);
  w.input("x", TensorProto::FLOAT, {"2", "3"}).node("Softmax", {"x"}, {"y"}, {{"axis", 3}}).output("y");
  EXPECT_EQ(refusal(w, {{"x", make_desc(OPMUX_F32, {2, 3})}}),
            "node 'n0' (Softmax): axis: axis 3 is outside [-2, 1] for rank 2");
  ModelWriter t(13);
  t.input("x", TensorProto::FLOAT, {"2", "3"}).node("Softmax", {"x"}, {"y"}, {{"axis", "last"}}).output("y");
  EXPECT_EQ(refusal(t, {{"x", make_desc(OPMUX_F32, {2, 3})}}),
            "node 'n0' (Softmax): attribute 'axis' is not an integer");
}

TEST(OnnxImport, RefusesStringsOnlyWhenTheyAreUsed) {
  TensorProto words;
  words.set_name("words");
  words.set_data_type(TensorProto::STRING);
  words.add_dims(1);
  words.add_string_data("hello");
  ModelWriter unused = relu_of({"1"});
  unused.initializer(words);
  EXPECT_EQ(refusal(unused, {{"x", make_desc(OPMUX_F32, {1})}}), "");
  ModelWriter used;
  used.initializer(words).node("Identity", {"words"}, {"y"}).output("y");
  EXPECT_EQ(refusal(used, {}),
            "node 'n0' (Identity): initializer 'words' has an element type that is not supported");
}

TEST(OnnxImport, ControlCharactersOfNamesStayOutOfSentences) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"1"}).node("Fo\n\x1b[31mo", {"x"}, {"y"}).output("y");
  EXPECT_THAT(refusal(w, {{"x", make_desc(OPMUX_F32, {1})}}),
              HasSubstr("operator Fo??[31mo is not supported"));
}

TEST(OnnxImport, HugeShapesAreRefusedOrStayViews) {
  ModelWriter big;
  big.ints("s", {2}, {int64_t{1} << 28, int64_t{1} << 28}).node("ConstantOfShape", {"s"}, {"y"}).output("y");
  const Graph g = test::import(big, {});  // one element seen many times
  EXPECT_EQ(element_count(g.values[g.outputs[0].value].desc), int64_t{1} << 56);
  EXPECT_LE(g.storages[g.values[g.outputs[0].value].storage].size_bytes, 64u);
  big.node("Neg", {"y"}, {"z"}).output("z");
  EXPECT_EQ(test::import(big, {}).nodes.size(), 1u) << "too large to be computed ahead of the run";
  ModelWriter beyond;
  beyond.ints("s", {3}, {int64_t{1} << 30, int64_t{1} << 30, 64})
      .node("ConstantOfShape", {"s"}, {"y"})
      .output("y");
  EXPECT_THAT(refusal(beyond, {}), HasSubstr("beyond the limit"));
}

TEST(OnnxImport, BatchNormalizationBecomesOneScaleAndOneShift) {
  ModelWriter w(15);
  w.input("x", TensorProto::FLOAT, {"1", "2", "3", "3"});
  w.floats("s", {2}, {1, 2}).floats("b", {2}, {0, 1}).floats("m", {2}, {1, 1}).floats("v", {2}, {4, 4});
  w.node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"}).output("y");
  const Graph g = test::import(w, {{"x", make_desc(OPMUX_F32, {1, 2, 3, 3})}});
  ASSERT_EQ(g.nodes.size(), 2u);
  EXPECT_EQ(g.nodes[0].progs[0].insn[0].op, OPMUX_FN_MUL);
  EXPECT_EQ(g.nodes[1].progs[0].insn[0].op, OPMUX_FN_ADD);
}

TEST(OnnxImport, TheDigitsModelKeepsOnlyRealWork) {
  const auto model = read_onnx(test::source_dir() + "/samples/models/digits.onnx");
  const auto& x = model->graph.inputs.at(0);
  Dims dims;
  for (const SourceDim& d : x.dims) dims.push_back(d.value < 0 ? 2 : d.value);
  const std::vector<NamedTensorDesc> inputs = {{x.name, make_desc(OPMUX_F32, dims)}};
  const Graph g = import_onnx(*model, inputs, {}, &test::reference());
  EXPECT_EQ(to_string(g.values[g.outputs[0].value].desc), "f32[2,10]");
  for (const Node& n : g.nodes) {
    const bool constant =
        std::all_of(n.in.begin(), n.in.end(), [&](ValueId v) { return v == kNone || g.is_constant(v); });
    EXPECT_FALSE(constant) << n.name;
  }
}

}  // namespace
}  // namespace opmux
