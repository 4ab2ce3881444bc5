// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/read.hpp"

#include <cstring>
#include <exception>
#include <filesystem>

#include "host/onnx/check.hpp"
#include "host/onnx/external.hpp"
#include "host/onnx/library.hpp"
#include "host/onnx/source_from.hpp"
#include "host/platform/error.hpp"
#include "host/platform/file.hpp"

namespace opmux {
namespace {

// What a sink makes; an exception may not pass through the reader, so it waits here.
template <class T>
struct Result {
  std::shared_ptr<const void> owner;
  ExternalData external;
  T value;
  std::exception_ptr error;

  template <class Work>
  opmux_status take(Work work) noexcept {
    try {
      work();
      return OPMUX_OK;
    } catch (...) {
      error = std::current_exception();
      return OPMUX_E_INTERNAL;
    }
  }
};

template <class T, class Read>
T finish(Result<T>& result, Read read) {
  ErrRecord err;
  const opmux_status status = read(err.get());
  if (result.error) std::rethrow_exception(result.error);
  if (status != OPMUX_OK) fail(status, "{}", err.text(status));
  return std::move(result.value);
}

SourceModel read_model(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                       std::string folder) {
  Result<SourceModel> result{std::move(owner), ExternalData(std::move(folder)), {}, {}};
  return finish(result, [&](opmux_err* err) {
    return onnx_reader().read(
        OPMUX_ONNX_READER, {bytes.data(), bytes.size()},
        [](void* context, const opmux_onnx_model* model) {
          auto& r = *static_cast<Result<SourceModel>*>(context);
          return r.take([&] { r.value = source_from(*model, r.owner, r.external); });
        },
        &result, err);
  });
}

// Puts the file's name before the sentence, unless it is there already.
template <class Work>
auto named(const std::string& path, Work work) {
  try {
    return work();
  } catch (const Error& e) {
    const std::string text = path.empty() || e.text().starts_with(path) ? e.text() : path + ": " + e.text();
    throw Error(e.status(), printable(text), e.native(), e.native_domain(), e.arg());
  }
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

std::shared_ptr<const SourceModel> read_onnx(const std::string& path) {
  return named(path, [&] {
    auto file = std::make_shared<MappedFile>(path);
    auto model = std::make_shared<SourceModel>(read_model(file->bytes(), file, folder_of(path)));
    model->path = path;
    return std::shared_ptr<const SourceModel>(std::move(model));
  });
}

std::shared_ptr<const SourceModel> read_onnx_bytes(std::span<const std::byte> bytes) {
  auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  return named("", [&] { return std::make_shared<const SourceModel>(read_model(*copy, copy, {})); });
}

NamedHostTensor read_onnx_tensor(const std::string& path) {
  return named(path, [&] {
    const auto file = std::make_shared<MappedFile>(path);
    Result<NamedHostTensor> result{nullptr, ExternalData({}), {}, {}};  // no owner: the values are copied
    NamedHostTensor out = finish(result, [&](opmux_err* err) {
      return onnx_reader().read_tensor(
          OPMUX_ONNX_READER, {file->bytes().data(), file->bytes().size()},
          [](void* context, const opmux_onnx_tensor* tensor) {
            auto& r = *static_cast<Result<NamedHostTensor>*>(context);
            return r.take([&] {
              r.value = {std::string(tensor->name.data, tensor->name.size),
                         tensor_from(*tensor, r.owner, r.external)};
              if (!r.value.tensor) {
                fail(OPMUX_E_UNSUPPORTED, "tensors of ONNX element type {} are not supported",
                     tensor->data_type);
              }
            });
          },
          &result, err);
    });
    return out;
  });
}

}  // namespace opmux
