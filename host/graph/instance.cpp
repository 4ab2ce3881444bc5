// SPDX-License-Identifier: Apache-2.0
#include "host/graph/instance.hpp"

#include <cstdlib>
#include <utility>

#include "host/platform/clock.hpp"
#include "host/platform/error.hpp"

namespace opmux {
namespace {

constexpr uint64_t kAlign = 256;

}  // namespace

SpaceMemory::SpaceMemory(Route* route, ConstantStore& pools, uint64_t size_bytes)
    : route_(route), size_(size_bytes) {
  if (!size_bytes) return;
  if (route) {
    block_ = pools.pool(*route)->allocate(size_bytes, kAlign);
    return;
  }
  const uint64_t padded = (size_bytes + kAlign - 1) / kAlign * kAlign;
  auto* p = static_cast<std::byte*>(std::aligned_alloc(kAlign, padded));
  if (!p) fail(OPMUX_E_OUT_OF_MEMORY, "no memory for {} bytes of activations", size_bytes);
  std::memset(p, 0, padded);
  host_ = std::shared_ptr<std::byte>(p, [](std::byte* q) { std::free(q); });
}

Instance::Instance(std::shared_ptr<const CompiledGraph> plan, ConstantStore& pools,
                   std::vector<StateBuffer>& states)
    : plan_(std::move(plan)), states_(states) {
  queue_of_space_.resize(plan_->spaces.size(), 0);
  for (const Space& s : plan_->spaces) arenas_.emplace_back(s.route, pools, s.arena_bytes);
  for (uint32_t i = 0; i < plan_->routes.size(); ++i) {
    const RouteUse& r = plan_->routes[i];
    queues_.push_back(std::make_unique<Queue>(*r.route));
    workspaces_.emplace_back(r.route->host_memory() ? nullptr : r.route, pools, r.workspace_bytes);
    queue_of_space_[r.space] = i;
  }
  segments_.resize(plan_->steps.size());
  if (plan_->lanes == 1) return;
  for (const Space& s : plan_->spaces)
    copy_queues_.push_back(s.route ? std::make_unique<Queue>(*s.route) : nullptr);
  lanes_ = std::make_unique<Lanes>(*plan_);
}

const void* Instance::port_address(const Location& at) const {
  return at.kind == Location::Kind::kInput ? ports_.in[at.index] : ports_.out[at.index];
}

opmux_bind Instance::bind_of(const Operand& operand, uint32_t space) const {
  if (operand.packed) {
    return {operand.packed->block.mem(), operand.packed->block.offset(), operand.size, nullptr};
  }
  if (operand.storage == kNone) return {};
  const Location& at = plan_->spaces[space].at[operand.storage];
  const auto offset = static_cast<uint64_t>(operand.offset);
  switch (at.kind) {
    case Location::Kind::kArena: {
      const SpaceMemory& a = arenas_[space];
      return {a.mem(), a.offset() + at.offset + offset, operand.size, nullptr};
    }
    case Location::Kind::kConstant:
      return {at.mem, at.offset + offset, operand.size, nullptr};
    case Location::Kind::kState: {
      const SpaceMemory& m = states_[at.index].memory;
      return {m.mem(), m.offset() + offset, operand.size, nullptr};
    }
    case Location::Kind::kInput:
    case Location::Kind::kOutput:
      return {reinterpret_cast<uint64_t>(port_address(at)), offset, operand.size, nullptr};
    default:
      fail(OPMUX_E_INTERNAL, "storage '{}' has no place", plan_->graph.storages[operand.storage].name);
  }
}

std::vector<opmux_run> Instance::runs_of(const Step& step, std::vector<opmux_bind>& binds) const {
  const RouteUse& route = plan_->routes[step.route];
  size_t total = 0;
  for (uint32_t i = 0; i < step.count; ++i) total += plan_->launches[step.first + i].args.size();
  binds.clear();
  binds.reserve(total);
  std::vector<opmux_run> runs(step.count);
  for (uint32_t i = 0; i < step.count; ++i) {
    const Launch& launch = plan_->launches[step.first + i];
    opmux_run& run = runs[i];
    run = {};
    run.h.size = sizeof run;
    run.arg = binds.data() + binds.size();
    run.n_arg = static_cast<uint32_t>(launch.args.size());
    run.kernel = launch.kernel->get();
    run.trace_id = launch.node;
    const SpaceMemory& ws = workspaces_[step.route];
    if (ws) run.ws = {ws.mem(), ws.offset(), ws.size(), nullptr};
    for (const Operand& o : launch.args) binds.push_back(bind_of(o, route.space));
  }
  return runs;
}

void Instance::record(const Step& step, Segment& segment) {
  segment = {};
  std::vector<opmux_bind> binds;
  const auto runs = runs_of(step, binds);
  segment.commands = queues_[step.route]->record(runs);
  const uint32_t space = plan_->routes[step.route].space;
  for (uint32_t i = 0; i < step.count; ++i) {
    const Launch& launch = plan_->launches[step.first + i];
    for (uint32_t a = 0; a < launch.args.size(); ++a) {
      const Operand& o = launch.args[a];
      if (o.storage == kNone) continue;
      const Location& at = plan_->spaces[space].at[o.storage];
      const bool output = at.kind == Location::Kind::kOutput;
      if (output || at.kind == Location::Kind::kInput)
        segment.sites.push_back({output, at.index, i, a, o.size, o.offset});
    }
  }
  segment.rebinds.resize(segment.sites.size());
  for (size_t k = 0; k < segment.sites.size(); ++k) {
    const Site& s = segment.sites[k];
    segment.rebinds[k] = {s.run, s.arg, runs[s.run].arg[s.arg]};
  }
}

void Instance::replay(const Step& step, Segment& segment) {
  uint32_t changed = 0;
  for (size_t k = 0; k < segment.sites.size(); ++k) {
    const Site& s = segment.sites[k];
    const auto address = reinterpret_cast<uint64_t>(s.output ? ports_.out[s.port] : ports_.in[s.port]);
    changed += segment.rebinds[k].bind.mem != address;
    segment.rebinds[k].bind.mem = address;
  }
  queues_[step.route]->replay(segment.commands, changed ? std::span<const opmux_rebind>(segment.rebinds)
                                                        : std::span<const opmux_rebind>());
}

void Instance::copy(const Step& step) {
  const uint64_t size = plan_->graph.storages[step.storage].size_bytes;
  if (!size) return;
  const opmux_bind from = bind_of({step.storage, 0, size, nullptr}, step.from);
  const opmux_bind to = bind_of({step.storage, 0, size, nullptr}, step.to);
  if (step.from == 0) {
    const auto* bytes = reinterpret_cast<const void*>(from.mem + from.offset);
    Queue& q = beside_ ? *copy_queues_[step.to] : *queues_[queue_of_space_[step.to]];
    q.upload(to.mem, to.offset, bytes, size);
    return;
  }
  Queue& q = beside_ ? *copy_queues_[step.from] : *queues_[queue_of_space_[step.from]];
  q.download(from.mem, from.offset, reinterpret_cast<void*>(to.mem + to.offset), size);
  q.finish();
}

void Instance::segment(uint32_t index) {
  const Step& step = plan_->steps[index];
  if (!recorded_) record(step, segments_[index]);
  replay(step, segments_[index]);
}

void Instance::finish_all() {
  for (uint32_t i = 0; i < queues_.size(); ++i) {
    if (!plan_->routes[i].route->sync()) queues_[i]->finish();
  }
  for (const auto& q : copy_queues_) {
    if (q && beside_) q->finish();
  }
}

void Instance::settle() noexcept {
  const auto finish = [](Queue& q) {
    try {
      q.finish();
    } catch (const std::exception&) {  // the failure that is known by now, or another one of the same run
    }
  };
  for (const auto& q : queues_) finish(*q);
  for (const auto& q : copy_queues_) {
    if (q) finish(*q);
  }
}

// An output bound to the memory of an input is written when that has been read, which lanes do not promise.
bool Instance::ports_overlap() const {
  const auto range = [&](const Port& port, const void* at) {
    const auto begin = reinterpret_cast<uint64_t>(at);
    return std::pair(begin, begin + packed_bytes(plan_->graph.values[port.value].desc));
  };
  const auto &in = plan_->graph.inputs, &out = plan_->graph.outputs;
  for (size_t o = 0; o < out.size(); ++o) {
    const auto y = range(out[o], ports_.out[o]);
    for (size_t i = 0; i < in.size(); ++i) {
      const auto x = range(in[i], ports_.in[i]);
      if (x.first < y.second && y.first < x.second) return true;
    }
  }
  return false;
}

void Instance::lane_step(uint32_t index, const std::atomic<bool>* cancelled) {
  if (cancelled && cancelled->load(std::memory_order_relaxed))
    fail(OPMUX_E_CANCELLED, "the run was cancelled before step {} of {}", index, plan_->steps.size());
  const Step& step = plan_->steps[index];
  if (step.kind == Step::Kind::kCopy) {
    copy(step);
    if (step.awaited && step.to != 0) copy_queues_[step.to]->finish();
    return;
  }
  segment(index);
  if (step.awaited && !plan_->routes[step.route].route->sync()) queues_[step.route]->finish();
}

void Instance::run(const Ports& ports, const std::atomic<bool>* cancelled) {
  ports_.in.assign(ports.in.begin(), ports.in.end());
  ports_.out.assign(ports.out.begin(), ports.out.end());
  beside_ = lanes_ && !ports_overlap();
  try {
    if (beside_) {
      lanes_->run([&](uint32_t i) { lane_step(i, cancelled); });
    } else {
      for (uint32_t i = 0; i < plan_->steps.size(); ++i) {
        if (cancelled && cancelled->load(std::memory_order_relaxed)) {
          fail(OPMUX_E_CANCELLED, "the run was cancelled after {} of {} steps", i, plan_->steps.size());
        }
        plan_->steps[i].kind == Step::Kind::kCopy ? copy(plan_->steps[i]) : segment(i);
      }
    }
    finish_all();
  } catch (...) {
    settle();
    throw;
  }
  recorded_ = true;
}

void Instance::run_profiled(const Ports& ports, std::vector<NodeTime>& times) {
  beside_ = false;
  ports_.in.assign(ports.in.begin(), ports.in.end());
  ports_.out.assign(ports.out.begin(), ports.out.end());
  times.clear();
  for (const Step& step : plan_->steps) {
    if (step.kind == Step::Kind::kCopy) {
      copy(step);
      continue;
    }
    std::vector<opmux_bind> binds;
    for (const opmux_run& run : runs_of(step, binds)) {
      const uint64_t begin = now_ns();
      queues_[step.route]->enqueue({&run, 1});
      queues_[step.route]->finish();
      times.push_back({static_cast<uint32_t>(run.trace_id), now_ns() - begin});
    }
  }
}

}  // namespace opmux
