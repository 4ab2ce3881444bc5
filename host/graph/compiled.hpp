// SPDX-License-Identifier: Apache-2.0
// A graph placed on routes: kernels, copies between memory spaces, and where everything lies. Immutable;
// shared by run contexts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/graph/constants.hpp"
#include "host/graph/partition.hpp"
#include "host/ir/builder.hpp"
#include "host/kernel/kernel_cache.hpp"
#include "host/platform/json.hpp"
#include "host/router/router.hpp"

namespace opmux {

// Where a storage lies within one memory space.
struct Location {
  enum class Kind : uint8_t { kNowhere, kArena, kInput, kOutput, kState, kConstant };
  Kind kind = Kind::kNowhere;
  uint32_t index = 0;   // of the input, output or state
  uint64_t offset = 0;  // kArena: within the arena; kConstant: within mem
  opmux_mem mem = 0;    // kConstant
};

// A memory space: the host's (route null), shared by all routes that work on host memory, or one route's own.
struct Space {
  Route* route = nullptr;
  uint64_t arena_bytes = 0;
  std::vector<Location> at;  // per storage
};

struct Operand {
  StorageId storage = kNone;  // kNone: absent
  int64_t offset = 0;         // of element 0, in bytes
  uint64_t size = 0;          // from element 0 to the last byte touched
  std::shared_ptr<ConstantBlock> packed;
};

struct Launch {
  uint32_t node = 0;
  uint32_t route = 0;  // index into CompiledGraph::routes
  std::shared_ptr<Kernel> kernel;
  std::vector<Operand> args;  // inputs, outputs
};

struct Step {
  enum class Kind : uint8_t { kSegment, kCopy };
  Kind kind = Kind::kSegment;
  uint32_t route = 0, first = 0, count = 0;  // kSegment: launches
  StorageId storage = kNone;                 // kCopy
  uint32_t from = 0, to = 0;                 // kCopy: spaces
  // With several lanes, each of which does its steps in order beside the others.
  uint32_t lane = 0;
  std::vector<uint32_t> after;  // steps of other lanes to wait for
  bool awaited = false;         // such a step: it counts as done when its device has done it
};

struct RouteUse {
  Route* route = nullptr;
  uint32_t space = 0;
  uint64_t workspace_bytes = 0;
};

struct CompiledGraph {
  Graph graph;
  std::vector<RouteUse> routes;
  std::vector<Space> spaces;  // 0 is the host's
  std::vector<Launch> launches;
  std::vector<Step> steps;  // in an order in which they can be done one by one
  uint32_t lanes = 1;
  std::vector<Choice> choices;  // per node
  Decision decision;
  std::vector<std::shared_ptr<ConstantBlock>> constants;
  uint64_t constant_bytes = 0;  // that this plan keeps in devices' memory or packed
  // Index of the storage among inputs (the state length comes after the named ones) or kNone.
  std::vector<StorageId> input_storages;
};

// Places, optimises nothing: the graph comes optimised. Throws Error when a node cannot be placed under the
// policy; the sentence names node, operator, route and reason.
std::shared_ptr<const CompiledGraph> compile(Graph graph, const Router& router, KernelCache& kernels,
                                             ConstantStore& constants);

// "placed" of both reports.
nlohmann::ordered_json placed_json(const Decision& decision);

// JSON of OPMUX_REPORT_PLAN.
std::string report(const CompiledGraph& plan, const Router& router);

}  // namespace opmux
