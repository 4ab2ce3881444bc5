// SPDX-License-Identifier: Apache-2.0
// Who writes and who reads each storage, kept up to date while passes rewrite nodes.
#pragma once

#include <string>
#include <vector>

#include "host/ir/graph.hpp"

namespace opmux {

struct StorageUse {
  std::vector<uint32_t> writers, readers;  // node indices, sorted, each once
};

class Dataflow {
 public:
  explicit Dataflow(const Graph& graph);
  const StorageUse& of(StorageId s) const { return uses_[s]; }
  // Takes node i out of the books before it is changed or dropped, and puts it in after.
  void remove(uint32_t node);
  void add(uint32_t node);

  // The only node that writes the storage of v, and does it by one output that is the whole storage; kNone
  // otherwise.
  uint32_t sole_writer(ValueId v) const;
  // The only node that reads the storage of v; kNone otherwise.
  uint32_t sole_reader(ValueId v) const;

 private:
  void each(uint32_t node, bool insert);
  const Graph& graph_;
  std::vector<StorageUse> uses_;
};

// Same place, same view.
bool same_view(const Value& a, const Value& b);
// Drops nodes whose op is 0 (taken out by a pass).
void sweep(Graph& graph);

}  // namespace opmux
