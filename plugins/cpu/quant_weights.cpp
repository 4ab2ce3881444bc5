// SPDX-License-Identifier: Apache-2.0
#include "cpu/quant_weights.hpp"

#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/parallel.hpp"

namespace opmux::cpu {
namespace {

constexpr int64_t kTile = 512;  // elements at a time, on the stack

const char* element(const void* base, uint32_t dtype, int64_t at) {
  return static_cast<const char*>(element_address(dtype, base)) + at * address_step(dtype);
}

// Offset of element 0 of matrix `number` of b in a tensor with other strides over the same batch dims.
int64_t factor_offset(const GemmPlan& p, const WeightFactor& f, int64_t number) {
  int64_t offset = 0;
  for (uint32_t i = p.grid.n_batch; i-- > 0;) {
    if (p.b.bs[i] == 0) continue;
    offset += number % p.grid.batch[i] * f.bs[i];
    number /= p.grid.batch[i];
  }
  return offset;
}

// One number of a scale or zero in f32, whatever float or integer it is.
float number_at(LoadFn load, TileFn to_f32, uint32_t dtype, const void* base, int64_t at) {
  alignas(8) std::byte lane[8];
  float x = 0;
  load(lane, element(base, dtype, at), 1, 1);
  to_f32(&x, lane, nullptr, nullptr, 1);
  return x;
}

// Strides of t over the rows of a: dims of a without k, then the stride of groups.
struct RowStrides {
  RowStrides(const opmux_tdesc& t, const opmux_tdesc& a) {
    for (uint32_t i = 0; i + 1 < t.rank; ++i) row[i + a.rank - t.rank] = t.dim[i] == 1 ? 0 : t.stride[i];
    if (t.rank > 0) group = t.dim[t.rank - 1] == 1 ? 0 : t.stride[t.rank - 1];
  }
  int64_t at(const opmux_tdesc& a, int64_t r) const {
    int64_t offset = 0;
    for (uint32_t i = a.rank - 1; i-- > 0;) {
      offset += r % a.dim[i] * row[i];
      r /= a.dim[i];
    }
    return offset;
  }
  int64_t row[OPMUX_MAX_RANK] = {}, group = 0;
};

// A factor of the rows of a.
struct RowFactor {
  RowFactor(const opmux_tdesc& t, const opmux_tdesc& a, const void* base)
      : strides(t, a), dtype(t.dtype), data(base) {
    if (dtype == OPMUX_NONE) return;
    load = find_load(dtype);
    to_f32 = find_cast(dtype, OPMUX_F32, false);
  }
  explicit operator bool() const { return dtype != OPMUX_NONE; }
  float get(int64_t row_offset, int64_t group) const {
    return number_at(load, to_f32, dtype, data, row_offset + group * strides.group);
  }
  RowStrides strides;
  uint32_t dtype;
  const void* data;
  LoadFn load = nullptr;
  TileFn to_f32 = nullptr;
};

}  // namespace

WeightForm weight_form(uint32_t dtype, bool table) {
  switch (dtype) {
    case OPMUX_F16:
      return WeightForm::kF16;
    case OPMUX_BF16:
      return WeightForm::kBf16;
    case OPMUX_I8:
      return WeightForm::kI8;
    case OPMUX_U8:
      return WeightForm::kU8;
    case OPMUX_E4M3FN:
      return WeightForm::kE4m3fn;
    case OPMUX_E5M2:
      return WeightForm::kE5m2;
    case OPMUX_E4M3FNUZ:
      return WeightForm::kE4m3fnuz;
    case OPMUX_E5M2FNUZ:
      return WeightForm::kE5m2fnuz;
    case OPMUX_I4:
    case OPMUX_I2:
      return WeightForm::kI4;
    case OPMUX_E2M1:
      return WeightForm::kTable;
    default:
      return table ? WeightForm::kTable : WeightForm::kU4;
  }
}

WeightFactor weight_factor(const opmux_tdesc& t, const opmux_tdesc& out) {
  WeightFactor f;
  f.present = t.dtype != OPMUX_NONE;
  f.dtype = t.dtype;
  f.packed = t.layout != 0;
  if (!f.present || t.rank == 0) return f;
  for (uint32_t i = 0; i + 2 < t.rank; ++i) f.bs[i + out.rank - t.rank] = t.dim[i] == 1 ? 0 : t.stride[i];
  f.gs = t.dim[t.rank - 2] == 1 ? 0 : t.stride[t.rank - 2];
  f.ns = t.dim[t.rank - 1] == 1 ? 0 : t.stride[t.rank - 1];
  return f;
}

void pack_codes(const opmux_host_api* host, const GemmPlan& p, const WeightShape& w, const void* src,
                void* dst) {
  const auto items = static_cast<uint64_t>(w.matrices * w.panels);
  parallel_for(host, items, grain_for(items, 2.0 * static_cast<double>(w.k * w.nr)),
               [&](uint64_t begin, uint64_t end) {
                 for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
                   const int64_t col = i % w.panels * w.nr;
                   const WeightSource s{src,         w.bits,
                                        w.is_signed, matrix_offset(p, p.b, i / w.panels) + col * p.b.rs,
                                        p.b.rs,      p.b.ks};
                   pack_weights(w.form, s, std::min(w.nr, w.n - col), w.k, w.nr,
                                static_cast<char*>(dst) + static_cast<uint64_t>(i) * w.panel_bytes());
                 }
               });
}

