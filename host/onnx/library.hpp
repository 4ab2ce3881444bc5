// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/onnx/reader/reader.h"

namespace opmux {

struct OnnxReader {
  opmux_onnx_read_fn read;
  opmux_onnx_read_tensor_fn read_tensor;
};

// Loads libopmux_onnx.so from the folder of libopmux, or from ../lib of it for programs that the host is
// linked into. It is never unloaded. Throws Error that says where it was looked for.
const OnnxReader& onnx_reader();

}  // namespace opmux
