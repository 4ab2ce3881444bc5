// SPDX-License-Identifier: Apache-2.0
// Min-sum elimination on a factor graph that is a forest: units are the variables (their route), items the
// factors. An item's factor is least over the sets of spaces that hold it, so that one copy serves all its
// consumers there. Work: items x routes x spaces x 2^spaces.
#include "host/router/placement_tree.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace opmux::placement {
namespace {

// Node of the forest: a unit, or after them an item. Item's links: its producer first, if it has one.
struct Vertex {
  std::vector<uint32_t> links;
  uint32_t parent = kNobody;
  std::vector<double> cost;     // of what hangs below, per route of the unit (an item: of its parent unit)
  std::vector<uint32_t> space;  // item: bits of the spaces that hold it, per route of its parent
  std::vector<uint32_t> maker;  // item below a consumer: the producer's route, per route of its parent
};

struct Copies {
  double latency_ns = 0, ns_per_byte = 0;
};

class Tree {
 public:
  Tree(const Problem& p, const Units& units)
      : p_(p),
        units_(units),
        n_units_(static_cast<uint32_t>(units.all.size())),
        n_routes_(static_cast<uint32_t>(p.routes.size())),
        n_spaces_(static_cast<uint32_t>(p.spaces.size())),
        at_(n_units_ + p.items.size()),
        root_(at_.size()) {
    std::iota(root_.begin(), root_.end(), 0u);
    for (uint32_t from = 0; from < n_spaces_; ++from) {
      for (uint32_t set = 0; set < 1u << n_spaces_; ++set) copies_.push_back(copies(from, set));
    }
  }

  TreeResult solve() {
    connect();
    TreeResult out{std::vector<uint32_t>(n_units_, kNobody), whole_};
    std::vector<bool> seen(at_.size());
    for (uint32_t u = 0; u < n_units_; ++u) {
      if (seen[u]) continue;
      const auto order = walk(u, seen);
      for (size_t k = order.size(); k-- > 0;) {
        order[k] < n_units_ ? eliminate_unit(order[k]) : eliminate_item(order[k]);
      }
      out.route[u] = least(at_[u].cost);
      for (uint32_t v : order) v < n_units_ ? void() : decide(v, out.route);
    }
    return out;
  }

 private:
  static uint32_t least(const std::vector<double>& cost) {
    return static_cast<uint32_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
  }

  uint32_t root(uint32_t v) {
    while (root_[v] != v) v = root_[v] = root_[root_[v]];
    return v;
  }
  bool join(uint32_t a, uint32_t b) {
    a = root(a), b = root(b);
    root_[a] = b;
    return a != b;
  }

  // Large items first: where a circle is cut, it costs least.
  void connect() {
    std::vector<uint32_t> order(p_.items.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return std::pair(p_.items[b].bytes, a) < std::pair(p_.items[a].bytes, b);
    });
    for (uint32_t i : order) {
      const Item& item = p_.items[i];
      const uint32_t v = n_units_ + i;
      if (item.bytes == 0) continue;
      const uint32_t maker = item.producer == kNobody ? kNobody : units_.of_task[item.producer];
      std::vector<uint32_t> linked;
      for (uint32_t c : item.consumers) {
        const uint32_t u = units_.of_task[c];
        if (u != maker && std::find(linked.begin(), linked.end(), u) == linked.end()) linked.push_back(u);
      }
      if (linked.empty() && (maker == kNobody || !item.wanted_on_host)) continue;
      if (maker != kNobody) linked.insert(linked.begin(), maker);
      for (uint32_t u : linked) {
        if (!join(v, u)) {
          whole_ = false;
          continue;
        }
        at_[v].links.push_back(u);
        at_[u].links.push_back(v);
      }
    }
  }

  // Breadth first, so parents come before their children.
  std::vector<uint32_t> walk(uint32_t start, std::vector<bool>& seen) {
    std::vector<uint32_t> order{start};
    seen[start] = true;
    for (size_t k = 0; k < order.size(); ++k) {
      for (uint32_t v : at_[order[k]].links) {
        if (seen[v]) continue;
        seen[v] = true;
        at_[v].parent = order[k];
        order.push_back(v);
      }
    }
    return order;
  }

  Copies copies(uint32_t from, uint32_t set) const {
    Copies sum;
    const auto add = [&](uint32_t a, uint32_t b) {
      sum.latency_ns += p_.link(a, b).latency_ns;
      sum.ns_per_byte += p_.link(a, b).ns_per_byte;
    };
    bool on_host = from == kHost;
    for (uint32_t to = 0; to < n_spaces_; ++to) {
      if (to == from || (set >> to & 1) == 0) continue;
      if (p_.link(from, to).there) {
        if (to == kHost && on_host) continue;
        add(from, to);
        on_host |= to == kHost;
        continue;
      }
      if (!on_host) add(from, kHost);
      on_host = true;
      add(kHost, to);
    }
    return sum;
  }

