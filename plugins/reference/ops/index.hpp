// SPDX-License-Identifier: Apache-2.0
// What the gather operators share.
#pragma once

#include "reference/job.hpp"

namespace opmux::reference {

// A position of an axis of this extent from an index that may count from the end; a fault where it is
// outside.
inline int64_t position(const char* op, int64_t index, int64_t extent, int64_t at) {
  if (index < -extent || index >= extent)
    fail(OPMUX_E_FAULT, 1, "%s: index %lld at position %lld is outside [%lld, %lld]", op,
         static_cast<long long>(index), static_cast<long long>(at), static_cast<long long>(-extent),
         static_cast<long long>(extent - 1));
  return index < 0 ? index + extent : index;
}

// Input 1 as checked positions along one axis.
inline std::vector<int64_t> read_index(const Job& job, const char* op, int64_t extent) {
  std::vector<int64_t> out;
  for (uint64_t v : job.read<uint64_t>(1))
    out.push_back(position(op, int64_t(v), extent, int64_t(out.size())));
  return out;
}

// Offsets of all elements of a view, row-major.
inline std::vector<int64_t> offsets_of(const opmux_tdesc& t) {
  std::vector<int64_t> out;
  kit::Walk walk(t);
  walk.add_strides(std::to_array(t.stride));
  walk.each([&](const int64_t* offset) { out.push_back(offset[0]); });
  return out;
}

}  // namespace opmux::reference
