// SPDX-License-Identifier: Apache-2.0
// Models and tensors from ONNX files. The protobuf part lives in libopmux_onnx.so, which is loaded by the
// first call. Every function throws Error with one sentence that starts with the file's name.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "host/ir/source.hpp"
#include "host/onnx/named.hpp"

namespace opmux {

// The weights stay in the mapped file where their alignment allows it; the file must not change while the
// model lives. External data are looked for in the model's folder and nowhere else.
std::shared_ptr<const SourceModel> read_onnx(const std::string& path);

// The bytes are copied. Such a model has no folder, so external data are an error.
std::shared_ptr<const SourceModel> read_onnx_bytes(std::span<const std::byte> bytes);

// A file with a single TensorProto (.pb).
NamedHostTensor read_onnx_tensor(const std::string& path);

}  // namespace opmux
