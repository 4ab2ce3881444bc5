// SPDX-License-Identifier: Apache-2.0
#include "host/graph/run_context.hpp"

#include <algorithm>

#include "host/platform/clock.hpp"
#include "host/platform/error.hpp"
#include "host/platform/json.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {
namespace {

bool same_type_and_shape(const opmux_tdesc& a, const opmux_tdesc& b) {
  return a.dtype == b.dtype && same_shape(a, b);
}

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

RunContext::RunContext(std::shared_ptr<Plan> plan) : plan_(std::move(plan)) {
  inputs_.resize(plan_->model().inputs().size());
  bound_outputs_.resize(plan_->model().outputs().size());
  shapes_.reserve(plan_->options().shapes_kept + 1);
}

void RunContext::bind_input(uint32_t index, const opmux_tensor& tensor) {
  const auto& ports = plan_->model().inputs();
  if (index >= ports.size())
    fail(OPMUX_E_INVALID, "input {} does not exist, the model has {}", index, ports.size());
  const SourceValue& port = ports[index];
  const opmux_tdesc& d = tensor.desc;
  if (d.rank > OPMUX_MAX_RANK) {
    fail(OPMUX_E_INVALID, "input '{}': rank {} is beyond the limit of {}", port.name, d.rank, OPMUX_MAX_RANK);
  }
  (void)make_desc(d.dtype, dims_of(d));  // refuses negative and absurd extents
  if (port.dtype != OPMUX_NONE && d.dtype != port.dtype) {
    fail(OPMUX_E_INVALID, "input '{}' is {}, the model wants {}", port.name, schema::dtype_name(d.dtype),
         schema::dtype_name(port.dtype));
  }
  if (d.layout)
    fail(OPMUX_E_INVALID, "input '{}' has layout {}, which is a plugin's own", port.name, d.layout);
  if (!tensor.data && element_count(d) != 0) fail(OPMUX_E_INVALID, "input '{}': data is NULL", port.name);
  Input& in = inputs_[index];
  if (!in.bound || !same_type_and_shape(in.tensor.desc, d)) shape_changed_ = true;
  if (!is_contiguous(d) && (!in.staging || !same_type_and_shape(in.staging.desc(), d))) {
    in.staging = HostTensor(make_desc(d.dtype, dims_of(d)));
  }
  in.tensor = tensor;
  in.bound = true;
}

void RunContext::bind_output(uint32_t index, const opmux_tensor* tensor) {
  const auto& ports = plan_->model().outputs();
  if (index >= ports.size())
    fail(OPMUX_E_INVALID, "output {} does not exist, the model has {}", index, ports.size());
  if (tensor && tensor->desc.rank > OPMUX_MAX_RANK) {
    fail(OPMUX_E_INVALID, "output '{}': rank {} is beyond the limit of {}", ports[index].name,
         tensor->desc.rank, OPMUX_MAX_RANK);
  }
  if (tensor && !is_contiguous(tensor->desc)) {
    fail(OPMUX_E_INVALID, "output '{}': the bound memory must be contiguous", ports[index].name);
  }
  bound_outputs_[index] = tensor ? *tensor : opmux_tensor{};
}

void RunContext::hold_states(const CompiledGraph& graph) {
  for (uint32_t i = 0; i < graph.graph.states.size(); ++i) {
    const StatePort& port = graph.graph.states[i];
    Route* route = nullptr;
    for (const Launch& l : graph.launches) {
      for (const Operand& o : l.args) {
        if (o.storage == port.storage) route = graph.spaces[graph.routes[l.route].space].route;
      }
    }
    if (states_.size() <= i) {
      states_.push_back({port.past, port.desc,
                         SpaceMemory(route, plan_->model().runtime()->constants, packed_bytes(port.desc))});
      continue;
    }
    if (states_[i].memory.route() == route) continue;
    SpaceMemory moved(route, plan_->model().runtime()->constants, packed_bytes(port.desc));
    transfer(states_[i].memory, moved);
    states_[i].memory = std::move(moved);
    shapes_.clear();  // their recordings hold the old address
  }
}

void RunContext::add_shape() {
  std::vector<opmux_tdesc> wanted;
  for (const Input& in : inputs_) wanted.push_back(make_desc(in.tensor.desc.dtype, dims_of(in.tensor.desc)));
  auto graph = plan_->compiled(wanted);
  current_ = nullptr;
  if (graph) hold_states(*graph);
  if (shapes_.size() >= plan_->options().shapes_kept) {
    shapes_.erase(std::min_element(shapes_.begin(), shapes_.end(),
                                   [](const Shape& a, const Shape& b) { return a.used < b.used; }));
  }
  Shape shape;
  shape.inputs = std::move(wanted);
  auto& constants = plan_->model().runtime()->constants;
  if (graph) {
    for (const Port& p : graph->graph.outputs) {
      const opmux_tdesc& d = graph->graph.values[p.value].desc;
      shape.outputs.emplace_back(make_desc(d.dtype, dims_of(d)));
    }
    shape.instance = std::make_unique<Instance>(std::move(graph), constants, states_);
  } else if (!stages_) {
    stages_ = std::make_unique<StagedRun>(plan_->stages(), constants, plan_->options().profile);
  }
  shapes_.push_back(std::move(shape));
  current_ = &shapes_.back();
}

void RunContext::select_shape() {
  for (uint32_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i].bound) {
      fail(OPMUX_E_INVALID, "input '{}' is not bound", plan_->model().inputs()[i].name);
    }
  }
  current_ = nullptr;
  for (Shape& s : shapes_) {
    bool same = true;
    for (size_t i = 0; i < inputs_.size() && same; ++i)
      same = same_type_and_shape(s.inputs[i], inputs_[i].tensor.desc);
    if (same) current_ = &s;
  }
  if (!current_) add_shape();
  shape_changed_ = false;
}

