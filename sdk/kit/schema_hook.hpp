// SPDX-License-Identifier: Apache-2.0
// Kit: the operator schemas as kit_device.validate and kit_device.explain, for plugins that link
// opmux_schema.
#pragma once

#include <cstdio>

#include "kit/op.h"
#include "kit/schema/schema.hpp"

namespace opmux::kit {

inline int schema_validate(const opmux_opd* d, opmux_cap* cap) {
  schema::Problem p;
  if (schema::validate(*d, p)) return 1;
  return kit_no(cap, p.why, p.arg, p.axis, p.have, p.limit);
}

// The schema's own sentence where the descriptor itself is at fault; a refusal by the plugin keeps the kit's.
inline int schema_explain(const opmux_opd* d, const opmux_cap*, char* text, uint32_t size) {
  schema::Problem p;
  if (!d || schema::validate(*d, p)) return 0;
  std::snprintf(text, size, "%s", p.text);
  return 1;
}

}  // namespace opmux::kit
