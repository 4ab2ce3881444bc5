// SPDX-License-Identifier: Apache-2.0
// Tensors whose bytes lie in files beside the model. A model is untrusted: it may name only files in its own
// folder, by no way out of it, be it an absolute path, "..", or a link.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "host/onnx/reader/reader.h"
#include "host/platform/file.hpp"

namespace opmux {

class ExternalData {
 public:
  // folder: of the model; empty: there is none, every reference is refused.
  explicit ExternalData(std::string folder) : folder_(std::move(folder)) {}

  // The bytes of a tensor, mapped; size_bytes is what its dims need.
  std::shared_ptr<const std::byte> map(const opmux_onnx_tensor& tensor, uint64_t size_bytes);

 private:
  std::shared_ptr<MappedFile> open(const std::string& location);

  std::string folder_;
  std::map<std::string, std::shared_ptr<MappedFile>> files_;  // by location
};

}  // namespace opmux
