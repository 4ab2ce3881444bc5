// SPDX-License-Identifier: Apache-2.0
// Which route each task of a graph takes, by predicted time: a pure function of numbers, without any plugin.
// Why these algorithms: docs/decisions/0006-placement-by-price.md.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace opmux::placement {

inline constexpr double kRefused = std::numeric_limits<double>::infinity();  // a cost
inline constexpr uint32_t kNobody = 0xffffffffu;                             // a producer, a group
inline constexpr uint32_t kHost = 0;                                         // the host's memory space
inline constexpr uint32_t kMaxSpaces = 8;

// A way for bytes from one memory space to another. Where there is none, they go over the host.
struct Link {
  bool there = false;
  double latency_ns = 0;
  double ns_per_byte = 0;
  double time_ns(uint64_t bytes) const {
    return bytes ? latency_ns + ns_per_byte * static_cast<double>(bytes) : 0;
  }
};

struct Space {
  uint64_t budget_bytes = ~uint64_t{0};  // constants, each once, and what lives at the same time
};

struct Place {
  uint32_t space = kHost;
  uint32_t card = 0;  // routes of one card work one after another
};

struct Task {
  std::string name;
  std::vector<double> cost_ns;      // per route, kRefused where the route does not take it
  std::vector<uint32_t> constants;  // which it reads; indices of Problem::constant_bytes
  uint32_t group = kNobody;         // tasks of one group take one route
};

// Bytes that one task makes, or the application (in the host's memory), and others read.
struct Item {
  uint32_t producer = kNobody;
  std::vector<uint32_t> consumers;  // all after the producer
  uint64_t bytes = 0;
  bool wanted_on_host = false;  // by the application
};

// Tasks run in their order on every card; an item is copied to a space once, when it is first read there.
struct Problem {
  std::vector<Place> routes;  // in order of preference
  std::vector<Space> spaces;  // the host's first
  std::vector<Link> links;    // [from * spaces + to]
  std::vector<Task> tasks;
  std::vector<Item> items;
  std::vector<uint64_t> constant_bytes;

  const Link& link(uint32_t from, uint32_t to) const { return links[from * spaces.size() + to]; }
};

enum class Overlap : uint8_t {
  kNone,   // one thing at a time: kernels and copies add up
  kCards,  // cards and links work side by side
};

struct Options {
  Overlap overlap = Overlap::kNone;
  double split_gain = 0.05;  // share of the time that a split, or a less preferred route, must save
  // Steps of a task that the search may simulate; a step takes some 15 ns. Nothing looks at a clock, so a
  // problem is placed the same way on every machine.
  uint64_t work = 1'500'000;
};

struct Result {
  std::vector<uint32_t> route;    // per task
  std::vector<double> finish_ns;  // per task
  double makespan_ns = 0;         // with the copies of what the application wants
  double unsplit_ns = 0;          // with everything on one route that it takes: the best such placement
  bool exact = false;             // nothing is faster but what split_gain gives up
  bool split = false;             // faster than unsplit_ns by split_gain, and therefore taken
};

// Throws Error: OPMUX_E_UNSUPPORTED names a task that every route refuses, or the group;
// OPMUX_E_OUT_OF_MEMORY when nothing was found that fits the budgets; OPMUX_E_INVALID when the problem makes
// no sense.
Result solve(const Problem& problem, const Options& options = {});

}  // namespace opmux::placement
