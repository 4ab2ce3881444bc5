// SPDX-License-Identifier: Apache-2.0
// How vector code is written here (Google Highway 1.0.3). A kernel file is compiled once per instruction set:
//
//   #undef HWY_TARGET_INCLUDE
//   #define HWY_TARGET_INCLUDE "cpu/kernels/thing.cpp"   // this very file
//   #include <hwy/foreach_target.h>                      // must come before highway.h
//   #include <hwy/highway.h>
//   HWY_BEFORE_NAMESPACE();
//   namespace opmux::cpu::HWY_NAMESPACE {
//   namespace hn = hwy::HWY_NAMESPACE;
//   void scale(const float* x, float* y, int64_t n) {...}   // no static, no std:: algorithms over vectors
//   }
//   HWY_AFTER_NAMESPACE();
//   #if HWY_ONCE
//   namespace opmux::cpu {
//   HWY_EXPORT(scale);
//   void scale(const float* x, float* y, int64_t n) { HWY_DYNAMIC_DISPATCH(scale)(x, y, n); }
//   }
//   #endif
//
// A header with vector code is named *-inl.hpp and uses Highway's toggle guard. Plain headers that it needs
// are included before foreach_target.h. Inline functions of ordinary headers must not be used with vector
// types and templates instantiated in several targets must live in HWY_NAMESPACE, or the linker would mix
// instruction sets. The tables of chosen targets cost an indirect call: dispatch per block of work, not per
// element.
//
// Targets: EMU128 (any x86-64), SSE4, AVX2 with FMA, AVX3 (AVX-512 F, DQ, BW, VL); NEON on aarch64. Never
// assume a vector width; hn::Lanes(d) is a constant on all of them (the x86 and NEON types are fixed), so
// MaxLanes(d) may size arrays. Sums are contracted to FMA only by an explicit MulAdd.
#ifndef OPMUX_CPU_SIMD_HPP
#define OPMUX_CPU_SIMD_HPP

#include <cstdint>

namespace opmux::cpu {

// "AVX3", "AVX2", "SSE4", "EMU128", "NEON": the instruction set that kernels use on this machine.
const char* simd_name();

// Leaves out instruction sets wider than the named one; for tests and benchmarks. False if the name is
// unknown. Not thread-safe; kernels prepared before keep what they chose.
bool simd_limit(const char* name);

}  // namespace opmux::cpu
#endif
