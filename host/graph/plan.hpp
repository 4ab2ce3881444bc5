// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "host/graph/compiled.hpp"
#include "host/graph/model.hpp"
#include "host/graph/staged.hpp"

namespace opmux {

struct PlanOptions {
  Policy policy;
  uint32_t shapes_kept = 8;
  bool profile = false;
};

// A model under a policy: compiles once per set of input shapes and keeps the most recently used ones. Any
// thread.
class Plan {
 public:
  Plan(std::shared_ptr<Model> model, PlanOptions options);

  const Model& model() const { return *model_; }
  const PlanOptions& options() const { return options_; }
  const Router& router() const { return router_; }
  // Compiles unless that has been done; concurrent calls for one shape compile once. Null: shapes or branches
  // depend on data, the model runs in stages.
  std::shared_ptr<const CompiledGraph> compiled(std::span<const opmux_tdesc> inputs);
  StagedPlan& stages();
  // JSON of OPMUX_REPORT_PLAN.
  std::string report(std::span<const opmux_tdesc> inputs);

 private:
  struct Entry {
    std::vector<int64_t> key;
    std::shared_ptr<const CompiledGraph> graph;
  };
  std::shared_ptr<Model> model_;
  PlanOptions options_;
  Router router_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::unique_ptr<StagedPlan> stages_;
};

// dtype, rank and dims of all inputs in a row.
void append_shape_key(std::vector<int64_t>& key, std::span<const opmux_tdesc> inputs);

}  // namespace opmux
