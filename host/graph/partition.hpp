// SPDX-License-Identifier: Apache-2.0
// Which route each node of a graph takes.
#pragma once

#include <string>
#include <vector>

#include "host/ir/graph.hpp"
#include "host/router/router.hpp"

namespace opmux {

// What placed the nodes of a graph.
struct Decision {
  // "device": one was named; "preference": the first that accepts; "price": several cards could.
  std::string by;
  double predicted_ns = 0;  // of a run, by price
  double unsplit_ns = 0;    // with everything on one route that it takes
  bool exact = false;       // as placement::Result says
  bool split = false;
};

struct Partition {
  std::vector<Choice> choices;  // per node; route null: refused, alone or with its group
  Decision decision;
};

// Nodes that must run in one memory space: those that write one storage, and those that share a state. Each
// node is in one group, most are alone.
std::vector<std::vector<uint32_t>> groups_of(const Graph& graph);

// Throws Error when a node cannot be placed under the policy; the sentence names node, operator, route and
// reason.
Partition partition(const Graph& graph, const Router& router);

// The same where the router decides by price.
Partition partition_by_price(const Graph& graph, const Router& router,
                             const std::vector<std::vector<uint32_t>>& groups);

}  // namespace opmux
