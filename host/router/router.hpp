// SPDX-License-Identifier: Apache-2.0
// Which route runs an operator, and why not the others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/kernel/kernel_cache.hpp"
#include "host/loader/registry.hpp"

namespace opmux {

struct Policy {
  std::string device = "auto";  // route name or alias
  uint32_t fallback = 0;        // OPMUX_FALLBACK_*
  uint32_t math = 0;            // OPMUX_MATH_*
};

struct Refused {
  const Route* route = nullptr;
  std::string reason;
};

struct Choice {
  Route* route = nullptr;  // null: everyone refused
  Capability capability;
  std::vector<Refused> refused;  // by the routes asked before
};

class Router {
 public:
  // Throws Error when the requested device is not there; the sentence says why if a plugin was refused for a
  // reason.
  Router(Registry& registry, KernelCache& kernels, Policy policy);

  const Policy& policy() const { return policy_; }
  // In the order in which they are asked.
  const std::vector<Route*>& candidates() const { return candidates_; }
  // The first candidate that says YES. For operators that must share memory, `only` restricts the candidates.
  Choice choose(const opmux_opd& d, const Route* only = nullptr) const;

 private:
  KernelCache& kernels_;
  Policy policy_;
  std::vector<Route*> candidates_;
};

}  // namespace opmux
