// SPDX-License-Identifier: Apache-2.0
// How near the optimum placements are. The optimum is found by trying everything, with a simulation of its
// own.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "host/platform/clock.hpp"
#include "tests/unit/host/router/build_problem.hpp"

namespace opmux::test {
namespace {

using placement::Options;
using placement::Overlap;
using placement::Result;

// All placements, task by task, by the rules that placement.hpp states.
class Everything {
 public:
  Everything(const Problem& p, Overlap overlap) : p_(p), serial_(overlap == Overlap::kNone) {
    rest_.resize(p.tasks.size() + 1);
    for (size_t t = p.tasks.size(); t-- > 0;) {
      const auto& cost = p.tasks[t].cost_ns;
      rest_[t] = rest_[t + 1] + *std::min_element(cost.begin(), cost.end());
    }
  }

  // The least that is below `known`, else that.
  double least(double known) {
    best_ = known;
    visit(start(), 0);
    return best_;
  }
  double of(const std::vector<uint32_t>& route) {
    State s = start();
    for (uint32_t t = 0; t < p_.tasks.size(); ++t) run(s, t, route[t]);
    return end(s);
  }

 private:
  struct State {
    double clock = 0;                        // serial
    std::vector<double> card, link;          // when it is free
    std::vector<std::vector<double>> valid;  // [item][space], negative: not there
    std::vector<uint32_t> home;
    double last = 0;
  };

  State start() const {
    const size_t spaces = p_.spaces.size();
    State s{0, std::vector<double>(p_.routes.size()), std::vector<double>(spaces * spaces), {}, {}, 0};
    s.valid.assign(p_.items.size(), std::vector<double>(spaces, -1));
    s.home.assign(p_.items.size(), kHost);
    for (size_t i = 0; i < p_.items.size(); ++i) {
      if (p_.items[i].producer == kNobody) s.valid[i][kHost] = 0;
    }
    return s;
  }

  void copy(State& s, size_t i, uint32_t from, uint32_t to) const {
    const auto& link = p_.link(from, to);
    const double takes = link.latency_ns + link.ns_per_byte * static_cast<double>(p_.items[i].bytes);
    double& free = s.link[from * p_.spaces.size() + to];
    const double begin = serial_ ? s.clock : std::max(free, s.valid[i][from]);
    s.clock = free = s.valid[i][to] = begin + takes;
  }
  void bring(State& s, size_t i, uint32_t to) const {
    if (s.valid[i][to] >= 0) return;
    if (p_.link(s.home[i], to).there) return copy(s, i, s.home[i], to);
    if (s.valid[i][kHost] < 0) copy(s, i, s.home[i], kHost);
    copy(s, i, kHost, to);
  }

  void run(State& s, uint32_t t, uint32_t route) const {
    const auto& place = p_.routes[route];
    double begin = s.card[place.card];
    for (size_t i = 0; i < p_.items.size(); ++i) {
      const auto& readers = p_.items[i].consumers;
      if (std::find(readers.begin(), readers.end(), t) == readers.end()) continue;
      bring(s, i, place.space);
      begin = std::max(begin, s.valid[i][place.space]);
    }
    if (serial_) begin = s.clock;
    const double done = begin + p_.tasks[t].cost_ns[route];
    s.clock = s.card[place.card] = done;
    s.last = std::max(s.last, done);
    for (size_t i = 0; i < p_.items.size(); ++i) {
      if (p_.items[i].producer != t) continue;
      s.home[i] = place.space;
      s.valid[i][place.space] = done;
    }
  }

  double end(State& s) const {
    for (size_t i = 0; i < p_.items.size(); ++i) {
      if (!p_.items[i].wanted_on_host) continue;
      bring(s, i, kHost);
      s.last = std::max(s.last, s.valid[i][kHost]);
    }
    return s.last;
  }

  // No placement of the rest ends before this.
  double bound(const State& s, uint32_t t) const {
    if (serial_) return s.clock + rest_[t];
    const double busy = std::accumulate(s.card.begin(), s.card.end(), rest_[t]);
    return std::max(s.last, busy / static_cast<double>(s.card.size()));
  }

  void visit(State s, uint32_t t) {
    if (bound(s, t) >= best_) return;
    if (t == p_.tasks.size()) {
      best_ = std::min(best_, end(s));
      return;
    }
    for (uint32_t r = 0; r < p_.routes.size(); ++r) {
      if (p_.tasks[t].cost_ns[r] == kRefused) continue;
      State next = s;
      run(next, t, r);
      visit(std::move(next), t + 1);
    }
  }

