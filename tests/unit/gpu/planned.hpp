// SPDX-License-Identifier: Apache-2.0
// What tests of plans share: a device, and looks into steps.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "kit/desc.hpp"

namespace opmux::gpu {

inline opmux_devinfo every_feature() {
  opmux_devinfo i{};
  i.h.size = sizeof i;
  i.kind = OPMUX_DEV_GPU;
  i.compute_units = 10;
  i.features = OPMUX_FEAT_F64 | OPMUX_FEAT_I64;
  i.max_binding_bytes = uint64_t{1} << 30;
  i.max_groups[0] = i.max_groups[1] = i.max_groups[2] = 65535;
  return i;
}

struct Planned {
  opmux_cap cap{};
  KernelPlan plan;
  bool yes = false;
  size_t steps() const { return plan.steps.size(); }
  std::string kernels() const {
    std::string names;
    for (const Step& s : plan.steps) names += (names.empty() ? "" : " ") + s.source.file->name;
    return names;
  }
  // A word of the code of a step.
  uint32_t word(size_t step, const std::string& name, uint32_t at = 0) const {
    const Step& s = plan.steps.at(step);
    size_t first = 0;
    for (const KernelFile::Param& p : s.source.params()) {
      if (p.name == name) return s.words.at(first + at);
      first += p.words;
    }
    ADD_FAILURE() << "no word " << name;
    return 0;
  }
  uint64_t groups(size_t step) const {
    uint64_t n = 0;
    for (const Dispatch& d : plan.steps.at(step).dispatches) n += d.groups[0];
    return n;
  }
  std::string text(size_t step) const { return plan.steps.at(step).source.text(Language::kOpenCl); }
};

inline Planned planned(PlanFn plan, const opmux_opd* d, const opmux_devinfo& info = every_feature()) {
  Planned p;
  p.yes = plan(info, *d, p.cap, &p.plan);
  return p;
}

// A refusal with its reason and numbers.
inline void expect_refusal(const Planned& p, uint32_t why, uint32_t arg, int64_t have, int64_t limit) {
  EXPECT_FALSE(p.yes);
  EXPECT_EQ(p.cap.verdict, OPMUX_NO);
  EXPECT_EQ(p.cap.why, why);
  EXPECT_EQ(p.cap.why_arg, arg);
  EXPECT_EQ(p.cap.why_have, have);
  EXPECT_EQ(p.cap.why_limit, limit);
}

}  // namespace opmux::gpu
