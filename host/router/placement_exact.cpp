// SPDX-License-Identifier: Apache-2.0
#include "host/router/placement_exact.hpp"

#include <algorithm>
#include <utility>

namespace opmux::placement {
namespace {

class Exact {
 public:
  Exact(const Problem& p, const Units& units, Schedule& schedule, double bound_ns, uint64_t steps)
      : p_(p),
        units_(units),
        schedule_(schedule),
        after_(least_after(p)),
        cards_(schedule.cards()),
        rest_(p.tasks.size() + 1),
        before_(p.tasks.size()),
        at_(units.all.size(), kNobody),
        end_(schedule.work() + steps) {
    best_.ns = bound_ns;
    for (size_t t = p.tasks.size(); t-- > 0;) {
      const auto& cost = p.tasks[t].cost_ns;
      rest_[t] = rest_[t + 1] + *std::min_element(cost.begin(), cost.end());
    }
  }

  ExactResult solve() {
    schedule_.restart();
    visit(0);
    best_.whole = !spent_;
    return std::move(best_);
  }

 private:
  // Whether nothing that follows can end below the best: a path from the task, or what the cards have to do.
  bool hopeless(uint32_t task, uint32_t route, double done) const {
    return !(done + after_[task][route] < best_.ns) ||
           !((schedule_.busy_ns() + rest_[task + 1]) / cards_ < best_.ns);
  }

  void visit(uint32_t task) {
    if (task == p_.tasks.size()) {
      const double ns = schedule_.makespan(units_.spread(at_), best_.ns);
      if (ns < best_.ns) best_ = {at_, ns, false};
      return;
    }
    uint32_t& at = at_[units_.of_task[task]];
    const uint32_t given = at;
    schedule_.save(before_[task]);
    for (uint32_t r = 0; r < p_.routes.size() && !spent_; ++r) {
      if (given != kNobody ? r != given : !(units_.all[units_.of_task[task]].cost_ns[r] < kRefused)) continue;
      at = r;
      if (!hopeless(task, r, schedule_.run(task, r))) visit(task + 1);
      schedule_.load(before_[task]);
      spent_ = spent_ || schedule_.work() >= end_;
    }
    at = given;
  }

  const Problem& p_;
  const Units& units_;
  Schedule& schedule_;
  const std::vector<std::vector<double>> after_;
  const double cards_;
  std::vector<double> rest_;             // per task: least costs of it and all after it
  std::vector<Schedule::State> before_;  // per task
  std::vector<uint32_t> at_;             // per unit
  uint64_t end_;
  bool spent_ = false;
  ExactResult best_;
};

}  // namespace

std::vector<std::vector<double>> least_after(const Problem& p) {
  const auto n_routes = static_cast<uint32_t>(p.routes.size());
  std::vector<std::vector<double>> out(p.tasks.size(), std::vector<double>(n_routes, 0));
  std::vector<std::vector<uint32_t>> made(p.tasks.size());
  for (uint32_t i = 0; i < p.items.size(); ++i) {
    if (p.items[i].producer != kNobody) made[p.items[i].producer].push_back(i);
  }
  const auto copy_ns = [&](uint32_t from, uint32_t to, uint64_t bytes) {
    if (from == to) return 0.0;
    if (p.link(from, to).there) return p.link(from, to).time_ns(bytes);
    return p.link(from, kHost).time_ns(bytes) + p.link(kHost, to).time_ns(bytes);
  };
  for (uint32_t t = static_cast<uint32_t>(p.tasks.size()); t-- > 0;) {
    for (uint32_t r = 0; r < n_routes; ++r) {
      const uint32_t space = p.routes[r].space;
      for (uint32_t i : made[t]) {
        const Item& item = p.items[i];
        if (item.wanted_on_host) out[t][r] = std::max(out[t][r], copy_ns(space, kHost, item.bytes));
        for (uint32_t c : item.consumers) {
          double least = kRefused;
          for (uint32_t s = 0; s < n_routes; ++s) {
            const double copy = copy_ns(space, p.routes[s].space, item.bytes);
            least = std::min(least, copy + p.tasks[c].cost_ns[s] + out[c][s]);
          }
          out[t][r] = std::max(out[t][r], least);
        }
      }
    }
  }
  return out;
}

ExactResult solve_exact(const Problem& problem, const Units& units, Schedule& schedule, double bound_ns,
                        uint64_t steps) {
  return Exact(problem, units, schedule, bound_ns, steps).solve();
}

}  // namespace opmux::placement
