// SPDX-License-Identifier: Apache-2.0
#include "tools/opmux/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace opmux::cli {
namespace {

template <class T>
double as(const void* data, int64_t index) {
  T v;
  std::memcpy(&v, static_cast<const std::byte*>(data) + index * static_cast<int64_t>(sizeof(T)), sizeof v);
  return static_cast<double>(v);
}

double half(uint16_t h) {
  const int exponent = h >> 10 & 31, fraction = h & 1023;
  const double magnitude = exponent == 31  ? (fraction ? NAN : INFINITY)
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return h & 0x8000 ? -magnitude : magnitude;
}

double bfloat(uint16_t h) {
  const uint32_t bits = static_cast<uint32_t>(h) << 16;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

std::string place(const opmux_tdesc& d, int64_t index) {
  std::string text;
  for (uint32_t i = d.rank; i-- > 0;) {
    text = std::to_string(index % d.dim[i]) + (text.empty() ? "" : ", ") + text;
    index /= d.dim[i];
  }
  return "[" + text + "]";
}

// The bits of an element of 8 or fewer.
int code(const opmux_tensor& t, int64_t index) {
  const uint32_t bits = OPMUX_DTYPE_BITS(t.desc.dtype);
  const uint64_t at = static_cast<uint64_t>(index) * bits;
  return static_cast<const uint8_t*>(t.data)[at / 8] >> at % 8 & ((1 << bits) - 1);
}

bool has_numbers(uint32_t dtype) {
  return dtype == OPMUX_F16 || dtype == OPMUX_BF16 || OPMUX_DTYPE_BITS(dtype) > 16 ||
         (OPMUX_DTYPE_BITS(dtype) >= 8 && OPMUX_DTYPE_CLASS(dtype) != OPMUX_CLASS_FLOAT);
}

std::string bits_mismatch(const opmux_tensor& have, const opmux_tensor& want) {
  for (int64_t i = 0; i < api::element_count(want.desc); ++i) {
    const int a = code(have, i), b = code(want, i);
    if (a != b) return fmt::format("differs at {}: code {:#x}, expected {:#x}", place(want.desc, i), a, b);
  }
  return {};
}

double largest(const opmux_tensor& t) {
  double most = 0;
  for (int64_t i = 0; i < api::element_count(t.desc); ++i) {
    const double v = std::abs(element(t, i));
    if (std::isfinite(v)) most = std::max(most, v);
  }
  return most;
}

}  // namespace

double element(const opmux_tensor& t, int64_t i) {
  switch (t.desc.dtype) {
    case OPMUX_F64:
      return as<double>(t.data, i);
    case OPMUX_F32:
      return as<float>(t.data, i);
    case OPMUX_F16:
      return half(static_cast<uint16_t>(as<uint16_t>(t.data, i)));
    case OPMUX_BF16:
      return bfloat(static_cast<uint16_t>(as<uint16_t>(t.data, i)));
    case OPMUX_I64:
      return as<int64_t>(t.data, i);
    case OPMUX_I32:
      return as<int32_t>(t.data, i);
    case OPMUX_I16:
      return as<int16_t>(t.data, i);
    case OPMUX_I8:
      return as<int8_t>(t.data, i);
    case OPMUX_U64:
      return as<uint64_t>(t.data, i);
    case OPMUX_U32:
      return as<uint32_t>(t.data, i);
    case OPMUX_U16:
      return as<uint16_t>(t.data, i);
    case OPMUX_U8:
    case OPMUX_BOOL:
      return as<uint8_t>(t.data, i);
    default:
      throw api::Failure(OPMUX_E_UNSUPPORTED,
                         fmt::format("elements of type {} cannot be shown", opmux_dtype_text(t.desc.dtype)));
  }
}

std::string desc_text(const opmux_tdesc& d) {
  std::string text;
  for (uint32_t i = 0; i < d.rank; ++i) text += (i ? ", " : "") + std::to_string(d.dim[i]);
  return fmt::format("{}[{}]", opmux_dtype_text(d.dtype), text);
}

std::string mismatch(const opmux_tensor& have, const opmux_tensor& want, const Tolerance& tolerance) {
  if (desc_text(have.desc) != desc_text(want.desc)) {
    return fmt::format("is {}, expected {}", desc_text(have.desc), desc_text(want.desc));
  }
  if (tolerance.any_value) return {};
  if (!has_numbers(want.desc.dtype)) return bits_mismatch(have, want);
  const double least = OPMUX_DTYPE_BITS(want.desc.dtype) == 16 ? 1e-2 : 0;
  const bool is_float = OPMUX_DTYPE_CLASS(want.desc.dtype) == OPMUX_CLASS_FLOAT;
  const double unit = OPMUX_DTYPE_BITS(want.desc.dtype) == 64 ? 0x1p-52 : 0x1p-23;
  const double relative = std::max(tolerance.relative, least);
  const double absolute = std::max({tolerance.absolute, least, is_float ? 4 * unit * largest(want) : 0});
  double worst = 0;
  int64_t at = -1, wrong = 0;
  const int64_t n = api::element_count(want.desc);
  for (int64_t i = 0; i < n; ++i) {
    const double a = element(have, i), b = element(want, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    const bool finite = std::isfinite(a) && std::isfinite(b);
    const double over =
        finite ? std::abs(a - b) / (is_float ? absolute + relative * std::abs(b) : 0.5) : INFINITY;
    if (over <= 1) continue;
    ++wrong;
    if (at < 0 || over > worst) {
      worst = over;
      at = i;
    }
  }
  if (!wrong) return {};
  return fmt::format("differs in {} of {} elements, worst at {}: {:.9g}, expected {:.9g}", wrong, n,
                     place(want.desc, at), element(have, at), element(want, at));
}

}  // namespace opmux::cli
