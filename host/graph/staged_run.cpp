// SPDX-License-Identifier: Apache-2.0
#include "host/graph/staged_run.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "host/onnx/check.hpp"
#include "host/platform/error.hpp"

namespace opmux {
namespace {

// Compiled graphs that a run context keeps memory for beyond those of its last run.
constexpr size_t kPartsKept = 64;

HostTensor value_of(const Frame& frame, const std::string& name) {
  const auto v = frame.find(name);
  if (!v) fail(OPMUX_E_INTERNAL, "'{}' has no value", name);
  return v->tensor;
}

int64_t number_of(const Frame& frame, const std::string& name, const char* what) {
  const HostTensor t = value_of(frame, name);
  if (element_count(t.desc()) != 1) {
    fail(OPMUX_E_INVALID, "{} has {} elements, it must have 1", what, element_count(t.desc()));
  }
  return t.to_int64()[0];
}

template <class T>
HostTensor scalar(uint32_t dtype, T value) {
  return HostTensor::of<T>(dtype, {}, std::span<const T>(&value, 1));
}

const SourceGraph& graph_of(const SourceNode& node, const char* name) {
  const SourceAttr* a = node.attr(name);
  if (a == nullptr || !a->graph) fail(OPMUX_E_INVALID, "attribute '{}' is missing", name);
  return *a->graph;
}

bool has(const SourceNode& node, size_t i) { return i < node.inputs.size() && !node.inputs[i].empty(); }

int64_t integer_of(const SourceNode& node, const char* name) {
  const SourceAttr* a = node.attr(name);
  if (a == nullptr) fail(OPMUX_E_INVALID, "attribute '{}' is missing", name);
  return a->i;
}

// Attribute with one entry per tensor, all 0 by default.
std::vector<int64_t> list_of(const SourceNode& node, const char* name, size_t count) {
  const SourceAttr* a = node.attr(name);
  auto values = a != nullptr ? a->ints : std::vector<int64_t>(count, 0);
  if (values.size() != count) {
    fail(OPMUX_E_INVALID, "attribute '{}' has {} entries, it must have {}", name, values.size(), count);
  }
  return values;
}

// A view of the slice `at` of an axis.
std::pair<opmux_tdesc, int64_t> slice_of(const opmux_tdesc& whole, int64_t axis, int64_t at) {
  opmux_tdesc d = whole;
  std::copy(whole.dim + axis + 1, whole.dim + whole.rank, d.dim + axis);
  std::copy(whole.stride + axis + 1, whole.stride + whole.rank, d.stride + axis);
  --d.rank;
  d.dim[d.rank] = d.stride[d.rank] = 0;
  return {d, at * whole.stride[axis]};
}

uint64_t byte_offset(uint32_t dtype, int64_t elements) {
  const uint64_t bits = static_cast<uint64_t>(elements) * OPMUX_DTYPE_BITS(dtype);
  if (bits % 8 != 0) {
    fail(OPMUX_E_UNSUPPORTED, "a loop over {} bits of an element is not supported", OPMUX_DTYPE_BITS(dtype));
  }
  return bits / 8;
}

HostTensor taken(const HostTensor& whole, int64_t axis, int64_t at) {
  const auto [d, offset] = slice_of(whole.desc(), axis, at);
  HostTensor out(make_desc(d.dtype, dims_of(d)));
  copy_strided(out.desc(), out.mutable_data(), d, whole.data() + byte_offset(d.dtype, offset));
  return out;
}

// The steps of one result along a new axis; those of no step have the shape that the body states, with 0
// where it states none.
HostTensor stacked(const std::vector<HostTensor>& steps, int64_t axis, const SourceValue& stated) {
  if (steps.empty()) {
    if (stated.dtype == OPMUX_NONE) {
      fail(OPMUX_E_UNSUPPORTED, "a loop without steps has a result '{}' of unknown type", stated.name);
    }
    std::vector<int64_t> dims;
    for (const SourceDim& d : stated.dims) dims.push_back(std::max<int64_t>(d.value, 0));
    dims.insert(dims.begin() + normal_axis(axis, static_cast<int64_t>(dims.size()) + 1, "axis"), 0);
    return HostTensor(make_desc(stated.dtype, dims));
  }
  const opmux_tdesc& first = steps[0].desc();
  Dims dims = to_dims(first);
  axis = normal_axis(axis, first.rank + 1, "axis");
  dims.insert(dims.begin() + axis, static_cast<int64_t>(steps.size()));
  HostTensor out(make_desc(first.dtype, dims));
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].desc().dtype != first.dtype || !same_shape(steps[i].desc(), first)) {
      fail(OPMUX_E_INVALID, "the result '{}' is {} in step {}, but {} in the first", stated.name,
           to_string(steps[i].desc()), i, to_string(first));
    }
    const auto [d, offset] = slice_of(out.desc(), axis, static_cast<int64_t>(i));
    copy_strided(d, out.mutable_data() + byte_offset(d.dtype, offset), steps[i].desc(), steps[i].data());
  }
  return out;
}

}  // namespace

