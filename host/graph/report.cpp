// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "host/graph/compiled.hpp"
#include "host/platform/json.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {
namespace {

using nlohmann::ordered_json;

const char* source_name(uint32_t source) {
  switch (source) {
    case OPMUX_COST_MODEL:
      return "model";
    case OPMUX_COST_MEASURED:
      return "measured";
    default:
      return "none";
  }
}

ordered_json node_json(const CompiledGraph& plan, uint32_t i) {
  const Node& n = plan.graph.nodes[i];
  const Choice& c = plan.choices[i];
  const Descriptor d(plan.graph, n);
  ordered_json node{{"name", n.name},
                    {"op", schema::find(n.op)->name},
                    {"route", c.route->name()},
                    {"alias", c.route->alias()}};
  node["reason"] = !c.reason.empty()   ? c.reason
                   : c.refused.empty() ? "first choice that accepts it"
                                       : c.refused.front().reason;
  node["output"] = n.out.empty() || n.out[0] == kNone ? "" : to_string(plan.graph.values[n.out[0]].desc);
  node["fused_instructions"] = n.progs.empty() ? 0 : n.progs[0].insn.size();
  node["flops"] = schema::flops(d.get());
  node["bytes"] = schema::bytes(d.get());
  node["cost_ns"] = c.capability.cap.cost_ns;
  node["cost_source"] = source_name(c.capability.cap.cost_source);
  ordered_json refused = ordered_json::array();
  for (const Refused& r : c.refused) refused.push_back({{"route", r.route->name()}, {"reason", r.reason}});
  node["refused"] = std::move(refused);
  if (plan.decision.by != "price") return node;
  node["offers"] = ordered_json::array();
  for (const Offer& o : c.offers)
    node["offers"].push_back({{"route", o.route->alias()}, {"cost_ns", o.cost_ns}});
  return node;
}

}  // namespace

ordered_json placed_json(const Decision& d) {
  ordered_json out{{"by", d.by}};
  if (d.by != "price") return out;
  out["predicted_ns"] = static_cast<uint64_t>(d.predicted_ns);
  out["unsplit_ns"] = static_cast<uint64_t>(d.unsplit_ns);
  out["split"] = d.split;
  out["exact"] = d.exact;
  return out;
}

std::string report(const CompiledGraph& plan, const Router& router) {
  ordered_json out;
  const Route* wanted = router.candidates().front();
  ordered_json nodes = ordered_json::array();
  std::map<std::string, uint32_t> elsewhere;
  uint64_t flops = 0, bytes = 0, moved = 0;
  uint32_t copies = 0, away = 0;
  for (uint32_t i = 0; i < plan.graph.nodes.size(); ++i) {
    nodes.push_back(node_json(plan, i));
    flops += nodes.back()["flops"].get<uint64_t>();
    bytes += nodes.back()["bytes"].get<uint64_t>();
    // By price, only who refuses is served by another; the rest was free to go anywhere.
    const Choice& c = plan.choices[i];
    if (c.route != wanted && (plan.decision.by != "price" || c.refused_by(wanted))) {
      ++away;
      ++elsewhere[c.route->name()];
    }
  }
  for (const Step& s : plan.steps) {
    if (s.kind != Step::Kind::kCopy) continue;
    ++copies;
    moved += plan.graph.storages[s.storage].size_bytes;
  }
  out["device"] = wanted->name();
  out["placed"] = placed_json(plan.decision);
  out["nodes"] = std::move(nodes);
  out["fallback"] = {{"nodes", away}, {"of", plan.graph.nodes.size()}, {"routes", elsewhere}};
  ordered_json spaces = ordered_json::array();
  for (const Space& s : plan.spaces) {
    spaces.push_back({{"space", s.route ? s.route->alias() : "host"}, {"arena_bytes", s.arena_bytes}});
  }
  uint64_t workspace = 0;
  for (const RouteUse& r : plan.routes) workspace += r.workspace_bytes;
  out["memory"] = {
      {"spaces", std::move(spaces)}, {"constant_bytes", plan.constant_bytes}, {"workspace_bytes", workspace}};
  out["copies"] = {{"count", copies}, {"bytes", moved}};
  out["flops"] = flops;
  out["bytes"] = bytes;
  return json_text(out);
}

}  // namespace opmux
