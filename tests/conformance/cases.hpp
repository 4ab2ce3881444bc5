// SPDX-License-Identifier: Apache-2.0
// Valid descriptors from the cases of the schemas.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kit/schema/cases.hpp"
#include "tests/conformance/descriptor.hpp"
#include "tests/conformance/image.hpp"

namespace opmux::cts {

struct Case {
  std::string name;  // "operator/gather/0.f32.sliced"
  Descriptor d;
  const schema::OpCases* from = nullptr;
  const schema::CaseLine* line = nullptr;
  uint32_t dtype = OPMUX_NONE;  // of the primary input
  View view = kContiguous;
  uint64_t K = 1;  // length of sums, by the schema
};

const schema::OpCases* cases_of(uint32_t op);

// All combinations of a line without views: attributes, types, outputs, epilogue. `at` names them. Operands
// are contiguous; `made` gets the valid ones.
void expand_line(const schema::OpCases& from, size_t line, const std::function<void(Case&&)>& made);

// The same operands laid out otherwise; false where that changes nothing or makes the descriptor invalid.
bool apply_view(Case& c, View view, Random& random);

// Every case of every operator but pointwise, in every view; without `full` a part of them, chosen by name
// and seed, in which every line, type and view of an operator occurs. A line without a valid case goes to
// `empty`.
std::vector<Case> operator_cases(bool full, uint64_t seed, const std::string& filter,
                                 std::vector<std::string>& empty);

// The same for pointwise: every function on every type, every cast, and programs of several instructions.
std::vector<Case> pointwise_cases(bool full, uint64_t seed, const std::string& filter);

}  // namespace opmux::cts
