// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "host/router/placement.hpp"

namespace opmux::placement {

// What is placed as one: a group, or a task of its own.
struct Unit {
  std::vector<uint32_t> tasks;  // in order
  std::vector<double> cost_ns;  // per route
};

struct Units {
  std::vector<Unit> all;          // by their first task
  std::vector<uint32_t> of_task;  // index into `all`

  // Route per task from route per unit.
  std::vector<uint32_t> spread(const std::vector<uint32_t>& route) const;
};

// Checks the problem; throws as solve.
Units make_units(const Problem& problem);

}  // namespace opmux::placement
