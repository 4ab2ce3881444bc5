// SPDX-License-Identifier: Apache-2.0
// Inner kernels of matmul and conv: C = A B over packed panels, as in Goto and van de Geijn, "Anatomy of
// High-Performance Matrix Multiplication" (2008), with the row count of a panel chosen per problem.
#ifndef OPMUX_CPU_KERNELS_GEMM_HPP
#define OPMUX_CPU_KERNELS_GEMM_HPP

#include <cstdint>

namespace opmux::cpu {

// Register tile of the instruction set in use: at most mr rows by nr columns.
struct GemmTile {
  int64_t mr, nr;
};

// One step applied to the finished sums while they are in registers. p points at element (0, 0) of the strip.
enum class GemmFn : uint32_t { kAdd, kMul, kRelu, kClamp };
template <class T>
struct GemmStep {
  GemmFn fn;
  const T* p;      // kAdd, kMul: the other operand
  int64_t rs, cs;  // its strides; cs is 0 or 1
  T lo, hi;        // kClamp; no NaN
};

// rows <= mr rows of C times any number of columns.
template <class T>
struct GemmStrip {
  int64_t rows, cols, k;
  const T* a;  // element (r, i) at a[i * lda + r]
  int64_t lda;
  const T*
      b;  // column panel j of nr columns, row i at b[j * b_panel + i * ldb]; nr elements are read of each
  int64_t ldb, b_panel;
  T* c;  // unit column stride
  int64_t ldc;
  bool accumulate;  // add to what c holds
  uint32_t n_step;
  const GemmStep<T>* step;
};

// T: float, double, int32_t (which wraps). Steps are for float only.
template <class T>
struct GemmKernels {
  GemmTile tile;
  void (*strip)(const GemmStrip<T>&);
};
template <class T>
GemmKernels<T> gemm_kernels();
// For 16-bit integers: an element of A or B is two of them that follow along k, the first in the low half,
// and k counts pairs. Twice the rate of 32-bit products where the instruction set has pmaddwd.
GemmKernels<int32_t> gemm_pair_kernels();

// Source of a packing: element (r, i) of a matrix at src + (r * rs + i * ks) * size.
struct PackSource {
  const void* src;
  int64_t rs, ks;
};

// dst[i * ld + r] = source(r, i) for r < rows, 0 for rows <= r < ld; i < k. Converts from src_dtype (an
// OPMUX_ type) to T: f32, f16, bf16 to float; f64 to double; i8, u8, i16, u16, i32 to int32_t. Used for A
// panels (r is the row) and B panels (r is the column) alike.
template <class T>
void gemm_pack(uint32_t src_dtype, const PackSource& s, int64_t rows, int64_t k, int64_t ld, T* dst);

// Does gemm_pack convert src_dtype to T?
template <class T>
bool gemm_packs(uint32_t src_dtype);

}  // namespace opmux::cpu
#endif
