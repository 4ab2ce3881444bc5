// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/reader/convert.hpp"

#include <fmt/format.h>

#include "host/onnx/reader/tensor.hpp"

namespace opmux::onnx_reader {
namespace {

using onnx::AttributeProto;
using Raw = std::vector<std::optional<Bytes>>;

// Array of what `one` makes of each element of a repeated field.
template <class T, class Field, class One>
T* each(const Field& field, Arena& arena, One one) {
  T* out = arena.make<T>(static_cast<size_t>(field.size()));
  size_t i = 0;
  for (const auto& element : field) out[i++] = one(element);
  return out;
}

template <class Field>
uint32_t count(const Field& field) {
  return static_cast<uint32_t>(field.size());
}

template <class Field>
const opmux_str* strings(const Field& field, Arena& arena) {
  return each<opmux_str>(field, arena, [](const std::string& s) { return view(s); });
}

opmux_onnx_graph convert_graph(const onnx::GraphProto& graph, const Raw* raw, Arena& arena);

// Early writers left `type` out; the one field that is set says it then.
AttributeProto::AttributeType kind_of(const AttributeProto& a) {
  if (a.has_type() && a.type() != AttributeProto::UNDEFINED) return a.type();
  if (a.has_f()) return AttributeProto::FLOAT;
  if (a.has_i()) return AttributeProto::INT;
  if (a.has_s()) return AttributeProto::STRING;
  if (a.has_t()) return AttributeProto::TENSOR;
  if (a.has_g()) return AttributeProto::GRAPH;
  if (a.floats_size() > 0) return AttributeProto::FLOATS;
  if (a.ints_size() > 0) return AttributeProto::INTS;
  if (a.strings_size() > 0) return AttributeProto::STRINGS;
  return AttributeProto::UNDEFINED;
}

template <class T>
T* boxed(T value, Arena& arena) {
  T* p = arena.make<T>(1);
  *p = value;
  return p;
}

opmux_onnx_attr convert_attr(const AttributeProto& a, Arena& arena) {
  opmux_onnx_attr out{};
  out.name = view(a.name());
  if (!a.ref_attr_name().empty()) {
    out.kind = OPMUX_ONNX_ATTR_REFERENCE;
    out.s = view(a.ref_attr_name());
    return out;
  }
  switch (kind_of(a)) {
    case AttributeProto::FLOAT:
      out.kind = OPMUX_ONNX_ATTR_FLOAT, out.f = a.f();
      break;
    case AttributeProto::INT:
      out.kind = OPMUX_ONNX_ATTR_INT, out.i = a.i();
      break;
    case AttributeProto::STRING:
      out.kind = OPMUX_ONNX_ATTR_STRING, out.s = view(a.s());
      break;
    case AttributeProto::TENSOR:
      out.kind = OPMUX_ONNX_ATTR_TENSOR;
      out.tensor = boxed(convert(a.t(), std::nullopt, arena), arena);
      break;
    case AttributeProto::GRAPH:
      out.kind = OPMUX_ONNX_ATTR_GRAPH;
      out.graph = boxed(convert_graph(a.g(), nullptr, arena), arena);
      break;
    case AttributeProto::FLOATS:
      out.kind = OPMUX_ONNX_ATTR_FLOATS, out.count = count(a.floats()), out.floats = a.floats().data();
      break;
    case AttributeProto::INTS:
      out.kind = OPMUX_ONNX_ATTR_INTS, out.count = count(a.ints());
      out.ints = each<int64_t>(a.ints(), arena, [](int64_t v) { return v; });
      break;
    case AttributeProto::STRINGS:
      out.kind = OPMUX_ONNX_ATTR_STRINGS, out.count = count(a.strings()),
      out.strings = strings(a.strings(), arena);
      break;
    default:
      out.kind = OPMUX_ONNX_ATTR_OTHER;
      break;
  }
  return out;
}

template <class Field>
const opmux_onnx_attr* attrs(const Field& field, Arena& arena) {
  return each<opmux_onnx_attr>(field, arena, [&](const AttributeProto& a) { return convert_attr(a, arena); });
}

template <class Field>
const opmux_onnx_node* nodes(const Field& field, Arena& arena) {
  return each<opmux_onnx_node>(field, arena, [&](const onnx::NodeProto& n) {
    opmux_onnx_node out{};
    out.name = view(n.name());
    out.op_type = view(n.op_type());
    out.domain = view(n.domain());
    out.overload = view(n.overload());
    out.input = strings(n.input(), arena), out.n_input = count(n.input());
    out.output = strings(n.output(), arena), out.n_output = count(n.output());
    out.attr = attrs(n.attribute(), arena), out.n_attr = count(n.attribute());
    return out;
  });
}

uint32_t kind_of(const onnx::TypeProto& type) {
  switch (type.value_case()) {
    case onnx::TypeProto::kTensorType:
      return OPMUX_ONNX_TENSOR;
    case onnx::TypeProto::kSequenceType:
      return OPMUX_ONNX_SEQUENCE;
    case onnx::TypeProto::kMapType:
      return OPMUX_ONNX_MAP;
    case onnx::TypeProto::kOptionalType:
      return OPMUX_ONNX_OPTIONAL;
    case onnx::TypeProto::kSparseTensorType:
      return OPMUX_ONNX_SPARSE;
    case onnx::TypeProto::kOpaqueType:
      return OPMUX_ONNX_OPAQUE;
    default:
      return OPMUX_ONNX_UNTYPED;
  }
}

opmux_onnx_value convert_value(const onnx::ValueInfoProto& v, Arena& arena) {
  opmux_onnx_value out{};
  out.name = view(v.name());
  out.kind = kind_of(v.type());
  if (out.kind != OPMUX_ONNX_TENSOR) return out;
  const auto& tensor = v.type().tensor_type();
  out.data_type = tensor.elem_type();
  out.dtype = dtype_of(tensor.elem_type());
  out.has_shape = tensor.has_shape() ? 1 : 0;
  const auto& dims = tensor.shape().dim();
  for (int i = 0; i < dims.size(); ++i) {
    if (dims[i].has_dim_value() && dims[i].dim_value() < 0) {
      throw BadModel(
          fmt::format("'{}': dim {} is {}, it must not be negative", v.name(), i, dims[i].dim_value()));
    }
  }
  if (dims.size() > static_cast<int>(OPMUX_MAX_RANK)) {
    throw BadModel(
        fmt::format("'{}': rank {} is beyond the limit of {}", v.name(), dims.size(), OPMUX_MAX_RANK));
  }
  out.n_dim = count(dims);
  out.dim = each<opmux_onnx_dim>(dims, arena, [](const onnx::TensorShapeProto::Dimension& d) {
    return opmux_onnx_dim{d.has_dim_value() ? d.dim_value() : -1, view(d.dim_param())};
  });
  return out;
}

template <class Field>
const opmux_onnx_value* values(const Field& field, Arena& arena) {
  return each<opmux_onnx_value>(field, arena,
                                [&](const onnx::ValueInfoProto& v) { return convert_value(v, arena); });
}

opmux_onnx_graph convert_graph(const onnx::GraphProto& g, const Raw* raw, Arena& arena) {
  if (g.sparse_initializer_size() > 0) {
    throw BadModel(fmt::format("initializer '{}' is sparse, which is not supported",
                               g.sparse_initializer(0).values().name()));
  }
  opmux_onnx_graph out{};
  out.name = view(g.name());
  out.node = nodes(g.node(), arena), out.n_node = count(g.node());
  size_t i = 0;
  out.initializer = each<opmux_onnx_tensor>(g.initializer(), arena, [&](const onnx::TensorProto& t) {
    return convert(t, raw != nullptr ? (*raw)[i++] : std::nullopt, arena);
  });
  out.n_initializer = count(g.initializer());
  out.input = values(g.input(), arena), out.n_input = count(g.input());
  out.output = values(g.output(), arena), out.n_output = count(g.output());
  return out;
}

template <class Field>
const opmux_onnx_opset* opsets(const Field& field, Arena& arena) {
  return each<opmux_onnx_opset>(field, arena, [](const onnx::OperatorSetIdProto& o) {
    return opmux_onnx_opset{view(o.domain()), o.version()};
  });
}

opmux_onnx_function convert_function(const onnx::FunctionProto& f, Arena& arena) {
  opmux_onnx_function out{};
  out.domain = view(f.domain());
  out.name = view(f.name());
  out.overload = view(f.overload());
  out.input = strings(f.input(), arena), out.n_input = count(f.input());
  out.output = strings(f.output(), arena), out.n_output = count(f.output());
  out.attr_name = strings(f.attribute(), arena), out.n_attr_name = count(f.attribute());
  out.attr_default = attrs(f.attribute_proto(), arena), out.n_attr_default = count(f.attribute_proto());
  out.node = nodes(f.node(), arena), out.n_node = count(f.node());
  out.opset = opsets(f.opset_import(), arena), out.n_opset = count(f.opset_import());
  return out;
}

}  // namespace

opmux_onnx_model convert(const ParsedModel& parsed, Arena& arena) {
  const onnx::ModelProto& m = parsed.model;
  opmux_onnx_model out{};
  out.producer = view(m.producer_name());
  out.producer_version = view(m.producer_version());
  out.ir_version = m.ir_version();
  out.opset = opsets(m.opset_import(), arena), out.n_opset = count(m.opset_import());
  out.metadata =
      each<opmux_onnx_metadata>(m.metadata_props(), arena, [](const onnx::StringStringEntryProto& e) {
        return opmux_onnx_metadata{view(e.key()), view(e.value())};
      });
  out.n_metadata = count(m.metadata_props());
  out.function = each<opmux_onnx_function>(
      m.functions(), arena, [&](const onnx::FunctionProto& f) { return convert_function(f, arena); });
  out.n_function = count(m.functions());
  out.graph = convert_graph(m.graph(), &parsed.raw, arena);
  return out;
}

}  // namespace opmux::onnx_reader
