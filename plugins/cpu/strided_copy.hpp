// SPDX-License-Identifier: Apache-2.0
// y = x between views: the plan of a copy, made once.
#ifndef OPMUX_CPU_STRIDED_COPY_HPP
#define OPMUX_CPU_STRIDED_COPY_HPP

#include "cpu/kernels/memory.hpp"
#include "cpu/loops.hpp"
#include "opmux/plugin.h"

namespace opmux::cpu {

// Outputs beyond this go past the caches: more than the last level holds of what is read and written.
constexpr int64_t kStreamBytes = 48 * 1024 * 1024;

class StridedCopy {
 public:
  // x broadcasts to y; elements of 1, 2, 4 or 8 bytes.
  void plan(const opmux_tdesc& y, const opmux_tdesc& x);
  void run(const opmux_host_api* host, void* y, const void* x) const;

 private:
  void rows(uint64_t begin, uint64_t end, char* y, const char* x) const;
  void planes(uint64_t begin, uint64_t end, char* y, const char* x) const;

  enum class Kind : uint8_t { kEmpty, kBytes, kRows, kPlanes };
  Kind kind_ = Kind::kEmpty;
  bool stream_ = false;
  Loops loops_;  // 0: y, 1: x
  uint32_t outer_ = 0;
  int64_t bytes_ = 1, count_ = 0;
  int64_t bands_ = 0;  // of a transposed plane
  uint64_t items_ = 0, grain_ = 1;
  MoveFn move_ = nullptr;
  TransposeFn transpose_ = nullptr;
};

}  // namespace opmux::cpu
#endif
