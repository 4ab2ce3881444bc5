// SPDX-License-Identifier: Apache-2.0
// Runs models through import alone: with every input known, import folds the whole graph on the reference.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/onnx/import.hpp"
#include "host/platform/error.hpp"
#include "tests/onnx/model_writer.hpp"

namespace opmux::test {

// Evaluates on the reference plugin, which is loaded once.
Evaluator& reference();

std::shared_ptr<const SourceModel> read(const ModelWriter& writer);

// Outputs of a model for these inputs, contiguous. Throws Error as import does, and when a value was not
// folded.
std::vector<HostTensor> evaluate(const SourceModel& model, const std::vector<NamedHostTensor>& inputs);

inline HostTensor floats(std::initializer_list<int64_t> dims, std::initializer_list<float> values) {
  return HostTensor::of<float>(OPMUX_F32, {dims.begin(), dims.size()}, {values.begin(), values.size()});
}
inline HostTensor ints(std::initializer_list<int64_t> dims, std::initializer_list<int64_t> values) {
  return HostTensor::of<int64_t>(OPMUX_I64, {dims.begin(), dims.size()}, {values.begin(), values.size()});
}

// The graph of a model for inputs of these descriptors.
Graph import(const ModelWriter& writer, const std::vector<NamedTensorDesc>& inputs);

// The sentence with which a call fails; empty when it does not.
template <class Call>
std::string sentence_of(Call call) {
  try {
    call();
    return "";
  } catch (const Error& e) {
    return e.text();
  }
}

}  // namespace opmux::test