void pack_factor(const opmux_host_api* host, const GemmPlan& p, const WeightShape& w, const WeightFactor& f,
                 const void* src, float* dst) {
  const LoadFn load = find_load(f.dtype);
  const TileFn to_f32 = find_cast(f.dtype, OPMUX_F32, false);
  const auto items = static_cast<uint64_t>(w.matrices * w.panels);
  parallel_for(host, items, grain_for(items, static_cast<double>(w.groups * w.nr)),
               [&](uint64_t begin, uint64_t end) {
                 alignas(64) std::byte lanes[64 * 8];
                 for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
                   const int64_t col = i % w.panels * w.nr, cols = std::min(w.nr, w.n - col);
                   const int64_t first = factor_offset(p, f, i / w.panels) + col * f.ns;
                   float* to = dst + i * w.groups * w.nr;
                   for (int64_t g = 0; g < w.groups; ++g, to += w.nr) {
                     load(lanes, element(src, f.dtype, first + g * f.gs), f.ns, static_cast<size_t>(cols));
                     to_f32(to, lanes, nullptr, nullptr, static_cast<size_t>(cols));
                     std::fill(to + cols, to + w.nr, 0.0f);
                   }
                 }
               });
}

WeightPanel weight_panel(const WeightShape& w, const WeightData& d, int64_t matrix, int64_t panel) {
  const int64_t i = matrix * w.panels + panel;
  const auto factor = [&](const float* base) { return base ? base + i * w.groups * w.nr : nullptr; };
  return {static_cast<const char*>(d.codes) + static_cast<uint64_t>(i) * w.panel_bytes(), factor(d.scale),
          factor(d.zero), w.group, w.table};
}

int64_t PlainRows::rows() const {
  int64_t n = 1;
  for (uint32_t i = 0; i + 1 < a.rank; ++i) n *= a.dim[i];
  return n;
}

void PlainRows::to_f32(const opmux_host_api* host, const void* src, const void* scale_at, const void* zero_at,
                       float* dst) const {
  const RowFactor s(scale, a, scale_at), z(zero, a, zero_at);
  const RowStrides own(a, a);
  const int64_t k = a.dim[a.rank - 1], ks = a.stride[a.rank - 1];
  const LoadFn load = find_load(a.dtype);
  const TileFn cast = find_cast(a.dtype, OPMUX_F32, false);
  const auto n = static_cast<uint64_t>(rows());
  parallel_for(host, n, grain_for(n, static_cast<double>(k)), [&](uint64_t begin, uint64_t end) {
    alignas(64) float lanes[kTile];
    for (auto r = static_cast<int64_t>(begin); r < static_cast<int64_t>(end); ++r) {
      const int64_t from = own.at(a, r), s_row = s.strides.at(a, r), z_row = z.strides.at(a, r);
      float* to = dst + r * k;
      for (int64_t i = 0; i < k;) {
        const int64_t g = i / group, stop = std::min({k, i + kTile, (g + 1) * group}), some = stop - i;
        load(lanes, element(src, a.dtype, from + i * ks), ks, static_cast<size_t>(some));
        cast(to + i, lanes, nullptr, nullptr, static_cast<size_t>(some));
        const float zero_point = z ? z.get(z_row, g) : 0;
        const float factor = s ? s.get(s_row, g) : 1;
        for (int64_t j = i; j < stop; ++j) to[j] = (to[j] - zero_point) * factor;
        i = stop;
      }
    }
  });
}

void PlainRows::to_pairs(const opmux_host_api* host, const void* src, const void* zero_at,
                         int32_t* dst) const {
  const RowFactor z(zero, a, zero_at);
  const RowStrides own(a, a);
  const int64_t k = a.dim[a.rank - 1], ks = a.stride[a.rank - 1], words = (k + 1) / 2;
  const bool is_signed = a.dtype == OPMUX_I8;
  const auto n = static_cast<uint64_t>(rows());
  parallel_for(host, n, grain_for(n, 2.0 * static_cast<double>(k)), [&](uint64_t begin, uint64_t end) {
    for (auto r = static_cast<int64_t>(begin); r < static_cast<int64_t>(end); ++r) {
      const auto* from = static_cast<const uint8_t*>(src) + own.at(a, r);
      const int64_t z_row = z.strides.at(a, r);
      int64_t g = -1;
      int32_t zero_point = 0;
      const auto value = [&](int64_t i) -> int32_t {
        if (i >= k) return 0;
        if (z && i / group != g) {
          g = i / group;
          zero_point = static_cast<int32_t>(z.get(z_row, g));
        }
        const uint8_t code = from[i * ks];
        return (is_signed ? static_cast<int8_t>(code) : code) - zero_point;
      };
      int32_t* to = dst + r * words;
      for (int64_t i = 0; i < words; ++i) {
        const auto low = static_cast<uint32_t>(value(2 * i)), high = static_cast<uint32_t>(value(2 * i + 1));
        to[i] = static_cast<int32_t>((low & 0xffffu) | high << 16);
      }
    }
  });
}

}  // namespace opmux::cpu
