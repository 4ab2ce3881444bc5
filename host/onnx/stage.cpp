// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/stage.hpp"

#include <algorithm>

#include "host/onnx/check.hpp"
#include "host/onnx/lowering.hpp"

namespace opmux {
namespace onnx_import {
namespace {

constexpr size_t kMostCalls = 4096;

Error in_node(const SourceNode& node, const Error& e) {
  return Error(e.status(), printable(fmt::format("{}: {}", describe(node), e.text())), e.native(),
               e.native_domain(), e.arg());
}

}  // namespace

ValueId Lowering::from_surroundings(const std::string& name) {
  const auto found = around_ != nullptr ? around_->find(name) : std::nullopt;
  if (!found) return kNone;
  ValueId v = kNone;
  if (found->contents) {
    v = graph_.add_constant(found->contents, name);
  } else {
    v = graph_.add_value(make_desc(found->desc.dtype, dims_of(found->desc)), name, StorageKind::kInput);
    graph_.inputs.push_back({name, v});
  }
  root_.values.emplace(name, v);
  found_.insert(name);
  return v;
}

void Lowering::count_later(const std::string& output, ValueId v, int64_t axis, ValueId count) {
  if (around_ == nullptr || scope_ != &root_) {
    throw ContentsNeeded(count, fmt::format("the extent of '{}' depends on data", output));
  }
  std::string& known_as = counts_[count];
  if (known_as.empty())
    known_as = output +
               "\x01"
               "count";
  const std::string all = output +
                          "\x01"
                          "all";
  root_.values[all] = v;
  root_.values[known_as] = count;
  auto node = std::make_shared<SourceNode>();
  node->op_type = kCountedOp;
  node->inputs = {all, known_as};
  node->outputs = {output};
  SourceAttr a;
  a.name = "axis";
  a.kind = SourceAttr::Kind::kInt;
  a.i = axis;
  node->attrs.push_back(std::move(a));
  counted_.push_back(std::move(node));
}

// Names that the node has read and that a value, made while it was lowered, is computed from.
std::vector<std::string> Lowering::sources_of(ValueId v, size_t first_node) const {
  std::vector<std::string> names;
  std::vector<StorageId> todo = {graph_.values[v].storage};
  std::unordered_set<StorageId> seen(todo.begin(), todo.end());
  while (!todo.empty()) {
    const StorageId s = todo.back();
    todo.pop_back();
    const auto named = std::find_if(touched_.begin(), touched_.end(),
                                    [&](const auto& t) { return graph_.values[t.second].storage == s; });
    if (named != touched_.end()) {
      names.push_back(named->first);
      continue;
    }
    for (size_t i = first_node; i < graph_.nodes.size(); ++i) {
      const Node& n = graph_.nodes[i];
      const bool writes = std::any_of(n.out.begin(), n.out.end(),
                                      [&](ValueId o) { return o != kNone && graph_.values[o].storage == s; });
      for (ValueId in : n.in) {
        if (writes && in != kNone && !graph_.is_constant(in) && seen.insert(graph_.values[in].storage).second)
          todo.push_back(graph_.values[in].storage);
      }
    }
  }
  return names;
}

const std::vector<StageItem>& Lowering::nodes_of(InlinedCalls& calls, const StageItem& call) const {
  const auto [it, fresh] = calls.try_emplace(call.node.get());
  if (!fresh) return it->second;
  // A function that calls itself would go on for ever.
  if (calls.size() > kMostCalls) {
    fail(OPMUX_E_INVALID, "more than {} calls of functions depend on data", kMostCalls);
  }
  const SourceFunction& f = *function_of(*call.node);
  it->second = inlined(f, call, fmt::format("{}\x01{}\x01", f.name, calls.size()));
  return it->second;
}

bool Lowering::attempt(StageItem& item, const std::unordered_set<std::string>& live, Stage& stage) {
  const size_t first_node = graph_.nodes.size();
  const Within<const std::map<std::string, int64_t>*> opsets(opsets_, item.opsets);
  touched_.clear();
  counted_.clear();
  item.by_host = false;
  try {
    lower_node(*item.node, live);
    for (auto& node : counted_) {
      waiting_.insert(node->outputs[0]);
      stage.rest.push_back({std::move(node), item.opsets, false, "the extent of its result depends on data"});
    }
    return true;
  } catch (const NeedsRun& e) {
    if (function_of(*item.node) != nullptr) throw;
    item.reason = e.text();
    if (const auto* needed = dynamic_cast<const ContentsNeeded*>(&e)) {
      const auto names = sources_of(needed->value, first_node);
      if (names.empty()) throw in_node(*item.node, e);
      for (const std::string& name : names) {
        if (found_.contains(name)) revealed_ = around_->reveal(name) || revealed_;
      }
    } else {
      item.by_host = true;
    }
  } catch (const Error& e) {
    throw in_node(*item.node, e);
  }
  graph_.nodes.resize(first_node);
  return false;
}

bool Lowering::lower_items(std::vector<StageItem>& items, std::span<const std::string> results, Stage& stage,
                           InlinedCalls& calls) {
  std::unordered_set<std::string> live(results.begin(), results.end());
  std::vector<bool> needed(items.size());
  for (size_t i = items.size(); i-- > 0;) {
    const auto& outputs = items[i].node->outputs;
    needed[i] = std::any_of(outputs.begin(), outputs.end(),
                            [&](const std::string& name) { return !name.empty() && live.contains(name); });
    if (needed[i]) add_reads(*items[i].node, live);
  }
  live.erase("");
  for (size_t i = 0; i < items.size(); ++i) {
    if (!needed[i]) continue;
    std::unordered_set<std::string> reads;
    add_reads(*items[i].node, reads);
    StageItem item = items[i];
    const bool waits = std::any_of(reads.begin(), reads.end(),
                                   [&](const std::string& name) { return waiting_.contains(name); });
    try {
      if (!waits && attempt(item, live, stage)) continue;
    } catch (const NeedsRun&) {  // a function
      const auto& nodes = nodes_of(calls, item);
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
      items.insert(items.begin() + static_cast<std::ptrdiff_t>(i), nodes.begin(), nodes.end());
      return false;
    }
    waiting_.insert(item.node->outputs.begin(), item.node->outputs.end());
    waiting_.erase("");
    stage.rest.push_back(std::move(item));
  }
  if (revealed_) return false;
  give_results(results, stage);
  return true;
}

void Lowering::give_results(std::span<const std::string> results, Stage& stage) {
  std::unordered_set<std::string> wanted(results.begin(), results.end());
  for (const StageItem& item : stage.rest) add_reads(*item.node, wanted);
  std::vector<std::string> names(wanted.begin(), wanted.end());
  std::sort(names.begin(), names.end());  // the same graph every time
  for (const std::string& name : names) {
    const auto it = root_.values.find(name);
    if (it == root_.values.end() || found_.contains(name)) continue;
    if (graph_.is_constant(it->second)) {
      stage.constants.emplace_back(name, to_contiguous(graph_.constant(it->second)));
    } else {
      graph_.outputs.push_back({name, it->second});
    }
  }
}

}  // namespace onnx_import

Stage lower_stage(const SourceModel& model, std::vector<StageItem>& items,
                  std::span<const std::string> results, Surroundings& around, Evaluator* evaluator,
                  InlinedCalls& calls) {
  for (;;) {
    Stage stage;
    onnx_import::Lowering lowering(model, stage.graph, evaluator, &around);
    if (lowering.lower_items(items, results, stage, calls)) return stage;
  }
}

}  // namespace opmux
