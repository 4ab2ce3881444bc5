// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/onnx/reader/arena.hpp"
#include "host/onnx/reader/parse.hpp"
#include "host/onnx/reader/reader.h"

namespace opmux::onnx_reader {

// OPMUX_* of a TensorProto.DataType; OPMUX_NONE for strings and types that this runtime lacks.
uint32_t dtype_of(int32_t data_type);

// Checks the tensor and lays its values out as bytes. raw: raw_data that was left in the input.
opmux_onnx_tensor convert(const onnx::TensorProto& tensor, const std::optional<Bytes>& raw, Arena& arena);

}  // namespace opmux::onnx_reader
