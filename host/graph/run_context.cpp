// SPDX-License-Identifier: Apache-2.0
#include "host/graph/run_context.hpp"

#include <algorithm>
#include <cstring>

#include "host/platform/clock.hpp"
#include "host/platform/deadline.hpp"
#include "host/platform/error.hpp"
#include "host/platform/json.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {

RunContext::RunContext(std::shared_ptr<Plan> plan)
    : plan_(std::move(plan)), body_(std::make_shared<RunBody>(plan_)) {
  inputs_.resize(plan_->model().inputs().size());
  bound_outputs_.resize(plan_->model().outputs().size());
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

std::vector<opmux_tdesc> RunContext::wanted() const {
  std::vector<opmux_tdesc> out;
  for (const Input& in : inputs_) out.push_back(make_desc(in.tensor.desc.dtype, dims_of(in.tensor.desc)));
  return out;
}

void RunContext::fill_call() {
  call_.in.resize(inputs_.size());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    Input& in = inputs_[i];
    call_.in[i] = in.tensor.data;
    if (is_contiguous(in.tensor.desc)) continue;
    copy_strided(in.staging.desc(), in.staging.mutable_data(), in.tensor.desc,
                 static_cast<const std::byte*>(in.tensor.data));
    call_.in[i] = in.staging.data();
  }
  call_.out.assign(bound_outputs_.begin(), bound_outputs_.end());
  call_.state_length = length_;
  call_.random_offset = random_offset_;
}

bool RunContext::attempt(const std::atomic<bool>* cancelled) {
  if (shape_changed_ || !body_->ready()) body_->prepare(wanted(), recovery_.without(), length_);
  shape_changed_ = false;
  fill_call();
  body_->run(call_, cancelled);
  return true;
}

// The thread has the body, the plan with it, and copies of all that is the caller's.
bool RunContext::attempt_within(const std::atomic<bool>* cancelled, Route** hung) {
  fill_call();
  const auto shapes = wanted();
  body_->held.resize(inputs_.size());
  RunBody::Call call = call_;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    HostTensor& held = body_->held[i];
    if (!held || !same_type_and_shape(held.desc(), shapes[i])) held = HostTensor(shapes[i]);
    if (const uint64_t size = packed_bytes(shapes[i])) std::memcpy(held.mutable_data(), call.in[i], size);
    call.in[i] = held.data();
  }
  for (opmux_tensor& t : call.out) t = {};
  const auto watch = std::make_shared<Watch>();
  const auto work = [body = body_, watch, shapes, call, without = recovery_.without(), length = length_,
                     fresh = shape_changed_ || !body_->ready()] {
    const Watch::Scope scope(watch.get());
    if (fresh) body->prepare(shapes, without, length);
    body->run(call, &body->stop);
  };
  const auto look = [&] {
    if (cancelled && cancelled->load(std::memory_order_relaxed))
      body_->stop.store(true, std::memory_order_relaxed);
  };
  if (run_within(plan_->options().deadline_ns, work, look)) {
    shape_changed_ = false;
    give_outputs();
    return true;
  }
  *hung = watch->oldest();
  body_->stop.store(true, std::memory_order_relaxed);
  return false;
}

void RunContext::give_outputs() {
  for (size_t i = 0; i < bound_outputs_.size(); ++i) {
    const opmux_tensor& bound = bound_outputs_[i];
    const HostTensor& own = body_->outputs()[i];
    if (!bound.data) continue;
    if (!same_type_and_shape(bound.desc, own.desc())) {
      fail(OPMUX_E_INVALID, "output '{}' is {}, the bound memory is {}", plan_->model().outputs()[i].name,
           to_string(own.desc()), to_string(bound.desc));
    }
    if (const uint64_t size = packed_bytes(own.desc())) std::memcpy(bound.data, own.data(), size);
  }
}

void RunContext::lose_states(const Route& route) {
  const auto& states = body_->states();
  const auto on_it = [&](const StateBuffer& s) { return s.memory.route() == &route; };
  if (std::none_of(states.begin(), states.end(), on_it)) return;
  body_->drop_states();
  if (length_ == 0) return;
  lost_state_ =
      fmt::format("the {} rows of the state lay on {}, which was lost; truncate it to 0 to begin anew",
                  length_, route.name());
}

// Throws what ends the run.
void RunContext::recover(const Error& error) {
  const bool first = recovery_.events().empty();
  const auto next = recovery_.decide(error, *plan_);
  body_->drop_shapes();
  Runtime& rt = *plan_->model().runtime();
  const Route* const route = route_of(error, rt.registry);
  if (route && error.code() == OPMUX_E_DEVICE_LOST) lose_states(*route);
  if (next == Recovery::Next::kGiveUp) {
    if (first) throw error;
    throw recovery_.combined(error);
  }
  rt.kernels.trim();
  rt.constants.trim();
}