void StagedRun::run(std::span<const HostTensor> inputs, const std::atomic<bool>* cancelled) {
  cancelled_ = cancelled;
  ++runs_;
  outputs_.clear();  // their memory serves again
  outputs_ = run_graph(plan_.main(), nullptr, inputs);
  forget_parts();
}

void StagedRun::forget_parts() {
  if (part_list_.size() <= kPartsKept) return;
  std::erase_if(part_list_, [&](const auto& p) {
    if (p->used == runs_) return false;
    parts_.erase(p->stage.get());
    return true;
  });
}

std::vector<const StagedRun::Part*> StagedRun::parts() const {
  std::vector<const Part*> out;
  for (const auto& p : part_list_) {
    if (p->used == runs_) out.push_back(p.get());
  }
  return out;
}

std::vector<HostTensor> StagedRun::run_graph(StagedGraph& graph, const Frame* outer,
                                             std::span<const HostTensor> args) {
  if (graph.inputs.size() != args.size()) {
    fail(OPMUX_E_INVALID, "a sub-graph has {} inputs, the operator gives it {}", graph.inputs.size(),
         args.size());
  }
  Frame frame;
  frame.outer = outer;
  frame.graph = &graph;
  for (size_t i = 0; i < args.size(); ++i) frame.values[graph.inputs[i]] = {args[i], false};
  std::shared_ptr<CompiledStage> stage;
  do {
    // A loop without end may have no graph that looks.
    if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) {
      fail(OPMUX_E_CANCELLED, "the run was cancelled between two stages");
    }
    auto next = plan_.stage(graph, stage.get(), frame);
    stage = std::move(next);
    run_stage(stage, frame);
    for (const StageItem& item : stage->by_host) run_by_host(item, frame);
    std::erase_if(frame.values, [&](const auto& v) { return !stage->needed.contains(v.first); });
  } while (!stage->rest.empty());
  std::vector<HostTensor> results;
  for (const std::string& name : graph.results) results.push_back(value_of(frame, name));
  return results;
}

void StagedRun::run_stage(const std::shared_ptr<CompiledStage>& stage, Frame& frame) {
  for (const auto& [name, tensor] : stage->constants) {
    frame.values[name] = {tensor, frame.graph->fixed.contains(name)};
  }
  if (!stage->graph) return;
  Part*& part = parts_[stage.get()];
  const Graph& g = stage->graph->graph;
  if (part == nullptr) {
    auto fresh = std::make_unique<Part>();
    fresh->stage = stage;
    fresh->instance = std::make_unique<Instance>(stage->graph, constants_, no_states_);
    fresh->results.resize(g.outputs.size());
    part = part_list_.emplace_back(std::move(fresh)).get();
  }
  part->used = runs_;
  std::vector<HostTensor> held;
  Ports ports;
  for (const Port& p : g.inputs) {
    held.push_back(value_of(frame, p.name));
    ports.in.push_back(held.back().data());
  }
  if (g.random_offset != kNone) ports.in.push_back(&random_offset_);
  for (size_t i = 0; i < g.outputs.size(); ++i) {
    HostTensor& t = part->results[i];
    const opmux_tdesc& d = g.values[g.outputs[i].value].desc;
    // A result that somebody still holds, the step before in a loop for instance, keeps its memory.
    if (!t || t.owner().use_count() > 1) t = HostTensor(make_desc(d.dtype, dims_of(d)));
    ports.out.push_back(t.mutable_data());
  }
  if (profile_) {
    part->instance->run_profiled(ports, part->times);
  } else {
    part->instance->run(ports, cancelled_);
  }
  random_offset_ += Graph::kBlocksPerRun;
  for (size_t i = 0; i < g.outputs.size(); ++i) {
    frame.values[g.outputs[i].name] = {part->results[i], false};
  }
}

void StagedRun::run_by_host(const StageItem& item, Frame& frame) {
  const SourceNode& node = *item.node;
  try {
    const auto results = node.op_type == "If"     ? run_if(item, frame)
                         : node.op_type == "Loop" ? run_loop(item, frame)
                                                  : run_scan(item, frame);
    if (node.outputs.size() > results.size()) {
      fail(OPMUX_E_INVALID, "it has {} outputs, its sub-graph gives {}", node.outputs.size(), results.size());
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].empty()) frame.values[node.outputs[i]] = {results[i], false};
    }
  } catch (const Error& e) {
    throw Error(e.status(), printable(fmt::format("{}: {}", describe(node), e.text())), e.native(),
                e.native_domain(), e.arg())
        .from(e.origin(), e.epoch());
  }
}

std::vector<HostTensor> StagedRun::run_if(const StageItem& item, const Frame& frame) {
  const SourceNode& node = *item.node;
  const bool holds = number_of(frame, node.inputs.at(0), "the condition") != 0;
  StagedGraph& branch = plan_.sub_graph(graph_of(node, holds ? "then_branch" : "else_branch"), item.opsets);
  return run_graph(branch, &frame, {});
}