void RunContext::fill_ports() {
  ports_.in.resize(inputs_.size());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    Input& in = inputs_[i];
    ports_.in[i] = in.tensor.data;
    if (!is_contiguous(in.tensor.desc)) {
      copy_strided(in.staging.desc(), in.staging.mutable_data(), in.tensor.desc,
                   static_cast<const std::byte*>(in.tensor.data));
      ports_.in[i] = in.staging.data();
    }
  }
  if (!current_->instance) return;
  const Graph& graph = current_->instance->plan().graph;
  if (graph.state_length != kNone) ports_.in.push_back(&length_);
  if (graph.random_offset != kNone) ports_.in.push_back(&random_offset_);
  ports_.out.resize(current_->outputs.size());
  for (size_t i = 0; i < current_->outputs.size(); ++i) {
    const opmux_tensor& bound = bound_outputs_[i];
    const opmux_tdesc& d = current_->outputs[i].desc();
    if (bound.data && !same_type_and_shape(bound.desc, d)) {
      fail(OPMUX_E_INVALID, "output '{}' is {}, the bound memory is {}", plan_->model().outputs()[i].name,
           to_string(d), to_string(bound.desc));
    }
    ports_.out[i] = bound.data ? bound.data : current_->outputs[i].mutable_data();
  }
}

void RunContext::run_stages(const std::atomic<bool>* cancelled) {
  fill_ports();
  std::vector<HostTensor> inputs;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const opmux_tdesc d = make_desc(inputs_[i].tensor.desc.dtype, dims_of(inputs_[i].tensor.desc));
    const auto* data = static_cast<const std::byte*>(ports_.in[i]);
    inputs.emplace_back(d, std::shared_ptr<const std::byte>(std::shared_ptr<void>(), data), packed_bytes(d));
  }
  current_->outputs.clear();
  stages_->run(inputs, cancelled);
  for (size_t i = 0; i < stages_->outputs().size(); ++i) {
    const HostTensor& y = stages_->outputs()[i];
    const opmux_tensor& bound = bound_outputs_[i];
    if (bound.data && !same_type_and_shape(bound.desc, y.desc())) {
      fail(OPMUX_E_INVALID, "output '{}' is {}, the bound memory is {}", plan_->model().outputs()[i].name,
           to_string(y.desc()), to_string(bound.desc));
    }
    // An input that is an output as it is: the caller may change it.
    const bool given = std::any_of(ports_.in.begin(), ports_.in.end(),
                                   [&](const void* p) { return p == static_cast<const void*>(y.data()); });
    current_->outputs.push_back(given ? HostTensor(make_desc(y.desc().dtype, dims_of(y.desc()))) : y);
    void* to = bound.data ? bound.data : given ? current_->outputs.back().mutable_data() : nullptr;
    if (to && y.size_bytes()) std::memcpy(to, y.data(), packed_bytes(y.desc()));
  }
}

