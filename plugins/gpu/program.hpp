// SPDX-License-Identifier: Apache-2.0
// Programs of descriptors as statements of a kernel, in the common subset of the languages.
#pragma once

#include "gpu/source.hpp"
#include "opmux/ops.h"
#include "opmux/plugin.h"

namespace opmux::gpu {

// What keeps a program from being written: instruction n_insn is the program as a whole.
struct ProgramRefusal {
  bool refused = false;
  uint32_t insn = 0;
  uint64_t feature = 0;  // OPMUX_FEAT_* that the device lacks, 0: the function or the type is not known
};

// Writes a valid program into source.program. first: the input that is operand 0; the values before it (one
// at most, of type `dtype0`) are there as v0 when the statements start. The kernel defines GK_X(k) and
// GK_Y(o), where the element of operand k and of result o lies. Sets the types of the operands and results.
ProgramRefusal write_program(const opmux_prog& p, uint32_t first, uint32_t dtype0,
                             const opmux_tdesc* operands, const opmux_tdesc* results, uint64_t features,
                             Source& source);

// A number of a type, by its bits, as a literal of the computing type.
std::string literal(uint32_t dtype, uint64_t bits);

// The same without a program: result 0 is v0.
void write_result(uint32_t dtype0, const opmux_tdesc& result, Source& source);

// A float `v` as the low bits of an integer of this type, or between its bounds.
std::string float_to_int(Kind from, uint32_t dtype, const std::string& v, bool saturate);

}  // namespace opmux::gpu
