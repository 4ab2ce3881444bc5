// SPDX-License-Identifier: Apache-2.0
// The ONNX reader and import on arbitrary bytes: a sentence or a graph, never anything else. Symbolic dims
// are 2, nothing is computed ahead.
#include <cstddef>
#include <cstdint>
#include <span>

#include "host/onnx/import.hpp"
#include "host/onnx/reader/reader.h"
#include "host/onnx/source_from.hpp"
#include "host/platform/error.hpp"

namespace {

using namespace opmux;

void import_sink(const opmux_onnx_model& model) {
  ExternalData external("");
  try {
    const SourceModel source = source_from(model, nullptr, external);
    std::vector<NamedTensorDesc> inputs;
    for (const SourceValue& v : source.graph.inputs) {
      Dims dims;
      for (const SourceDim& d : v.dims) dims.push_back(d.value < 0 ? 2 : d.value);
      inputs.push_back({v.name, make_desc(v.dtype == OPMUX_NONE ? OPMUX_F32 : v.dtype, dims)});
    }
    import_onnx(source, inputs, {}, nullptr);
  } catch (const Error& e) {
    if (e.text().empty() || e.code() == OPMUX_E_INTERNAL) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const opmux_span bytes{data, size};
  opmux_onnx_read(
      OPMUX_ONNX_READER, bytes,
      [](void*, const opmux_onnx_model* model) {
        import_sink(*model);
        return opmux_status{OPMUX_OK};
      },
      nullptr, nullptr);
  opmux_onnx_read_tensor(
      OPMUX_ONNX_READER, bytes, [](void*, const opmux_onnx_tensor*) { return opmux_status{OPMUX_OK}; },
      nullptr, nullptr);
  return 0;
}
