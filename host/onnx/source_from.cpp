// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/source_from.hpp"

#include <cstring>

#include "host/onnx/check.hpp"
#include "host/platform/error.hpp"

namespace opmux {
namespace {

std::string text(opmux_str s) { return {s.data, s.size}; }

std::vector<std::string> texts(const opmux_str* s, uint64_t n) {
  std::vector<std::string> out;
  out.reserve(n);
  for (uint64_t i = 0; i < n; ++i) out.push_back(text(s[i]));
  return out;
}

// Constants are read by kernels of every width up to vectors, and by scalar code of their own type.
bool aligned(const void* p, uint32_t dtype) {
  const uint64_t width = std::max<uint64_t>(OPMUX_DTYPE_BITS(dtype) / 8, 1);
  return reinterpret_cast<uintptr_t>(p) % width == 0;
}

class Maker {
 public:
  Maker(const std::shared_ptr<const void>& owner, ExternalData& external)
      : owner_(owner), external_(external) {}

  HostTensor tensor(const opmux_onnx_tensor& t) {
    if (t.dtype == OPMUX_NONE) return {};
    const opmux_tdesc desc = make_desc(t.dtype, std::span<const int64_t>(t.dim, t.n_dim));
    const uint64_t size = packed_bytes(desc);
    if (t.is_external) return view_or_copy(desc, size, external_.map(t, size));
    const auto* bytes = static_cast<const std::byte*>(t.values.data);
    if (t.in_input && owner_) return view_or_copy(desc, size, {owner_, bytes});
    return copy(desc, size, bytes);
  }

  SourceGraph graph(const opmux_onnx_graph& g) {
    SourceGraph out;
    out.name = text(g.name);
    out.nodes = nodes(g.node, g.n_node);
    for (uint32_t i = 0; i < g.n_initializer; ++i) {
      out.initializers.push_back({text(g.initializer[i].name), tensor(g.initializer[i])});
    }
    for (uint32_t i = 0; i < g.n_input; ++i) out.inputs.push_back(value(g.input[i]));
    for (uint32_t i = 0; i < g.n_output; ++i) out.outputs.push_back(value(g.output[i]));
    return out;
  }

  SourceFunction function(const opmux_onnx_function& f) {
    SourceFunction out;
    out.domain = text(f.domain);
    out.name = overloaded(f.name, f.overload);
    out.inputs = texts(f.input, f.n_input);
    out.outputs = texts(f.output, f.n_output);
    out.attrs = texts(f.attr_name, f.n_attr_name);
    out.default_attrs = attrs(f.attr_default, f.n_attr_default);
    out.nodes = nodes(f.node, f.n_node);
    out.opsets = opsets(f.opset, f.n_opset);
    return out;
  }

  std::map<std::string, int64_t> opsets(const opmux_onnx_opset* o, uint32_t n) {
    std::map<std::string, int64_t> out;
    for (uint32_t i = 0; i < n; ++i) {
      std::string domain = text(o[i].domain);
      if (domain == "ai.onnx") domain.clear();
      out[domain] = o[i].version;
    }
    return out;
  }

 private:
  static HostTensor copy(const opmux_tdesc& desc, uint64_t size, const std::byte* bytes) {
    HostTensor out(desc);
    if (size > 0) std::memcpy(out.mutable_data(), bytes, size);
    return out;
  }

  static HostTensor view_or_copy(const opmux_tdesc& desc, uint64_t size,
                                 std::shared_ptr<const std::byte> bytes) {
    if (size == 0 || !aligned(bytes.get(), desc.dtype)) return copy(desc, size, bytes.get());
    return {desc, std::move(bytes), size};
  }

  static std::string overloaded(opmux_str name, opmux_str overload) {
    return overload.size == 0 ? text(name) : text(name) + ":" + text(overload);
  }

  std::vector<SourceNode> nodes(const opmux_onnx_node* n, uint32_t count) {
    std::vector<SourceNode> out;
    out.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
      SourceNode& s = out.emplace_back();
      s.name = text(n[i].name);
      s.op_type = overloaded(n[i].op_type, n[i].overload);
      s.domain = text(n[i].domain);
      if (s.domain == "ai.onnx") s.domain.clear();
      s.inputs = texts(n[i].input, n[i].n_input);
      s.outputs = texts(n[i].output, n[i].n_output);
      s.attrs = attrs(n[i].attr, n[i].n_attr);
    }
    return out;
  }

