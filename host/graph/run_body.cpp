// SPDX-License-Identifier: Apache-2.0
#include "host/graph/run_body.hpp"

#include <algorithm>
#include <cstring>

#include "host/platform/error.hpp"

namespace opmux {
namespace {

void transfer(const SpaceMemory& from, SpaceMemory& to) {
  std::vector<std::byte> staged;
  const std::byte* bytes = from.host();
  if (from.route()) {
    staged.resize(from.size());
    Queue q(*from.route());
    q.download(from.mem(), from.offset(), staged.data(), from.size());
    q.finish();
    bytes = staged.data();
  }
  if (!to.route()) {
    std::memcpy(to.host(), bytes, from.size());
    return;
  }
  Queue q(*to.route());
  q.upload(to.mem(), to.offset(), bytes, from.size());
  q.finish();
}

}  // namespace

bool same_type_and_shape(const opmux_tdesc& a, const opmux_tdesc& b) {
  return a.dtype == b.dtype && same_shape(a, b);
}

RunBody::RunBody(std::shared_ptr<Plan> plan) : plan_(std::move(plan)) {
  shapes_.reserve(plan_->options().shapes_kept + 1);
}

void RunBody::drop_shapes() {
  current_ = nullptr;
  shapes_.clear();
  stages_.reset();
  placed_.reset();
}

void RunBody::prepare(const std::vector<opmux_tdesc>& inputs, const Without& without, int64_t state_length) {
  if (placed_ && without != without_) drop_shapes();
  without_ = without;
  if (!placed_) placed_ = plan_->placed(without_);
  current_ = nullptr;
  for (Shape& s : shapes_) {
    bool same = true;
    for (size_t i = 0; i < inputs.size() && same; ++i) same = same_type_and_shape(s.inputs[i], inputs[i]);
    if (same) current_ = &s;
  }
  if (!current_) add_shape(inputs, state_length);
}

void RunBody::hold_states(const CompiledGraph& graph, int64_t state_length) {
  auto& pools = plan_->model().runtime()->constants;
  for (uint32_t i = 0; i < graph.graph.states.size(); ++i) {
    const StatePort& port = graph.graph.states[i];
    Route* route = nullptr;
    for (const Launch& l : graph.launches) {
      for (const Operand& o : l.args) {
        if (o.storage == port.storage) route = graph.spaces[graph.routes[l.route].space].route;
      }
    }
    if (states_.size() <= i) {
      states_.push_back({port.past, port.desc, SpaceMemory(route, pools, packed_bytes(port.desc))});
      continue;
    }
    if (states_[i].memory.route() == route) continue;
    SpaceMemory moved(route, pools, packed_bytes(port.desc));
    if (state_length > 0) transfer(states_[i].memory, moved);
    states_[i].memory = std::move(moved);
    shapes_.clear();  // their recordings hold the old address
  }
}

void RunBody::add_shape(const std::vector<opmux_tdesc>& inputs, int64_t state_length) {
  auto graph = placed_->compiled(inputs);
  if (graph) hold_states(*graph, state_length);
  if (shapes_.size() >= plan_->options().shapes_kept) {
    shapes_.erase(std::min_element(shapes_.begin(), shapes_.end(),
                                   [](const Shape& a, const Shape& b) { return a.used < b.used; }));
  }
  Shape shape;
  shape.inputs = inputs;
  auto& constants = plan_->model().runtime()->constants;
  if (graph) {
    for (const Port& p : graph->graph.outputs) {
      const opmux_tdesc& d = graph->graph.values[p.value].desc;
      shape.outputs.emplace_back(make_desc(d.dtype, dims_of(d)));
    }
    shape.instance = std::make_unique<Instance>(std::move(graph), constants, states_);
  } else if (!stages_) {
    stages_ = std::make_unique<StagedRun>(placed_->stages(), constants, plan_->options().profile);
  }
  shapes_.push_back(std::move(shape));
  current_ = &shapes_.back();
}

void RunBody::check_bound(const opmux_tensor& bound, const opmux_tdesc& have, size_t index) const {
  if (!bound.data || same_type_and_shape(bound.desc, have)) return;
  fail(OPMUX_E_INVALID, "output '{}' is {}, the bound memory is {}", plan_->model().outputs()[index].name,
       to_string(have), to_string(bound.desc));
}

void RunBody::run_stages(const Call& call, const std::atomic<bool>* cancelled) {
  std::vector<HostTensor> inputs;
  for (size_t i = 0; i < call.in.size(); ++i) {
    const auto* data = static_cast<const std::byte*>(call.in[i]);
    const opmux_tdesc& d = current_->inputs[i];
    inputs.emplace_back(d, std::shared_ptr<const std::byte>(std::shared_ptr<void>(), data), packed_bytes(d));
  }
  current_->outputs.clear();
  stages_->run(inputs, cancelled);
  for (size_t i = 0; i < stages_->outputs().size(); ++i) {
    const HostTensor& y = stages_->outputs()[i];
    const opmux_tensor& bound = call.out[i];
    check_bound(bound, y.desc(), i);
    // An input that is an output as it is: the caller may change it.
    const bool given = std::any_of(call.in.begin(), call.in.end(),
                                   [&](const void* p) { return p == static_cast<const void*>(y.data()); });
    current_->outputs.push_back(given ? HostTensor(make_desc(y.desc().dtype, dims_of(y.desc()))) : y);
    void* to = bound.data ? bound.data : given ? current_->outputs.back().mutable_data() : nullptr;
    if (to && y.size_bytes()) std::memcpy(to, y.data(), packed_bytes(y.desc()));
  }
}

void RunBody::run(const Call& call, const std::atomic<bool>* cancelled) {
  current_->used = ++runs_;
  if (!current_->instance) return run_stages(call, cancelled);
  const Graph& g = current_->instance->plan().graph;
  if (!states_.empty() && call.state_length + g.state_rows_added > states_[0].desc.dim[2]) {
    fail(OPMUX_E_INVALID, "the state holds {} of {} rows, {} more do not fit; truncate it first",
         call.state_length, states_[0].desc.dim[2], g.state_rows_added);
  }
  length_ = call.state_length;
  random_offset_ = call.random_offset;
  ports_.in.assign(call.in.begin(), call.in.end());
  if (g.state_length != kNone) ports_.in.push_back(&length_);
  if (g.random_offset != kNone) ports_.in.push_back(&random_offset_);
  ports_.out.resize(current_->outputs.size());
  for (size_t i = 0; i < current_->outputs.size(); ++i) {
    const opmux_tensor& bound = call.out[i];
    check_bound(bound, current_->outputs[i].desc(), i);
    ports_.out[i] = bound.data ? bound.data : current_->outputs[i].mutable_data();
  }
  if (plan_->options().profile) {
    current_->instance->run_profiled(ports_, times_);
  } else {
    current_->instance->run(ports_, cancelled);
  }
}

std::vector<const StagedRun::Part*> RunBody::parts() const {
  return stages_ ? stages_->parts() : std::vector<const StagedRun::Part*>();
}

}  // namespace opmux
