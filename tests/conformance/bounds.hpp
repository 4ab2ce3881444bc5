// SPDX-License-Identifier: Apache-2.0
// How far a result may be from the reference, and the comparison.
#pragma once

#include "tests/conformance/report.hpp"
#include "tests/conformance/runner.hpp"

namespace opmux::cts {

struct Judgement {
  Errors errors;
  std::string wrong;  // the worst element, empty if all are right
};

// Output `o` of a case against the truth. algebraic: which of the operator's two bounds holds.
Judgement judge(Case& c, const Data& data, uint32_t o, const Truth& truth, bool algebraic);

}  // namespace opmux::cts
