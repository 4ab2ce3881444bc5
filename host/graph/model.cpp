// SPDX-License-Identifier: Apache-2.0
#include "host/graph/model.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "host/onnx/import.hpp"
#include "host/onnx/state.hpp"
#include "host/platform/error.hpp"
#include "host/platform/json.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {
namespace {

SourceValue port_of(const Graph& g, const Port& p) {
  const opmux_tdesc& d = g.values[p.value].desc;
  SourceValue v;
  v.name = p.name;
  v.dtype = d.dtype;
  v.has_shape = true;
  for (int64_t n : dims_of(d)) v.dims.push_back({n, {}});
  return v;
}

}  // namespace

Model::Model(std::shared_ptr<Runtime> runtime, std::shared_ptr<const SourceModel> source)
    : runtime_(std::move(runtime)), source_(std::move(source)) {
  std::set<std::string> states;
  for (const StatePair& s : states_of(*source_).pairs) {
    states.insert(s.past);
    states.insert(s.present);
  }
  for (const SourceValue& v : source_->graph.inputs) {
    if (!states.contains(v.name)) inputs_.push_back(v);
  }
  for (const SourceValue& v : source_->graph.outputs) {
    if (!states.contains(v.name)) outputs_.push_back(v);
  }
}

Model::Model(std::shared_ptr<Runtime> runtime, Graph built)
    : runtime_(std::move(runtime)),
      source_(std::make_shared<SourceModel>()),
      built_(std::move(built)),
      is_built_(true) {
  for (const Port& p : built_.inputs) inputs_.push_back(port_of(built_, p));
  for (const Port& p : built_.outputs) outputs_.push_back(port_of(built_, p));
}

void Model::check_inputs(std::span<const opmux_tdesc> inputs) const {
  if (inputs.size() != inputs_.size()) {
    fail(OPMUX_E_INVALID, "{} inputs are described, the model has {}", inputs.size(), inputs_.size());
  }
  std::map<std::string, std::pair<int64_t, std::string>> symbols;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const SourceValue& want = inputs_[i];
    const opmux_tdesc& have = inputs[i];
    if (want.dtype != OPMUX_NONE && want.dtype != have.dtype) {
      fail(OPMUX_E_INVALID, "input '{}' is {}, the model wants {}", want.name, schema::dtype_name(have.dtype),
           schema::dtype_name(want.dtype));
    }
    if (!want.has_shape) continue;
    if (want.dims.size() != have.rank) {
      fail(OPMUX_E_INVALID, "input '{}' has rank {}, the model wants {}", want.name, have.rank,
           want.dims.size());
    }
    for (uint32_t a = 0; a < have.rank; ++a) {
      const SourceDim& dim = want.dims[a];
      if (dim.value >= 0 && dim.value != have.dim[a]) {
        fail(OPMUX_E_INVALID, "input '{}': dim {} is {}, the model wants {}", want.name, a, have.dim[a],
             dim.value);
      }
      if (dim.value >= 0 || dim.symbol.empty()) continue;
      const auto [it, fresh] = symbols.emplace(dim.symbol, std::pair(have.dim[a], want.name));
      if (!fresh && it->second.first != have.dim[a]) {
        fail(OPMUX_E_INVALID, "input '{}': dim {} ({}) is {}, but input '{}' says {}", want.name, a,
             dim.symbol, have.dim[a], it->second.second, it->second.first);
      }
    }
  }
}

Graph Model::specialise(std::span<const opmux_tdesc> inputs) const {
  check_inputs(inputs);
  if (is_built_) return built_;
  std::vector<NamedTensorDesc> named;
  for (size_t i = 0; i < inputs.size(); ++i) named.push_back({inputs_[i].name, inputs[i]});
  return import_onnx(*source_, named, {}, &runtime_->evaluator);
}

std::string Model::report() const {
  using nlohmann::ordered_json;
  std::map<std::string, uint32_t> operators;
  int64_t parameters = 0;
  uint64_t parameter_bytes = 0;
  for (const SourceNode& n : source_->graph.nodes)
    ++operators[n.domain.empty() ? n.op_type : n.domain + "." + n.op_type];
  for (const Node& n : built_.nodes) ++operators[schema::find(n.op)->name];
  for (const SourceInitializer& i : source_->graph.initializers) {
    parameters += element_count(i.tensor.desc());
    parameter_bytes += i.tensor.size_bytes();
  }
  for (const Storage& s : built_.storages) {
    if (s.kind != StorageKind::kConstant) continue;
    parameters += element_count(s.constant.desc());
    parameter_bytes += s.size_bytes;
  }
  ordered_json states = ordered_json::array();
  if (!is_built_) {
    const StateSpec spec = states_of(*source_);
    for (const StatePair& p : spec.pairs) {
      states.push_back({{"past", p.past}, {"present", p.present}, {"capacity", spec.capacity}});
    }
  }
  ordered_json metadata = ordered_json::array();
  for (const auto& [key, value] : source_->metadata)
    metadata.push_back({{"key", key}, {"bytes", value.size()}});
  return json_text(ordered_json{{"path", source_->path},
                                {"producer", source_->producer},
                                {"ir_version", source_->ir_version},
                                {"opsets", source_->opsets},
                                {"nodes", source_->graph.nodes.size() + built_.nodes.size()},
                                {"operators", operators},
                                {"functions", source_->functions.size()},
                                {"parameters", parameters},
                                {"parameter_bytes", parameter_bytes},
                                {"states", states},
                                {"metadata", metadata}});
}

}  // namespace opmux
