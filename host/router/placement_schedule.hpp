// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "host/router/placement.hpp"

namespace opmux::placement {

// Predicts when everything is done under a placement. Keeps its buffers: one object serves many calls.
class Schedule {
 public:
  Schedule(const Problem& problem, Overlap overlap);

  // Time of the last task or copy; infinite when a budget is exceeded, a task is refused, or once it is clear
  // that it will not be less than give_up_ns.
  double makespan(const std::vector<uint32_t>& route, double give_up_ns = kRefused);
  // Per task, of the last makespan call that was not given up.
  const std::vector<double>& finish_ns() const { return finish_; }
  // Steps of a task simulated so far.
  uint64_t work() const { return work_; }

  // The same task by task, for list scheduling: when `task` would be done on `route` after what was run since
  // restart(); and running it. guess leaves out that its copies may wait for each other.
  void restart();
  double guess(uint32_t task, uint32_t route) const;
  double run(uint32_t task, uint32_t route);
  // What the cards and, where nothing overlaps, the copies have taken since restart().
  double busy_ns() const { return state_.busy; }
  // 1 where nothing overlaps.
  uint32_t cards() const { return serial_ ? 1 : cards_; }
  // What restart() resets and run() changes.
  struct State {
    std::vector<double> ready;   // per item and space: when it is valid there, negative: not
    std::vector<uint32_t> home;  // per item: space of its producer
    std::vector<double> free;    // per card, then per link
    double busy = 0;
  };
  void save(State& state) const { state = state_; }
  void load(const State& state) { state_ = state; }

 private:
  // First and last + 1 of a task's items in in_ or out_.
  struct Span {
    uint32_t first, last;
  };

  double& ready(uint32_t item, uint32_t space) { return state_.ready[item * spaces_ + space]; }
  double ready(uint32_t item, uint32_t space) const { return state_.ready[item * spaces_ + space]; }
  double& free_link(uint32_t from, uint32_t to) {
    return state_.free[serial_ ? 0 : cards_ + from * spaces_ + to];
  }
  double& free_card(uint32_t card) { return state_.free[serial_ ? 0 : card]; }
  double bring(uint32_t item, uint32_t space);
  double bring_guess(uint32_t item, uint32_t space) const;
  bool fits(const std::vector<uint32_t>& route);

  const Problem& p_;
  bool serial_, budgets_ = false;
  uint32_t spaces_, cards_ = 1;
  std::vector<Span> in_span_, out_span_;  // per task
  std::vector<uint32_t> in_, out_, last_use_;
  State state_;
  std::vector<double> finish_;
  uint64_t work_ = 0;
};

}  // namespace opmux::placement
