// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/external.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "host/platform/error.hpp"

namespace opmux {
namespace {

std::string_view text(opmux_str s) { return {s.data, s.size}; }

}  // namespace

std::shared_ptr<MappedFile> ExternalData::open(const std::string& location) {
  namespace fs = std::filesystem;
  if (folder_.empty()) {
    fail(OPMUX_E_INVALID, "external data '{}': a model given as bytes has no folder to find it in", location);
  }
  if (auto it = files_.find(location); it != files_.end()) return it->second;
  if (location.find('\0') != std::string::npos)
    fail(OPMUX_E_INVALID, "external data: a zero byte in its location");
  const fs::path relative(location);
  if (relative.is_absolute()) {
    fail(OPMUX_E_INVALID, "external data '{}' is an absolute path, it must lie in the model's folder",
         location);
  }
  if (std::any_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; })) {
    fail(OPMUX_E_INVALID, "external data '{}' leaves the model's folder by '..'", location);
  }
  std::error_code error;
  const fs::path root = fs::canonical(folder_, error);
  const fs::path real = error ? fs::path() : fs::canonical(root / relative, error);
  if (error) fail(OPMUX_E_IO, "external data '{}': cannot find it: {}", location, error.message());
  const auto [root_end, unused] = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
  if (root_end != root.end()) {
    fail(OPMUX_E_INVALID, "external data '{}' leaves the model's folder by a link to {}", location,
         real.string());
  }
  auto file = std::make_shared<MappedFile>(real.string());
  files_.emplace(location, file);
  return file;
}

std::shared_ptr<const std::byte> ExternalData::map(const opmux_onnx_tensor& tensor, uint64_t size_bytes) {
  const std::string location(text(tensor.location));
  const auto file = open(location);
  const uint64_t file_size = file->bytes().size();
  if (tensor.offset > file_size || size_bytes > file_size - tensor.offset) {
    fail(OPMUX_E_INVALID, "external data '{}': tensor '{}' needs {} bytes from offset {} on, the file has {}",
         location, text(tensor.name), size_bytes, tensor.offset, file_size);
  }
  return {file, file->bytes().data() + tensor.offset};
}

}  // namespace opmux