void RunContext::run(const std::atomic<bool>* cancelled) {
  if (shape_changed_ || !current_) select_shape();
  if (!current_->instance) {
    current_->used = ++runs_;
    const uint64_t begin = now_ns();
    run_stages(cancelled);
    last_ns_ = now_ns() - begin;
    return;
  }
  const Graph& graph = current_->instance->plan().graph;
  if (has_state() && length_ + graph.state_rows_added > state_capacity()) {
    fail(OPMUX_E_INVALID, "the state holds {} of {} rows, {} more do not fit; truncate it first", length_,
         state_capacity(), graph.state_rows_added);
  }
  fill_ports();
  current_->used = ++runs_;
  const uint64_t begin = now_ns();
  if (plan_->options().profile) {
    current_->instance->run_profiled(ports_, times_);
  } else {
    current_->instance->run(ports_, cancelled);
  }
  last_ns_ = now_ns() - begin;
  length_ += graph.state_rows_added;
  random_offset_ += Graph::kBlocksPerRun;
}

opmux_tensor RunContext::output(uint32_t index) const {
  if (!current_ || runs_ == 0) fail(OPMUX_E_INVALID, "there is no output before the first run");
  if (index >= current_->outputs.size()) {
    fail(OPMUX_E_INVALID, "output {} does not exist, the model has {}", index, current_->outputs.size());
  }
  const HostTensor& own = current_->outputs[index];
  const opmux_tensor& bound = bound_outputs_[index];
  return {own.desc(), bound.data ? bound.data : const_cast<std::byte*>(own.data())};
}

bool RunContext::has_state() const { return !states_.empty(); }

int64_t RunContext::state_capacity() const { return states_.empty() ? 0 : states_[0].desc.dim[2]; }

void RunContext::truncate_state(int64_t length) {
  if (length < 0 || length > length_) {
    fail(OPMUX_E_INVALID, "the state has {} rows and cannot be cut to {}", length_, length);
  }
  length_ = length;
}

std::string RunContext::report() const {
  if (!current_ || runs_ == 0) fail(OPMUX_E_INVALID, "there is no report before the first run");
  using nlohmann::ordered_json;
  ordered_json routes = ordered_json::object(), nodes = ordered_json::array(),
               fallbacks = ordered_json::array();
  const auto add = [&](const CompiledGraph& plan, const std::vector<NodeTime>& times) {
    for (const Launch& l : plan.launches) {
      const std::string& name = plan.routes[l.route].route->name();
      routes[name] = routes.value(name, 0) + 1;
    }
    for (const NodeTime& t : times) {
      const Node& n = plan.graph.nodes[t.node];
      nodes.push_back({{"name", n.name},
                       {"op", schema::find(n.op)->name},
                       {"route", plan.choices[t.node].route->name()},
                       {"time_ns", t.time_ns}});
    }
    const Route* wanted = plan_->router().candidates().front();
    for (const Launch& l : plan.launches) {
      const Choice& c = plan.choices[l.node];
      const std::string* reason = c.route == wanted ? nullptr : c.refused_by(wanted);
      if (!reason) continue;
      fallbacks.push_back(
          {{"name", plan.graph.nodes[l.node].name}, {"route", c.route->name()}, {"reason", *reason}});
    }
  };
  if (current_->instance) {
    add(current_->instance->plan(), times_);
  } else {
    for (const auto* part : stages_->parts()) add(*part->stage->graph, part->times);
  }
  ordered_json out{{"routes", routes}, {"runs", runs_}, {"time_ns", last_ns_}, {"nodes", nodes}};
  if (current_->instance) out["placed"] = placed_json(current_->instance->plan().decision);
  if (!current_->instance) out["stages"] = stages_->parts().size();
  out["fallbacks"] = fallbacks;
  return json_text(out);
}

}  // namespace opmux
