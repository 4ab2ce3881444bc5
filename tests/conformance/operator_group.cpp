// SPDX-License-Identifier: Apache-2.0
// Group operator: the cases of the schemas, one test each.
#include "tests/conformance/suite.hpp"

namespace opmux::cts {

void add_operator_tests(Suite& suite) {
  std::vector<std::string> empty;
  std::vector<Case> all = operator_cases(suite.options.full, suite.seed(), suite.options.filter, empty);
  for (const std::string& name : empty)
    suite.add(name, [](Lane&) { fail_test("this line of the schema's cases makes no valid descriptor"); });
  for (Case& c : pointwise_cases(suite.options.full, suite.seed(), suite.options.filter))
    all.push_back(std::move(c));
  for (Case& c : all) {
    const std::string name = c.name;
    suite.add(name, [&suite, c = std::move(c)](Lane& lane) { check_case(suite, lane, c, {}); });
  }
}

}  // namespace opmux::cts
