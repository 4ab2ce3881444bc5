// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "host/graph/constants.hpp"
#include "host/kernel/kernel_cache.hpp"
#include "host/loader/registry.hpp"
#include "host/router/eager.hpp"
#include "host/router/links.hpp"

namespace opmux {

// What all models and plans of one context share. Members are destroyed in the reverse order: plugins go
// last.
struct Runtime {
  explicit Runtime(const LoaderOptions& options)
      : registry(options), links(registry.blobs()), evaluator(registry, kernels) {}
  Registry registry;
  Links links;
  KernelCache kernels;
  ConstantStore constants;
  HostEvaluator evaluator;
};

}  // namespace opmux
