// SPDX-License-Identifier: Apache-2.0
// Bad files: each gives one clear sentence and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/onnx/read.hpp"
#include "host/platform/error.hpp"
#include "tests/onnx/model_writer.hpp"
#include "tests/support/paths.h"

namespace opmux {
namespace {

using onnx::TensorProto;
using test::ModelWriter;
using testing::AllOf;
using testing::HasSubstr;

// The sentence with which reading fails; empty when it does not.
std::string refusal(const std::string& bytes) {
  try {
    read_onnx_bytes(std::as_bytes(std::span(bytes)));
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.text().find('\n'), std::string::npos);
    return e.text();
  }
}

std::string refusal(const ModelWriter& w) { return refusal(w.bytes()); }

ModelWriter sound() {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"2"}).node("Relu", {"x"}, {"y"}).output("y");
  return w;
}

TensorProto tensor(int32_t type, std::initializer_list<int64_t> dims, const std::string& raw = "") {
  TensorProto t;
  t.set_name("w");
  t.set_data_type(type);
  for (int64_t d : dims) t.add_dims(d);
  t.set_raw_data(raw);
  return t;
}

TEST(OnnxBadFile, MissingFileIsNamed) {
  try {
    read_onnx("/nonexistent/model.onnx");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.text(), HasSubstr("/nonexistent/model.onnx"));
    EXPECT_EQ(e.code(), OPMUX_E_IO);
  }
}

TEST(OnnxBadFile, TextIsNoModel) {
  EXPECT_THAT(refusal("#!/bin/sh\necho hello, this is a long enough text to be read\n"),
              HasSubstr("not an ONNX model"));
}

TEST(OnnxBadFile, EmptyFileIsNoModel) { EXPECT_THAT(refusal(""), HasSubstr("empty")); }

TEST(OnnxBadFile, FileNameStandsBeforeTheSentence) {
  const test::TemporaryFolder folder;
  test::write_file(folder / "x.onnx", "nonsense");
  try {
    read_onnx(folder / "x.onnx");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.text(), testing::StartsWith(folder / "x.onnx"));
  }
}

TEST(OnnxBadFile, EveryTruncationOfTheDigitsModelIsRefused) {
  const std::string whole = test::read_whole(test::source_dir() + "/samples/models/digits.onnx");
  ASSERT_EQ(refusal(whole), "");
  for (size_t n = 0; n < whole.size(); n += 64) {
    EXPECT_NE(refusal(whole.substr(0, n)), "") << "cut at byte " << n;
  }
}

TEST(OnnxBadFile, EveryTruncationAndFlipOfASmallModelIsSafe) {
  const std::string whole = sound().bytes();
  for (size_t n = 0; n < whole.size(); ++n) {
    refusal(whole.substr(0, n));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[n] = static_cast<char>(flipped[n] ^ 1 << bit);
      refusal(flipped);
    }
  }
}

TEST(OnnxBadFile, TensorOfAbsurdSizeIsRefusedWithoutAllocation) {
  ModelWriter w = sound();
  w.initializer(tensor(TensorProto::FLOAT, {int64_t{1} << 30, int64_t{1} << 30}, "abcd"));
  EXPECT_THAT(refusal(w), AllOf(HasSubstr("'w'"), HasSubstr("[1073741824,1073741824]")));
  ModelWriter wrapping = sound();  // 2^64 elements, which is 0 in 64 bits
  wrapping.initializer(tensor(TensorProto::FLOAT, {int64_t{1} << 32, int64_t{1} << 32}));
  EXPECT_THAT(refusal(wrapping), HasSubstr("beyond the limit"));
}

TEST(OnnxBadFile, TensorWithTooFewBytesSaysBothNumbers) {
  ModelWriter w = sound();
  w.initializer(tensor(TensorProto::FLOAT, {3}, "12345678"));
  EXPECT_EQ(refusal(w), "tensor 'w': f32[3] needs 12 bytes of values, the file has 8");
}

TEST(OnnxBadFile, NegativeDimsAreRefused) {
  ModelWriter w = sound();
  w.initializer(tensor(TensorProto::FLOAT, {2, -3}));
  EXPECT_EQ(refusal(w), "tensor 'w': dim 1 is -3, it must not be negative");
  ModelWriter i;
  i.input("x", TensorProto::FLOAT, {"-2"}).node("Relu", {"x"}, {"y"}).output("y");
  EXPECT_EQ(refusal(i), "'x': dim 0 is -2, it must not be negative");
}

TEST(OnnxBadFile, RankBeyondEightIsRefused) {
  ModelWriter w = sound();
  w.initializer(tensor(TensorProto::FLOAT, {1, 1, 1, 1, 1, 1, 1, 1, 1}, "abcd"));
  EXPECT_EQ(refusal(w), "tensor 'w': rank 9 is beyond the limit of 8");
}

TEST(OnnxBadFile, CycleNamesTwoNodes) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"2"});
  w.node("Add", {"x", "b"}, {"a"}).node("Neg", {"a"}, {"b"}).node("Relu", {"b"}, {"y"}).output("y");
  const std::string text = refusal(w);
  EXPECT_THAT(text, AllOf(HasSubstr("cyclic"), HasSubstr("node 'n0' (Add)"), HasSubstr("node 'n1' (Neg)")));
}

