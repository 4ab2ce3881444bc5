// SPDX-License-Identifier: Apache-2.0
// From the reader's plain structures to the host's own.
#pragma once

#include <memory>
#include <string>

#include "host/ir/source.hpp"
#include "host/onnx/external.hpp"
#include "host/onnx/reader/reader.h"

namespace opmux {

// owner: keeps the bytes alive that were given to the reader. Checks names, definitions and cycles too.
SourceModel source_from(const opmux_onnx_model& model, const std::shared_ptr<const void>& owner,
                        ExternalData& external);
HostTensor tensor_from(const opmux_onnx_tensor& tensor, const std::shared_ptr<const void>& owner,
                       ExternalData& external);

}  // namespace opmux
