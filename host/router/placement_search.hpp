// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <vector>

#include "host/router/placement_schedule.hpp"
#include "host/router/placement_units.hpp"

namespace opmux::placement {

struct Candidate {
  std::vector<uint32_t> route;  // per unit
  double ns = kRefused;
};

// Placements of units and the ways to better ones. The same input gives the same output.
class Search {
 public:
  Search(const Problem& problem, const Units& units, Schedule& schedule);

  Candidate rate(std::vector<uint32_t> route, double give_up_ns = kRefused);
  // Everything on `home` that it takes, the rest where it costs least.
  Candidate unsplit(uint32_t home);
  // Task by task to the route where it is done first, the least that must follow it added: PEFT (Arabnejad
  // and Barbosa 2014), a descendant of HEFT.
  Candidate list();
  // Moves of units, of runs of successive units and of pairs while they help, then kicks, until the schedule
  // has done work_limit steps.
  void improve(Candidate& best, uint64_t work_limit);

 private:
  bool takes(uint32_t unit, uint32_t route) const { return units_.all[unit].cost_ns[route] < kRefused; }
  bool spent() const { return schedule_.work() >= work_limit_; }
  bool try_route(Candidate& best, const std::vector<uint32_t>& route);
  bool runs(Candidate& best);
  bool pairs(Candidate& best);
  void descend(Candidate& best);
  Candidate kick(const Candidate& from);

  const Problem& p_;
  const Units& units_;
  Schedule& schedule_;
  uint32_t n_routes_;
  uint64_t work_limit_ = 0;
  std::mt19937 random_{1};
};

}  // namespace opmux::placement
