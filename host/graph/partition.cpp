// SPDX-License-Identifier: Apache-2.0
#include "host/graph/partition.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "host/ir/builder.hpp"
#include "host/platform/error.hpp"
#include "kit/schema/schema.hpp"
#include "opmux/opmux.h"

namespace opmux {
namespace {

bool all_placed(const std::vector<Choice>& choices) {
  return std::all_of(choices.begin(), choices.end(), [](const Choice& c) { return c.route; });
}

// The first route that takes all nodes. All or none: a group that no route takes whole is refused by the node
// that was refused last.
std::vector<Choice> choose_together(const Graph& g, const Router& router,
                                    const std::vector<uint32_t>& nodes) {
  std::vector<Choice> last;
  for (Route* r : router.candidates()) {
    std::vector<Choice> choices;
    for (uint32_t i : nodes) choices.push_back(router.choose(Descriptor(g, g.nodes[i]).get(), r));
    for (size_t k = 0; k < last.size(); ++k) {
      const auto& before = last[k].refused;
      choices[k].refused.insert(choices[k].refused.begin(), before.begin(), before.end());
    }
    last = std::move(choices);
    if (all_placed(last)) return last;
  }
  for (Choice& c : last) c.route = nullptr;
  return last;
}

void check_placed(const Graph& g, const Router& router, const std::vector<Choice>& choices) {
  std::string refusals;
  uint32_t refused = 0;
  for (uint32_t i = 0; i < g.nodes.size(); ++i) {
    const Choice& c = choices[i];
    if (c.route) continue;
    if (++refused > 3) continue;
    refusals += fmt::format("{}node '{}' ({}): ", refusals.empty() ? "" : "; ", g.nodes[i].name,
                            schema::find(g.nodes[i].op)->name);
    for (size_t k = 0; k < c.refused.size(); ++k) refusals += (k ? ", " : "") + c.refused[k].reason;
  }
  if (refused) {
    fail(OPMUX_E_UNSUPPORTED, "{} of {} nodes cannot run{}: {}", refused, g.nodes.size(),
         router.policy().fallback == OPMUX_FALLBACK_FORBID ? " with fallback forbidden" : " on any device",
         refusals);
  }
}

}  // namespace

std::vector<std::vector<uint32_t>> groups_of(const Graph& g) {
  std::vector<uint32_t> group(g.nodes.size());
  std::iota(group.begin(), group.end(), 0u);
  auto root = [&](uint32_t i) {
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
  };
  std::map<StorageId, uint32_t> owner;
  for (uint32_t i = 0; i < g.nodes.size(); ++i) {
    auto join = [&](ValueId v, bool state_only) {
      if (v == kNone) return;
      const StorageId s = g.values[v].storage;
      if (state_only && g.storages[s].kind != StorageKind::kState) return;
      const auto [it, fresh] = owner.emplace(s, i);
      if (!fresh) group[root(i)] = root(it->second);
    };
    for (ValueId v : g.nodes[i].in) join(v, true);
    for (ValueId v : g.nodes[i].out) join(v, false);
  }
  std::map<uint32_t, std::vector<uint32_t>> members;
  for (uint32_t i = 0; i < g.nodes.size(); ++i) members[root(i)].push_back(i);
  std::vector<std::vector<uint32_t>> out;
  for (auto& [r, nodes] : members) out.push_back(std::move(nodes));
  return out;
}

Partition partition(const Graph& g, const Router& router) {
  const auto groups = groups_of(g);
  Partition out;
  if (router.by_price() && !g.nodes.empty()) {
    out = partition_by_price(g, router, groups);
  } else {
    out.decision.by = router.policy().device == "auto" ? "preference" : "device";
    out.choices.resize(g.nodes.size());
    for (const auto& nodes : groups) {
      if (nodes.size() == 1) {
        out.choices[nodes[0]] = router.choose(Descriptor(g, g.nodes[nodes[0]]).get());
        continue;
      }
      auto together = choose_together(g, router, nodes);
      for (size_t k = 0; k < nodes.size(); ++k) out.choices[nodes[k]] = std::move(together[k]);
    }
  }
  check_placed(g, router, out.choices);
  return out;
}

}  // namespace opmux