  double copy_ns(const Item& item, uint32_t from, uint32_t set) const {
    const Copies& c = copies_[(from << n_spaces_) + set];
    return c.latency_ns + c.ns_per_byte * static_cast<double>(item.bytes);
  }

  // The route of unit u that is least among those whose space is in the set.
  uint32_t least_within(uint32_t u, uint32_t set) const {
    uint32_t best = 0;
    double cost = kRefused;
    for (uint32_t r = 0; r < n_routes_; ++r) {
      if ((set >> p_.routes[r].space & 1) == 0 || !(at_[u].cost[r] < cost)) continue;
      best = r;
      cost = at_[u].cost[r];
    }
    return best;
  }

  void eliminate_unit(uint32_t u) {
    Vertex& v = at_[u];
    v.cost = units_.all[u].cost_ns;
    for (uint32_t i : v.links) {
      if (i == v.parent) continue;
      for (uint32_t r = 0; r < n_routes_; ++r) v.cost[r] += at_[i].cost[r];
    }
  }

  bool has_maker(uint32_t v) const { return p_.items[v - n_units_].producer != kNobody; }

  // Consumers below the item, for one set of spaces.
  double below(uint32_t v, uint32_t set) const {
    double sum = 0;
    for (size_t k = has_maker(v) ? 1 : 0; k < at_[v].links.size(); ++k) {
      const uint32_t u = at_[v].links[k];
      if (u == at_[v].parent) continue;
      const uint32_t r = least_within(u, set);
      sum += (set >> p_.routes[r].space & 1) != 0 ? at_[u].cost[r] : kRefused;
    }
    return sum;
  }

  void eliminate_item(uint32_t vertex) {
    Vertex& v = at_[vertex];
    const Item& item = p_.items[vertex - n_units_];
    const bool parent_makes = has_maker(vertex) && v.links[0] == v.parent;
    const uint32_t maker = has_maker(vertex) && !parent_makes ? v.links[0] : kNobody;
    v.cost.assign(n_routes_, kRefused);
    v.space.assign(n_routes_, 0);
    v.maker.assign(n_routes_, 0);
    // From each space with each set of holders; the maker's own cost is in when it hangs below.
    const auto offer = [&](uint32_t from, uint32_t made_by, double made, uint32_t set, double rest) {
      const double cost = made + rest + copy_ns(item, from, set);
      for (uint32_t r = 0; r < n_routes_; ++r) {
        const uint32_t space = p_.routes[r].space;
        if (parent_makes ? space != from : (set >> space & 1) == 0) continue;
        if (!(cost < v.cost[r])) continue;
        v.cost[r] = cost;
        v.space[r] = set;
        v.maker[r] = made_by;
      }
    };
    for (uint32_t set = 1; set < 1u << n_spaces_; ++set) {
      if (item.wanted_on_host && (set & 1u << kHost) == 0) continue;
      const double rest = below(vertex, set);
      for (uint32_t from = 0; from < n_spaces_; ++from) {
        if ((set >> from & 1) == 0) continue;
        if (parent_makes) {
          offer(from, 0, 0, set, rest);
        } else if (maker != kNobody) {
          const uint32_t r = least_within(maker, 1u << from);
          if (p_.routes[r].space == from) offer(from, r, at_[maker].cost[r], set, rest);
        } else if (from == kHost) {
          offer(from, 0, 0, set, rest);
        }
      }
    }
  }

  // The units below an item, whose parent has its route by now.
  void decide(uint32_t vertex, std::vector<uint32_t>& route) const {
    const Vertex& v = at_[vertex];
    const uint32_t r = route[v.parent];
    for (size_t k = 0; k < v.links.size(); ++k) {
      const uint32_t u = v.links[k];
      if (u == v.parent) continue;
      route[u] = k == 0 && has_maker(vertex) ? v.maker[r] : least_within(u, v.space[r]);
    }
  }

  const Problem& p_;
  const Units& units_;
  uint32_t n_units_, n_routes_, n_spaces_;
  std::vector<Vertex> at_;
  std::vector<uint32_t> root_;
  std::vector<Copies> copies_;  // [from << spaces | set]
  bool whole_ = true;
};

}  // namespace

TreeResult solve_tree(const Problem& problem, const Units& units) { return Tree(problem, units).solve(); }

}  // namespace opmux::placement
