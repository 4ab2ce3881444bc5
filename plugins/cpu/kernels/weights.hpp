// SPDX-License-Identifier: Apache-2.0
// Weights of few bits in panels: as many columns side by side as the register tile of gemm.hpp has, all of k.
// Codes stay as they are, so that a product with few rows reads little; many rows decode a panel into f32
// first.
#ifndef OPMUX_CPU_KERNELS_WEIGHTS_HPP
#define OPMUX_CPU_KERNELS_WEIGHTS_HPP

#include <cstddef>
#include <cstdint>

namespace opmux::cpu {

enum class WeightForm : uint32_t {
  kF16,
  kBf16,
  kI8,
  kU8,
  kE4m3fn,
  kE5m2,
  kE4m3fnuz,
  kE5m2fnuz,
  // Words of eight 4-bit codes that follow along k, the first lowest; k is filled up to a multiple of 8.
  kI4,
  kU4,
  kTable,  // 4-bit index of 16 numbers
  kCount
};
constexpr int64_t kWeightStep = 8;  // k of a panel is a multiple of it

constexpr bool is_nibble(WeightForm f) { return f >= WeightForm::kI4; }

struct WeightPanel {
  const void* codes;
  const float* scale;  // [groups, nr], or null: 1
  const float* zero;   // [groups, nr], or null: 0
  int64_t group;       // rows of k that share them
  const float* table;  // 16 numbers, for kTable
};

struct WeightKernels {
  int64_t nr;
  // dst[i * nr + c] = (code - zero) * scale for rows k0 <= i + k0 < k0 + k.
  void (*decode)(const WeightPanel& p, int64_t k0, int64_t k, float* dst);
  // c[r * ldc + col] = sum over k of a[i * rows + r] times the weight, for the nr columns of the panel; rows
  // is 1, 2 or 4. k is a multiple of kWeightStep (a holds zeros beyond the real one), and so is group unless
  // it is k or more.
  void (*thin)(const WeightPanel& p, int64_t rows, int64_t k, const float* a, float* c, int64_t ldc);
  // Integers: rows 2 i and 2 i + 1 for pairs k0 <= i < k0 + k, less the zeros of the only group, as two i16
  // in each word (see gemm_pair_kernels); null for other forms.
  void (*pairs)(const WeightPanel& p, int64_t k0, int64_t k, int32_t* dst);
};
WeightKernels weight_kernels(WeightForm form);

// Bytes of a panel.
int64_t weight_panel_bytes(WeightForm form, int64_t k, int64_t nr);

// Codes of a matrix: element (r, i), column r and row i, at src + r * rs + i * ks, counted in elements of
// `bits` bits.
struct WeightSource {
  const void* src;
  uint32_t bits;  // 16, 8, 4 or 2
  bool is_signed;
  int64_t first, rs, ks;  // first: offset of element (0, 0)
};
// Fills a panel from `cols` <= nr columns of k rows; the rest of it becomes 0.
void pack_weights(WeightForm form, const WeightSource& s, int64_t cols, int64_t k, int64_t nr, void* dst);

}  // namespace opmux::cpu
#endif
