// SPDX-License-Identifier: Apache-2.0
// Writes ONNX models for tests, in a few words.
#pragma once

#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <onnx.pb.h>

namespace opmux::test {

struct Attr {
  using Value = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                             onnx::TensorProto, onnx::GraphProto>;
  Attr(std::string name, int value) : name(std::move(name)), value(int64_t{value}) {}
  Attr(std::string name, int64_t value) : name(std::move(name)), value(value) {}
  Attr(std::string name, float value) : name(std::move(name)), value(value) {}
  Attr(std::string name, const char* value) : name(std::move(name)), value(std::string(value)) {}
  Attr(std::string name, std::initializer_list<int64_t> values)
      : name(std::move(name)), value(std::vector<int64_t>(values)) {}
  Attr(std::string name, std::vector<float> values) : name(std::move(name)), value(std::move(values)) {}
  Attr(std::string name, onnx::TensorProto tensor) : name(std::move(name)), value(std::move(tensor)) {}
  Attr(std::string name, onnx::GraphProto graph) : name(std::move(name)), value(std::move(graph)) {}

  std::string name;
  Value value;
};

onnx::AttributeProto to_proto(const Attr& attr);

// Tensor with raw data; the ONNX type is the caller's affair.
template <class T>
onnx::TensorProto tensor_proto(const std::string& name, int32_t data_type,
                               std::initializer_list<int64_t> dims, const std::vector<T>& values) {
  onnx::TensorProto t;
  t.set_name(name);
  t.set_data_type(data_type);
  for (int64_t d : dims) t.add_dims(d);
  std::string raw(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  t.set_raw_data(std::move(raw));
  return t;
}

class ModelWriter {
 public:
  explicit ModelWriter(int64_t opset = 23);

  // Dims: "4", "N" (symbolic) or "?" (unknown).
  ModelWriter& input(const std::string& name, int32_t data_type, std::initializer_list<const char*> dims);
  ModelWriter& output(const std::string& name, int32_t data_type = onnx::TensorProto::FLOAT);
  ModelWriter& initializer(onnx::TensorProto tensor);
  ModelWriter& floats(const std::string& name, std::initializer_list<int64_t> dims,
                      std::vector<float> values) {
    return initializer(tensor_proto(name, onnx::TensorProto::FLOAT, dims, values));
  }
  ModelWriter& ints(const std::string& name, std::initializer_list<int64_t> dims,
                    std::vector<int64_t> values) {
    return initializer(tensor_proto(name, onnx::TensorProto::INT64, dims, values));
  }
  // Named "n0", "n1", ...
  ModelWriter& node(const std::string& op, std::vector<std::string> in, std::vector<std::string> out,
                    std::vector<Attr> attrs = {}, const std::string& domain = "");
  ModelWriter& metadata(const std::string& key, const std::string& value);

  onnx::ModelProto& proto() { return model_; }
  std::string bytes() const { return model_.SerializeAsString(); }
  void save(const std::string& path) const;

 private:
  onnx::ModelProto model_;
};

void write_file(const std::string& path, const std::string& bytes);
std::string read_whole(const std::string& path);

// A fresh folder that is removed with its content.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace opmux::test
