// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/graph/runtime.hpp"
#include "host/ir/graph.hpp"
#include "host/ir/source.hpp"

namespace opmux {

// A model, from a file or built by operators; immutable. Symbolic dims become concrete in specialise().
class Model {
 public:
  Model(std::shared_ptr<Runtime> runtime, std::shared_ptr<const SourceModel> source);
  Model(std::shared_ptr<Runtime> runtime, Graph built);

  const std::shared_ptr<Runtime>& runtime() const { return runtime_; }
  // Without those that are states.
  const std::vector<SourceValue>& inputs() const { return inputs_; }
  const std::vector<SourceValue>& outputs() const { return outputs_; }
  // Empty for a built model.
  const SourceModel& source() const { return *source_; }

  // The graph for these inputs (dtype and dims, in order). Throws Error when they do not fit what the model
  // says.
  Graph specialise(std::span<const opmux_tdesc> inputs) const;

  // Throws Error when the inputs do not fit what the model says.
  void check_inputs(std::span<const opmux_tdesc> inputs) const;

  // JSON of OPMUX_REPORT_MODEL.
  std::string report() const;

 private:
  std::shared_ptr<Runtime> runtime_;
  std::shared_ptr<const SourceModel> source_;
  Graph built_;
  bool is_built_ = false;
  std::vector<SourceValue> inputs_, outputs_;
};

}  // namespace opmux
