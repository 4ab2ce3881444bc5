// SPDX-License-Identifier: Apache-2.0
#include "host/router/placement.hpp"

#include <algorithm>

#include "host/platform/error.hpp"
#include "host/router/placement_exact.hpp"
#include "host/router/placement_schedule.hpp"
#include "host/router/placement_search.hpp"
#include "host/router/placement_tree.hpp"
#include "host/router/placement_units.hpp"
#include "opmux/abi.h"

namespace opmux::placement {
namespace {

// Branch and bound is tried for that many units. Of 100 random graphs of 16 tasks on 3 routes it ends for 99.
constexpr size_t kExactUnits = 16;

// Each task reads only what the one before it makes, and only the last makes what the application wants:
// nothing can overlap, and the finish is the sum of all costs and copies.
bool is_chain(const Problem& p) {
  const auto n = static_cast<uint32_t>(p.tasks.size());
  std::vector<bool> follows(n);
  for (const Item& i : p.items) {
    const uint32_t reader = i.producer == kNobody ? 0 : i.producer + 1;
    for (uint32_t c : i.consumers) {
      if (c != reader) return false;
      follows[c] = true;
    }
    if (i.wanted_on_host && i.producer != kNobody && i.producer + 1 != n) return false;
  }
  for (uint32_t t = 1; t < n; ++t) {
    if (!follows[t]) return false;
  }
  return true;
}

// Units that are away from `home` and hang together by items, on one route.
std::vector<std::vector<uint32_t>> excursions(const Problem& p, const Units& units,
                                              const std::vector<uint32_t>& route, uint32_t home) {
  std::vector<std::vector<uint32_t>> next(units.all.size());
  for (const Item& i : p.items) {
    std::vector<uint32_t> touched;
    if (i.producer != kNobody) touched.push_back(units.of_task[i.producer]);
    for (uint32_t c : i.consumers) touched.push_back(units.of_task[c]);
    for (size_t k = 1; k < touched.size(); ++k) {
      next[touched[0]].push_back(touched[k]);
      next[touched[k]].push_back(touched[0]);
    }
  }
  std::vector<std::vector<uint32_t>> out;
  std::vector<bool> seen(units.all.size());
  for (uint32_t u = 0; u < units.all.size(); ++u) {
    if (seen[u] || route[u] == home) continue;
    std::vector<uint32_t> part{u};
    seen[u] = true;
    for (size_t k = 0; k < part.size(); ++k) {
      for (uint32_t v : next[part[k]]) {
        if (seen[v] || route[v] != route[u]) continue;
        seen[v] = true;
        part.push_back(v);
      }
    }
    out.push_back(std::move(part));
  }
  return out;
}

// Sends home what saves less than split_gain of its own time there.
void send_home(const Problem& p, const Units& units, Search& search, uint32_t home, double split_gain,
               Candidate& best) {
  if (split_gain <= 0) return;
  for (const auto& part : excursions(p, units, best.route, home)) {
    std::vector<uint32_t> route = best.route;
    double at_home = 0;
    for (uint32_t u : part) {
      if (!(units.all[u].cost_ns[home] < kRefused)) continue;
      route[u] = home;
      at_home += units.all[u].cost_ns[home];
    }
    Candidate c = search.rate(std::move(route));
    if (c.ns < kRefused && c.ns - best.ns < split_gain * at_home) best = std::move(c);
  }
}

Result result_of(const Units& units, Schedule& schedule, const Candidate& best) {
  Result out;
  out.route = units.spread(best.route);
  out.makespan_ns = schedule.makespan(out.route);
  out.finish_ns = schedule.finish_ns();
  return out;
}

}  // namespace

Result solve(const Problem& problem, const Options& options) {
  const Units units = make_units(problem);
  Schedule schedule(problem, options.overlap);
  Search search(problem, units, schedule);
  // In order of preference; a later one must be faster by more than predictions can tell.
  Candidate unsplit;
  uint32_t home = 0;
  for (uint32_t r = 0; r < problem.routes.size(); ++r) {
    Candidate c = search.unsplit(r);
    if (!(c.ns < unsplit.ns * (1 - options.split_gain))) continue;
    unsplit = std::move(c);
    home = r;
  }
  const TreeResult tree = solve_tree(problem, units);
  Candidate best = search.rate(tree.route);
  const bool sums = options.overlap == Overlap::kNone || is_chain(problem);
  bool exact = tree.whole && sums && best.ns < kRefused;
  if (unsplit.ns < kRefused && unsplit.ns <= best.ns) best = unsplit;
  if (!exact) {
    Candidate list = search.list();
    if (list.ns < best.ns) best = std::move(list);
    const uint64_t end = schedule.work() + options.work;
    search.improve(best, end);
    if (units.all.size() <= kExactUnits && schedule.work() < end) {
      ExactResult all = solve_exact(problem, units, schedule, best.ns, end - schedule.work());
      if (!all.route.empty()) best = {std::move(all.route), all.ns};
      exact = all.whole && best.ns < kRefused;
    }
  }
  if (!(best.ns < kRefused))
    fail(OPMUX_E_OUT_OF_MEMORY, "no placement of {} tasks on {} routes was found that fits their memory",
         problem.tasks.size(), problem.routes.size());
  bool split = false;
  if (unsplit.ns < kRefused) {
    if (best.ns < unsplit.ns) send_home(problem, units, search, home, options.split_gain, best);
    split = best.ns < unsplit.ns * (1 - options.split_gain);
    if (!split) best = unsplit;
  }
  Result out = result_of(units, schedule, best);
  out.unsplit_ns = unsplit.ns;
  out.exact = exact;
  out.split = split;
  return out;
}

}  // namespace opmux::placement
