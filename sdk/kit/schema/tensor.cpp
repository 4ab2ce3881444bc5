// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

using std::size_t;
__extension__ using Wide = __int128;
constexpr Wide kMaxBytes = Wide{1} << 62;

long long ll(int64_t v) { return v; }

// Bytes that all elements would take, and the reach of the strides; both below 2^62, so that no sum that a
// backend forms from them overflows.
bool check_extent(const View& v, const opmux_tdesc& t, const char* name, uint32_t arg, Problem& p) {
  const int64_t bits = OPMUX_DTYPE_BITS(t.dtype);
  Wide count = 1, reach = 0;
  bool empty = false;
  for (uint32_t i = 0; i < t.rank; ++i) {
    if (t.dim[i] < 0)
      return fail(p, v.name(), {OPMUX_WHY_DIM, arg, i}, t.dim[i], 0,
                  "dim %u of %s is %lld, must be at least 0", i, name, ll(t.dim[i]));
    empty |= t.dim[i] == 0;
    count *= t.dim[i] == 0 ? 1 : t.dim[i];
    if (count * bits / 8 >= kMaxBytes)
      return fail(p, v.name(), {OPMUX_WHY_DIM, arg, i}, t.dim[i], int64_t{1} << 62,
                  "dim %u of %s is %lld, which makes the tensor 2^62 bytes or more", i, name, ll(t.dim[i]));
  }
  for (uint32_t i = 0; i < t.rank && !empty && t.layout == 0; ++i) {
    const Wide stride = t.stride[i] < 0 ? -Wide{t.stride[i]} : Wide{t.stride[i]};
    if (t.dim[i] <= 1) continue;
    // |stride| < 2^63 and dim < 2^62 * 8: the product fits into 128 bits.
    reach += stride * (t.dim[i] - 1);
    if (reach * bits / 8 >= kMaxBytes)
      return fail(p, v.name(), {OPMUX_WHY_STRIDE, arg, i}, t.stride[i], int64_t{1} << 62,
                  "stride %u of %s is %lld, which reaches over 2^62 bytes or more", i, name, ll(t.stride[i]));
  }
  return true;
}

// Elements of an output lie apart: each stride steps over all that the smaller ones reach. Every view that
// slices, transposes and reverses make of a tensor is so.
bool check_distinct(const View& v, const opmux_tdesc& t, const char* name, uint32_t arg, Problem& p) {
  const auto step = [&](uint32_t i) { return t.stride[i] < 0 ? -Wide{t.stride[i]} : Wide{t.stride[i]}; };
  uint32_t axis[OPMUX_MAX_RANK] = {}, n = 0;  // by step
  for (uint32_t i = 0; i < t.rank; ++i) {
    if (t.dim[i] == 0) return true;
    if (t.dim[i] == 1) continue;
    uint32_t k = n++;
    for (; k > 0 && step(axis[k - 1]) > step(i); --k) axis[k] = axis[k - 1];
    axis[k] = i;
  }
  Wide reach = 0;
  for (uint32_t k = 0; k < n; ++k) {
    const uint32_t i = axis[k];
    if (step(i) <= reach)
      return fail(
          p, v.name(), {OPMUX_WHY_STRIDE, arg, i}, t.stride[i], static_cast<int64_t>(reach) + 1,
          "stride %u of output %s is %lld, so its elements share memory; at least %lld keeps them apart", i,
          name, ll(t.stride[i]), ll(static_cast<int64_t>(reach) + 1));
    reach += step(i) * (t.dim[i] - 1);
  }
  return true;
}

bool check_unused(const View& v, const opmux_tdesc& t, const char* name, uint32_t arg, Problem& p) {
  for (uint32_t i = t.rank; i < OPMUX_MAX_RANK; ++i) {
    if (t.dim[i] != 0)
      return fail(p, v.name(), {OPMUX_WHY_DIM, arg, i}, t.dim[i], 0,
                  "dim %u of %s is %lld beyond rank %u, must be 0", i, name, ll(t.dim[i]), t.rank);
    if (t.stride[i] != 0)
      return fail(p, v.name(), {OPMUX_WHY_STRIDE, arg, i}, t.stride[i], 0,
                  "stride %u of %s is %lld beyond rank %u, must be 0", i, name, ll(t.stride[i]), t.rank);
  }
  return true;
}

bool check_flags(const View& v, const opmux_tdesc& t, const char* name, bool output, uint32_t arg,
                 Problem& p) {
  constexpr uint32_t kAlignBits = 0xff000000u;
  const uint32_t allowed =
      (output ? kTensorFlags & ~(OPMUX_T_CONST | OPMUX_T_HOST_SCALAR) : kTensorFlags) | kAlignBits;
  const At at{OPMUX_WHY_INVALID, arg, 0};
  if ((t.flags & ~allowed) != 0)
    return fail(p, v.name(), at, t.flags, allowed, "flags of %s are 0x%x, only the bits 0x%x have a meaning",
                name, t.flags, allowed);
  if (OPMUX_T_ALIGN_LOG2(t.flags) > 62)
    return fail(p, v.name(), at, OPMUX_T_ALIGN_LOG2(t.flags), 62,
                "alignment of %s is 2^%u, at most 2^62 is possible", name, OPMUX_T_ALIGN_LOG2(t.flags));
  if ((t.flags & OPMUX_T_HOST_SCALAR) != 0 && t.rank != 0)
    return fail(p, v.name(), {OPMUX_WHY_RANK, arg, 0}, t.rank, 0, "%s is a host scalar of rank %u, must be 0",
                name, t.rank);
  if (t.quant != 0)
    return fail(p, v.name(), {OPMUX_WHY_QUANT, arg, 0}, static_cast<int64_t>(t.quant), 0,
                "%s has quantisation scheme 0x%llx, none is defined for this operator", name,
                static_cast<unsigned long long>(t.quant));
  if (t.layout == 0 && t.layout_arg != 0)
    return fail(p, v.name(), {OPMUX_WHY_LAYOUT, arg, 0}, static_cast<int64_t>(t.layout_arg), 0,
                "%s has layout argument 0x%llx without a layout", name,
                static_cast<unsigned long long>(t.layout_arg));
  return true;
}

}  // namespace

bool check_tensor(const View& v, const opmux_tdesc& t, const char* name, bool output, uint32_t arg,
                  Problem& p) {
  if (dtype_name(t.dtype)[0] == '?' || (kAnyType & type_bit(t.dtype)) == 0)
    return fail(p, v.name(), {OPMUX_WHY_DTYPE, arg, 0}, t.dtype, 0, "%s has the unknown type 0x%x", name,
                t.dtype);
  if (t.rank > OPMUX_MAX_RANK)
    return fail(p, v.name(), {OPMUX_WHY_RANK, arg, 0}, t.rank, OPMUX_MAX_RANK,
                "%s has rank %u, at most %u is possible", name, t.rank, OPMUX_MAX_RANK);
  if (!check_extent(v, t, name, arg, p) || !check_unused(v, t, name, arg, p) ||
      !check_flags(v, t, name, output, arg, p))
    return false;
  return !output || t.layout != 0 || check_distinct(v, t, name, arg, p);
}

}  // namespace opmux::schema