  std::vector<SourceAttr> attrs(const opmux_onnx_attr* a, uint32_t count) {
    std::vector<SourceAttr> out;
    out.reserve(count);
    for (uint32_t i = 0; i < count; ++i) out.push_back(attr(a[i]));
    return out;
  }

  SourceAttr attr(const opmux_onnx_attr& a) {
    using Kind = SourceAttr::Kind;
    SourceAttr out;
    out.name = text(a.name);
    out.f = a.f;
    out.i = a.i;
    out.s = text(a.s);
    switch (a.kind) {
      case OPMUX_ONNX_ATTR_FLOAT:
        out.kind = Kind::kFloat;
        break;
      case OPMUX_ONNX_ATTR_INT:
        out.kind = Kind::kInt;
        break;
      case OPMUX_ONNX_ATTR_STRING:
        out.kind = Kind::kString;
        break;
      case OPMUX_ONNX_ATTR_REFERENCE:
        out.kind = Kind::kReference;
        break;
      case OPMUX_ONNX_ATTR_FLOATS:
        out.kind = Kind::kFloats;
        out.floats.assign(a.floats, a.floats + a.count);
        break;
      case OPMUX_ONNX_ATTR_INTS:
        out.kind = Kind::kInts;
        out.ints.assign(a.ints, a.ints + a.count);
        break;
      case OPMUX_ONNX_ATTR_STRINGS:
        out.kind = Kind::kStrings;
        out.strings = texts(a.strings, a.count);
        break;
      case OPMUX_ONNX_ATTR_TENSOR:
        out.kind = Kind::kTensor;
        out.tensor = tensor(*a.tensor);
        break;
      case OPMUX_ONNX_ATTR_GRAPH:
        out.kind = Kind::kGraph;
        out.graph = std::make_shared<const SourceGraph>(graph(*a.graph));
        break;
      default:
        out.kind = Kind::kOther;
        break;
    }
    return out;
  }

  static SourceValue value(const opmux_onnx_value& v) {
    static constexpr const char* kKinds[] = {"",         "value without a type", "sequence", "map",
                                             "optional", "sparse tensor",        "opaque"};
    constexpr int32_t kString = 8;  // TensorProto.STRING
    SourceValue out;
    out.name = text(v.name);
    out.dtype = v.dtype;
    out.has_shape = v.has_shape != 0;
    for (uint32_t i = 0; i < v.n_dim; ++i) out.dims.push_back({v.dim[i].value, text(v.dim[i].symbol)});
    out.other_kind = kKinds[v.kind];
    if (v.kind == OPMUX_ONNX_TENSOR && v.dtype == OPMUX_NONE && v.data_type == kString)
      out.other_kind = "string";
    return out;
  }

  const std::shared_ptr<const void>& owner_;
  ExternalData& external_;
};

}  // namespace

HostTensor tensor_from(const opmux_onnx_tensor& tensor, const std::shared_ptr<const void>& owner,
                       ExternalData& external) {
  return Maker(owner, external).tensor(tensor);
}

SourceModel source_from(const opmux_onnx_model& model, const std::shared_ptr<const void>& owner,
                        ExternalData& external) {
  Maker maker(owner, external);
  SourceModel out;
  out.producer = text(model.producer);
  if (model.producer_version.size > 0) out.producer += " " + text(model.producer_version);
  out.ir_version = model.ir_version;
  out.opsets = maker.opsets(model.opset, model.n_opset);
  for (uint32_t i = 0; i < model.n_metadata; ++i) {
    out.metadata[text(model.metadata[i].key)] = text(model.metadata[i].value);
  }
  for (uint32_t i = 0; i < model.n_function; ++i) out.functions.push_back(maker.function(model.function[i]));
  out.graph = maker.graph(model.graph);
  check_and_sort(out);
  return out;
}

}  // namespace opmux
