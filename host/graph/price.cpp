// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "host/graph/partition.hpp"
#include "host/ir/builder.hpp"
#include "host/platform/error.hpp"
#include "host/platform/log.hpp"
#include "host/platform/thread_pool.hpp"
#include "host/router/links.hpp"
#include "host/router/placement.hpp"
#include "opmux/opmux.h"

namespace opmux {
namespace {

using placement::kHost;
using placement::kNobody;
using placement::kRefused;

// As `opmux` prints times.
std::string time_text(uint64_t time_ns) {
  double scaled = static_cast<double>(time_ns);
  const char* const units[] = {"ns", "us", "ms", "s"};
  size_t unit = 0;
  while (scaled >= 1000 && unit + 1 < std::size(units)) scaled /= 1000, ++unit;
  return fmt::format("{:.{}f} {}", scaled, scaled < 10 ? 1 : 0, units[unit]);
}

class Pricer {
 public:
  Pricer(const Graph& graph, const Router& router, const std::vector<std::vector<uint32_t>>& groups)
      : g_(graph), router_(router), groups_(groups) {
    for (const Node& n : g_.nodes) descriptors_.push_back(std::make_unique<Descriptor>(g_, n));
  }

  Partition run() {
    add_routes();
    ask();
    Partition out;
    out.decision.by = "price";
    out.choices.resize(g_.nodes.size());
    if (refused(out.choices)) return out;
    add_tasks();
    add_items();
    const placement::Result result = solve();
    for (uint32_t i = 0; i < g_.nodes.size(); ++i) out.choices[i] = choice(i, result.route[i]);
    out.decision.predicted_ns = result.makespan_ns;
    out.decision.unsplit_ns = result.unsplit_ns;
    out.decision.exact = result.exact;
    out.decision.split = result.split;
    return out;
  }

 private:
  // Candidates whose copies can be priced, their memory spaces, cards and links.
  void add_routes() {
    p_.spaces.resize(1);
    std::vector<LinkTimes> links(1);
    std::map<std::string, uint32_t> cards;
    for (Route* r : router_.candidates()) {
      placement::Place place;
      if (!r->host_memory()) {
        if (p_.spaces.size() == placement::kMaxSpaces) continue;
        try {
          links.push_back(router_.links()->of(*r));
        } catch (const Error& e) {
          unusable_.push_back({r, fmt::format("{} cannot be used: {}", r->alias(), e.text())});
          log::warning("router", "{}", unusable_.back().reason);
          continue;
        }
        place.space = static_cast<uint32_t>(p_.spaces.size());
        p_.spaces.push_back({r->info().memory_bytes ? r->info().memory_bytes : ~uint64_t{0}});
      }
      place.card = cards.try_emplace(r->device(), static_cast<uint32_t>(cards.size())).first->second;
      p_.routes.push_back(place);
      routes_.push_back(r);
    }
    const size_t n = p_.spaces.size();
    p_.links.resize(n * n);
    for (size_t s = 1; s < n; ++s) {
      p_.links[s] = links[s].up;
      p_.links[s * n] = links[s].down;
    }
  }

  // Every card is asked for everything. Routes that work on the CPU's cores (its own, and GPUs that drivers
  // emulate there) are no choice among each other, so a later one is asked for what the earlier ones refuse.
  void ask() {
    answers_.resize(routes_.size());
    std::vector<bool> on_cpu(groups_.size());
    for (size_t r = 0; r < routes_.size(); ++r) {
      const bool cpu = routes_[r]->info().kind == OPMUX_DEV_CPU;
      answers_[r].resize(g_.nodes.size());
      std::vector<const opmux_opd*> asked;
      std::vector<uint32_t> nodes;
      for (size_t k = 0; k < groups_.size(); ++k) {
        if (cpu && on_cpu[k]) continue;
        for (uint32_t i : groups_[k]) {
          asked.push_back(&descriptors_[i]->get());
          nodes.push_back(i);
        }
      }
      auto said = router_.kernels().query(*routes_[r], asked);
      for (size_t k = 0; k < nodes.size(); ++k) answers_[r][nodes[k]] = {true, std::move(said[k])};
      for (size_t k = 0; cpu && k < groups_.size(); ++k) on_cpu[k] = on_cpu[k] || takes(r, k);
    }
  }

  bool yes(size_t route, uint32_t node) const {
    return answers_[route][node].asked && answers_[route][node].capability.yes();
  }
  bool takes(size_t route, size_t group) const {
    return std::all_of(groups_[group].begin(), groups_[group].end(),
                       [&](uint32_t i) { return yes(route, i); });
  }

  // Whether a group is taken by nobody; then those that are have their reasons.
  bool refused(std::vector<Choice>& choices) const {
    bool any = false;
    for (size_t k = 0; k < groups_.size(); ++k) {
      bool taken = false;
      for (size_t r = 0; r < routes_.size(); ++r) taken |= takes(r, k);
      any |= !taken;
      for (uint32_t i : groups_[k]) {
        choices[i].refused = refusals(i);
        if (taken) choices[i].route = routes_[0];  // any: no plan comes of it
      }
    }
    return any;
  }

  std::vector<Refused> refusals(uint32_t node) const {
    std::vector<Refused> out;
    for (size_t r = 0; r < routes_.size(); ++r) {
      if (!answers_[r][node].asked || yes(r, node)) continue;
      out.push_back({routes_[r],
                     reason_sentence(*routes_[r], descriptors_[node]->get(), answers_[r][node].capability)});
    }
    out.insert(out.end(), unusable_.begin(), unusable_.end());
    return out;
  }

