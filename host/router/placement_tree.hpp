// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "host/router/placement.hpp"
#include "host/router/placement_units.hpp"

namespace opmux::placement {

struct TreeResult {
  std::vector<uint32_t> route;  // per unit
  bool whole = false;           // units and items form a forest, so that nothing had to be left out
};

// Least sum of costs and copies by dynamic programming over the forest of units and items: exact when `whole`
// and no budget binds. Else items are cut off from consumers, the smallest items first, until it is a forest.
TreeResult solve_tree(const Problem& problem, const Units& units);

}  // namespace opmux::placement
