// SPDX-License-Identifier: Apache-2.0
#include "cpu/simd.hpp"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstring>

namespace opmux::cpu {

const char* simd_name() {
  const int64_t both = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(both & -both);  // a lower bit is a better target
}

bool simd_limit(const char* name) {
  for (int64_t t = HWY_TARGETS; t != 0; t &= t - 1) {
    const int64_t one = t & -t;
    if (std::strcmp(hwy::TargetName(one), name) != 0) continue;
    hwy::SetSupportedTargetsForTest(0);
    hwy::SetSupportedTargetsForTest(hwy::SupportedTargets() & ~(one - 1));
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return true;
  }
  return false;
}

}  // namespace opmux::cpu
