// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <map>
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
  uint64_t deadline_ns = 0;  // of a run, its compilation included; 0: none
};

// Routes that a run does without, since they failed it.
using Without = std::vector<const Route*>;

// What is compiled for a plan on the routes that are left. Any thread.
class Placed {
 public:
  Placed(std::shared_ptr<Model> model, const PlanOptions& options, const Without& without);

  const Router& router() const { return router_; }
  // As Plan::compiled.
  std::shared_ptr<const CompiledGraph> compiled(std::span<const opmux_tdesc> inputs);
  StagedPlan& stages();

 private:
  struct Entry {
    std::vector<int64_t> key;
    std::shared_ptr<const CompiledGraph> graph;
  };
  std::shared_ptr<Model> model_;
  const PlanOptions options_;
  Router router_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::unique_ptr<StagedPlan> stages_;
};

// A model under a policy: compiles once per set of input shapes and keeps the most recently used ones. Any
// thread.
class Plan {
 public:
  // Throws Error when the device of the policy cannot be used.
  Plan(std::shared_ptr<Model> model, PlanOptions options);

  const Model& model() const { return *model_; }
  const PlanOptions& options() const { return options_; }
  // Placed on all routes but these. Throws Error when none is left.
  std::shared_ptr<Placed> placed(const Without& without = {});
  // Compiles unless that has been done; concurrent calls for one shape compile once. Null: shapes or branches
  // depend on data, the model runs in stages.
  std::shared_ptr<const CompiledGraph> compiled(std::span<const opmux_tdesc> inputs) {
    return placed()->compiled(inputs);
  }
  // Forgets all that is compiled: a device is lost, or a compilation has not come back.
  void renew();
  // JSON of OPMUX_REPORT_PLAN.
  std::string report(std::span<const opmux_tdesc> inputs);

 private:
  std::shared_ptr<Model> model_;
  PlanOptions options_;
  std::mutex mutex_;  // never held while a plugin is called
  std::map<Without, std::shared_ptr<Placed>> placed_;
};

// dtype, rank and dims of all inputs in a row.
void append_shape_key(std::vector<int64_t>& key, std::span<const opmux_tdesc> inputs);

}  // namespace opmux
