// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/reader/tensor.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>

namespace opmux::onnx_reader {
namespace {

static_assert(std::endian::native == std::endian::little, "ONNX bytes are little-endian");

using onnx::TensorProto;

struct TypeRow {
  int32_t data_type;
  uint32_t dtype;
  const char* name;
};

constexpr TypeRow kTypes[] = {
    {TensorProto::FLOAT, OPMUX_F32, "f32"},
    {TensorProto::DOUBLE, OPMUX_F64, "f64"},
    {TensorProto::FLOAT16, OPMUX_F16, "f16"},
    {TensorProto::BFLOAT16, OPMUX_BF16, "bf16"},
    {TensorProto::INT64, OPMUX_I64, "i64"},
    {TensorProto::INT32, OPMUX_I32, "i32"},
    {TensorProto::INT16, OPMUX_I16, "i16"},
    {TensorProto::INT8, OPMUX_I8, "i8"},
    {TensorProto::UINT64, OPMUX_U64, "u64"},
    {TensorProto::UINT32, OPMUX_U32, "u32"},
    {TensorProto::UINT16, OPMUX_U16, "u16"},
    {TensorProto::UINT8, OPMUX_U8, "u8"},
    {TensorProto::BOOL, OPMUX_BOOL, "bool"},
    {TensorProto::FLOAT8E4M3FN, OPMUX_E4M3FN, "e4m3fn"},
    {TensorProto::FLOAT8E5M2, OPMUX_E5M2, "e5m2"},
    {TensorProto::FLOAT8E4M3FNUZ, OPMUX_E4M3FNUZ, "e4m3fnuz"},
    {TensorProto::FLOAT8E5M2FNUZ, OPMUX_E5M2FNUZ, "e5m2fnuz"},
    // By number, because an older onnx.proto does not name them.
    {21, OPMUX_U4, "u4"},
    {22, OPMUX_I4, "i4"},
    {23, OPMUX_E2M1, "e2m1"},
    {24, OPMUX_E8M0, "e8m0"},
    {25, OPMUX_U2, "u2"},
    {26, OPMUX_I2, "i2"},
};

const TypeRow* row_of(int32_t data_type) {
  for (const TypeRow& r : kTypes) {
    if (r.data_type == data_type) return &r;
  }
  return nullptr;
}

// Repeated integers that hold one element, or one packed byte, each.
template <class To, class Field>
opmux_span narrowed(const Field& field, Arena& arena) {
  const auto n = static_cast<size_t>(field.size());
  To* out = arena.make<To>(n);
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<To>(field[static_cast<int>(i)]);
  return {out, n * sizeof(To)};
}

template <class Field>
opmux_span as_is(const Field& field) {
  return {field.data(), static_cast<uint64_t>(field.size()) * sizeof(*field.data())};
}

// Values of a typed field; element types narrower than 8 bits are packed bytes there too.
opmux_span typed_values(const TensorProto& t, uint32_t dtype, Arena& arena) {
  switch (dtype) {
    case OPMUX_F32:
      return as_is(t.float_data());
    case OPMUX_F64:
      return as_is(t.double_data());
    case OPMUX_I64:
      return as_is(t.int64_data());
    case OPMUX_U64:
      return as_is(t.uint64_data());
    case OPMUX_U32:
      return narrowed<uint32_t>(t.uint64_data(), arena);
    default:
      break;
  }
  switch (OPMUX_DTYPE_BITS(dtype)) {
    case 32:
      return as_is(t.int32_data());
    case 16:
      return narrowed<uint16_t>(t.int32_data(), arena);
    default:
      return narrowed<uint8_t>(t.int32_data(), arena);
  }
}

std::string dims_text(const TensorProto& t) {
  std::string s = "[";
  for (int i = 0; i < t.dims_size(); ++i) s += fmt::format("{}{}", i ? "," : "", t.dims(i));
  return s + "]";
}

std::string who(const TensorProto& t) {
  return t.name().empty() ? "a tensor" : fmt::format("tensor '{}'", t.name());
}

uint64_t checked_bytes(const TensorProto& t, const TypeRow& type) {
  constexpr uint64_t kLimit = uint64_t{1} << 62;
  const uint64_t bits = OPMUX_DTYPE_BITS(type.dtype);
  uint64_t count = 1;
  bool empty = false, huge = false;
  for (int i = 0; i < t.dims_size(); ++i) {
    const int64_t d = t.dims(i);
    if (d < 0) throw BadModel(fmt::format("{}: dim {} is {}, it must not be negative", who(t), i, d));
    if (d == 0)
      empty = true;
    else if (count > kLimit / static_cast<uint64_t>(d))
      huge = true;
    else
      count *= static_cast<uint64_t>(d);
  }
  if (empty) return 0;
  if (huge || count > kLimit / bits) {
    throw BadModel(fmt::format("{}: {}{} is beyond the limit of 2^62 bits", who(t), type.name, dims_text(t)));
  }
  return (count * bits + 7) / 8;
}

uint64_t number(const TensorProto& t, const std::string& key, const std::string& text) {
  uint64_t v = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (bad != std::errc() || end != text.data() + text.size()) {
    throw BadModel(fmt::format("{}: external data {} is '{}', it must be a number", who(t), key, text));
  }
  return v;
}

void set_external(const TensorProto& t, uint64_t bytes, opmux_onnx_tensor& out) {
  out.is_external = 1;
  out.length = OPMUX_ONNX_WHOLE;
  for (const auto& e : t.external_data()) {
    if (e.key() == "location") out.location = view(e.value());
    if (e.key() == "offset") out.offset = number(t, "offset", e.value());
    if (e.key() == "length") out.length = number(t, "length", e.value());
  }
  if (out.location.size == 0) throw BadModel(fmt::format("{}: external data without a location", who(t)));
  if (out.length != OPMUX_ONNX_WHOLE && out.length != bytes) {
    throw BadModel(fmt::format("{}: external data of {} bytes, its dims {} need {}", who(t), out.length,
                               dims_text(t), bytes));
  }
  if (out.offset > (uint64_t{1} << 62)) {
    throw BadModel(fmt::format("{}: external data at offset {}, the limit is 2^62", who(t), out.offset));
  }
}

}  // namespace

uint32_t dtype_of(int32_t data_type) {
  const TypeRow* r = row_of(data_type);
  return r != nullptr ? r->dtype : OPMUX_NONE;
}

opmux_onnx_tensor convert(const onnx::TensorProto& t, const std::optional<Bytes>& raw, Arena& arena) {
  opmux_onnx_tensor out{};
  out.name = view(t.name());
  out.data_type = t.data_type();
  out.n_dim = static_cast<uint32_t>(t.dims_size());
  out.dim = t.dims().data();
  if (t.dims_size() > static_cast<int>(OPMUX_MAX_RANK)) {
    throw BadModel(
        fmt::format("{}: rank {} is beyond the limit of {}", who(t), t.dims_size(), OPMUX_MAX_RANK));
  }
  const TypeRow* type = row_of(t.data_type());
  if (type == nullptr) return out;
  const uint64_t bytes = checked_bytes(t, *type);
  out.dtype = type->dtype;
  if (t.has_segment()) throw BadModel(fmt::format("{}: segments of tensors are not supported", who(t)));
  if (t.data_location() == TensorProto::EXTERNAL) {
    set_external(t, bytes, out);
    return out;
  }
  if (raw) {
    out.values = {raw->data(), raw->size()};
    out.in_input = 1;
  } else if (t.has_raw_data()) {
    out.values = {t.raw_data().data(), t.raw_data().size()};
  } else {
    out.values = typed_values(t, type->dtype, arena);
  }
  if (out.values.size != bytes) {
    throw BadModel(fmt::format("{}: {}{} needs {} bytes of values, the file has {}", who(t), type->name,
                               dims_text(t), bytes, out.values.size));
  }
  return out;
}

}  // namespace opmux::onnx_reader
