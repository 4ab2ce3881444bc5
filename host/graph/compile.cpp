// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "host/graph/compiled.hpp"
#include "host/graph/lanes.hpp"
#include "host/graph/memory_plan.hpp"
#include "host/platform/error.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {
namespace {

constexpr uint64_t kArenaAlign = 256;
constexpr uint32_t kHost = 0;

class Compiler {
 public:
  Compiler(Graph graph, const Router& router, KernelCache& kernels, ConstantStore& constants)
      : router_(router), kernels_(kernels), constants_(constants), plan_(std::make_shared<CompiledGraph>()) {
    plan_->graph = std::move(graph);
  }

  std::shared_ptr<const CompiledGraph> run() {
    plan_->spaces.push_back({});
    Partition placed = partition(g(), router_);
    plan_->choices = std::move(placed.choices);
    plan_->decision = std::move(placed.decision);
    for (uint32_t i = 0; i < g().nodes.size(); ++i) schedule(i);
    for (const Port& p : g().outputs) bring(g().values[p.value].storage, kHost);
    close_segment();
    find_lanes(*plan_, [&](const Step& s) { return copy_ns(s); });
    if (plan_->lanes > 1) keep_copied();
    lay_out();
    drop_host_constants();
    return plan_;
  }

 private:
  Graph& g() { return plan_->graph; }
  StorageKind kind(StorageId s) { return g().storages[s].kind; }

  uint32_t route_index(Route* r) {
    for (uint32_t i = 0; i < plan_->routes.size(); ++i) {
      if (plan_->routes[i].route == r) return i;
    }
    uint32_t space = kHost;
    if (!r->host_memory()) {
      space = static_cast<uint32_t>(plan_->spaces.size());
      plan_->spaces.push_back({r, 0, {}});
    }
    plan_->routes.push_back({r, space, 0});
    return static_cast<uint32_t>(plan_->routes.size() - 1);
  }

  // ---- Schedule: launches, copies, lifetimes

  void close_segment() {
    const auto n = static_cast<uint32_t>(plan_->launches.size());
    if (segment_first_ < n) {
      Step s;
      s.route = plan_->launches[segment_first_].route;
      s.first = segment_first_;
      s.count = n - segment_first_;
      plan_->steps.push_back(s);
      segment_first_ = n;
    }
  }

  void touch(StorageId s, uint32_t space) {
    const auto [it, fresh] =
        lifetimes_.try_emplace({space, s}, Lifetime{g().storages[s].size_bytes, event_, event_, 0});
    if (!fresh) it->second.last = event_;
  }

  bool valid_in(StorageId s, uint32_t space) {
    if (kind(s) == StorageKind::kInput && space == kHost) return true;
    if (kind(s) == StorageKind::kState || kind(s) == StorageKind::kConstant)
      return true;  // lies where it is used
    const auto it = valid_.find(s);
    return it != valid_.end() && std::find(it->second.begin(), it->second.end(), space) != it->second.end();
  }

  // Makes the storage's bytes valid in a space, by copies if need be; from device to device over the host.
  void bring(StorageId s, uint32_t space) {
    if (valid_in(s, space)) return;
    uint32_t from = kHost;
    if (!valid_in(s, kHost)) {
      if (valid_[s].empty())
        fail(OPMUX_E_INTERNAL, "storage '{}' is read before it is written", g().storages[s].name);
      from = valid_[s].front();
      if (space != kHost) {
        bring(s, kHost);
        from = kHost;
      }
    }
    close_segment();
    ++event_;
    touch(s, from);
    touch(s, space);
    Step c;
    c.kind = Step::Kind::kCopy;
    c.storage = s;
    c.from = from;
    c.to = space;
    plan_->steps.push_back(c);
    valid_[s].push_back(space);
  }

  void schedule(uint32_t node) {
    const Choice& choice = plan_->choices[node];
    const uint32_t route = route_index(choice.route);
    const uint32_t space = plan_->routes[route].space;
    const Node& n = g().nodes[node];
    for (ValueId v : n.in) {
      if (v != kNone) bring(g().values[v].storage, space);
    }
    if (segment_first_ < plan_->launches.size() && plan_->launches[segment_first_].route != route)
      close_segment();
    ++event_;
    for (ValueId v : n.in) {
      if (v != kNone) touch(g().values[v].storage, space);
    }
    for (ValueId v : n.out) {
      if (v == kNone) continue;
      const StorageId s = g().values[v].storage;
      touch(s, space);
      if (kind(s) == StorageKind::kState) continue;
      auto& valid = valid_[s];
      valid.assign(1, space);
    }
    prepare(node, route);
  }

  Operand operand_of(ValueId v) {
    if (v == kNone) return {};
    const Value& value = g().values[v];
    return {value.storage, value.offset_bytes, static_cast<uint64_t>(reach_of(value.desc).end), nullptr};
  }

