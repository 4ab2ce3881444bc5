// SPDX-License-Identifier: Apache-2.0
// From a model as its file says it to a graph with concrete shapes.
#pragma once

#include <span>

#include "host/ir/builder.hpp"
#include "host/ir/source.hpp"
#include "host/onnx/named.hpp"

namespace opmux {

// inputs: dtype and dims of every graph input that is neither known nor a state. known_inputs: inputs whose
// values are fixed for this graph; they become constants. Nodes that no output needs are left out. Operators
// over constants, which is all shape arithmetic, are computed here by the evaluator; without one they become
// nodes, and what needs their values is refused. Throws Error "node 'conv1' (Conv): ...".
Graph import_onnx(const SourceModel& model, std::span<const NamedTensorDesc> inputs,
                  std::span<const NamedHostTensor> known_inputs, Evaluator* evaluator);

}  // namespace opmux
