// SPDX-License-Identifier: Apache-2.0
// Which route runs an operator, and why not the others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/kernel/kernel_cache.hpp"
#include "host/loader/registry.hpp"
#include "host/router/links.hpp"

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

// What a route asks that would take the operator too.
struct Offer {
  const Route* route = nullptr;
  uint64_t cost_ns = 0;
};

struct Choice {
  Route* route = nullptr;  // null: everyone refused
  Capability capability;
  std::vector<Refused> refused;  // by the routes asked before, or by all that were asked for their price
  std::vector<Offer> offers;     // by price: of the other routes, the least first
  std::string reason;            // by price: why this one, where there was a choice

  // What `wanted` said against it, or null.
  const std::string* refused_by(const Route* wanted) const;
};

class Router {
 public:
  // Throws Error when the requested device is not there; the sentence says why if a plugin was refused for a
  // reason. Without links the first that accepts is taken always.
  // `without` are no candidates, and neither are disabled ones unless named.
  Router(Registry& registry, KernelCache& kernels, Policy policy, Links* links = nullptr,
         const std::vector<const Route*>& without = {});

  const Policy& policy() const { return policy_; }
  // Whether prices decide: the device is `auto` and there are candidates on more than one card, the CPU being
  // one for all routes that work on its cores.
  bool by_price() const { return by_price_; }
  Links* links() const { return links_; }
  KernelCache& kernels() const { return kernels_; }
  // In the order in which they are asked.
  const std::vector<Route*>& candidates() const { return candidates_; }
  // The first candidate that says YES. For operators that must share memory, `only` restricts the candidates.
  Choice choose(const opmux_opd& d, const Route* only = nullptr) const;

 private:
  KernelCache& kernels_;
  Links* links_;
  Policy policy_;
  bool by_price_ = false;
  std::vector<Route*> candidates_;
};

}  // namespace opmux
