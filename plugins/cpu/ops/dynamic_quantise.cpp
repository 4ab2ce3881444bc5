// SPDX-License-Identifier: Apache-2.0
// dynamic_quantise: a group is read twice, the second time from the first-level cache if it is short. Long
// groups are cut into parts that threads share; minima and maxima do not depend on how.
#include <algorithm>
#include <cmath>

#include "cpu/answer.hpp"
#include "cpu/kernels/quantise.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/tiles.hpp"
#include "opmux/ops/quantise.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kTile = 1024;   // elements at a time, on the stack
constexpr int64_t kPart = 16384;  // elements of a part

const opmux_op_dynamic_quantise& desc(const opmux_opd& d) {
  return reinterpret_cast<const opmux_op_dynamic_quantise&>(d);
}

struct Range {
  float low = 0, high = 0;
};

struct Groups {
  explicit Groups(const opmux_opd& d) {
    const opmux_tdesc &x = d.in[0], &s = d.out[1];
    axis = desc(d).axis;
    n = x.dim[axis];
    per = desc(d).block == 0 ? std::max<int64_t>(n, 1) : desc(d).block;
    count = elements(s);
    parts = (std::min(per, std::max<int64_t>(n, 1)) + kPart - 1) / kPart;
  }
  uint64_t workspace() const {
    return parts > 1 ? static_cast<uint64_t>(count * (parts + 1)) * sizeof(Range) : 0;
  }
  uint32_t axis;
  int64_t n, per, count, parts;
};

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  const auto x = static_cast<double>(tensor_bytes(d->in[0]));
  yes(cap, info,
      {.flops = 6.0 * static_cast<double>(elements(d->in[0])),
       .bytes = 2 * x + static_cast<double>(tensor_bytes(d->out[0])),
       .flops_per_ns = 8,
       .ws = Groups(*d).workspace()});
}

// What becomes of quotients in f32 on their way to the memory of a type.
struct Sink {
  explicit Sink(uint32_t t) : dtype(t), step(address_step(t)), store(find_store(t)) {
    is_float = OPMUX_DTYPE_CLASS(t) == OPMUX_CLASS_FLOAT;
    const bool is_signed = OPMUX_DTYPE_CLASS(t) == OPMUX_CLASS_SIGNED;
    if (!is_float) cast = find_cast(OPMUX_F32, is_signed ? OPMUX_I8 : OPMUX_U8, true);
    narrow = find_small_round(t, OPMUX_INSN_SATURATE);
    const auto bits = static_cast<int>(OPMUX_DTYPE_BITS(t));
    top = std::ldexp(1.0f, is_signed ? bits - 1 : bits) - 1;
    bottom = is_signed ? -top - 1 : 0;
    if (is_float) {
      const float infinity = INFINITY;
      narrow(&top, &infinity, nullptr, nullptr, 1);
    }
  }
  // tile is destroyed. at: of element 0 in elements.
  void put(void* base, int64_t at, int64_t stride, float* tile, int64_t count) const {
    const auto k = static_cast<size_t>(count);
    alignas(64) uint8_t bytes[kTile];
    void* lanes = tile;
    if (cast) {
      cast(bytes, tile, nullptr, nullptr, k);
      lanes = bytes;
    }
    if (narrow) narrow(lanes, lanes, nullptr, nullptr, k);
    store(static_cast<char*>(element_address(dtype, base)) + at * step, stride, lanes, k);
  }
  uint32_t dtype;
  int64_t step;
  StoreFn store;
  TileFn cast = nullptr, narrow = nullptr;
  bool is_float = false;
  float top = 0, bottom = 0;
};

struct State {
  explicit State(const opmux_opd& d)
      : groups(d), kernels(quantise_kernels()), to_y(d.out[0].dtype), to_zero(d.out[0].dtype) {
    x = d.in[0];
    y = d.out[0];
    scale = d.out[1];
    has_zero = has_out(d, 2);
    if (has_zero) zero = d.out[2];
    load = find_load(x.dtype);
    x_bytes = element_bytes(x.dtype);
  }

  // Offsets of the first element of group g, and its length.
  struct Place {
    int64_t x = 0, y = 0, scale = 0, zero = 0, n = 0;
  };
  Place place(int64_t g) const {
    Place p;
    p.n = std::min(groups.per, groups.n);
    for (uint32_t i = scale.rank; i-- > 0;) {
      const int64_t at = g % scale.dim[i], first = i == groups.axis ? at * groups.per : at;
      g /= scale.dim[i];
      p.x += first * x.stride[i];
      p.y += first * y.stride[i];
      p.scale += at * scale.stride[i];
      p.zero += at * zero.stride[i];
      if (i == groups.axis) p.n = std::min(groups.per, groups.n - first);
    }
    return p;
  }
  int64_t step_x() const { return x.stride[groups.axis]; }

