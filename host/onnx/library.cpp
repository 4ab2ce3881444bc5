// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/library.hpp"

#include <boost/dll/shared_library.hpp>
#include <filesystem>
#include <memory>

#include "host/platform/error.hpp"
#include "host/platform/library_path.hpp"

namespace opmux {
namespace {

constexpr const char* kName = "libopmux_onnx.so";

std::string find_library() {
  const std::filesystem::path here = library_dir();
  std::error_code ignored;
  for (const auto& folder : {here, here.parent_path() / "lib"}) {
    const auto path = folder / kName;
    if (std::filesystem::exists(path, ignored)) return path.string();
  }
  fail(OPMUX_E_NOT_FOUND, "ONNX models need {}, which is neither in {} nor in {}", kName, here.string(),
       (here.parent_path() / "lib").string());
}

OnnxReader load() {
  const std::string path = find_library();
  boost::dll::fs::error_code error;
  // Kept on purpose, and reachable from here for leak checkers: protobuf registers destructors of its own.
  static boost::dll::shared_library* kept = nullptr;
  auto library = std::make_unique<boost::dll::shared_library>();
  library->load(path, error, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  if (error) fail(OPMUX_E_IO, "{}: cannot load it: {}", path, error.message());
  for (const char* symbol : {"opmux_onnx_read", "opmux_onnx_read_tensor"}) {
    if (!library->has(symbol))
      fail(OPMUX_E_VERSION, "{}: no function {}, it is of another build", path, symbol);
  }
  kept = library.release();
  return {&kept->get<opmux_status(uint32_t, opmux_span, opmux_onnx_model_sink, void*, opmux_err*)>(
              "opmux_onnx_read"),
          &kept->get<opmux_status(uint32_t, opmux_span, opmux_onnx_tensor_sink, void*, opmux_err*)>(
              "opmux_onnx_read_tensor")};
}

}  // namespace

const OnnxReader& onnx_reader() {
  static const OnnxReader reader = load();  // a failure is tried again by the next call
  return reader;
}

}  // namespace opmux