  void prepare(uint32_t node, uint32_t route) {
    const Choice& choice = plan_->choices[node];
    const Node& n = g().nodes[node];
    Descriptor d(g(), n);
    Launch launch;
    launch.node = node;
    launch.route = route;
    std::vector<std::pair<uint32_t, std::shared_ptr<ConstantBlock>>> packs;
    for (uint32_t i = 0; i < n.in.size(); ++i) {
      launch.args.push_back(operand_of(n.in[i]));
      const uint32_t layout = i < choice.capability.in_layout.size() ? choice.capability.in_layout[i] : 0;
      if (layout && n.in[i] != kNone && g().is_constant(n.in[i])) {
        packs.emplace_back(i, constants_.packed(*choice.route, d.get(), i, layout, g().constant(n.in[i])));
      } else if (n.in[i] != kNone && g().is_constant(n.in[i])) {
        plain_constants_.emplace_back(g().values[n.in[i]].storage, plan_->routes[route].space);
      }
    }
    for (auto& [i, block] : packs) {
      d.in(i).layout = choice.capability.in_layout[i];
      d.in(i).layout_arg = block->layout_arg;
      launch.args[i] = {kNone, 0, block->size_bytes, block};
      plan_->constant_bytes += block->size_bytes;
      plan_->constants.push_back(block);
    }
    for (ValueId v : n.out) launch.args.push_back(operand_of(v));
    launch.kernel = kernels_.prepare(*choice.route, d.get(), choice.capability);
    RouteUse& use = plan_->routes[route];
    use.workspace_bytes = std::max(use.workspace_bytes, choice.capability.cap.ws_min);
    plan_->launches.push_back(std::move(launch));
  }

  // ---- Side by side

  // 0 where nothing can be measured: what can overlap is then underrated.
  double copy_ns(const Step& s) const {
    if (!router_.links()) return 0;
    try {
      const LinkTimes times = router_.links()->of(*plan_->spaces[std::max(s.from, s.to)].route);
      const placement::Link& link = s.to == kHost ? times.down : times.up;
      return link.time_ns(plan_->graph.storages[s.storage].size_bytes);
    } catch (const Error&) {
      return 0;
    }
  }

  // Lifetimes are by the order of steps, which lanes do not keep among each other. Within one they do, so
  // only what more than one lane touches needs memory of its own.
  void keep_copied() {
    for (const Step& s : plan_->steps) {
      if (s.kind != Step::Kind::kCopy) continue;
      for (uint32_t space : {s.from, s.to}) {
        Lifetime& life = lifetimes_.at({space, s.storage});
        life.first = 0;
        life.last = event_;
      }
    }
  }

  // ---- Where everything lies

  void lay_out() {
    const size_t n = g().storages.size();
    for (Space& s : plan_->spaces) s.at.resize(n);
    for (uint32_t i = 0; i < g().inputs.size(); ++i) {
      plan_->input_storages.push_back(g().values[g().inputs[i].value].storage);
    }
    for (const ValueId v : {g().state_length, g().random_offset}) {
      if (v != kNone) plan_->input_storages.push_back(g().values[v].storage);
    }
    Space& host = plan_->spaces[kHost];
    for (uint32_t i = 0; i < plan_->input_storages.size(); ++i) {
      host.at[plan_->input_storages[i]] = {Location::Kind::kInput, i, 0, 0};
    }
    for (uint32_t i = 0; i < g().outputs.size(); ++i) {
      host.at[g().values[g().outputs[i].value].storage] = {Location::Kind::kOutput, i, 0, 0};
    }
    for (uint32_t i = 0; i < g().states.size(); ++i) {
      for (Space& s : plan_->spaces) s.at[g().states[i].storage] = {Location::Kind::kState, i, 0, 0};
    }
    place_constants();
    for (uint32_t space = 0; space < plan_->spaces.size(); ++space) plan_arena(space);
  }

  void place_constants() {
    for (const auto& [s, space] : plain_constants_) {
      Location& at = plan_->spaces[space].at[s];
      if (at.kind == Location::Kind::kConstant) continue;
      const HostTensor& t = g().storages[s].constant;
      if (space == kHost) {
        at = {Location::Kind::kConstant, 0, 0, reinterpret_cast<uint64_t>(t.data())};
        continue;
      }
      auto block = constants_.plain(*plan_->spaces[space].route, t);
      at = {Location::Kind::kConstant, 0, block->block.offset(), block->block.mem()};
      plan_->constant_bytes += block->size_bytes;
      plan_->constants.push_back(std::move(block));
    }
  }

  void plan_arena(uint32_t space) {
    std::vector<Lifetime> alive;
    std::vector<StorageId> ids;
    for (const auto& [key, life] : lifetimes_) {
      if (key.first != space || plan_->spaces[space].at[key.second].kind != Location::Kind::kNowhere)
        continue;
      alive.push_back(life);
      ids.push_back(key.second);
    }
    plan_->spaces[space].arena_bytes = plan_memory(alive, kArenaAlign);
    for (size_t i = 0; i < ids.size(); ++i) {
      plan_->spaces[space].at[ids[i]] = {Location::Kind::kArena, 0, alive[i].offset, 0};
    }
  }

  // Bytes of constants that no kernel reads plainly from the host are not needed any more.
  void drop_host_constants() {
    for (size_t s = 0; s < g().storages.size(); ++s) {
      if (kind(static_cast<StorageId>(s)) != StorageKind::kConstant) continue;
      if (plan_->spaces[kHost].at[s].kind != Location::Kind::kConstant)
        g().storages[s].constant = HostTensor();
    }
  }

  const Router& router_;
  KernelCache& kernels_;
  ConstantStore& constants_;
  std::shared_ptr<CompiledGraph> plan_;
  uint32_t segment_first_ = 0, event_ = 0;
  std::map<std::pair<uint32_t, StorageId>, Lifetime> lifetimes_;
  std::map<StorageId, std::vector<uint32_t>> valid_;
  std::vector<std::pair<StorageId, uint32_t>> plain_constants_;
};

}  // namespace

std::shared_ptr<const CompiledGraph> compile(Graph graph, const Router& router, KernelCache& kernels,
                                             ConstantStore& constants) {
  return Compiler(std::move(graph), router, kernels, constants).run();
}

}  // namespace opmux
