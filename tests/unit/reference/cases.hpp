// SPDX-License-Identifier: Apache-2.0
// One small sound descriptor of every operator.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kit/desc.hpp"

namespace opmux::test {

struct Case {
  std::string name;
  // Calls f(descriptor, its size, its lists) with everything linked and alive.
  std::function<void(const std::function<void(opmux_opd*)>&)> with;
};

template <class T, class Fill>
Case make_case(const char* name, uint32_t op, Fill fill) {
  return {name, [=](const std::function<void(opmux_opd*)>& f) {
            kit::Desc<T> d(op);
            fill(d);
            f(d.opd());
          }};
}

inline kit::Program bias_epilogue() {
  kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
  return p.out(p.apply(OPMUX_FN_RELU, OPMUX_F32, p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1)));
}

inline kit::Program main_program() {
  kit::Program p(OPMUX_SLOT_MAIN, 2);
  return p.out(p.apply(OPMUX_FN_SIGMOID, OPMUX_F32, p.apply(OPMUX_FN_MUL, OPMUX_F32, 0, 1)));
}

std::vector<Case> all_cases();

}  // namespace opmux::test
