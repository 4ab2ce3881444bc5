// SPDX-License-Identifier: Apache-2.0
// A part of a source graph as a graph with concrete shapes: everything that can be built with the values that
// are known so far. What cannot, is the rest, which is lowered again when this part has run.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "host/ir/builder.hpp"
#include "host/ir/source.hpp"

namespace opmux {

// A node that is still to be lowered, and the operator sets in force for it.
struct StageItem {
  std::shared_ptr<const SourceNode> node;
  const std::map<std::string, int64_t>* opsets = nullptr;
  bool by_host = false;  // If, Loop or Scan: its sub-graphs are run one by one
  std::string reason;    // why it is not in a graph yet
};

// What the nodes of a stage find by name outside of themselves.
class Surroundings {
 public:
  struct Found {
    opmux_tdesc desc{};
    HostTensor contents;  // empty: only a run knows them
  };
  Surroundings() = default;
  virtual ~Surroundings() = default;
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;
  virtual std::optional<Found> find(const std::string& name) = 0;
  // From now on find() gives the contents of this name; false when that changes nothing.
  virtual bool reveal(const std::string& name) = 0;
};

struct Stage {
  Graph graph;                                                // ports have the names of the source
  std::vector<std::pair<std::string, HostTensor>> constants;  // results that need no run
  std::vector<StageItem> rest;                                // in order
};

// The nodes of functions by their calls: made once, so that sub-graphs keep their places in memory.
using InlinedCalls = std::unordered_map<const SourceNode*, std::vector<StageItem>>;

// Lowers what it can of the items for those who read `results`. Calls of functions that cannot be lowered as
// a whole are replaced by their nodes in `items`. Throws Error "node 'conv1' (Conv): ...".
Stage lower_stage(const SourceModel& model, std::vector<StageItem>& items,
                  std::span<const std::string> results, Surroundings& around, Evaluator* evaluator,
                  InlinedCalls& calls);

// Names that a node reads: its inputs, and what its sub-graphs take from outside or inside of themselves.
void add_reads(const SourceNode& node, std::unordered_set<std::string>& names);

// The nodes of a function for one call, with the call's names, and attributes in place of references.
// Names within it are new: they begin with `prefix`.
std::vector<StageItem> inlined(const SourceFunction& function, const StageItem& call,
                               const std::string& prefix);

}  // namespace opmux
