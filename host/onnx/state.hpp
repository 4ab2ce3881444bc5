// SPDX-License-Identifier: Apache-2.0
// Inputs and outputs that are one buffer of the run context: the past and present keys and values of
// attention.
//
// A model says so by its metadata: opmux.state = "past_key_0:present_key_0,..." and opmux.state.capacity =
// "256", the number of rows that the buffers have. With a capacity alone, pairs go by the usual names,
// past_key_values.N.key and present.N.key.
#pragma once

#include <string>
#include <vector>

#include "host/ir/source.hpp"

namespace opmux {

struct StatePair {
  std::string past, present;
};

struct StateSpec {
  int64_t capacity = 0;  // rows on axis 2; 0: no states
  std::vector<StatePair> pairs;

  const StatePair* by_past(const std::string& name) const;
  const StatePair* by_present(const std::string& name) const;
};

// Throws Error when the metadata make no sense: unknown names, or a pair that is more than the past and
// present of one Attention node.
StateSpec states_of(const SourceModel& model);

}  // namespace opmux