std::vector<HostTensor> StagedRun::run_loop(const StageItem& item, const Frame& frame) {
  const SourceNode& node = *item.node;
  const SourceGraph& source = graph_of(node, "body");
  StagedGraph& body = plan_.sub_graph(source, item.opsets);
  const size_t carried = node.inputs.size() < 2 ? 0 : node.inputs.size() - 2;
  if (source.outputs.size() < 1 + carried) {
    fail(OPMUX_E_INVALID, "the body has {} outputs, {} carried values need {}", source.outputs.size(),
         carried, 1 + carried);
  }
  const int64_t most = has(node, 0) ? number_of(frame, node.inputs[0], "the number of steps")
                                    : std::numeric_limits<int64_t>::max();
  std::vector<HostTensor> args(2 + carried);
  const bool begins = !has(node, 1) || number_of(frame, node.inputs[1], "the condition") != 0;
  args[1] = scalar<uint8_t>(OPMUX_BOOL, begins);
  for (size_t i = 0; i < carried; ++i) args[2 + i] = value_of(frame, node.inputs[2 + i]);
  std::vector<std::vector<HostTensor>> collected(source.outputs.size() - 1 - carried);
  for (int64_t step = 0; step < most && args[1].to_int64().at(0) != 0; ++step) {
    args[0] = scalar<int64_t>(OPMUX_I64, step);
    auto y = run_graph(body, &frame, args);
    if (element_count(y[0].desc()) != 1)
      fail(OPMUX_E_INVALID, "the condition has {} elements, it must have 1", element_count(y[0].desc()));
    std::move(y.begin(), y.begin() + 1 + static_cast<std::ptrdiff_t>(carried), args.begin() + 1);
    for (size_t i = 0; i < collected.size(); ++i) collected[i].push_back(std::move(y[1 + carried + i]));
  }
  std::vector<HostTensor> out(args.begin() + 2, args.end());
  for (size_t i = 0; i < collected.size(); ++i) {
    out.push_back(stacked(collected[i], 0, source.outputs[1 + carried + i]));
  }
  return out;
}

std::vector<HostTensor> StagedRun::run_scan(const StageItem& item, const Frame& frame) {
  const SourceNode& node = *item.node;
  if (item.opsets->at("") < 9) {
    fail(OPMUX_E_UNSUPPORTED,
         "the form of operator set 8 is supported for short scans only, and without shapes "
         "that depend on data");
  }
  const SourceGraph& source = graph_of(node, "body");
  StagedGraph& body = plan_.sub_graph(source, item.opsets);
  const auto scanned = static_cast<size_t>(integer_of(node, "num_scan_inputs"));
  if (scanned < 1 || scanned > node.inputs.size() || source.outputs.size() < node.inputs.size() - scanned) {
    fail(OPMUX_E_INVALID, "{} scanned tensors do not fit {} inputs and a body of {} outputs", scanned,
         node.inputs.size(), source.outputs.size());
  }
  const size_t carried = node.inputs.size() - scanned, n_collected = source.outputs.size() - carried;
  auto in_axis = list_of(node, "scan_input_axes", scanned);
  const auto in_back = list_of(node, "scan_input_directions", scanned);
  const auto out_axis = list_of(node, "scan_output_axes", n_collected);
  const auto out_back = list_of(node, "scan_output_directions", n_collected);
  std::vector<HostTensor> whole, args(node.inputs.size());
  for (size_t i = 0; i < carried; ++i) args[i] = value_of(frame, node.inputs[i]);
  int64_t steps = -1;
  for (size_t i = 0; i < scanned; ++i) {
    whole.push_back(value_of(frame, node.inputs[carried + i]));
    in_axis[i] = normal_axis(in_axis[i], whole[i].desc().rank, "scan_input_axes");
    const int64_t n = whole[i].desc().dim[in_axis[i]];
    if (steps >= 0 && n != steps) fail(OPMUX_E_INVALID, "scanned tensors have {} and {} steps", steps, n);
    steps = n;
  }
  std::vector<std::vector<HostTensor>> collected(n_collected);
  for (int64_t step = 0; step < steps; ++step) {
    for (size_t i = 0; i < scanned; ++i) {
      args[carried + i] = taken(whole[i], in_axis[i], in_back[i] != 0 ? steps - 1 - step : step);
    }
    auto y = run_graph(body, &frame, args);
    std::move(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(carried), args.begin());
    for (size_t i = 0; i < n_collected; ++i) collected[i].push_back(std::move(y[carried + i]));
  }
  std::vector<HostTensor> out(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(carried));
  for (size_t i = 0; i < n_collected; ++i) {
    if (out_back[i] != 0) std::reverse(collected[i].begin(), collected[i].end());
    out.push_back(stacked(collected[i], out_axis[i], source.outputs[carried + i]));
  }
  return out;
}

}  // namespace opmux
