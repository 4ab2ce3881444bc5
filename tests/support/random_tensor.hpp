// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <vector>

#include "host/graph/passes/passes.hpp"

namespace opmux::test {

// An f32 tensor of numbers in [-reach, reach), the same for the same seed.
inline HostTensor random_tensor(std::vector<int64_t> dims, uint32_t seed, float reach = 0.3f) {
  HostTensor t(make_desc(OPMUX_F32, dims));
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> unit(-reach, reach);
  auto* p = reinterpret_cast<float*>(t.mutable_data());
  for (int64_t i = 0; i < element_count(t.desc()); ++i) p[i] = unit(random);
  return t;
}

}  // namespace opmux::test
