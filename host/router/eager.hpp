// SPDX-License-Identifier: Apache-2.0
// One operator at once on host tensors: constant folding, and the application's eager calls.
#pragma once

#include "host/ir/builder.hpp"
#include "host/kernel/kernel_cache.hpp"
#include "host/loader/registry.hpp"
#include "host/router/router.hpp"

namespace opmux {

// Runs d on the route with operands in host memory; `in` and `out` are the addresses of element 0, null where
// absent. Stages through the device's memory when the route does not work on host memory.
void run_eager(Route& route, KernelCache& kernels, const opmux_opd& d, const Capability& capability,
               std::span<const void* const> in, std::span<void* const> out);

// Folds constants on the routes that work on host memory: the CPU's first, the reference last.
class HostEvaluator : public Evaluator {
 public:
  HostEvaluator(Registry& registry, KernelCache& kernels);
  std::vector<HostTensor> evaluate(const Node& node, std::span<const HostTensor> in,
                                   std::span<const opmux_tdesc> out) override;

 private:
  KernelCache& kernels_;
  std::vector<Route*> routes_;
};

}  // namespace opmux
