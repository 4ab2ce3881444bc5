// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/reader/parse.hpp"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <limits>

namespace opmux::onnx_reader {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

CodedInputStream stream_of(Bytes b) {
  return CodedInputStream(reinterpret_cast<const uint8_t*>(b.data()), static_cast<int>(b.size()));
}

// Calls on_field with the payload of each length-delimited `field`, and on_run with each longest run of other
// fields. False: the bytes are no message, or a callee said so.
template <class OnField, class OnRun>
bool split(Bytes bytes, int field, OnField on_field, OnRun on_run) {
  CodedInputStream in = stream_of(bytes);
  size_t run = 0;
  for (;;) {
    const auto start = static_cast<size_t>(in.CurrentPosition());
    const uint32_t tag = in.ReadTag();
    if (tag == 0) {
      if (start != bytes.size()) return false;
      return run == start || on_run(bytes.subspan(run, start - run));
    }
    if (tag != WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED)) {
      if (!WireFormatLite::SkipField(&in, tag)) return false;
      continue;
    }
    uint32_t size = 0;
    if (!in.ReadVarint32(&size)) return false;
    const auto begin = static_cast<size_t>(in.CurrentPosition());
    if (size > bytes.size() - begin || !in.Skip(static_cast<int>(size))) return false;
    if (run != start && !on_run(bytes.subspan(run, start - run))) return false;
    if (!on_field(bytes.subspan(begin, size))) return false;
    run = begin + size;
  }
}

bool merge(google::protobuf::MessageLite& message, Bytes bytes) {
  CodedInputStream in = stream_of(bytes);
  return message.MergePartialFromCodedStream(&in) && in.ConsumedEntireMessage();
}

bool split_tensor(Bytes bytes, onnx::TensorProto& tensor, std::optional<Bytes>& raw) {
  return split(
      bytes, onnx::TensorProto::kRawDataFieldNumber,
      [&](Bytes payload) {
        raw = payload;
        return true;
      },
      [&](Bytes run) { return merge(tensor, run); });
}

bool split_graph(Bytes bytes, onnx::GraphProto& graph, std::vector<std::optional<Bytes>>& raw) {
  return split(
      bytes, onnx::GraphProto::kInitializerFieldNumber,
      [&](Bytes payload) { return split_tensor(payload, *graph.add_initializer(), raw.emplace_back()); },
      [&](Bytes run) { return merge(graph, run); });
}

// Depth of sub-graphs within a graph, to tell deep nesting from damage; protobuf itself says only "no".
// Recursion ends at kTooDeep.
constexpr int kTooDeep = 32;

int depth_of_graph(Bytes graph, int depth) {
  if (depth > kTooDeep) return depth;
  int deepest = depth;
  const auto ignore = [](Bytes) { return true; };
  const auto in_graph = [&](Bytes sub) {
    deepest = std::max(deepest, depth_of_graph(sub, depth + 1));
    return deepest <= kTooDeep;
  };
  const auto in_attr = [&](Bytes attr) {
    return split(attr, onnx::AttributeProto::kGFieldNumber, in_graph, ignore) &&
           split(attr, onnx::AttributeProto::kGraphsFieldNumber, in_graph, ignore);
  };
  const auto in_node = [&](Bytes node) {
    return split(node, onnx::NodeProto::kAttributeFieldNumber, in_attr, ignore);
  };
  split(graph, onnx::GraphProto::kNodeFieldNumber, in_node, ignore);
  return deepest;
}

bool nested_too_deeply(Bytes model) {
  int deepest = 0;
  split(
      model, onnx::ModelProto::kGraphFieldNumber,
      [&](Bytes graph) {
        deepest = std::max(deepest, depth_of_graph(graph, 0));
        return true;
      },
      [](Bytes) { return true; });
  return deepest > kTooDeep - 2;  // protobuf's limit of 100 levels is 32 graphs, less what surrounds them
}

void check_size(Bytes bytes, const char* what) {
  if (bytes.empty()) throw BadModel(fmt::format("the {} is empty", what));
  constexpr uint64_t kLimit = std::numeric_limits<int32_t>::max();
  if (bytes.size() > kLimit) {
    throw BadModel(
        fmt::format("the {} has {} bytes, protobuf allows {}: keep the weights in a file of their own "
                    "(external data)",
                    what, bytes.size(), kLimit));
  }
}

}  // namespace

ParsedModel parse_model(Bytes bytes) {
  check_size(bytes, "model");
  ParsedModel p;
  const bool good = split(
      bytes, onnx::ModelProto::kGraphFieldNumber,
      [&](Bytes graph) { return split_graph(graph, *p.model.mutable_graph(), p.raw); },
      [&](Bytes run) { return merge(p.model, run); });
  if (!good) {
    if (nested_too_deeply(bytes)) {
      throw BadModel(fmt::format("sub-graphs are nested more than {} deep", kTooDeep - 2));
    }
    throw BadModel(fmt::format(
        "not an ONNX model, or damaged or cut off: its {} bytes are no ONNX protobuf message", bytes.size()));
  }
  if (!p.model.has_graph())
    throw BadModel(fmt::format("not an ONNX model: no graph in its {} bytes", bytes.size()));
  return p;
}

ParsedTensor parse_tensor(Bytes bytes) {
  check_size(bytes, "tensor file");
  ParsedTensor p;
  if (!split_tensor(bytes, p.tensor, p.raw)) {
    throw BadModel(
        fmt::format("not an ONNX tensor, or damaged or cut off: its {} bytes are no ONNX protobuf message",
                    bytes.size()));
  }
  if (!p.tensor.has_data_type()) throw BadModel("not an ONNX tensor: it states no element type");
  return p;
}

}  // namespace opmux::onnx_reader
