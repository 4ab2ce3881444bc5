// SPDX-License-Identifier: Apache-2.0
#include "host/onnx/state.hpp"

#include <algorithm>
#include <charconv>

#include "host/onnx/check.hpp"
#include "host/platform/error.hpp"

namespace opmux {
namespace {

constexpr const char* kKey = "opmux.state";
constexpr const char* kCapacityKey = "opmux.state.capacity";

bool has(const std::vector<SourceValue>& values, const std::string& name) {
  return std::any_of(values.begin(), values.end(), [&](const SourceValue& v) { return v.name == name; });
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(by, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

int64_t capacity_of(const std::string& text) {
  int64_t n = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), n);
  constexpr int64_t kMost = int64_t{1} << 31;
  if (bad != std::errc() || end != text.data() + text.size() || n < 1 || n > kMost) {
    fail(OPMUX_E_INVALID, "metadata {} is '{}', it must be a number from 1 to {}", kCapacityKey, text, kMost);
  }
  return n;
}

std::vector<StatePair> named_pairs(const SourceModel& model, const std::string& text) {
  std::vector<StatePair> out;
  for (const std::string& entry : split(text, ',')) {
    const auto names = split(entry, ':');
    if (names.size() != 2) {
      fail(OPMUX_E_INVALID, "metadata {}: '{}' is not of the form past:present", kKey, entry);
    }
    if (!has(model.graph.inputs, names[0])) {
      fail(OPMUX_E_INVALID, "metadata {}: '{}' is no input of the graph", kKey, names[0]);
    }
    if (!has(model.graph.outputs, names[1])) {
      fail(OPMUX_E_INVALID, "metadata {}: '{}' is no output of the graph", kKey, names[1]);
    }
    out.push_back({names[0], names[1]});
  }
  return out;
}

std::vector<StatePair> usual_pairs(const SourceModel& model) {
  static constexpr std::string_view kPast = "past_key_values.";
  std::vector<StatePair> out;
  for (const SourceValue& v : model.graph.inputs) {
    if (!v.name.starts_with(kPast)) continue;
    const std::string present = "present." + v.name.substr(kPast.size());
    if (has(model.graph.outputs, present)) out.push_back({v.name, present});
  }
  return out;
}

size_t uses(const SourceGraph& graph, const std::string& name) {
  size_t n = 0;
  for (const SourceNode& node : graph.nodes) {
    n += static_cast<size_t>(std::count(node.inputs.begin(), node.inputs.end(), name));
    for (const SourceAttr& a : node.attrs) {
      if (a.graph) n += uses(*a.graph, name);
    }
  }
  for (const SourceValue& v : graph.outputs) n += v.name == name;
  return n;
}

// past must go into one Attention node and nowhere else, present must come out of it at the same place and be
// an output and nothing else.
void check_pair(const SourceModel& model, const StatePair& pair) {
  for (const SourceNode& n : model.graph.nodes) {
    if (n.op_type != "Attention" || !n.domain.empty()) continue;
    for (size_t i : {4, 5}) {
      const size_t o = i - 3;
      if (n.inputs.size() <= i || n.inputs[i] != pair.past) continue;
      if (n.outputs.size() <= o || n.outputs[o] != pair.present) {
        fail(OPMUX_E_INVALID, "state '{}:{}': {} reads '{}' as input {}, but its output {} is not '{}'",
             pair.past, pair.present, describe(n), pair.past, i, o, pair.present);
      }
      const size_t past_uses = uses(model.graph, pair.past), present_uses = uses(model.graph, pair.present);
      if (past_uses > 1) {
        fail(OPMUX_E_INVALID,
             "state '{}:{}': '{}' is read in {} places, a state may be read only by its Attention", pair.past,
             pair.present, pair.past, past_uses);
      }
      if (present_uses > 1) {
        fail(OPMUX_E_INVALID, "state '{}:{}': '{}' is used in {} places, it may only be an output", pair.past,
             pair.present, pair.present, present_uses);
      }
      return;
    }
  }
  fail(OPMUX_E_INVALID, "state '{}:{}': no Attention node reads '{}' as its past", pair.past, pair.present,
       pair.past);
}

}  // namespace

const StatePair* StateSpec::by_past(const std::string& name) const {
  const auto it =
      std::find_if(pairs.begin(), pairs.end(), [&](const StatePair& p) { return p.past == name; });
  return it == pairs.end() ? nullptr : &*it;
}

const StatePair* StateSpec::by_present(const std::string& name) const {
  const auto it =
      std::find_if(pairs.begin(), pairs.end(), [&](const StatePair& p) { return p.present == name; });
  return it == pairs.end() ? nullptr : &*it;
}

StateSpec states_of(const SourceModel& model) {
  StateSpec out;
  const auto capacity = model.metadata.find(kCapacityKey);
  const auto names = model.metadata.find(kKey);
  if (capacity == model.metadata.end()) {
    if (names != model.metadata.end()) {
      fail(OPMUX_E_INVALID, "metadata {} is there, but {} is not", kKey, kCapacityKey);
    }
    return out;
  }
  out.capacity = capacity_of(capacity->second);
  out.pairs = names != model.metadata.end() ? named_pairs(model, names->second) : usual_pairs(model);
  for (const StatePair& pair : out.pairs) check_pair(model, pair);
  return out;
}

}  // namespace opmux
