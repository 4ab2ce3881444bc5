// SPDX-License-Identifier: Apache-2.0
// Tensor descriptors as values, and host tensors: what constants, inputs and folded results are made of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "opmux/types.h"

namespace opmux {

using Dims = std::vector<int64_t>;

// Contiguous descriptor; throws Error on rank above 8, a negative extent or a size beyond 2^62 bytes.
opmux_tdesc make_desc(uint32_t dtype, std::span<const int64_t> dims);
inline opmux_tdesc make_desc(uint32_t dtype, std::initializer_list<int64_t> dims) {
  return make_desc(dtype, std::span<const int64_t>(dims.begin(), dims.size()));
}

inline std::span<const int64_t> dims_of(const opmux_tdesc& d) { return {d.dim, d.rank}; }
Dims to_dims(const opmux_tdesc& d);
int64_t element_count(const opmux_tdesc& d);
// Bytes of `count` elements of a type; sub-byte types round up.
uint64_t bytes_for(uint32_t dtype, int64_t count);
// Bytes of a contiguous tensor of these dims.
uint64_t packed_bytes(const opmux_tdesc& d);
// Row-major without gaps; size-1 and empty dims do not matter.
bool is_contiguous(const opmux_tdesc& d);
bool same_shape(const opmux_tdesc& a, const opmux_tdesc& b);
// First and one-past-last byte that a view touches, relative to its element 0; {0, 0} when empty.
struct Reach {
  int64_t begin = 0, end = 0;
};
Reach reach_of(const opmux_tdesc& d);
// "f32[2,3,8,8]"
std::string to_string(const opmux_tdesc& d);

// Tensor in host memory with shared, immutable bytes. data() points at element 0 of the view.
class HostTensor {
 public:
  HostTensor() = default;
  // Owned, zeroed, contiguous, aligned to 64 bytes.
  explicit HostTensor(const opmux_tdesc& contiguous);
  // Foreign bytes kept alive by `owner`.
  HostTensor(const opmux_tdesc& desc, std::shared_ptr<const std::byte> owner, uint64_t size_bytes);

  template <class T>
  static HostTensor of(uint32_t dtype, std::span<const int64_t> dims, std::span<const T> values) {
    HostTensor t(make_desc(dtype, dims));
    std::copy(values.begin(), values.end(), reinterpret_cast<T*>(t.mutable_data()));
    return t;
  }

  explicit operator bool() const { return desc_.dtype != OPMUX_NONE; }
  const opmux_tdesc& desc() const { return desc_; }
  const std::byte* data() const { return bytes_.get(); }
  // Only while nobody else holds the bytes (fresh results).
  std::byte* mutable_data() { return const_cast<std::byte*>(bytes_.get()); }
  const std::shared_ptr<const std::byte>& owner() const { return bytes_; }
  uint64_t size_bytes() const { return size_bytes_; }
  template <class T>
  std::span<const T> values() const {
    return {reinterpret_cast<const T*>(data()), static_cast<size_t>(element_count(desc_))};
  }
  // Values of an integer or bool tensor (contiguous) as int64; throws Error for other types.
  std::vector<int64_t> to_int64() const;
  // Values of a float, integer or bool tensor (contiguous) as double.
  std::vector<double> to_double() const;

 private:
  opmux_tdesc desc_{};
  std::shared_ptr<const std::byte> bytes_;
  uint64_t size_bytes_ = 0;
};

// Copies between two views of equal shape and type in host memory.
void copy_strided(const opmux_tdesc& to, std::byte* dst, const opmux_tdesc& from, const std::byte* src);
// The same bytes when the view is contiguous, else a copy.
HostTensor to_contiguous(const HostTensor& t);

}  // namespace opmux
