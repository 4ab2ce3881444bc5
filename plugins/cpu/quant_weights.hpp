// SPDX-License-Identifier: Apache-2.0
// The operands of a quantised product brought into the forms that the kernels take: codes of b in panels, its
// scales and zeros beside them, a as plain numbers.
#ifndef OPMUX_CPU_QUANT_WEIGHTS_HPP
#define OPMUX_CPU_QUANT_WEIGHTS_HPP

#include "cpu/kernels/weights.hpp"
#include "cpu/matmul_shape.hpp"
#include "cpu/tiles.hpp"
#include "opmux/plugin.h"

namespace opmux::cpu {

// How codes of this type are held; table: they stand for the numbers of a table.
WeightForm weight_form(uint32_t dtype, bool table);

// A scale or zero point of b beside its matrices; strides in elements.
struct WeightFactor {
  bool present = false, packed = false;
  uint32_t dtype = 0;
  int64_t bs[kMaxBatch] = {}, gs = 0, ns = 0;  // of the batch dims, groups, columns
};
// t: absent, rank 0, or [.., groups, n] against the leading dims of out.
WeightFactor weight_factor(const opmux_tdesc& t, const opmux_tdesc& out);

struct WeightShape {
  WeightForm form{};
  uint32_t bits = 8;
  bool is_signed = false;
  int64_t nr = 1, k = 0, n = 0, panels = 0, matrices = 1;
  int64_t group = 1, groups = 1;  // of k
  WeightFactor scale, zero;
  const float* table = nullptr;

  uint64_t panel_bytes() const { return static_cast<uint64_t>(weight_panel_bytes(form, k, nr)); }
  uint64_t code_bytes() const { return static_cast<uint64_t>(matrices * panels) * panel_bytes(); }
  uint64_t factor_bytes() const {
    return static_cast<uint64_t>(matrices * panels * groups * nr) * sizeof(float);
  }
};

void pack_codes(const opmux_host_api* host, const GemmPlan& p, const WeightShape& w, const void* src,
                void* dst);
// As f32 [matrix, panel, group, nr]; columns beyond n are 0.
void pack_factor(const opmux_host_api* host, const GemmPlan& p, const WeightShape& w, const WeightFactor& f,
                 const void* src, float* dst);

// Panels in memory, and one of them.
struct WeightData {
  const void* codes;
  const float *scale, *zero;
};
WeightPanel weight_panel(const WeightShape& w, const WeightData& d, int64_t matrix, int64_t panel);

// a: rows of k elements, with scales and zeros by groups along k.
struct PlainRows {
  opmux_tdesc a{};
  opmux_tdesc scale{}, zero{};  // dtype NONE: absent
  int64_t group = 1;
  bool needed = false;

  int64_t rows() const;
  // Row-major f32; or pairs of i16 less the zeros, an odd k filled up by 0.
  void to_f32(const opmux_host_api* host, const void* src, const void* scale_at, const void* zero_at,
              float* dst) const;
  void to_pairs(const opmux_host_api* host, const void* src, const void* zero_at, int32_t* dst) const;
};

}  // namespace opmux::cpu
#endif
