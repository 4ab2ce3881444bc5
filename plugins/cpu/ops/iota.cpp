// SPDX-License-Identifier: Apache-2.0
// iota: y[i] = start + i * step, with one rounding for floats up to f32; integers wrap.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "cpu/answer.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/tiles.hpp"
#include "opmux/ops/memory.gen.h"

namespace opmux::cpu {
namespace {

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  if (lane_of(d->out[0].dtype) == Lane::kNone || d->out[0].dtype == OPMUX_BOOL)
    return no(cap, OPMUX_WHY_DTYPE, d->n_in, d->out[0].dtype);
  if (!apart(*d, cap)) return;
  yes(cap, info, {.bytes = static_cast<double>(elements(d->out[0]) * element_bytes(d->out[0].dtype))});
}

constexpr size_t kTile = 256;

// Wraps like every integer of at most 64 bits.
void integers(uint64_t start, uint64_t step, uint64_t first, size_t n, uint64_t* y) {
  for (size_t i = 0; i < n; ++i) y[i] = start + (first + i) * step;
}
void floats(double start, double step, uint64_t first, size_t n, double* y) {
  for (size_t i = 0; i < n; ++i) y[i] = std::fma(static_cast<double>(first + i), step, start);
}

template <class T>
T scalar(uint32_t dtype, uint32_t as, const void* p) {
  uint64_t lane = 0;
  T v;
  find_load(dtype)(&lane, p, 1, 1);
  find_cast(dtype, as, false)(&v, &lane, &lane, &lane, 1);
  return v;
}

opmux_status run(const kit_call* call, opmux_err*) {
  const opmux_tdesc& t = call->d->out[0];
  const bool is_float = OPMUX_DTYPE_CLASS(t.dtype) == OPMUX_CLASS_FLOAT;
  const uint32_t wide = is_float ? OPMUX_F64 : OPMUX_U64;
  const TileFn narrow = find_cast(wide, t.dtype, false);
  const StoreFn store = find_store(t.dtype);
  auto* y = static_cast<char*>(call->arg[2]);
  const auto count = static_cast<uint64_t>(t.dim[0]);
  parallel_for(call->host, (count + kTile - 1) / kTile, 64, [&](uint64_t begin, uint64_t end) {
    uint64_t raw[kTile], lanes[kTile];
    for (uint64_t b = begin; b < end; ++b) {
      const uint64_t first = b * kTile;
      const size_t n = count - first < kTile ? count - first : kTile;
      if (is_float) {
        double v[kTile];
        floats(scalar<double>(t.dtype, wide, call->arg[0]), scalar<double>(t.dtype, wide, call->arg[1]),
               first, n, v);
        std::memcpy(raw, v, sizeof v);
      } else {
        integers(scalar<uint64_t>(t.dtype, wide, call->arg[0]), scalar<uint64_t>(t.dtype, wide, call->arg[1]),
                 first, n, raw);
      }
      narrow(lanes, raw, raw, raw, n);
      store(y + static_cast<int64_t>(first) * t.stride[0] * element_bytes(t.dtype), t.stride[0], lanes, n);
    }
  });
  return OPMUX_OK;
}

}  // namespace

const kit_op kIota = {OPMUX_OP_IOTA,         "tiles", query, nullptr, nullptr, run, nullptr, nullptr,
                      sizeof(opmux_op_iota), 1};

}  // namespace opmux::cpu
