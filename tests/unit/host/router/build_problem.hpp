// SPDX-License-Identifier: Apache-2.0
// Placement problems by hand and at random.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "host/router/placement.hpp"

namespace opmux::test {

using placement::kHost;
using placement::kNobody;
using placement::kRefused;
using placement::Problem;

// Route 0 works on the host's memory; each other has a card and a memory of its own. Copies go over the host.
inline Problem machine(uint32_t routes, double latency_ns, double ns_per_byte) {
  Problem p;
  p.spaces.resize(routes);
  p.links.resize(size_t{routes} * routes);
  for (uint32_t r = 0; r < routes; ++r) {
    p.routes.push_back({r, r});
    if (r == kHost) continue;
    p.links[r] = p.links[size_t{r} * routes] = {true, latency_ns, ns_per_byte};
  }
  return p;
}

inline uint32_t add_task(Problem& p, std::vector<double> cost_ns, uint32_t group = kNobody) {
  p.tasks.push_back({"t" + std::to_string(p.tasks.size()), std::move(cost_ns), {}, group});
  return static_cast<uint32_t>(p.tasks.size() - 1);
}

inline void add_item(Problem& p, uint32_t producer, std::vector<uint32_t> consumers, uint64_t bytes,
                     bool wanted = false) {
  p.items.push_back({producer, std::move(consumers), bytes, wanted});
}

class RandomProblems {
 public:
  explicit RandomProblems(uint32_t seed) : random_(seed) {}

  uint32_t upto(uint32_t n) { return static_cast<uint32_t>(random_() % (n + 1)); }
  double unit() { return static_cast<double>(random_()) / 4294967296.0; }
  // Costs over two decades, each route fast at some and slow at others, one in eight refused.
  std::vector<double> costs(uint32_t routes) {
    const double size = std::pow(10, 4 + 2 * unit());
    std::vector<double> out;
    for (uint32_t r = 0; r < routes; ++r)
      out.push_back(upto(7) == 0 ? kRefused : size * std::pow(8, 2 * unit() - 1));
    out[upto(routes - 1)] = size;
    return out;
  }
  uint64_t bytes() { return static_cast<uint64_t>(std::pow(10, 3 + 4 * unit())); }

  // Links of 5 to 50 us and 1 to 20 bytes/ns.
  Problem empty(uint32_t routes) {
    const double latency_ns = 5000 * std::pow(10, unit()), ns_per_byte = std::pow(20, -unit());
    return machine(routes, latency_ns, ns_per_byte);
  }

  Problem dag(uint32_t tasks, uint32_t routes = 3) {
    Problem p = empty(routes);
    for (uint32_t t = 0; t < tasks; ++t) add_task(p, costs(routes));
    std::vector<std::vector<uint32_t>> readers(tasks);
    std::vector<uint32_t> first;
    for (uint32_t t = 0; t < tasks; ++t) {
      const uint32_t inputs = t == 0 ? 0 : upto(2);
      if (inputs == 0) first.push_back(t);
      for (uint32_t k = 0; k < inputs; ++k) {
        auto& of = readers[t - 1 - upto(std::min(t - 1, 4u))];
        if (of.empty() || of.back() != t) of.push_back(t);
      }
    }
    add_item(p, kNobody, first, bytes());
    for (uint32_t t = 0; t < tasks; ++t) add_item(p, t, readers[t], bytes(), readers[t].empty());
    return p;
  }

  Problem chain(uint32_t tasks, uint32_t routes = 3) {
    Problem p = empty(routes);
    add_item(p, kNobody, {0}, bytes());
    for (uint32_t t = 0; t < tasks; ++t) {
      add_task(p, costs(routes));
      const bool last = t + 1 == tasks;
      add_item(p, t, last ? std::vector<uint32_t>{} : std::vector<uint32_t>{t + 1}, bytes(), last);
    }
    return p;
  }

  // Each task but the last hands its item to one later task (inwards), or each but the first reads one item
  // of an earlier task, which several may read (outwards).
  Problem tree(uint32_t tasks, bool inwards, uint32_t routes = 3) {
    Problem p = empty(routes);
    std::vector<std::vector<uint32_t>> readers(tasks);
    for (uint32_t t = 0; t < tasks; ++t) {
      add_task(p, costs(routes));
      if (inwards && t + 1 < tasks) readers[t].push_back(t + 1 + upto(std::min(tasks - t - 2, 3u)));
      if (!inwards && t > 0) readers[t - 1 - upto(std::min(t - 1, 3u))].push_back(t);
    }
    for (uint32_t t = 0; t < tasks; ++t) {
      if (t == 0 || inwards) add_item(p, kNobody, {t}, bytes());
      add_item(p, t, readers[t], bytes(), readers[t].empty());
    }
    return p;
  }

 private:
  std::mt19937 random_;
};

}  // namespace opmux::test
