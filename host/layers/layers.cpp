// SPDX-License-Identifier: Apache-2.0
#include "host/layers/layers.hpp"

#include "host/layers/fault.hpp"
#include "host/platform/environment.hpp"
#include "host/platform/error.hpp"

namespace opmux::layers {

void from_environment() {
  const auto names = environment::get("OPMUX_LAYERS");
  if (!names) return;
  if (*names != "fault") fail(OPMUX_E_INVALID, "OPMUX_LAYERS is '{}'; there is: fault", *names);
  fault::enable();
  if (const auto point = environment::get("OPMUX_FAULT")) fault::arm(fault::parse(*point));
}

}  // namespace opmux::layers
