// SPDX-License-Identifier: Apache-2.0
// From protobuf messages to the plain structures of reader.h, which point into the messages and the arena.
#pragma once

#include "host/onnx/reader/arena.hpp"
#include "host/onnx/reader/parse.hpp"
#include "host/onnx/reader/reader.h"

namespace opmux::onnx_reader {

opmux_onnx_model convert(const ParsedModel& parsed, Arena& arena);

}  // namespace opmux::onnx_reader
