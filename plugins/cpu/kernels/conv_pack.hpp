// SPDX-License-Identifier: Apache-2.0
// Patches of an image as panels of the right operand of a matrix product, made block by block where they are
// used.
#ifndef OPMUX_CPU_KERNELS_CONV_PACK_HPP
#define OPMUX_CPU_KERNELS_CONV_PACK_HPP

#include "cpu/conv_shape.hpp"

namespace opmux::cpu {

template <class T>
struct PatchSource {
  const ConvShape* shape;
  uint32_t dtype;     // of x
  const void* x;      // element 0 of the first channel of the group in the image
  const void* limit;  // one past the last readable element of x
};

// Rows [k0, k0 + k) of the patch matrix, row = channel * taps + tap, columns [col, col + cols) = output
// positions, as in GemmPackB.
template <class T>
void pack_patches(const PatchSource<T>& s, int64_t k0, int64_t k, int64_t col, int64_t cols, int64_t nr,
                  T* dst);

}  // namespace opmux::cpu
#endif
