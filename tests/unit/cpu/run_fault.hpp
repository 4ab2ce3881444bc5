// SPDX-License-Identifier: Apache-2.0
// Runs an operator that is expected to report a fault of its data.
#ifndef OPMUX_TESTS_UNIT_CPU_RUN_FAULT_HPP
#define OPMUX_TESTS_UNIT_CPU_RUN_FAULT_HPP

#include "kit/raw_loader.hpp"
#include "run_op.hpp"

namespace opmux::test {

// arg: the operand that the error names.
struct Fault {
  opmux_status status;
  uint32_t arg;
  std::string text;
};
template <class T>
Fault run_fault(Host& host, kit::Desc<T>& d, const std::vector<void*>& args) {
  const Answer a = ask(d.opd());
  if (!a.op) return {OPMUX_E_UNSUPPORTED, 0, "refused"};
  void* state = nullptr;
  if (a.op->prepare) {
    EXPECT_EQ(a.op->prepare(host.api(), d.opd(), &state, nullptr), OPMUX_OK);
  }
  std::vector<std::max_align_t> ws(a.cap.ws_min / sizeof(std::max_align_t) + 1);
  const kit_call call{d.opd(), args.data(), ws.data(), nullptr, state, host.api(), 0};
  kit::RawError err;
  const opmux_status status = a.op->run(&call, err);
  if (a.op->release) a.op->release(host.api(), state);
  return {status, err->arg_index, err.text()};
}

template <class T>
void expect_fault(Host& host, kit::Desc<T>& d, const std::vector<void*>& args, uint32_t arg,
                  const std::string& sentence) {
  const Fault f = run_fault(host, d, args);
  EXPECT_EQ(f.status, OPMUX_E_FAULT);
  EXPECT_EQ(f.arg, arg);
  EXPECT_EQ(f.text, sentence);
}

}  // namespace opmux::test
#endif
