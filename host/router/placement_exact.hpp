// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "host/router/placement_schedule.hpp"
#include "host/router/placement_units.hpp"

namespace opmux::placement {

// Per task and route: the least time that must follow the task when it runs there, whatever else happens.
std::vector<std::vector<double>> least_after(const Problem& problem);

struct ExactResult {
  std::vector<uint32_t> route;  // per unit; empty: nothing is below the bound
  double ns = kRefused;
  bool whole = false;  // every placement was tried or ruled out within the steps
};

// Branch and bound over the units, in the order of their first tasks: the best placement below `bound_ns`.
// For some dozen units; it ends when the schedule has done `steps` more steps.
ExactResult solve_exact(const Problem& problem, const Units& units, Schedule& schedule, double bound_ns,
                        uint64_t steps);

}  // namespace opmux::placement
