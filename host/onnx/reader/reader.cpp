// SPDX-License-Identifier: Apache-2.0
// Entry points: nothing but plain structures and caller-owned errors crosses them.
#include "host/onnx/reader/reader.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>

#include "host/onnx/reader/convert.hpp"
#include "host/onnx/reader/tensor.hpp"

namespace opmux::onnx_reader {
namespace {

opmux_status report(opmux_err* err, opmux_status status, const char* text) {
  if (err == nullptr) return status;
  err->code = status;
  err->arg_index = OPMUX_NO_ARG;
  err->msg_len = static_cast<uint32_t>(std::min<size_t>(std::strlen(text), err->msg_cap));
  if (err->msg != nullptr) std::memcpy(err->msg, text, err->msg_len);
  return status;
}

template <class Work>
opmux_status guarded(uint32_t version, opmux_err* err, Work work) {
  if (version != OPMUX_ONNX_READER) {
    return report(err, OPMUX_E_VERSION, "libopmux_onnx is of another version than libopmux");
  }
  try {
    return work();
  } catch (const BadModel& e) {
    return report(err, OPMUX_E_INVALID, e.what());
  } catch (const std::bad_alloc&) {
    return report(err, OPMUX_E_OUT_OF_MEMORY, "out of memory while reading the model");
  } catch (const std::exception& e) {
    return report(err, OPMUX_E_INTERNAL, e.what());
  }
}

Bytes bytes_of(opmux_span s) { return {static_cast<const std::byte*>(s.data), s.size}; }

}  // namespace
}  // namespace opmux::onnx_reader

using namespace opmux::onnx_reader;

opmux_status opmux_onnx_read(uint32_t version, opmux_span bytes, opmux_onnx_model_sink sink, void* context,
                             opmux_err* err) {
  return guarded(version, err, [&] {
    const ParsedModel parsed = parse_model(bytes_of(bytes));
    Arena arena;
    const opmux_onnx_model model = convert(parsed, arena);
    return sink(context, &model);
  });
}

opmux_status opmux_onnx_read_tensor(uint32_t version, opmux_span bytes, opmux_onnx_tensor_sink sink,
                                    void* context, opmux_err* err) {
  return guarded(version, err, [&] {
    const ParsedTensor parsed = parse_tensor(bytes_of(bytes));
    Arena arena;
    const opmux_onnx_tensor tensor = convert(parsed.tensor, parsed.raw, arena);
    return sink(context, &tensor);
  });
}
