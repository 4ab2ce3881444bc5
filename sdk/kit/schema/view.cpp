// SPDX-License-Identifier: Apache-2.0
#include "kit/schema/view.hpp"

#include <cstdio>

#include "kit/schema/table.hpp"

namespace opmux::schema {

bool fail(Problem& p, const char* where, At at, int64_t have, int64_t limit, const char* format, ...) {
  p.why = at.why;
  p.arg = at.arg;
  p.axis = at.axis;
  p.have = have;
  p.limit = limit;
  int n = where[0] == '\0' ? 0 : std::snprintf(p.text, sizeof(p.text), "%s: ", where);
  if (n < 0 || static_cast<size_t>(n) >= sizeof(p.text)) return false;
  std::va_list args;
  va_start(args, format);
  std::vsnprintf(p.text + n, sizeof(p.text) - static_cast<size_t>(n), format, args);
  va_end(args);
  return false;
}

const char* View::name() const { return def->info->name; }

std::span<const int64_t> View::list(const opmux_slice& s) const {
  const bool inside = s.first <= d->n_list && s.count <= d->n_list - s.first && d->list != nullptr;
  return inside && s.count != 0 ? std::span(d->list + s.first, s.count) : std::span<const int64_t>();
}

void Shapes::set(uint32_t o, uint32_t dtype, std::span<const int64_t> dims) {
  opmux_tdesc& t = out[o];
  t = {};
  t.dtype = dtype;
  t.rank = static_cast<uint32_t>(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) t.dim[i] = dims[i];
}

int64_t extent(const opmux_tdesc& t, int64_t axis) {
  if (axis < 0) axis += t.rank;
  return axis >= 0 && axis < t.rank && axis < OPMUX_MAX_RANK ? t.dim[axis] : 0;
}

Sat numel(const opmux_tdesc& t) {
  if (t.dtype == OPMUX_NONE) return 0;
  Sat n = 1;
  for (uint32_t i = 0; i < t.rank && i < OPMUX_MAX_RANK; ++i) n = n * t.dim[i];
  return n;
}

Sat tail(const opmux_tdesc& t, int64_t axis) {
  Sat n = 1;
  for (int64_t i = axis < 0 ? axis + t.rank : axis; i < t.rank; ++i) n = n * extent(t, i);
  return n;
}

Sat size_bytes(const opmux_tdesc& t) {
  if (t.dtype == OPMUX_NONE) return 0;
  Sat n = 1;
  for (uint32_t i = 0; i < t.rank && i < OPMUX_MAX_RANK; ++i)
    if (t.dim[i] == 0 || t.stride[i] != 0) n = n * t.dim[i];
  return (n * OPMUX_DTYPE_BITS(t.dtype) + 7) / 8;
}

Sat product(std::span<const int64_t> values) {
  Sat n = 1;
  for (int64_t v : values) n = n * v;
  return n;
}

int64_t element(std::span<const int64_t> values, int64_t i) {
  if (i < 0) i += static_cast<int64_t>(values.size());
  return i >= 0 && i < static_cast<int64_t>(values.size()) ? values[static_cast<size_t>(i)] : 0;
}

uint32_t compute_dtype(uint32_t dtype) {
  return dtype == OPMUX_F16 || dtype == OPMUX_BF16 ? OPMUX_F32 : dtype;
}

Sat attention_keys(const opmux_tdesc& k, const opmux_tdesc& past_k) {
  return past_k.dtype == OPMUX_NONE ? extent(k, 2) : extent(past_k, 2);
}

bool broadcast_strides(const opmux_tdesc& t, const opmux_tdesc& to, int64_t stride[8]) {
  if (t.rank > to.rank || to.rank > OPMUX_MAX_RANK) return false;
  const uint32_t lead = to.rank - t.rank;
  for (uint32_t i = 0; i < OPMUX_MAX_RANK; ++i) stride[i] = 0;
  for (uint32_t i = 0; i < t.rank; ++i) {
    if (t.dim[i] != 1 && t.dim[i] != to.dim[lead + i]) return false;
    stride[lead + i] = t.dim[i] == 1 ? 0 : t.stride[i];
  }
  return true;
}

bool broadcasts(const opmux_tdesc& t, const opmux_tdesc& to) {
  int64_t stride[8];
  return broadcast_strides(t, to, stride);
}

}  // namespace opmux::schema
