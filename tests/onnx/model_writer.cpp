// SPDX-License-Identifier: Apache-2.0
#include "tests/onnx/model_writer.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace opmux::test {
namespace {

struct SetValue {
  onnx::AttributeProto& a;

  void operator()(int64_t v) const { a.set_type(a.INT), a.set_i(v); }
  void operator()(float v) const { a.set_type(a.FLOAT), a.set_f(v); }
  void operator()(const std::string& v) const { a.set_type(a.STRING), a.set_s(v); }
  void operator()(const std::vector<int64_t>& v) const {
    a.set_type(a.INTS);
    for (int64_t x : v) a.add_ints(x);
  }
  void operator()(const std::vector<float>& v) const {
    a.set_type(a.FLOATS);
    for (float x : v) a.add_floats(x);
  }
  void operator()(const onnx::TensorProto& v) const { a.set_type(a.TENSOR), *a.mutable_t() = v; }
  void operator()(const onnx::GraphProto& v) const { a.set_type(a.GRAPH), *a.mutable_g() = v; }
};

void set_type(onnx::ValueInfoProto& v, const std::string& name, int32_t data_type) {
  v.set_name(name);
  v.mutable_type()->mutable_tensor_type()->set_elem_type(data_type);
}

}  // namespace

onnx::AttributeProto to_proto(const Attr& attr) {
  onnx::AttributeProto a;
  a.set_name(attr.name);
  std::visit(SetValue{a}, attr.value);
  return a;
}

ModelWriter::ModelWriter(int64_t opset) {
  model_.set_ir_version(8);
  auto* set = model_.add_opset_import();
  set->set_domain("");
  set->set_version(opset);
  model_.mutable_graph()->set_name("test");
}

ModelWriter& ModelWriter::input(const std::string& name, int32_t data_type,
                                std::initializer_list<const char*> dims) {
  auto* v = model_.mutable_graph()->add_input();
  set_type(*v, name, data_type);
  auto* shape = v->mutable_type()->mutable_tensor_type()->mutable_shape();
  for (const std::string d : dims) {
    auto* dim = shape->add_dim();
    if (d == "?") continue;
    const bool number = d.find_first_not_of("-0123456789") == std::string::npos;
    if (number)
      dim->set_dim_value(std::stoll(d));
    else
      dim->set_dim_param(d);
  }
  return *this;
}

ModelWriter& ModelWriter::output(const std::string& name, int32_t data_type) {
  set_type(*model_.mutable_graph()->add_output(), name, data_type);
  return *this;
}

ModelWriter& ModelWriter::initializer(onnx::TensorProto tensor) {
  *model_.mutable_graph()->add_initializer() = std::move(tensor);
  return *this;
}

ModelWriter& ModelWriter::node(const std::string& op, std::vector<std::string> in,
                               std::vector<std::string> out, std::vector<Attr> attrs,
                               const std::string& domain) {
  auto* n = model_.mutable_graph()->add_node();
  n->set_name("n" + std::to_string(model_.graph().node_size() - 1));
  n->set_op_type(op);
  n->set_domain(domain);
  for (auto& s : in) n->add_input(std::move(s));
  for (auto& s : out) n->add_output(std::move(s));
  for (const Attr& a : attrs) *n->add_attribute() = to_proto(a);
  return *this;
}

ModelWriter& ModelWriter::metadata(const std::string& key, const std::string& value) {
  auto* e = model_.add_metadata_props();
  e->set_key(key);
  e->set_value(value);
  return *this;
}

void ModelWriter::save(const std::string& path) const { write_file(path, bytes()); }

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  if (!out) throw std::runtime_error("cannot write " + path);
}

std::string read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream s;
  s << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + path);
  return s.str();
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "opmux-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder " + pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace opmux::test
