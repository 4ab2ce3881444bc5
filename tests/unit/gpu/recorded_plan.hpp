// SPDX-License-Identifier: Apache-2.0
// Plans of operators for a device that is only described, and what they say.
#pragma once

#include <gtest/gtest.h>

#include "gpu/backend.hpp"
#include "gpu/ops/ops.hpp"
#include "kit/desc.hpp"

namespace opmux::gpu {

// A graphics card as drivers describe it.
inline opmux_devinfo described_device() {
  opmux_devinfo i{};
  i.h.size = sizeof i;
  i.kind = OPMUX_DEV_GPU;
  i.compute_units = 10;
  i.features = OPMUX_FEAT_F64 | OPMUX_FEAT_I64;
  i.max_binding_bytes = 128 << 20;
  i.max_groups[0] = i.max_groups[1] = i.max_groups[2] = 65535;
  return i;
}

// The same with bindings of 1 GiB.
inline opmux_devinfo roomy_device() {
  opmux_devinfo i = described_device();
  i.max_binding_bytes = uint64_t{1} << 30;
  return i;
}

class Recorder : public Launcher {
 public:
  void launch(const Launch& l) override { launches.push_back(l); }
  std::vector<Launch> launches;
};

// A plan, or why there is none.
struct Recorded {
  KernelPlan plan;
  opmux_cap cap{};
  bool yes = false;

  Recorded(PlanFn fn, const opmux_opd* d, const opmux_devinfo& info) {
    yes = fn(info, *d, cap, &plan);
    opmux_cap asked{};
    EXPECT_EQ(fn(info, *d, asked, nullptr), yes);
    EXPECT_EQ(asked.ws_min, yes ? plan.workspace : 0);
  }
  template <class D>
  Recorded(PlanFn fn, D& d, const opmux_devinfo& info = described_device()) : Recorded(fn, d.opd(), info) {}

  size_t steps() const { return plan.steps.size(); }

  std::vector<std::string> kernels() const {
    std::vector<std::string> names;
    for (const Step& s : plan.steps) names.push_back(s.source.file->name);
    return names;
  }
  // The same in one line.
  std::string kernel_line() const {
    std::string line;
    for (const std::string& name : kernels()) line += (line.empty() ? "" : " ") + name;
    return line;
  }
  std::string text(size_t step) const { return plan.steps.at(step).source.text(Language::kOpenCl); }
  // Word `at` of the parameter `name` of a step.
  uint32_t word(size_t step, const std::string& name, uint32_t at = 0) const {
    uint32_t begin = 0;
    for (const auto& p : plan.steps.at(step).source.params()) {
      if (p.name == name) return plan.steps[step].words.at(begin + at);
      begin += p.words;
    }
    ADD_FAILURE() << "no word " << name;
    return 0;
  }
  // Groups of all dispatches of a step.
  uint64_t groups(size_t step) const {
    uint64_t n = 0;
    for (const Dispatch& g : plan.steps.at(step).dispatches)
      n += uint64_t{g.groups[0]} * g.groups[1] * g.groups[2];
    return n;
  }
  // Every region of the workspace lies inside it and starts at a multiple of 256 bytes.
  void expect_workspace_holds() const {
    for (const Step& s : plan.steps)
      for (const BindingUse& use : s.uses) {
        if (use.arg != kWorkspace) continue;
        EXPECT_EQ(use.reach.low % 256, 0) << s.source.file->name;
        EXPECT_LE(static_cast<uint64_t>(use.reach.high), plan.workspace) << s.source.file->name;
      }
  }
  void expect_no(uint32_t why, uint32_t arg, int64_t have, int64_t limit) const {
    EXPECT_FALSE(yes);
    EXPECT_EQ(cap.verdict, OPMUX_NO);
    EXPECT_EQ(cap.why, why);
    EXPECT_EQ(cap.why_arg, arg);
    EXPECT_EQ(cap.why_have, have);
    EXPECT_EQ(cap.why_limit, limit);
  }
};

inline Recorded planned(PlanFn fn, const opmux_opd* d, const opmux_devinfo& info = roomy_device()) {
  return {fn, d, info};
}

// Without f64, positions have no type.
template <class D>
void expect_doubles_asked_for(PlanFn fn, D& d) {
  opmux_devinfo info = described_device();
  info.features = OPMUX_FEAT_I64;
  Recorded(fn, d, info).expect_no(OPMUX_WHY_FEATURE, OPMUX_NO_ARG, OPMUX_FEAT_F64, 0);
}

}  // namespace opmux::gpu
