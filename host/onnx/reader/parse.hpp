// SPDX-License-Identifier: Apache-2.0
// From bytes to protobuf messages, with the payloads of the main graph's initializers left where they are: a
// model is mostly weights, and these are used from the mapped file.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <onnx.pb.h>

namespace opmux::onnx_reader {

using Bytes = std::span<const std::byte>;

// The only exception thrown in this library; its text is a whole sentence.
struct BadModel : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ParsedModel {
  onnx::ModelProto model;
  // raw_data of graph.initializer(i), which the message itself lacks; nothing if it has none.
  std::vector<std::optional<Bytes>> raw;
};

ParsedModel parse_model(Bytes bytes);

struct ParsedTensor {
  onnx::TensorProto tensor;
  std::optional<Bytes> raw;
};

ParsedTensor parse_tensor(Bytes bytes);

}  // namespace opmux::onnx_reader
