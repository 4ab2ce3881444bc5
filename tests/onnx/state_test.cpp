// SPDX-License-Identifier: Apache-2.0
// Past and present keys and values as states of the run context, or as ordinary tensors.
#include "host/onnx/state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/onnx/read.hpp"
#include "tests/onnx/evaluate.hpp"
#include "tests/support/paths.h"

namespace opmux {
namespace {

using onnx::TensorProto;
using test::ModelWriter;
using testing::HasSubstr;

// Attention over [1, S, 8] with two heads of queries and one of keys, and its past.
ModelWriter with_past(const std::string& past_k, const std::string& past_v, const std::string& present_k,
                      const std::string& present_v) {
  ModelWriter w(23);
  w.input("q", TensorProto::FLOAT, {"1", "S", "8"}).input("k", TensorProto::FLOAT, {"1", "S", "4"});
  w.input("v", TensorProto::FLOAT, {"1", "S", "4"});
  w.input(past_k, TensorProto::FLOAT, {"1", "1", "P", "4"})
      .input(past_v, TensorProto::FLOAT, {"1", "1", "P", "4"});
  w.node("Attention", {"q", "k", "v", "", past_k, past_v}, {"y", present_k, present_v},
         {{"q_num_heads", 2}, {"kv_num_heads", 1}, {"is_causal", 1}});
  w.output("y").output(present_k).output(present_v);
  return w;
}

ModelWriter plain() { return with_past("past_k", "past_v", "present_k", "present_v"); }

ModelWriter declared(const std::string& capacity = "16") {
  ModelWriter w = plain();
  w.metadata("opmux.state", "past_k:present_k,past_v:present_v").metadata("opmux.state.capacity", capacity);
  return w;
}

std::vector<NamedTensorDesc> rows(int64_t s) {
  return {{"q", make_desc(OPMUX_F32, {1, s, 8})},
          {"k", make_desc(OPMUX_F32, {1, s, 4})},
          {"v", make_desc(OPMUX_F32, {1, s, 4})}};
}

std::string refusal(const ModelWriter& w) {
  return test::sentence_of([&] { test::import(w, rows(3)); });
}

void expect_states(const Graph& g) {
  ASSERT_EQ(g.states.size(), 2u);
  EXPECT_EQ(to_string(g.states[0].desc), "f32[1,1,16,4]");
  EXPECT_EQ(g.storages[g.states[0].storage].kind, StorageKind::kState);
  EXPECT_EQ(g.state_rows_added, 3);
  ASSERT_NE(g.state_length, kNone);
  EXPECT_EQ(to_string(g.values[g.state_length].desc), "i64[]");
  EXPECT_EQ(g.inputs.size(), 3u) << "the past is no input";
  ASSERT_EQ(g.outputs.size(), 1u) << "the present is no output";
  EXPECT_EQ(g.outputs[0].name, "y");
}

TEST(OnnxState, DeclaredPairsBecomeStatesOfFullCapacity) {
  const Graph g = test::import(declared(), rows(3));
  expect_states(g);
  EXPECT_EQ(g.states[0].past, "past_k");
  EXPECT_EQ(g.states[0].present, "present_k");
  const auto node =
      std::find_if(g.nodes.begin(), g.nodes.end(), [](const Node& n) { return n.op == OPMUX_OP_ATTENTION; });
  ASSERT_NE(node, g.nodes.end());
  ASSERT_EQ(node->in.size(), 7u);
  EXPECT_EQ(node->in[3], kNone);
  EXPECT_EQ(g.values[node->in[4]].storage, g.states[0].storage);
  EXPECT_EQ(g.values[node->in[5]].storage, g.states[1].storage);
  EXPECT_EQ(node->in[6], g.state_length);
  EXPECT_THAT(node->alias, testing::ElementsAre(0, 5, 6));
  EXPECT_EQ(g.values[node->out[1]].storage, g.states[0].storage);
  EXPECT_EQ(g.values[node->out[2]].storage, g.states[1].storage);
  EXPECT_EQ(node->as<opmux_op_attention>().causal, 1u);
}

TEST(OnnxState, UsualNamesNeedOnlyACapacity) {
  ModelWriter w =
      with_past("past_key_values.0.key", "past_key_values.0.value", "present.0.key", "present.0.value");
  w.metadata("opmux.state.capacity", "16");
  expect_states(test::import(w, rows(3)));
}

TEST(OnnxState, WithoutACapacityPastAndPresentStayTensors) {
  auto inputs = rows(3);
  inputs.push_back({"past_k", make_desc(OPMUX_F32, {1, 1, 5, 4})});
  inputs.push_back({"past_v", make_desc(OPMUX_F32, {1, 1, 5, 4})});
  const Graph g = test::import(plain(), inputs);
  EXPECT_TRUE(g.states.empty());
  EXPECT_EQ(g.inputs.size(), 5u);
  ASSERT_EQ(g.outputs.size(), 3u);
  EXPECT_EQ(to_string(g.values[g.outputs[1].value].desc), "f32[1,1,8,4]");
}

// What the tensors say must not depend on where a sequence is cut: the last of 5 rows at once is the same as
// the fifth row after a past of 4.
TEST(OnnxState, PastTensorsGiveWhatTheWholeSequenceGives) {
  std::vector<float> q(5 * 8), k(5 * 4), v(5 * 4);
  for (size_t i = 0; i < q.size(); ++i) q[i] = static_cast<float>(i * 7 % 11) / 11 - 0.4f;
  for (size_t i = 0; i < k.size(); ++i) k[i] = static_cast<float>(i * 5 % 13) / 13 - 0.5f;
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i * 3 % 7) / 7;
  const auto tensor = [](Dims dims, const float* from) {
    return HostTensor::of<float>(OPMUX_F32, dims,
                                 {from, static_cast<size_t>(element_count(make_desc(OPMUX_F32, dims)))});
  };
  const auto model = test::read(plain());
  const auto empty = tensor({1, 1, 0, 4}, nullptr);
  const auto whole = test::evaluate(*model, {{"q", tensor({1, 5, 8}, q.data())},
                                             {"k", tensor({1, 5, 4}, k.data())},
                                             {"v", tensor({1, 5, 4}, v.data())},
                                             {"past_k", empty},
                                             {"past_v", empty}});
  const auto step = test::evaluate(*model, {{"q", tensor({1, 1, 8}, q.data() + 32)},
                                            {"k", tensor({1, 1, 4}, k.data() + 16)},
                                            {"v", tensor({1, 1, 4}, v.data() + 16)},
                                            {"past_k", tensor({1, 1, 4, 4}, k.data())},
                                            {"past_v", tensor({1, 1, 4, 4}, v.data())}});
  const auto all = whole[0].to_double(), last = step[0].to_double();
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(last[i], all[32 + i], 1e-6) << i;
  EXPECT_EQ(step[1].to_double(), whole[1].to_double());
  const auto two = test::evaluate(*model, {{"q", tensor({1, 2, 8}, q.data() + 24)},
                                           {"k", tensor({1, 2, 4}, k.data() + 12)},
                                           {"v", tensor({1, 2, 4}, v.data() + 12)},
                                           {"past_k", tensor({1, 1, 3, 4}, k.data())},
                                           {"past_v", tensor({1, 1, 3, 4}, v.data())}});
  const auto pair = two[0].to_double();
  for (size_t i = 0; i < 16; ++i) EXPECT_NEAR(pair[i], all[24 + i], 1e-6) << i;
}

TEST(OnnxState, TheTextSampleKeepsAllItsPastInStates) {
  const auto model = read_onnx(test::source_dir() + "/samples/models/text.onnx");
  const StateSpec spec = states_of(*model);
  ASSERT_FALSE(spec.pairs.empty());
  std::vector<NamedTensorDesc> inputs;
  for (const SourceValue& v : model->graph.inputs) {
    if (spec.by_past(v.name)) continue;
    Dims dims;
    for (const SourceDim& d : v.dims) dims.push_back(d.value < 0 ? 7 : d.value);
    inputs.push_back({v.name, make_desc(v.dtype, dims)});
  }
  const Graph g = import_onnx(*model, inputs, {}, &test::reference());
  EXPECT_EQ(g.states.size(), spec.pairs.size());
  EXPECT_EQ(g.state_rows_added, 7);
  EXPECT_EQ(g.outputs.size(), 1u);
  for (const StatePort& s : g.states) EXPECT_EQ(s.desc.dim[2], spec.capacity);
}

TEST(OnnxState, MoreRowsThanTheCapacityAreRefused) {
  EXPECT_EQ(refusal(declared("2")), "node 'n0' (Attention): 3 rows do not fit into the state's 2");
}

TEST(OnnxState, BadMetadataAreRefused) {
  EXPECT_THAT(refusal(declared("many")), HasSubstr("opmux.state.capacity is 'many', it must be a number"));
  EXPECT_THAT(refusal(declared("0")), HasSubstr("opmux.state.capacity is '0'"));
  ModelWriter lone = plain();
  lone.metadata("opmux.state", "past_k:present_k");
  EXPECT_EQ(refusal(lone), "metadata opmux.state is there, but opmux.state.capacity is not");
  ModelWriter form = plain();
  form.metadata("opmux.state", "past_k").metadata("opmux.state.capacity", "16");
  EXPECT_EQ(refusal(form), "metadata opmux.state: 'past_k' is not of the form past:present");
  ModelWriter ghost = plain();
  ghost.metadata("opmux.state", "ghost:present_k").metadata("opmux.state.capacity", "16");
  EXPECT_EQ(refusal(ghost), "metadata opmux.state: 'ghost' is no input of the graph");
}

TEST(OnnxState, PairsMustBelongToOneAttention) {
  ModelWriter crossed = plain();
  crossed.metadata("opmux.state", "past_k:present_v,past_v:present_k").metadata("opmux.state.capacity", "16");
  EXPECT_THAT(refusal(crossed), HasSubstr("reads 'past_k' as input 4, but its output 1 is not 'present_v'"));
  ModelWriter shared = declared();
  shared.node("Neg", {"past_k"}, {"z"}).output("z");
  EXPECT_THAT(refusal(shared), HasSubstr("'past_k' is read in 2 places"));
  ModelWriter used = declared();
  used.node("Neg", {"present_k"}, {"z"}).output("z");
  EXPECT_THAT(refusal(used), HasSubstr("'present_k' is used in 2 places"));
  ModelWriter half = plain();
  half.metadata("opmux.state", "past_k:present_k").metadata("opmux.state.capacity", "16");
  auto inputs = rows(3);
  inputs.push_back({"past_v", make_desc(OPMUX_F32, {1, 1, 5, 4})});
  EXPECT_THAT(test::sentence_of([&] { test::import(half, inputs); }), HasSubstr("the other is not"));
}

TEST(OnnxState, AStateIsNoInputForTheCaller) {
  auto inputs = rows(3);
  inputs.push_back({"past_k", make_desc(OPMUX_F32, {1, 1, 5, 4})});
  EXPECT_EQ(test::sentence_of([&] { test::import(declared(), inputs); }),
            "the model has no input 'past_k'; its inputs: q, k, v");
}

}  // namespace
}  // namespace opmux