TEST(OnnxBadFile, NodeThatNeedsItselfIsRefused) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"2"}).node("Add", {"x", "y"}, {"y"}).output("y");
  EXPECT_EQ(refusal(w), "the graph is cyclic: node 'n0' (Add) needs its own output");
}

TEST(OnnxBadFile, UndefinedNamesAreRefused) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"2"}).node("Add", {"x", "ghost"}, {"y"}).output("y");
  EXPECT_EQ(refusal(w), "node 'n0' (Add): its input 'ghost' is defined nowhere");
  ModelWriter o = sound();
  o.output("ghost");
  EXPECT_EQ(refusal(o), "graph output 'ghost' is defined nowhere");
}

TEST(OnnxBadFile, DoubleDefinitionsAreRefused) {
  ModelWriter w = sound();
  w.node("Neg", {"x"}, {"y"});
  EXPECT_EQ(refusal(w), "node 'n1' (Neg): its output 'y' is defined a second time");
  ModelWriter twice = sound();
  twice.floats("w", {1}, {1}).floats("w", {1}, {2});
  EXPECT_EQ(refusal(twice), "'w' is defined twice");
  ModelWriter input = sound();
  input.node("Neg", {"y"}, {"x"});
  EXPECT_EQ(refusal(input), "node 'n1' (Neg): its output 'x' is defined a second time");
}

TEST(OnnxBadFile, ModelWithoutOperatorSetIsRefused) {
  ModelWriter w = sound();
  w.proto().clear_opset_import();
  EXPECT_THAT(refusal(w), HasSubstr("no operator set"));
}

TEST(OnnxBadFile, ModelWithoutGraphIsRefused) {
  ModelWriter w;
  w.proto().clear_graph();
  EXPECT_THAT(refusal(w), HasSubstr("no graph"));
}

TEST(OnnxBadFile, ModelWithoutOutputsIsRefused) {
  ModelWriter w;
  w.input("x", TensorProto::FLOAT, {"2"});
  EXPECT_EQ(refusal(w), "the graph has no outputs");
}

TEST(OnnxBadFile, SparseInitializersAreRefused) {
  ModelWriter w = sound();
  w.proto().mutable_graph()->add_sparse_initializer()->mutable_values()->set_name("s");
  EXPECT_EQ(refusal(w), "initializer 's' is sparse, which is not supported");
}

TEST(OnnxBadFile, SubGraphsNestedTooDeeplyAreRefused) {
  for (int depth : {10, 40, 5000}) {
    onnx::GraphProto inner;
    inner.add_output()->set_name("x");
    std::string graph = inner.SerializeAsString();
    for (int i = 0; i < depth; ++i) {  // as bytes, since building 5000 levels of messages is slow
      onnx::GraphProto outer;
      outer.add_output()->set_name("x");
      auto* n = outer.add_node();
      n->set_op_type("If");
      n->add_output("x");
      auto* a = n->add_attribute();
      a->set_name("then_branch");
      a->set_type(onnx::AttributeProto::GRAPH);
      std::string bytes = outer.SerializeAsString();
      const auto length = [](size_t v) {
        std::string s;
        for (; v >= 128; v >>= 7) s += static_cast<char>(v | 128);
        return s + static_cast<char>(v);
      };
      // attribute (node field 5) { name, type, g (6) }, spliced in by hand.
      const std::string attr = a->SerializeAsString() + '\x32' + length(graph.size()) + graph;
      n->clear_attribute();
      const std::string node = n->SerializeAsString() + '\x2a' + length(attr.size()) + attr;
      outer.clear_node();
      graph = outer.SerializeAsString() + '\x0a' + length(node.size()) + node;
    }
    ModelWriter w;
    w.proto().clear_graph();
    const auto length = [](size_t v) {
      std::string s;
      for (; v >= 128; v >>= 7) s += static_cast<char>(v | 128);
      return s + static_cast<char>(v);
    };
    const std::string text = refusal(w.bytes() + '\x3a' + length(graph.size()) + graph);
    if (depth == 10)
      EXPECT_THAT(text, HasSubstr("cyclic"));
    else
      EXPECT_THAT(text, HasSubstr("nested more than")) << depth;
  }
}

TEST(OnnxBadFile, TensorFilesAreChecked) {
  const test::TemporaryFolder folder;
  const auto text_of = [&](const std::string& bytes) -> std::string {
    test::write_file(folder / "t.pb", bytes);
    try {
      read_onnx_tensor(folder / "t.pb");
      return "";
    } catch (const Error& e) {
      return e.text();
    }
  };
  EXPECT_THAT(text_of("plain text"), HasSubstr("not an ONNX tensor"));
  EXPECT_THAT(text_of(tensor(TensorProto::FLOAT, {4}, "abc").SerializeAsString()),
              HasSubstr("needs 16 bytes"));
  EXPECT_THAT(text_of(tensor(TensorProto::STRING, {1}).SerializeAsString()),
              HasSubstr("type 8 are not supported"));
}

}  // namespace
}  // namespace opmux
