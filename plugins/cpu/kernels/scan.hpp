// SPDX-License-Identifier: Apache-2.0
// Running results of wide numbers: f64, i64 or u64 (Lane), by a kind of scan (OPMUX_SCAN_*).
#ifndef OPMUX_CPU_KERNELS_SCAN_HPP
#define OPMUX_CPU_KERNELS_SCAN_HPP

#include <cstddef>
#include <cstdint>

#include "cpu/tiles.hpp"

namespace opmux::cpu {

struct ScanKernels {
  // Each element becomes the join of *carry and all up to it (exclusive: before it); *carry takes them all.
  void (*along)(void* v, size_t n, void* carry, bool exclusive);
  // The same for n rows side by side, of each the next element.
  void (*beside)(void* v, size_t n, void* carries, bool exclusive);
  // *carry takes n elements, which stay as they are.
  void (*fold)(const void* v, size_t n, void* carry);
  // The neutral element of elements of this type.
  void (*start)(uint32_t dtype, void* carry);
};
const ScanKernels& find_scan(uint32_t kind, Lane wide);

}  // namespace opmux::cpu
#endif