  // Who does not know its price is taken to ask the least that another asks, so that preference decides.
  void add_tasks() {
    std::map<StorageId, uint32_t> constants;
    for (uint32_t i = 0; i < g_.nodes.size(); ++i) {
      placement::Task task{g_.nodes[i].name, std::vector<double>(routes_.size(), kRefused), {}, kNobody};
      double least = kRefused;
      for (size_t r = 0; r < routes_.size(); ++r) {
        if (yes(r, i) && price(r, i) > 0) least = std::min(least, price(r, i));
      }
      for (size_t r = 0; r < routes_.size(); ++r) {
        if (!yes(r, i)) continue;
        task.cost_ns[r] = price(r, i) > 0 ? price(r, i) : least < kRefused ? least : 0;
      }
      for (ValueId v : g_.nodes[i].in) {
        if (v == kNone || !g_.is_constant(v)) continue;
        const StorageId s = g_.values[v].storage;
        const auto [at, fresh] = constants.try_emplace(s, static_cast<uint32_t>(constants.size()));
        if (fresh) p_.constant_bytes.push_back(g_.storages[s].size_bytes);
        task.constants.push_back(at->second);
      }
      p_.tasks.push_back(std::move(task));
    }
    for (uint32_t k = 0; k < groups_.size(); ++k) {
      for (uint32_t i : groups_[k]) p_.tasks[i].group = groups_[k].size() > 1 ? k : kNobody;
    }
  }

  double price(size_t route, uint32_t node) const {
    const opmux_cap& cap = answers_[route][node].capability.cap;
    return cap.cost_source == OPMUX_COST_NONE ? 0 : static_cast<double>(cap.cost_ns);
  }

  // One item per storage and writing of it: a copy moves the whole storage as it is by then.
  void add_items() {
    std::map<StorageId, size_t> current;
    const auto item_of = [&](StorageId s) -> placement::Item& {
      const auto [at, fresh] = current.try_emplace(s, p_.items.size());
      if (fresh) p_.items.push_back({kNobody, {}, g_.storages[s].size_bytes, false});
      return p_.items[at->second];
    };
    const auto moves = [&](ValueId v) {
      if (v == kNone) return false;
      const StorageKind kind = g_.storages[g_.values[v].storage].kind;
      return kind != StorageKind::kConstant && kind != StorageKind::kState;
    };
    for (uint32_t i = 0; i < g_.nodes.size(); ++i) {
      for (ValueId v : g_.nodes[i].in) {
        if (!moves(v)) continue;
        auto& readers = item_of(g_.values[v].storage).consumers;
        if (readers.empty() || readers.back() != i) readers.push_back(i);
      }
      for (ValueId v : g_.nodes[i].out) {
        if (!moves(v)) continue;
        const StorageId s = g_.values[v].storage;
        current[s] = p_.items.size();
        p_.items.push_back({i, {}, g_.storages[s].size_bytes, false});
      }
    }
    for (const Port& port : g_.outputs) {
      if (moves(port.value)) item_of(g_.values[port.value].storage).wanted_on_host = true;
    }
  }

  // Budgets are an estimate; where they leave nothing, the device's own answer at the allocation counts.
  placement::Result solve() {
    placement::Options options;
    if (threads::concurrency() > 1) options.overlap = placement::Overlap::kCards;  // graph/lanes.hpp
    try {
      return placement::solve(p_, options);
    } catch (const Error& e) {
      if (e.code() != OPMUX_E_OUT_OF_MEMORY) throw;
      for (placement::Space& s : p_.spaces) s.budget_bytes = ~uint64_t{0};
      return placement::solve(p_, options);
    }
  }

  Choice choice(uint32_t node, uint32_t route) {
    Choice out;
    out.route = routes_[route];
    out.capability = answers_[route][node].capability;
    out.refused = refusals(node);
    for (size_t r = 0; r < routes_.size(); ++r) {
      if (r != route && yes(r, node))
        out.offers.push_back({routes_[r], answers_[r][node].capability.cap.cost_ns});
    }
    std::sort(out.offers.begin(), out.offers.end(), [](const Offer& a, const Offer& b) {
      return std::pair(a.cost_ns, a.route->id()) < std::pair(b.cost_ns, b.route->id());
    });
    if (!out.offers.empty()) {
      const Offer& other = out.offers.front();
      const auto asks = time_text(other.cost_ns);
      out.reason =
          p_.tasks[node].cost_ns[route] <= static_cast<double>(other.cost_ns)
              ? fmt::format("least price; {} asks {}", other.route->alias(), asks)
              : fmt::format("{} asks {}, which does not pay with its copies", other.route->alias(), asks);
    }
    return out;
  }

  struct Answer {
    bool asked = false;
    Capability capability;
  };

  const Graph& g_;
  const Router& router_;
  const std::vector<std::vector<uint32_t>>& groups_;
  std::vector<std::unique_ptr<Descriptor>> descriptors_;  // per node
  std::vector<Route*> routes_;
  std::vector<Refused> unusable_;
  std::vector<std::vector<Answer>> answers_;  // [route][node]
  placement::Problem p_;
};

}  // namespace

Partition partition_by_price(const Graph& graph, const Router& router,
                             const std::vector<std::vector<uint32_t>>& groups) {
  return Pricer(graph, router, groups).run();
}

}  // namespace opmux
