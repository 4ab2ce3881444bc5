// SPDX-License-Identifier: Apache-2.0
#include "host/graph/staged.hpp"

#include <algorithm>
#include <cstring>

#include "host/graph/passes/passes.hpp"
#include "host/platform/error.hpp"
#include "host/platform/json.hpp"

namespace opmux {
namespace {

HostTensor copy_of(const HostTensor& t) {
  HostTensor copy(make_desc(t.desc().dtype, dims_of(t.desc())));
  if (packed_bytes(t.desc())) std::memcpy(copy.mutable_data(), t.data(), packed_bytes(t.desc()));
  return copy;
}

bool same_bytes(const HostTensor& a, const HostTensor& b) {
  const uint64_t size = packed_bytes(a.desc());
  return size == 0 || std::memcmp(a.data(), b.data(), size) == 0;
}

// What a stage finds in a frame, and a record of it.
class FrameSurroundings : public Surroundings {
 public:
  explicit FrameSurroundings(const Frame& frame) : frame_(frame) {}

  std::optional<Found> find(const std::string& name) override {
    const auto v = frame_.find(name);
    if (!v) return std::nullopt;
    if (v->fixed) return Found{v->tensor.desc(), v->tensor};
    const auto [it, fresh] = reads_.try_emplace(name);
    if (fresh) it->second = {name, v->tensor.desc(), {}};
    return Found{v->tensor.desc(), it->second.contents};
  }

  bool reveal(const std::string& name) override {
    CompiledStage::Read& read = reads_.at(name);
    const auto v = frame_.find(name);
    // A tensor of a report has a shape, but no bytes.
    if (read.contents || (!v->tensor.data() && packed_bytes(v->tensor.desc()))) return false;
    read.contents = copy_of(v->tensor);
    return true;
  }

  std::vector<CompiledStage::Read> reads() {
    std::vector<CompiledStage::Read> out;
    for (auto& [name, read] : reads_) out.push_back(std::move(read));
    return out;
  }

