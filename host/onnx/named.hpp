// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host/ir/tensor.hpp"

namespace opmux {

struct NamedTensorDesc {
  std::string name;
  opmux_tdesc desc{};  // dtype and dims; strides do not matter
};

struct NamedHostTensor {
  std::string name;
  HostTensor tensor;
};

}  // namespace opmux