void RunContext::recover_hang(Route* hung) {
  if (length_ > 0) {
    lost_state_ = fmt::format(
        "the {} rows of the state are in the hands of a call that hangs; truncate it to 0 to "
        "begin anew",
        length_);
  }
  body_ = std::make_shared<RunBody>(plan_);
  const uint64_t bytes = hung ? hung->held_bytes() : 0;
  const auto next = recovery_.decide_hang(hung, plan_->options().deadline_ns, bytes, *plan_);
  if (next != Recovery::Next::kGiveUp) return;
  const Recovery::Event& e = recovery_.events().back();
  throw Error(OPMUX_E_TIMEOUT, fmt::format("{}; {}", e.reason, e.action));
}

void RunContext::run(const std::atomic<bool>* cancelled) {
  for (uint32_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i].bound) fail(OPMUX_E_INVALID, "input '{}' is not bound", plan_->model().inputs()[i].name);
  }
  recovery_.begin(plan_->model().runtime()->registry);
  const uint64_t begin = now_ns();
  for (bool done = false; !done;) {
    if (!lost_state_.empty()) fail(OPMUX_E_DEVICE_LOST, "{}", lost_state_);
    shape_changed_ |= recovery_.without() != body_->without();
    bool in_time = true;
    Route* hung = nullptr;
    try {
      in_time = plan_->options().deadline_ns ? attempt_within(cancelled, &hung) : attempt(cancelled);
      done = in_time;
    } catch (const Error& e) {
      recover(e);
    }
    if (!in_time) recover_hang(hung);
  }
  last_ns_ = now_ns() - begin;
  ++runs_;
  if (!body_->graph()) return;
  length_ += body_->graph()->graph.state_rows_added;
  random_offset_ += Graph::kBlocksPerRun;
}

opmux_tensor RunContext::output(uint32_t index) const {
  if (!body_->ready() || runs_ == 0) fail(OPMUX_E_INVALID, "there is no output before the first run");
  if (index >= body_->outputs().size()) {
    fail(OPMUX_E_INVALID, "output {} does not exist, the model has {}", index, body_->outputs().size());
  }
  const HostTensor& own = body_->outputs()[index];
  const opmux_tensor& bound = bound_outputs_[index];
  return {own.desc(), bound.data ? bound.data : const_cast<std::byte*>(own.data())};
}

bool RunContext::has_state() const { return !body_->states().empty(); }

int64_t RunContext::state_capacity() const {
  return body_->states().empty() ? 0 : body_->states()[0].desc.dim[2];
}

void RunContext::truncate_state(int64_t length) {
  if (length < 0 || length > length_) {
    fail(OPMUX_E_INVALID, "the state has {} rows and cannot be cut to {}", length_, length);
  }
  if (length == 0) lost_state_.clear();
  length_ = length;
}

std::string RunContext::report() const {
  if (!body_->ready() || runs_ == 0) fail(OPMUX_E_INVALID, "there is no report before the first run");
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
    const Route* wanted = body_->router().candidates().front();
    for (const Launch& l : plan.launches) {
      const Choice& c = plan.choices[l.node];
      const std::string* reason = c.route == wanted ? nullptr : c.refused_by(wanted);
      if (!reason) continue;
      fallbacks.push_back(
          {{"name", plan.graph.nodes[l.node].name}, {"route", c.route->name()}, {"reason", *reason}});
    }
  };
  const CompiledGraph* graph = body_->graph();
  if (graph) {
    add(*graph, body_->times());
  } else {
    for (const auto* part : body_->parts()) add(*part->stage->graph, part->times);
  }
  ordered_json recoveries = ordered_json::array();
  for (const Recovery::Event& e : recovery_.events()) {
    recoveries.push_back({{"route", e.route},
                          {"status", status_text(e.status)},
                          {"reason", e.reason},
                          {"action", e.action},
                          {"quarantined_bytes", e.quarantined_bytes}});
  }
  ordered_json out{{"routes", routes}, {"runs", runs_}, {"time_ns", last_ns_}, {"nodes", nodes}};
  if (graph) out["placed"] = placed_json(graph->decision);
  if (!graph) out["stages"] = body_->parts().size();
  out["fallbacks"] = fallbacks;
  out["recoveries"] = recoveries;
  return json_text(out);
}

}  // namespace opmux
