// SPDX-License-Identifier: Apache-2.0
#include "host/graph/plan.hpp"

#include <algorithm>

#include "host/graph/passes/passes.hpp"
#include "host/platform/error.hpp"

namespace opmux {

void append_shape_key(std::vector<int64_t>& key, std::span<const opmux_tdesc> inputs) {
  for (const opmux_tdesc& d : inputs) {
    key.push_back(d.dtype);
    key.push_back(d.rank);
    key.insert(key.end(), d.dim, d.dim + d.rank);
  }
}

Placed::Placed(std::shared_ptr<Model> model, const PlanOptions& options, const Without& without)
    : model_(std::move(model)),
      options_(options),
      router_(model_->runtime()->registry, model_->runtime()->kernels, options_.policy,
              &model_->runtime()->links, without) {}

std::shared_ptr<const CompiledGraph> Placed::compiled(std::span<const opmux_tdesc> inputs) {
  std::vector<int64_t> key;
  append_shape_key(key, inputs);
  std::scoped_lock lock(mutex_);
  const auto at =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
  if (at != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, at);
    return entries_.front().graph;
  }
  Runtime& rt = *model_->runtime();
  std::shared_ptr<const CompiledGraph> compiled;
  try {
    Graph graph = model_->specialise(inputs);
    for (Node& n : graph.nodes) n.math |= options_.policy.math;
    optimise(graph, router_, rt.evaluator);
    compiled = compile(std::move(graph), router_, rt.kernels, rt.constants);
  } catch (const NeedsRun&) {
    if (!stages_) stages_ = std::make_unique<StagedPlan>(model_, router_, options_.shapes_kept);
  }
  entries_.push_front({std::move(key), std::move(compiled)});
  if (entries_.size() > options_.shapes_kept) entries_.pop_back();
  return entries_.front().graph;
}

StagedPlan& Placed::stages() {
  const std::scoped_lock lock(mutex_);
  return *stages_;
}

Plan::Plan(std::shared_ptr<Model> model, PlanOptions options)
    : model_(std::move(model)), options_(std::move(options)) {
  placed();
}

std::shared_ptr<Placed> Plan::placed(const Without& without) {
  const std::scoped_lock lock(mutex_);
  auto& p = placed_[without];
  if (!p) p = std::make_shared<Placed>(model_, options_, without);
  return p;
}

void Plan::renew() {
  std::map<Without, std::shared_ptr<Placed>> old;  // destroyed without the mutex
  const std::scoped_lock lock(mutex_);
  old.swap(placed_);
}

std::string Plan::report(std::span<const opmux_tdesc> inputs) {
  const auto p = placed();
  const auto graph = p->compiled(inputs);
  return graph ? opmux::report(*graph, p->router()) : p->stages().report(inputs);
}

}  // namespace opmux
