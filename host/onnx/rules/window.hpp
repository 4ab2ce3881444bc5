// SPDX-License-Identifier: Apache-2.0
// Attributes that convolutions and pools share.
#pragma once

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {

struct Window {
  std::vector<int64_t> kernel, stride, dilation, pad;  // pad: begins, then ends
};

// spatial: dims of x from axis 2 on; kernel: extents of the window. Resolves auto_pad.
Window window_of(const NodeContext& c, std::span<const int64_t> spatial, std::span<const int64_t> kernel);

// A list attribute with one entry per spatial dim; `otherwise` for each when it is absent.
std::vector<int64_t> spatial_list(const NodeContext& c, const char* attr, size_t count, int64_t otherwise);

// y plus input i, one number a channel, if it is there.
ValueId add_bias(NodeContext& c, ValueId y, size_t i);

// Convolution of x with w by attributes of the node, without bias. Integers sum up in i32, which wraps.
ValueId convolve(NodeContext& c, ValueId x, ValueId w);
// With the padding of x holding `value`, a scalar.
ValueId convolve_padded(NodeContext& c, ValueId x, ValueId w, ValueId value);

}  // namespace opmux::onnx_import
