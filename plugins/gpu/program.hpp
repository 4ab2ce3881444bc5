// SPDX-License-Identifier: Apache-2.0
// Programs of descriptors as code of the interpreting kernels: values in few registers, operands loaded at
// first use.
#pragma once

#include <cstdint>
#include <vector>

#include "opmux/ops.h"
#include "opmux/plugin.h"

namespace opmux::gpu {

struct ProgramCode {
  std::vector<uint32_t> words;  // GK_INSN_WORDS each
  uint32_t n_insn = 0;
  uint32_t result = 0;    // register
  uint32_t operands = 0;  // that it loads
};

// The instruction that the interpreter lacks, n_insn for a fault of the program as a whole.
struct ProgramRefusal {
  bool refused = false;
  uint32_t insn = 0;
};

// Translates a valid program with one f32 output. first: the input that becomes operand 0; the inputs before
// it (at most one) lie in register 0 when the code starts.
ProgramRefusal translate(const opmux_prog& p, uint32_t first, const opmux_tdesc* inputs, ProgramCode& out);

}  // namespace opmux::gpu
