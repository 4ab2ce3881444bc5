// SPDX-License-Identifier: Apache-2.0
// A model as its file says it: named values, ONNX operators, symbolic dims. Immutable once read; shared by
// all plans.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/ir/tensor.hpp"

namespace opmux {

struct SourceGraph;

struct SourceDim {
  int64_t value = -1;  // -1: symbolic or unknown
  std::string symbol;  // may be empty
};

struct SourceValue {
  std::string name;
  uint32_t dtype = OPMUX_NONE;  // NONE: not stated, or not a tensor
  bool has_shape = false;
  std::vector<SourceDim> dims;
  std::string other_kind;  // "sequence", "optional", "map", "string": kinds that this runtime refuses by name
};

struct SourceAttr {
  enum class Kind {
    kFloat,
    kInt,
    kString,
    kTensor,
    kGraph,
    kFloats,
    kInts,
    kStrings,
    kTensors,
    kGraphs,
    kOther,
    kReference
  };
  std::string name;
  Kind kind = Kind::kOther;
  float f = 0;
  int64_t i = 0;
  std::string s;  // kReference: name of the function's attribute
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  HostTensor tensor;
  std::shared_ptr<const SourceGraph> graph;
};

struct SourceNode {
  std::string name, op_type, domain;
  std::vector<std::string> inputs, outputs;  // "" is an absent operand
  std::vector<SourceAttr> attrs;

  const SourceAttr* attr(const std::string& name) const;
};

struct SourceInitializer {
  std::string name;
  HostTensor tensor;
};

struct SourceGraph {
  std::string name;
  std::vector<SourceNode> nodes;  // topologically sorted by the reader; a cycle is refused there
  std::vector<SourceInitializer> initializers;
  std::vector<SourceValue> inputs;  // without those that only name an initializer
  std::vector<SourceValue> outputs;
};

struct SourceFunction {
  std::string domain, name;
  std::vector<std::string> inputs, outputs, attrs;
  std::vector<SourceAttr> default_attrs;
  std::vector<SourceNode> nodes;
  std::map<std::string, int64_t> opsets;
};

struct SourceModel {
  std::string path, producer;
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;  // domain -> version, "" is ai.onnx
  std::map<std::string, std::string> metadata;
  std::vector<SourceFunction> functions;
  SourceGraph graph;
};

}  // namespace opmux