  void widen(const kit_call* call, const Place& p, int64_t from, int64_t to, Range& r) const {
    alignas(64) float tile[kTile];
    for (int64_t i = from; i < to; i += kTile) {
      const int64_t k = std::min(kTile, to - i);
      load(tile, static_cast<const char*>(call->arg[0]) + (p.x + i * step_x()) * x_bytes, step_x(),
           static_cast<size_t>(k));
      kernels.range(tile, static_cast<size_t>(k), &r.low, &r.high);
    }
  }

  struct Factor {
    float scale, zero;
  };
  Factor factor(const Range& r) const {
    const float span = has_zero ? r.high - r.low : std::max(-r.low, r.high);
    Factor f{span == 0 ? 1.0f : span / (has_zero ? to_y.top - to_y.bottom : to_y.top), 0};
    if (has_zero) {
      const float z = std::nearbyint(to_y.bottom - r.low / f.scale);
      f.zero = std::isnan(z) ? 0 : std::clamp(z, to_y.bottom, to_y.top);
    }
    return f;
  }
  Factor put_factor(const kit_call* call, const Place& p, const Range& r) const {
    const Factor f = factor(r);
    static_cast<float*>(call->arg[2])[p.scale] = f.scale;
    float z = f.zero;
    if (has_zero) to_zero.put(call->arg[3], p.zero, 1, &z, 1);
    return f;
  }

  void quantise(const kit_call* call, const Place& p, int64_t from, int64_t to, Factor f) const {
    alignas(64) float tile[kTile];
    const int64_t step_y = y.stride[groups.axis];
    for (int64_t i = from; i < to; i += kTile) {
      const int64_t k = std::min(kTile, to - i);
      const auto n = static_cast<size_t>(k);
      load(tile, static_cast<const char*>(call->arg[0]) + (p.x + i * step_x()) * x_bytes, step_x(), n);
      if (to_y.is_float)
        kernels.divide(tile, tile, n, f.scale);
      else
        kernels.divide_round(tile, tile, n, f.scale, f.zero);
      to_y.put(call->arg[1], p.y + i * step_y, step_y, tile, k);
    }
  }

  // Threads must not share bytes.
  uint64_t grain(uint64_t items, int64_t length) const {
    if (elements_per_byte(y.dtype) > 1) return UINT64_MAX;
    return grain_for(items, 1.0 * static_cast<double>(std::min(length, groups.n)));
  }

  Groups groups;
  QuantiseKernels kernels;
  Sink to_y, to_zero;
  opmux_tdesc x{}, y{}, scale{}, zero{};
  LoadFn load = nullptr;
  int64_t x_bytes = 0;
  bool has_zero = false;
};

void run_parts(const State& s, const kit_call* call) {
  const int64_t parts = s.groups.parts;
  auto* range = static_cast<Range*>(call->ws);
  auto* factor = reinterpret_cast<State::Factor*>(range + s.groups.count * parts);
  const auto items = static_cast<uint64_t>(s.groups.count * parts);
  const auto each = [&](auto&& body, uint64_t grain) {
    parallel_for(call->host, items, grain, [&](uint64_t begin, uint64_t end) {
      for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
        const State::Place p = s.place(i / parts);
        const int64_t from = i % parts * kPart;
        body(i, p, std::min(from, p.n), std::min(from + kPart, p.n));
      }
    });
  };
  each(
      [&](int64_t i, const State::Place& p, int64_t from, int64_t to) {
        range[i] = {};
        s.widen(call, p, from, to, range[i]);
      },
      1);
  for (int64_t g = 0; g < s.groups.count; ++g) {
    Range all;
    for (int64_t i = g * parts; i < (g + 1) * parts; ++i) {
      s.kernels.range(&range[i].low, 1, &all.low, &all.high);
      s.kernels.range(&range[i].high, 1, &all.low, &all.high);
    }
    factor[g] = s.put_factor(call, s.place(g), all);
  }
  each([&](int64_t i, const State::Place& p, int64_t from,
           int64_t to) { s.quantise(call, p, from, to, factor[i / parts]); },
       s.grain(items, kPart));
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  if (s.groups.parts > 1) {
    run_parts(s, call);
    return OPMUX_OK;
  }
  const auto n = static_cast<uint64_t>(s.groups.count);
  parallel_for(call->host, n, s.grain(n, s.groups.per), [&](uint64_t begin, uint64_t end) {
    for (uint64_t g = begin; g < end; ++g) {
      const State::Place p = s.place(static_cast<int64_t>(g));
      Range r;
      s.widen(call, p, 0, p.n, r);
      s.quantise(call, p, 0, p.n, s.put_factor(call, p, r));
    }
  });
  return OPMUX_OK;
}

}  // namespace

const kit_op kDynamicQuantise =
    state_op<State, opmux_op_dynamic_quantise>(OPMUX_OP_DYNAMIC_QUANTISE, "groups", query, run);

}  // namespace opmux::cpu
