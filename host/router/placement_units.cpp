// SPDX-License-Identifier: Apache-2.0
#include "host/router/placement_units.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "host/platform/error.hpp"
#include "opmux/abi.h"

namespace opmux::placement {
namespace {

void check_shape(const Problem& p) {
  const size_t spaces = p.spaces.size();
  if (spaces == 0 || spaces > kMaxSpaces)
    fail(OPMUX_E_INVALID, "placement: {} memory spaces, limits are 1 and {}", spaces, kMaxSpaces);
  if (p.links.size() != spaces * spaces)
    fail(OPMUX_E_INVALID, "placement: {} links for {} memory spaces", p.links.size(), spaces);
  for (uint32_t s = 1; s < spaces; ++s) {
    if (!p.link(kHost, s).there || !p.link(s, kHost).there)
      fail(OPMUX_E_INVALID, "placement: memory space {} has no link with the host", s);
  }
  for (const Place& r : p.routes) {
    if (r.space >= spaces) fail(OPMUX_E_INVALID, "placement: memory space {} of {}", r.space, spaces);
  }
}

void check_tasks(const Problem& p) {
  for (const Task& t : p.tasks) {
    if (t.cost_ns.size() != p.routes.size())
      fail(OPMUX_E_INVALID, "placement: task '{}' has {} costs for {} routes", t.name, t.cost_ns.size(),
           p.routes.size());
    for (double c : t.cost_ns) {
      if (!(c >= 0)) fail(OPMUX_E_INVALID, "placement: task '{}' costs {} ns", t.name, c);
    }
    for (uint32_t c : t.constants) {
      if (c >= p.constant_bytes.size())
        fail(OPMUX_E_INVALID, "placement: task '{}' reads constant {} of {}", t.name, c,
             p.constant_bytes.size());
    }
  }
  for (const Item& i : p.items) {
    for (uint32_t c : i.consumers) {
      if (c >= p.tasks.size() || (i.producer != kNobody && c <= i.producer))
        fail(OPMUX_E_INVALID, "placement: task {} reads what task {} of {} makes", c, i.producer,
             p.tasks.size());
    }
    if (i.producer != kNobody && i.producer >= p.tasks.size())
      fail(OPMUX_E_INVALID, "placement: task {} of {} makes an item", i.producer, p.tasks.size());
  }
}

[[noreturn]] void refuse(const Problem& p, const Unit& u) {
  for (uint32_t t : u.tasks) {
    const auto& cost = p.tasks[t].cost_ns;
    if (std::none_of(cost.begin(), cost.end(), [](double c) { return std::isfinite(c); }))
      fail(OPMUX_E_UNSUPPORTED, "task '{}' is refused by every route ({})", p.tasks[t].name, cost.size());
  }
  fail(OPMUX_E_UNSUPPORTED, "no route takes the {} tasks that must be together, from '{}' to '{}'",
       u.tasks.size(), p.tasks[u.tasks.front()].name, p.tasks[u.tasks.back()].name);
}

}  // namespace

std::vector<uint32_t> Units::spread(const std::vector<uint32_t>& route) const {
  std::vector<uint32_t> out(of_task.size());
  for (size_t t = 0; t < out.size(); ++t) out[t] = route[of_task[t]];
  return out;
}

Units make_units(const Problem& p) {
  check_shape(p);
  check_tasks(p);
  Units units;
  std::map<uint32_t, uint32_t> of_group;
  for (uint32_t t = 0; t < p.tasks.size(); ++t) {
    const Task& task = p.tasks[t];
    auto unit = static_cast<uint32_t>(units.all.size());
    if (task.group != kNobody) unit = of_group.try_emplace(task.group, unit).first->second;
    if (unit == units.all.size()) units.all.push_back({{}, std::vector<double>(p.routes.size(), 0)});
    Unit& u = units.all[unit];
    u.tasks.push_back(t);
    for (size_t r = 0; r < p.routes.size(); ++r) u.cost_ns[r] += task.cost_ns[r];
    units.of_task.push_back(unit);
  }
  for (const Unit& u : units.all) {
    if (std::none_of(u.cost_ns.begin(), u.cost_ns.end(), [](double c) { return std::isfinite(c); }))
      refuse(p, u);
  }
  return units;
}

}  // namespace opmux::placement
