// SPDX-License-Identifier: Apache-2.0
// What the reader makes of sound models.
#include "host/onnx/read.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/platform/error.hpp"
#include "tests/onnx/model_writer.hpp"
#include "tests/support/paths.h"

namespace opmux {
namespace {

using onnx::TensorProto;
using test::ModelWriter;
using testing::ElementsAre;

std::shared_ptr<const SourceModel> read(const ModelWriter& writer) {
  const std::string bytes = writer.bytes();
  return read_onnx_bytes(std::as_bytes(std::span(bytes)));
}

// A model whose only use is its initializer 't'.
SourceModel with_tensor(TensorProto tensor) {
  tensor.set_name("t");
  ModelWriter w;
  w.initializer(std::move(tensor)).node("Identity", {"t"}, {"y"}).output("y");
  return *read(w);
}

TensorProto typed(int32_t type, std::initializer_list<int64_t> dims) {
  TensorProto t;
  t.set_data_type(type);
  for (int64_t d : dims) t.add_dims(d);
  return t;
}

TEST(OnnxRead, GivesOpsetsMetadataAndProducer) {
  ModelWriter w(17);
  w.input("x", TensorProto::FLOAT, {"1"}).node("Relu", {"x"}, {"y"}).output("y").metadata("key", "value");
  w.proto().set_producer_name("maker");
  w.proto().set_producer_version("2");
  auto* other = w.proto().add_opset_import();
  other->set_domain("com.example");
  other->set_version(3);
  const auto m = read(w);
  EXPECT_EQ(m->opsets.at(""), 17);
  EXPECT_EQ(m->opsets.at("com.example"), 3);
  EXPECT_EQ(m->metadata.at("key"), "value");
  EXPECT_EQ(m->producer, "maker 2");
  EXPECT_EQ(m->ir_version, 8);
}

TEST(OnnxRead, TellsFixedSymbolicAndUnknownDimsApart) {
  ModelWriter w;
  w.input("x", TensorProto::INT32, {"3", "N", "?"}).node("Identity", {"x"}, {"y"}).output("y");
  const auto m = read(w);
  const SourceValue& x = m->graph.inputs.at(0);
  EXPECT_EQ(x.dtype, OPMUX_I32);
  ASSERT_EQ(x.dims.size(), 3u);
  EXPECT_EQ(x.dims[0].value, 3);
  EXPECT_EQ(x.dims[1].value, -1);
  EXPECT_EQ(x.dims[1].symbol, "N");
  EXPECT_EQ(x.dims[2].value, -1);
  EXPECT_EQ(x.dims[2].symbol, "");
}

TEST(OnnxRead, ReadsTypedFieldsOfEveryWidth) {
  auto f32 = typed(TensorProto::FLOAT, {2});
  f32.add_float_data(1.5f), f32.add_float_data(-2);
  EXPECT_THAT(with_tensor(f32).graph.initializers[0].tensor.to_double(), ElementsAre(1.5, -2));
  auto f64 = typed(TensorProto::DOUBLE, {1});
  f64.add_double_data(0.1);
  EXPECT_THAT(with_tensor(f64).graph.initializers[0].tensor.to_double(), ElementsAre(0.1));
  auto i64 = typed(TensorProto::INT64, {1});
  i64.add_int64_data(-(int64_t{1} << 40));
  EXPECT_THAT(with_tensor(i64).graph.initializers[0].tensor.to_int64(), ElementsAre(-(int64_t{1} << 40)));
  auto u32 = typed(TensorProto::UINT32, {1});
  u32.add_uint64_data(4000000000u);
  EXPECT_THAT(with_tensor(u32).graph.initializers[0].tensor.to_int64(), ElementsAre(4000000000));
  for (int32_t type : {TensorProto::INT32, TensorProto::INT16, TensorProto::INT8}) {
    auto t = typed(type, {2});
    t.add_int32_data(-7), t.add_int32_data(100);
    EXPECT_THAT(with_tensor(t).graph.initializers[0].tensor.to_int64(), ElementsAre(-7, 100)) << type;
  }
  auto half = typed(TensorProto::FLOAT16, {1});
  half.add_int32_data(0x3e00);
  EXPECT_THAT(with_tensor(half).graph.initializers[0].tensor.to_double(), ElementsAre(1.5));
  auto truth = typed(TensorProto::BOOL, {2});
  truth.add_int32_data(1), truth.add_int32_data(0);
  EXPECT_THAT(with_tensor(truth).graph.initializers[0].tensor.to_int64(), ElementsAre(1, 0));
}

TEST(OnnxRead, KeepsPackedBytesOfNarrowTypes) {
  auto u4 = typed(TensorProto::UINT4, {3});
  u4.add_int32_data(0x21), u4.add_int32_data(0x03);
  const SourceModel m = with_tensor(u4);
  const HostTensor& t = m.graph.initializers[0].tensor;
  EXPECT_EQ(t.desc().dtype, OPMUX_U4);
  ASSERT_EQ(t.size_bytes(), 2u);
  EXPECT_EQ(t.data()[0], std::byte{0x21});
}

TEST(OnnxRead, TakesEmptyTensors) {
  EXPECT_EQ(element_count(with_tensor(typed(TensorProto::FLOAT, {0, 5})).graph.initializers[0].tensor.desc()),
            0);
}

TEST(OnnxRead, UsesAlignedWeightsInPlace) {
  const test::TemporaryFolder folder;
  // Growing the graph's name moves the weights through all alignments; of eight, two are multiples of 4.
  int in_place = 0;
  for (size_t pad = 0; pad < 8; ++pad) {
    ModelWriter w;
    w.proto().mutable_graph()->set_name(std::string(pad, 'x'));
    w.floats("w", {3}, {1, 2, 3}).node("Identity", {"w"}, {"y"}).output("y");
    w.save(folder / "m.onnx");
    const auto m = read_onnx(folder / "m.onnx");
    const HostTensor& t = m->graph.initializers[0].tensor;
    EXPECT_THAT(t.to_double(), ElementsAre(1, 2, 3)) << pad;
    in_place += reinterpret_cast<uintptr_t>(t.data()) % 64 != 0;  // copies are aligned to 64
  }
  EXPECT_GE(in_place, 1);
}

TEST(OnnxRead, DropsInputsThatNameAnInitializer) {
  ModelWriter w(9);
  w.input("x", TensorProto::FLOAT, {"1"}).input("w", TensorProto::FLOAT, {"1"});
  w.floats("w", {1}, {2}).node("Mul", {"x", "w"}, {"y"}).output("y");
  w.proto().set_ir_version(3);
  const auto m = read(w);
  ASSERT_EQ(m->graph.inputs.size(), 1u);
  EXPECT_EQ(m->graph.inputs[0].name, "x");
}

TEST(OnnxRead, SortsNodesThatComeBeforeTheirInputs) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"1"});
  w.node("Relu", {"b"}, {"y"}).node("Neg", {"a"}, {"b"}).node("Abs", {"x"}, {"a"}).output("y");
  const auto m = read(w);
  EXPECT_EQ(m->graph.nodes[0].op_type, "Abs");
  EXPECT_EQ(m->graph.nodes[1].op_type, "Neg");
  EXPECT_EQ(m->graph.nodes[2].op_type, "Relu");
}

