// SPDX-License-Identifier: Apache-2.0
// Models on mock cards under the fault layer. All plugins here compute what the reference does, so results
// are equal to the bit wherever a run ends.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/graph/passes/passes.hpp"
#include "host/graph/run_context.hpp"
#include "host/layers/fault.hpp"
#include "host/onnx/read.hpp"
#include "tests/support/mocks.hpp"
#include "tests/support/paths.h"
#include "tests/support/random_tensor.hpp"

namespace opmux::test {

// Two cards and a device that works on host memory.
inline std::shared_ptr<Runtime> faulty_machine() {
  fault::enable();
  LoaderOptions options = only({mock("slow"), mock("liar")});
  options.config = {{"slow.launch_ns", "20000"}};
  return std::make_shared<Runtime>(options);
}

// Branches: sum of tanh^n(x) and x w^n.
inline Graph branches(int n) {
  Graph g;
  GraphBuilder b(g, nullptr);
  const ValueId x = g.add_value(make_desc(OPMUX_F32, {8, 8}), "x", StorageKind::kInput);
  g.inputs.push_back({"x", x});
  const ValueId w = g.add_constant(random_tensor({8, 8}, 5), "w");
  ValueId e = x, m = x;
  for (int k = 0; k < n; ++k) {
    const int64_t axes[] = {1};
    e = b.pointwise(OPMUX_FN_TANH, {e});
    m = b.matmul(m, w);
    if (k % 2 != 0) m = b.pointwise(OPMUX_FN_SUB, {m, b.reduce(OPMUX_REDUCE_MAX, m, axes, true)});
  }
  g.outputs.push_back({"y", b.pointwise(OPMUX_FN_ADD, {e, m})});
  finalise_outputs(g);
  return g;
}

struct FaultyModel {
  std::shared_ptr<Model> model;
  HostTensor input;
};

inline constexpr uint32_t kFaultyModels = 3;

inline FaultyModel faulty_model(std::shared_ptr<Runtime> runtime, uint32_t which) {
  if (which == 0) return {std::make_shared<Model>(runtime, branches(1)), random_tensor({8, 8}, 1)};
  if (which == 1) return {std::make_shared<Model>(runtime, branches(6)), random_tensor({8, 8}, 2)};
  return {std::make_shared<Model>(runtime, read_onnx(source_dir() + "/samples/models/digits.onnx")),
          random_tensor({2, 1, 8, 8}, 3)};
}

// One run; the outputs' values in a row.
inline std::vector<float> run_once(RunContext& context, const HostTensor& input) {
  context.bind_input(0, {input.desc(), const_cast<std::byte*>(input.data())});
  context.run();
  std::vector<float> out;
  for (uint32_t i = 0; i < context.plan().model().outputs().size(); ++i) {
    const opmux_tensor t = context.output(i);
    const auto* p = static_cast<const float*>(t.data);
    out.insert(out.end(), p, p + element_count(t.desc));
  }
  return out;
}

inline PlanOptions plan_options(const char* device, uint32_t fallback, uint64_t deadline_ns) {
  PlanOptions options;
  options.policy.device = device;
  options.policy.fallback = fallback;
  options.deadline_ns = deadline_ns;
  return options;
}

}  // namespace opmux::test