 private:
  const Frame& frame_;
  std::map<std::string, CompiledStage::Read> reads_;
};

bool fits(const CompiledStage& stage, const Frame& frame) {
  return std::all_of(stage.reads.begin(), stage.reads.end(), [&](const CompiledStage::Read& r) {
    const auto v = frame.find(r.name);
    if (!v || v->tensor.desc().dtype != r.desc.dtype || !same_shape(v->tensor.desc(), r.desc)) return false;
    return !r.contents || same_bytes(r.contents, v->tensor);
  });
}

std::unique_ptr<StagedGraph> staged(const SourceGraph& g, const std::map<std::string, int64_t>* opsets) {
  auto out = std::make_unique<StagedGraph>();
  for (const SourceNode& n : g.nodes) {
    // The model outlives its plans' graphs.
    out->items.push_back({std::shared_ptr<const SourceNode>(std::shared_ptr<void>(), &n), opsets, false, {}});
    if (n.op_type == "Constant" && n.domain.empty()) out->fixed.insert(n.outputs.begin(), n.outputs.end());
  }
  for (const SourceValue& v : g.inputs) out->inputs.push_back(v.name);
  for (const SourceValue& v : g.outputs) out->results.push_back(v.name);
  for (const SourceInitializer& t : g.initializers) out->initializers.emplace(t.name, &t.tensor);
  return out;
}

// What the host can run right after the stage, and what has to wait.
void divide(std::vector<StageItem> rest, CompiledStage& out) {
  std::unordered_set<std::string> waiting;
  for (StageItem& item : rest) {
    std::unordered_set<std::string> reads;
    add_reads(*item.node, reads);
    const bool ready = item.by_host && std::none_of(reads.begin(), reads.end(), [&](const std::string& name) {
                         return waiting.contains(name);
                       });
    if (!ready) {
      for (const std::string& name : item.node->outputs) {
        if (!name.empty()) waiting.insert(name);
      }
    }
    (ready ? out.by_host : out.rest).push_back(std::move(item));
  }
}

void drop_unread_inputs(Graph& graph) {
  std::vector<bool> read(graph.storages.size());
  for (const Node& n : graph.nodes) {
    for (ValueId v : n.in) {
      if (v != kNone) read[graph.values[v].storage] = true;
    }
  }
  std::erase_if(graph.inputs, [&](const Port& p) { return !read[graph.values[p.value].storage]; });
}

}  // namespace

std::optional<Frame::Value> Frame::find(const std::string& name) const {
  for (const Frame* f = this; f != nullptr; f = f->outer) {
    if (const auto it = f->values.find(name); it != f->values.end()) return it->second;
    const auto it = f->graph->initializers.find(name);
    if (it == f->graph->initializers.end()) continue;
    if (!*it->second) {
      fail(OPMUX_E_UNSUPPORTED, "initializer '{}' has an element type that is not supported", name);
    }
    return Value{*it->second, true};
  }
  return std::nullopt;
}

StagedPlan::StagedPlan(std::shared_ptr<Model> model, const Router& router, uint32_t shapes_kept)
    : model_(std::move(model)), router_(router), shapes_kept_(shapes_kept) {
  if (model_->inputs().size() != model_->source().graph.inputs.size()) {
    fail(OPMUX_E_UNSUPPORTED,
         "the model has states and shapes that depend on data; only one of them is supported");
  }
  main_ = staged(model_->source().graph, &model_->source().opsets);
}

StagedGraph& StagedPlan::sub_graph(const SourceGraph& graph, const std::map<std::string, int64_t>* opsets) {
  const std::scoped_lock lock(mutex_);
  auto& entry = sub_graphs_[&graph];
  if (!entry) entry = staged(graph, opsets);
  return *entry;
}

std::shared_ptr<CompiledStage> StagedPlan::stage(StagedGraph& graph, CompiledStage* before,
                                                 const Frame& frame) {
  const std::scoped_lock lock(mutex_);
  StageList& list = before != nullptr ? before->next : graph.first;
  const auto at = std::find_if(list.begin(), list.end(), [&](const auto& s) { return fits(*s, frame); });
  if (at != list.end()) {
    list.splice(list.begin(), list, at);
    return list.front();
  }
  list.push_front(build(graph, before, frame));
  if (list.size() > shapes_kept_) list.pop_back();
  return list.front();
}

std::shared_ptr<CompiledStage> StagedPlan::build(StagedGraph& graph, CompiledStage* before,
                                                 const Frame& frame) {
  Runtime& rt = *model_->runtime();
  FrameSurroundings around(frame);
  auto out = std::make_shared<CompiledStage>();
  auto items = before != nullptr ? before->rest : graph.items;
  Stage s = lower_stage(model_->source(), items, graph.results, around, &rt.evaluator, calls_);
  out->reads = around.reads();
  out->constants = std::move(s.constants);
  divide(std::move(s.rest), *out);
  out->needed.insert(graph.results.begin(), graph.results.end());
  for (const StageItem& item : out->rest) add_reads(*item.node, out->needed);
  if (!s.graph.outputs.empty()) {
    for (Node& n : s.graph.nodes) n.math |= router_.policy().math;
    optimise(s.graph, router_, rt.evaluator);
    drop_unread_inputs(s.graph);
    out->graph = compile(std::move(s.graph), router_, rt.kernels, rt.constants);
  }
  return out;
}

std::string StagedPlan::report(std::span<const opmux_tdesc> inputs) {
  model_->check_inputs(inputs);
  Frame frame;
  frame.graph = main_.get();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const opmux_tdesc d = make_desc(inputs[i].dtype, dims_of(inputs[i]));
    frame.values[model_->inputs()[i].name] = {HostTensor(d, nullptr, 0), false};
  }
  std::shared_ptr<CompiledStage> first;
  {
    const std::scoped_lock lock(mutex_);
    first = build(*main_, nullptr, frame);
  }
  using nlohmann::ordered_json;
  Runtime& rt = *model_->runtime();
  if (!first->graph) first->graph = compile(Graph(), router_, rt.kernels, rt.constants);
  ordered_json out = ordered_json::parse(opmux::report(*first->graph, router_));
  ordered_json later = ordered_json::array();
  for (const auto* items : {&first->by_host, &first->rest}) {
    for (const StageItem& item : *items) {
      const SourceNode& n = *item.node;
      later.push_back({{"name", n.name.empty() && !n.outputs.empty() ? n.outputs[0] : n.name},
                       {"op", n.op_type},
                       {"reason", item.reason.empty() ? "waits for the nodes before it" : item.reason}});
    }
  }
  out["later"] = std::move(later);
  return json_text(out);
}

}  // namespace opmux