TEST(OnnxRead, LetsSubGraphsSeeOuterNames) {
  onnx::GraphProto branch;
  auto* n = branch.add_node();
  n->set_op_type("Neg");
  n->add_input("late");
  n->add_output("r");
  branch.add_output()->set_name("r");
  ModelWriter w;
  w.input("c", TensorProto::BOOL, {}).input("x", TensorProto::FLOAT, {"1"});
  w.node("If", {"c"}, {"y"}, {{"then_branch", branch}, {"else_branch", branch}});
  w.node("Abs", {"x"}, {"late"}).output("y");
  const auto m = read(w);
  EXPECT_EQ(m->graph.nodes[0].op_type, "Abs") << "the sub-graph's need counts for the order";
  ASSERT_NE(m->graph.nodes[1].attr("then_branch"), nullptr);
  EXPECT_EQ(m->graph.nodes[1].attr("then_branch")->graph->nodes[0].op_type, "Neg");
}

TEST(OnnxRead, KeepsFunctionsWithDefaultsAndReferences) {
  ModelWriter w;
  auto* f = w.proto().add_functions();
  f->set_name("Scaled");
  f->set_domain("local");
  f->add_input("a");
  f->add_output("b");
  f->add_attribute("must");
  *f->add_attribute_proto() = test::to_proto({"alpha", 0.5f});
  auto* n = f->add_node();
  n->set_op_type("LeakyRelu");
  n->add_input("a");
  n->add_output("b");
  auto* a = n->add_attribute();
  a->set_name("alpha");
  a->set_type(onnx::AttributeProto::FLOAT);
  a->set_ref_attr_name("alpha");
  w.input("x", TensorProto::FLOAT, {"1"}).node("Scaled", {"x"}, {"y"}, {}, "local").output("y");
  const auto m = read(w);
  ASSERT_EQ(m->functions.size(), 1u);
  EXPECT_THAT(m->functions[0].attrs, ElementsAre("must"));
  EXPECT_EQ(m->functions[0].default_attrs.at(0).f, 0.5f);
  EXPECT_EQ(m->functions[0].nodes[0].attrs[0].kind, SourceAttr::Kind::kReference);
  EXPECT_EQ(m->functions[0].nodes[0].attrs[0].s, "alpha");
}

TEST(OnnxRead, NamesInputsThatAreNoTensors) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"1"}).node("Relu", {"x"}, {"y"}).output("y");
  auto* s = w.proto().mutable_graph()->add_input();
  s->set_name("list");
  s->mutable_type()->mutable_sequence_type();
  w.input("words", TensorProto::STRING, {"1"});
  const auto m = read(w);
  EXPECT_EQ(m->graph.inputs[1].other_kind, "sequence");
  EXPECT_EQ(m->graph.inputs[2].other_kind, "string");
}

TEST(OnnxRead, ReadsTheDigitsModel) {
  const auto m = read_onnx(test::source_dir() + "/samples/models/digits.onnx");
  EXPECT_EQ(m->opsets.at(""), 17);
  EXPECT_FALSE(m->graph.nodes.empty());
  EXPECT_FALSE(m->graph.initializers.empty());
}

TEST(OnnxReadTensor, GivesNameTypeAndValues) {
  const test::TemporaryFolder folder;
  const auto t = test::tensor_proto<int64_t>("ids", TensorProto::INT64, {2, 2}, {1, -2, 3, 4});
  test::write_file(folder / "t.pb", t.SerializeAsString());
  const NamedHostTensor r = read_onnx_tensor(folder / "t.pb");
  EXPECT_EQ(r.name, "ids");
  EXPECT_EQ(to_string(r.tensor.desc()), "i64[2,2]");
  EXPECT_THAT(r.tensor.to_int64(), ElementsAre(1, -2, 3, 4));
}

}  // namespace
}  // namespace opmux
