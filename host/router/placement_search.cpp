// SPDX-License-Identifier: Apache-2.0
#include "host/router/placement_search.hpp"

#include <algorithm>

#include "host/router/placement_exact.hpp"

namespace opmux::placement {
namespace {

constexpr uint32_t kMovedByKick = 3;

// Kicks in a row that lead nowhere before the search ends. Of the 200 graphs of placement_quality_test.cpp
// with overlap, 0, 10, 30 and 100 leave 15, 2, 1 and 1 more than 5 % above the optimum.
constexpr uint32_t kVainKicks = 30;

// A pair of moves is looked for where that many units exist at most; more cost too much.
constexpr size_t kPairUnits = 24;

}  // namespace

Search::Search(const Problem& problem, const Units& units, Schedule& schedule)
    : p_(problem),
      units_(units),
      schedule_(schedule),
      n_routes_(static_cast<uint32_t>(problem.routes.size())) {}

Candidate Search::rate(std::vector<uint32_t> route, double give_up_ns) {
  const double ns = schedule_.makespan(units_.spread(route), give_up_ns);
  return {std::move(route), ns};
}

Candidate Search::unsplit(uint32_t home) {
  std::vector<uint32_t> route;
  for (uint32_t u = 0; u < units_.all.size(); ++u) {
    const auto& cost = units_.all[u].cost_ns;
    const auto least = static_cast<uint32_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
    route.push_back(takes(u, home) ? home : least);
  }
  return rate(std::move(route));
}

Candidate Search::list() {
  const auto after = least_after(p_);
  std::vector<uint32_t> route(units_.all.size(), kNobody);
  schedule_.restart();
  for (uint32_t t = 0; t < p_.tasks.size(); ++t) {
    uint32_t& r = route[units_.of_task[t]];
    if (r == kNobody) {
      double least = kRefused;
      for (uint32_t k = 0; k < n_routes_; ++k) {
        if (!takes(units_.of_task[t], k)) continue;
        const double done = schedule_.guess(t, k) + after[t][k];
        if (!(done < least) && r != kNobody) continue;
        least = done;
        r = k;
      }
    }
    schedule_.run(t, r);
  }
  return rate(std::move(route));
}

bool Search::try_route(Candidate& best, const std::vector<uint32_t>& route) {
  Candidate c = rate(route, best.ns);
  if (!(c.ns < best.ns)) return false;
  best = std::move(c);
  return true;
}

// Runs of 2^k successive units, the longest first, then single ones.
bool Search::runs(Candidate& best) {
  const auto n = static_cast<uint32_t>(units_.all.size());
  uint32_t longest = 1;
  while (longest * 2 <= n) longest *= 2;
  bool better = false;
  for (uint32_t length = longest; length > 0; length /= 2) {
    for (uint32_t first = 0; first < n; first += std::max(1u, length / 2)) {
      for (uint32_t r = 0; r < n_routes_ && !spent(); ++r) {
        const uint32_t last = std::min(n, first + length);
        const auto moves = [&](uint32_t u) { return takes(u, r) && best.route[u] != r; };
        uint32_t u = first;
        while (u < last && !moves(u)) ++u;
        if (u == last) continue;
        std::vector<uint32_t> route = best.route;
        for (; u < last; ++u) route[u] = moves(u) ? r : route[u];
        better |= try_route(best, route);
      }
    }
  }
  return better;
}

bool Search::pairs(Candidate& best) {
  const auto n = static_cast<uint32_t>(units_.all.size());
  bool better = false;
  for (uint32_t a = 0; a < n; ++a) {
    for (uint32_t b = a + 1; b < n; ++b) {
      for (uint32_t k = 0; k < n_routes_ * n_routes_ && !spent(); ++k) {
        const uint32_t ra = k / n_routes_, rb = k % n_routes_;
        if (!takes(a, ra) || !takes(b, rb) || best.route[a] == ra || best.route[b] == rb) continue;
        std::vector<uint32_t> route = best.route;
        route[a] = ra;
        route[b] = rb;
        better |= try_route(best, route);
      }
    }
  }
  return better;
}

void Search::descend(Candidate& best) {
  bool better = true;
  while (better && !spent()) {
    better = runs(best);
    if (!better && units_.all.size() <= kPairUnits) better = pairs(best);
  }
}

Candidate Search::kick(const Candidate& from) {
  std::vector<uint32_t> route = from.route;
  for (uint32_t k = 0; k < kMovedByKick; ++k) {
    const auto u = static_cast<uint32_t>(random_() % route.size());
    const auto r = static_cast<uint32_t>(random_() % n_routes_);
    if (takes(u, r)) route[u] = r;
  }
  return rate(std::move(route));
}

void Search::improve(Candidate& best, uint64_t work_limit) {
  if (best.route.empty() || n_routes_ < 2) return;
  work_limit_ = work_limit;
  descend(best);
  for (uint32_t vain = 0; vain < kVainKicks && !spent(); ++vain) {
    Candidate other = kick(best);
    descend(other);
    if (!(other.ns < best.ns)) continue;
    best = std::move(other);
    vain = 0;
  }
}

}  // namespace opmux::placement