  const Problem& p_;
  bool serial_;
  std::vector<double> rest_;  // least costs of task t and all after it
  double best_ = 0;
};

Options without_hysteresis(Overlap overlap) {
  Options o;
  o.overlap = overlap;
  o.split_gain = 0;
  return o;
}

// How much above the optimum, as a share; checks the prediction by the way.
double above_optimum(const Problem& p, Overlap overlap, bool* exact = nullptr, bool* needs_split = nullptr) {
  const Result r = placement::solve(p, without_hysteresis(overlap));
  Everything all(p, overlap);
  EXPECT_NEAR(all.of(r.route), r.makespan_ns, 1e-9 * r.makespan_ns);
  if (exact) *exact = r.exact;
  const double least = all.least(r.makespan_ns);
  if (needs_split) *needs_split = r.unsplit_ns > 1.05 * least;
  return least > 0 ? r.makespan_ns / least - 1 : 0;
}

class Quality : public testing::TestWithParam<Overlap> {};

TEST_P(Quality, RandomGraphsOfUpToTwelveTasksAreOptimal) {
  RandomProblems random(20261123);
  std::vector<double> above;
  int hard = 0;  // where the best single route does not do
  for (int k = 0; k < 200; ++k) {
    const Problem p = random.dag(3 + random.upto(9));
    bool needs_split = false;
    above.push_back(above_optimum(p, GetParam(), nullptr, &needs_split));
    hard += needs_split;
  }
  std::sort(above.begin(), above.end());
  const auto optimal = std::count_if(above.begin(), above.end(), [](double a) { return a <= 1e-9; });
  std::printf("optimal %td of 200, worst %.2f %% above; %d need a split\n", optimal, 100 * above.back(),
              hard);
  EXPECT_GE(hard, 100);
  EXPECT_EQ(optimal, 200);
}

TEST_P(Quality, ChainsEqualTheOptimum) {
  RandomProblems random(7);
  for (int k = 0; k < 100; ++k) {
    const Problem p = random.chain(1 + random.upto(9));
    bool exact = false;
    EXPECT_LE(above_optimum(p, GetParam(), &exact), 1e-9) << "chain " << k;
    EXPECT_TRUE(exact);
  }
}

INSTANTIATE_TEST_SUITE_P(Overlaps, Quality, testing::Values(Overlap::kNone, Overlap::kCards),
                         [](const auto& info) { return info.param == Overlap::kNone ? "none" : "cards"; });

// With overlap, trees are scheduling on parallel machines, for which no exact method of polynomial time is
// known.
TEST(Quality, TreesEqualTheOptimumWhereNothingOverlaps) {
  RandomProblems random(8);
  for (int k = 0; k < 100; ++k) {
    const Problem p = random.tree(2 + random.upto(8), k % 2 == 0);
    bool exact = false;
    EXPECT_LE(above_optimum(p, Overlap::kNone, &exact), 1e-9) << "tree " << k;
    EXPECT_TRUE(exact);
  }
}

TEST(Quality, GroupsAndBudgetsAreKeptOnRandomGraphs) {
  RandomProblems random(10);
  for (int k = 0; k < 200; ++k) {
    Problem p = random.dag(4 + random.upto(20));
    for (uint32_t c = 0; c < 6; ++c) p.constant_bytes.push_back(1 + random.upto(1000));
    for (auto& t : p.tasks) {
      t.cost_ns[0] = std::min(t.cost_ns[0], 1e9);  // so that there is a way
      t.constants = {random.upto(5), random.upto(5)};
      if (random.upto(2) == 0) t.group = random.upto(2);
    }
    for (auto& i : p.items) i.bytes = 1 + i.bytes % 50;
    for (uint32_t s = 1; s < 3; ++s) p.spaces[s].budget_bytes = 500 + random.upto(2000);
    Options options = without_hysteresis(Overlap::kCards);
    options.work = 150'000;  // it is about rules, not about the last per cent
    const Result r = placement::solve(p, options);
    for (uint32_t s = 1; s < 3; ++s) {
      uint64_t held = 0;
      for (uint32_t c = 0; c < 6; ++c) {
        bool here = false;
        for (size_t t = 0; t < p.tasks.size(); ++t) {
          const auto& read = p.tasks[t].constants;
          here |= r.route[t] == s && std::find(read.begin(), read.end(), c) != read.end();
        }
        held += here ? p.constant_bytes[c] : 0;
      }
      EXPECT_LE(held, p.spaces[s].budget_bytes) << "problem " << k << ", space " << s;
    }
    for (size_t a = 0; a < p.tasks.size(); ++a) {
      EXPECT_LT(p.tasks[a].cost_ns[r.route[a]], kRefused);
      for (size_t b = 0; b < a; ++b) {
        const bool together = p.tasks[a].group != kNobody && p.tasks[a].group == p.tasks[b].group;
        EXPECT_TRUE(!together || r.route[a] == r.route[b]) << "problem " << k;
      }
    }
  }
}

TEST(Quality, FiveHundredTasksArePlaced) {
  RandomProblems random(9);
  const Problem p = random.dag(500);
  for (Overlap overlap : {Overlap::kNone, Overlap::kCards}) {
    Options options;
    options.overlap = overlap;
    const uint64_t begin = now_ns();
    const Result r = placement::solve(p, options);
    const uint64_t time = now_ns() - begin;
    uint64_t sum = 0;  // to compare builds and machines by
    for (uint32_t route : r.route) sum = sum * 31 + route;
    std::printf("500 tasks on 3 routes, %s: %.1f ms; %.2f of the best single route; placement %016lx\n",
                overlap == Overlap::kNone ? "no overlap" : "overlap", static_cast<double>(time) / 1e6,
                r.makespan_ns / r.unsplit_ns, sum);
    EXPECT_EQ(placement::solve(p, options).route, r.route);
    EXPECT_EQ(r.route.size(), 500u);
    EXPECT_LE(r.makespan_ns, r.unsplit_ns);
  }
}

}  // namespace
}  // namespace opmux::test
