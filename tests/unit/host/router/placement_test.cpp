// SPDX-License-Identifier: Apache-2.0
#include "host/router/placement.hpp"

#include <gtest/gtest.h>

#include "host/platform/error.hpp"
#include "opmux/abi.h"
#include "tests/unit/host/router/build_problem.hpp"

namespace opmux::test {
namespace {

using placement::Options;
using placement::Overlap;
using placement::Result;
using placement::solve;
using Routes = std::vector<uint32_t>;

// Input -> t0 -> t1 -> ... -> output, each item of so many bytes.
void join_as_chain(Problem& p, uint64_t bytes) {
  add_item(p, kNobody, {0}, bytes);
  const auto n = static_cast<uint32_t>(p.tasks.size());
  for (uint32_t t = 0; t + 1 < n; ++t) add_item(p, t, {t + 1}, bytes);
  add_item(p, n - 1, {}, bytes, true);
}

std::string failure(const Problem& p, uint32_t code) {
  try {
    solve(p);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.text();
    return e.text();
  }
  ADD_FAILURE() << "it was placed";
  return "";
}

TEST(Placement, AnEmptyGraphTakesNoTime) {
  const Result r = solve(machine(3, 10, 1));
  EXPECT_TRUE(r.route.empty());
  EXPECT_EQ(r.makespan_ns, 0);
  EXPECT_FALSE(r.split);
}

TEST(Placement, TasksWithoutCostStayOnThePreferredRoute) {
  Problem p = machine(3, 0, 0);
  for (int t = 0; t < 3; ++t) add_task(p, {0, 0, 0});
  join_as_chain(p, 100);
  const Result r = solve(p);
  EXPECT_EQ(r.route, (Routes{0, 0, 0}));
  EXPECT_EQ(r.makespan_ns, 0);
}

TEST(Placement, PreferenceDecidesBetweenEqualPrices) {
  Problem p = machine(3, 0, 0);
  p.routes = {{2, 2}, {0, 0}, {1, 1}};
  for (int t = 0; t < 4; ++t) add_task(p, {50, 50, 50});
  join_as_chain(p, 8);
  EXPECT_EQ(solve(p).route, (Routes{0, 0, 0, 0}));
}

TEST(Placement, ALaterRouteMustBeFasterByTheStatedShare) {
  Problem p = machine(2, 0, 0);
  add_task(p, {1000, 951});
  join_as_chain(p, 1);
  EXPECT_EQ(solve(p).route, Routes{0});
  p.tasks[0].cost_ns[1] = 949;
  EXPECT_EQ(solve(p).route, Routes{1});
}

TEST(Placement, ATaskThatEveryRouteRefusesIsNamed) {
  Problem p = machine(2, 1, 1);
  add_task(p, {5, kRefused});
  add_task(p, {kRefused, kRefused});
  join_as_chain(p, 4);
  EXPECT_EQ(failure(p, OPMUX_E_UNSUPPORTED), "task 't1' is refused by every route (2)");
}

TEST(Placement, AGroupThatNoRouteTakesWholeIsNamed) {
  Problem p = machine(2, 1, 1);
  add_task(p, {5, kRefused}, 4);
  add_task(p, {kRefused, 5}, 4);
  EXPECT_EQ(failure(p, OPMUX_E_UNSUPPORTED),
            "no route takes the 2 tasks that must be together, from 't0' to 't1'");
}

TEST(Placement, AProblemThatMakesNoSenseIsRefused) {
  Problem backwards = machine(1, 0, 0);
  add_task(backwards, {1});
  add_task(backwards, {1});
  add_item(backwards, 1, {0}, 4);
  failure(backwards, OPMUX_E_INVALID);
  Problem costs = machine(2, 0, 0);
  add_task(costs, {1});
  failure(costs, OPMUX_E_INVALID);
  Problem negative = machine(1, 0, 0);
  add_task(negative, {-1});
  failure(negative, OPMUX_E_INVALID);
  Problem unlinked = machine(2, 0, 0);
  unlinked.links[1].there = false;
  failure(unlinked, OPMUX_E_INVALID);
}

TEST(Placement, CopiesDecideWhetherAFasterRoutePays) {
  // 1000 against 100 ns; two copies of 10 bytes cost 2 * (100 + 10 * 1) = 220 ns.
  Problem p = machine(2, 100, 1);
  add_task(p, {1000, 100});
  join_as_chain(p, 10);
  Result r = solve(p);
  EXPECT_EQ(r.route, Routes{1});
  EXPECT_DOUBLE_EQ(r.makespan_ns, 320);
  EXPECT_DOUBLE_EQ(r.finish_ns[0], 210);

  for (auto& item : p.items) item.bytes = 400;  // now 1000 ns
  r = solve(p);
  EXPECT_EQ(r.route, Routes{0});
  EXPECT_DOUBLE_EQ(r.makespan_ns, 1000);
}

TEST(Placement, OnlyTheTasksThatGainMoveAway) {
  Problem p = machine(2, 10, 0.1);
  for (int t = 0; t < 7; ++t)
    add_task(p, t == 2 || t == 3 ? std::vector<double>{9000, 300} : std::vector<double>{100, 900});
  join_as_chain(p, 100);
  const Result r = solve(p);
  EXPECT_EQ(r.route, (Routes{0, 0, 1, 1, 0, 0, 0}));
  EXPECT_TRUE(r.split);
  EXPECT_TRUE(r.exact);
  EXPECT_DOUBLE_EQ(r.makespan_ns, 5 * 100 + 2 * 300 + 2 * 20);
}

TEST(Placement, TasksOfAGroupStayTogether) {
  Problem p = machine(2, 0, 0);
  add_task(p, {10, 100}, 1);
  add_task(p, {50, 1});
  add_task(p, {1000, 10}, 1);
  join_as_chain(p, 1);
  EXPECT_EQ(solve(p).route, (Routes{1, 1, 1})) << "1010 against 110 for the group";
}

TEST(Placement, AnItemIsCopiedToASpaceOnceForAllItsReaders) {
  Problem p = machine(2, 100, 0);
  p.routes[0].card = 0;
  for (int t = 0; t < 4; ++t) add_task(p, {1000, 10});
  add_item(p, kNobody, {0, 1, 2, 3}, 64);
  const Result r = solve(p);
  EXPECT_EQ(r.route, (Routes{1, 1, 1, 1}));
  EXPECT_DOUBLE_EQ(r.makespan_ns, 100 + 4 * 10);
}

TEST(Placement, BetweenTwoDevicesBytesGoOverTheHost) {
  Problem p = machine(3, 100, 0);
  add_task(p, {kRefused, 10, kRefused});
  add_task(p, {kRefused, kRefused, 10});
  add_item(p, 0, {1}, 64);
  EXPECT_DOUBLE_EQ(solve(p).makespan_ns, 10 + 2 * 100 + 10);
  p.links[1 * 3 + 2] = {true, 30, 0};
  EXPECT_DOUBLE_EQ(solve(p).makespan_ns, 10 + 30 + 10);
}

TEST(Placement, ASplitMustWinByTheStatedShare) {
  Problem p = machine(2, 5, 0);
  for (int t = 0; t < 3; ++t)
    add_task(p, t == 1 ? std::vector<double>{1000, 950 - 10 - 1} : std::vector<double>{100, 5000});
  join_as_chain(p, 1);
  Options o;  // 1200 ns against 1149: 4.25 %
  Result r = solve(p, o);
  EXPECT_EQ(r.route, (Routes{0, 0, 0}));
  EXPECT_FALSE(r.split);
  EXPECT_DOUBLE_EQ(r.makespan_ns, 1200);
  o.split_gain = 0.04;
  r = solve(p, o);
  EXPECT_EQ(r.route, (Routes{0, 1, 0}));
  EXPECT_TRUE(r.split);
  EXPECT_DOUBLE_EQ(r.unsplit_ns, 1200);
}

TEST(Placement, AnExcursionThatHardlyPaysGoesHomeEvenWhereAnotherPays) {
  Problem p = machine(2, 5, 0);
  const std::vector<std::vector<double>> costs = {
      {100, 5000}, {9000, 10}, {100, 5000}, {1000, 985}, {100, 5000}};
  for (const auto& c : costs) add_task(p, c);
  join_as_chain(p, 1);
  EXPECT_EQ(solve(p).route, (Routes{0, 1, 0, 0, 0}));
}

TEST(Placement, WhatDoesNotFitIsPlacedElsewhereAndConstantsCountOnce) {
  Problem p = machine(2, 1, 0);
  p.constant_bytes = {600, 600};
  p.spaces[1].budget_bytes = 1000;
  for (int t = 0; t < 4; ++t) add_task(p, {100, 10});
  for (uint32_t t = 0; t < 4; ++t) p.tasks[t].constants = {t == 3 ? 1u : 0u};
  join_as_chain(p, 10);
  EXPECT_EQ(solve(p).route, (Routes{1, 1, 1, 0})) << "the first constant serves three tasks";
  p.spaces[1].budget_bytes = 1300;
  EXPECT_EQ(solve(p).route, (Routes{1, 1, 1, 1}));
  p.spaces[1].budget_bytes = 100;
  EXPECT_EQ(solve(p).route, (Routes{0, 0, 0, 0}));
  for (auto& t : p.tasks) t.cost_ns[0] = kRefused;
  failure(p, OPMUX_E_OUT_OF_MEMORY);
}

TEST(Placement, ActivationsCountWhileTheyLive) {
  Problem p = machine(2, 1, 0);
  for (int t = 0; t < 4; ++t) add_task(p, {1000, 10});
  join_as_chain(p, 400);
  p.spaces[1].budget_bytes = 800;  // two live at a time
  EXPECT_EQ(solve(p).route, (Routes{1, 1, 1, 1}));
  p.spaces[1].budget_bytes = 799;
  EXPECT_EQ(solve(p).route, (Routes{0, 0, 0, 0}));
}

TEST(Placement, IndependentWorkSpreadsOverCardsOnlyWhereTheyOverlap) {
  Problem p = machine(2, 1, 0);
  add_task(p, {1000, 1000});
  add_task(p, {1000, 1000});
  add_item(p, kNobody, {0, 1}, 8);
  Options o;
  EXPECT_EQ(solve(p, o).route, (Routes{0, 0}));
  o.overlap = Overlap::kCards;
  const Result r = solve(p, o);
  EXPECT_NE(r.route[0], r.route[1]);
  EXPECT_DOUBLE_EQ(r.makespan_ns, 1001);
}

TEST(Placement, RoutesOfOneCardAreNoExtraDevices) {
  Problem p = machine(2, 1, 0);
  p.routes[1].card = 0;
  add_task(p, {1000, 1000});
  add_task(p, {1000, 1000});
  add_item(p, kNobody, {0, 1}, 8);
  Options o;
  o.overlap = Overlap::kCards;
  EXPECT_EQ(solve(p, o).route, (Routes{0, 0}));
}

TEST(Placement, TheSameProblemIsPlacedTheSameWay) {
  RandomProblems random(5);
  const Problem p = random.dag(40);
  EXPECT_EQ(solve(p).route, solve(p).route);
}

}  // namespace
}  // namespace opmux::test
