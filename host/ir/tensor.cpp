// SPDX-License-Identifier: Apache-2.0
#include "host/ir/tensor.hpp"

#include <cstdlib>
#include <cstring>

#include "host/platform/error.hpp"
#include "kit/scalar.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 62;
constexpr size_t kConstantAlign = 64;

// Copies axis by axis; the innermost axis in one move where both sides are dense.
void copy_axis(const opmux_tdesc& d, const opmux_tdesc& s, uint32_t axis, uint64_t width, std::byte* dst,
               const std::byte* src) {
  if (axis == d.rank) {
    std::memcpy(dst, src, width);
    return;
  }
  const int64_t n = d.dim[axis];
  const auto w = static_cast<int64_t>(width);
  if (axis + 1 == d.rank && d.stride[axis] == 1 && s.stride[axis] == 1) {
    std::memcpy(dst, src, static_cast<size_t>(n) * width);
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    copy_axis(d, s, axis + 1, width, dst + i * d.stride[axis] * w, src + i * s.stride[axis] * w);
  }
}

}  // namespace

opmux_tdesc make_desc(uint32_t dtype, std::span<const int64_t> dims) {
  if (dims.size() > OPMUX_MAX_RANK) {
    fail(OPMUX_E_INVALID, "a tensor of rank {} is beyond the limit of {}", dims.size(), OPMUX_MAX_RANK);
  }
  opmux_tdesc d{};
  d.dtype = dtype;
  d.rank = static_cast<uint32_t>(dims.size());
  uint64_t bits = std::max<uint64_t>(OPMUX_DTYPE_BITS(dtype), 1);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < 0) fail(OPMUX_E_INVALID, "dim {} is {}, but extents are not negative", i, dims[i]);
    const auto n = static_cast<uint64_t>(std::max<int64_t>(dims[i], 1));
    if (n > kMaxBytes / bits) {
      fail(OPMUX_E_INVALID, "a tensor of more than 2^62 bits is beyond the limit (dim {} is {})", i, dims[i]);
    }
    bits *= n;
    d.dim[i] = dims[i];
  }
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    d.stride[i] = stride;
    stride *= std::max<int64_t>(dims[i], 1);
  }
  return d;
}

Dims to_dims(const opmux_tdesc& d) { return {d.dim, d.dim + d.rank}; }

int64_t element_count(const opmux_tdesc& d) {
  int64_t n = 1;
  for (uint32_t i = 0; i < d.rank; ++i) n *= d.dim[i];
  return n;
}

uint64_t bytes_for(uint32_t dtype, int64_t count) {
  return (static_cast<uint64_t>(count) * OPMUX_DTYPE_BITS(dtype) + 7) / 8;
}

uint64_t packed_bytes(const opmux_tdesc& d) { return bytes_for(d.dtype, element_count(d)); }

bool is_contiguous(const opmux_tdesc& d) {
  if (element_count(d) == 0) return true;
  int64_t expected = 1;
  for (uint32_t i = d.rank; i-- > 0;) {
    if (d.dim[i] == 1) continue;
    if (d.stride[i] != expected) return false;
    expected *= d.dim[i];
  }
  return true;
}

bool same_shape(const opmux_tdesc& a, const opmux_tdesc& b) {
  return a.rank == b.rank && std::equal(a.dim, a.dim + a.rank, b.dim);
}

Reach reach_of(const opmux_tdesc& d) {
  if (element_count(d) == 0) return {};
  int64_t low = 0, high = 0;
  for (uint32_t i = 0; i < d.rank; ++i) {
    const int64_t span = (d.dim[i] - 1) * d.stride[i];
    (span < 0 ? low : high) += span;
  }
  const int64_t bits = OPMUX_DTYPE_BITS(d.dtype);
  return {low * bits / 8, ((high + 1) * bits + 7) / 8};
}

std::string to_string(const opmux_tdesc& d) {
  std::string s = schema::dtype_name(d.dtype);
  s += '[';
  for (uint32_t i = 0; i < d.rank; ++i) s += (i ? "," : "") + std::to_string(d.dim[i]);
  return s + ']';
}

HostTensor::HostTensor(const opmux_tdesc& contiguous)
    : desc_(contiguous), size_bytes_(packed_bytes(contiguous)) {
  const size_t padded = (size_bytes_ + kConstantAlign) / kConstantAlign * kConstantAlign;
  auto* p = static_cast<std::byte*>(std::aligned_alloc(kConstantAlign, padded));
  if (!p) fail(OPMUX_E_OUT_OF_MEMORY, "no memory for a tensor of {} bytes", size_bytes_);
  std::memset(p, 0, padded);
  bytes_ =
      std::shared_ptr<const std::byte>(p, [](const std::byte* q) { std::free(const_cast<std::byte*>(q)); });
}

HostTensor::HostTensor(const opmux_tdesc& desc, std::shared_ptr<const std::byte> owner, uint64_t size_bytes)
    : desc_(desc), bytes_(std::move(owner)), size_bytes_(size_bytes) {}

std::vector<int64_t> HostTensor::to_int64() const {
  const uint32_t t = desc_.dtype;
  if (!kit::is_integer(t) && t != OPMUX_BOOL)
    fail(OPMUX_E_INVALID, "integers expected, not {}", schema::dtype_name(t));
  std::vector<int64_t> out(static_cast<size_t>(element_count(desc_)));
  for (size_t i = 0; i < out.size(); ++i) out[i] = kit::load(t, data(), static_cast<int64_t>(i)).i;
  return out;
}

std::vector<double> HostTensor::to_double() const {
  const uint32_t t = desc_.dtype;
  std::vector<double> out(static_cast<size_t>(element_count(desc_)));
  for (size_t i = 0; i < out.size(); ++i) {
    const kit::Scalar v = kit::load(t, data(), static_cast<int64_t>(i));
    out[i] = kit::is_float(t) ? v.f : kit::is_signed(t) ? static_cast<double>(v.i) : static_cast<double>(v.u);
  }
  return out;
}

void copy_strided(const opmux_tdesc& to, std::byte* dst, const opmux_tdesc& from, const std::byte* src) {
  if (element_count(to) == 0) return;
  if (is_contiguous(to) && is_contiguous(from)) {
    std::memcpy(dst, src, packed_bytes(to));
    return;
  }
  if (OPMUX_DTYPE_BITS(to.dtype) % 8) {
    fail(OPMUX_E_UNSUPPORTED, "strided views of {} cannot be copied on the host",
         schema::dtype_name(to.dtype));
  }
  copy_axis(to, from, 0, OPMUX_DTYPE_BITS(to.dtype) / 8, dst, src);
}

HostTensor to_contiguous(const HostTensor& t) {
  if (is_contiguous(t.desc())) {
    return HostTensor(make_desc(t.desc().dtype, dims_of(t.desc())), t.owner(), packed_bytes(t.desc()));
  }
  HostTensor out(make_desc(t.desc().dtype, dims_of(t.desc())));
  copy_strided(out.desc(), out.mutable_data(), t.desc(), t.data());
  return out;
}

}  // namespace opmux
