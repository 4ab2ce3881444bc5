// SPDX-License-Identifier: Apache-2.0
// Operator schemas at run time: lookup, full validation, shape inference, canonical identity and cost
// formulas of operator descriptors. Everything here is [pure]: no device, no state, no exception; only
// serialise allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "opmux/ops.h"
#include "opmux/plugin.h"

namespace opmux::schema {

// Why a descriptor is refused; the fields mean what those of opmux_cap mean (why_arg and so on).
struct Problem {
  uint32_t why = OPMUX_WHY_NONE;
  uint32_t arg = OPMUX_NO_ARG;
  uint32_t axis = 0;
  int64_t have = 0, limit = 0;
  char text[256] = {};  // one sentence: "softmax: axis 3 is outside [0, 1] for rank 2"
};

// n_in_* and n_out_* count the operator's own operands, without those of programs.
struct OpInfo {
  uint32_t op, rev;
  const char *name, *family, *doc;
  uint32_t desc_size;
  uint32_t n_in_min, n_in_max, n_out_min, n_out_max;
};

const OpInfo* find(uint32_t op);
const OpInfo* find(std::string_view name);
std::span<const OpInfo> all();  // by id

// Checks everything that can be known without the bytes of the operands: sizes of structures (an unknown tail
// must be zero), operand counts, types, ranks, extents (bytes below 2^62), strides, attributes, slices, the
// shape rule, programs and aliases. Reads no byte beyond any structure's size.
bool validate(const opmux_opd& d, Problem& p);

// Fills dtype, rank, dims and contiguous strides of all d.n_out outputs; the other fields become 0. d.out may
// be NULL; where the operator leaves a type or extent open (matmul's dtype, fill, iota, one_hot,
// conv_transpose, a pointwise program without inputs) it is taken from d.out. `out` may be d.out itself.
bool infer(const opmux_opd& d, opmux_tdesc* out, Problem& p);

// Types of all values of a program from those of its inputs; value_dtype has room for n_in + n_insn.
bool check_insn_types(const opmux_prog& prog, const uint32_t* in_dtype, uint32_t* value_dtype, Problem& p);

// 128-bit hash of the canonical serialisation of a valid descriptor: equal for descriptors that mean the
// same, wherever they lie. No pointers; unused strides, trailing zero attributes and slice positions do not
// matter.
struct Digest {
  uint64_t lo = 0, hi = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;
};
Digest digest(const opmux_opd& d);
void serialise(const opmux_opd& d, std::vector<std::byte>& out);  // appends

// Names as in the schemas ("f32", "ADD", "DTYPE", "INVALID"); "?" for an unknown number.
const char* dtype_name(uint32_t dtype);
uint32_t dtype_from_name(std::string_view name);  // OPMUX_NONE if unknown
const char* fn_name(uint32_t fn);
int fn_arity(uint32_t fn);  // -1 unknown
const char* why_name(uint32_t why);
const char* status_name(opmux_status s);

// Work and least traffic of a valid descriptor by the schema's formulas; saturating, 0 for an unknown
// operator.
uint64_t flops(const opmux_opd& d);
uint64_t bytes(const opmux_opd& d);

// Strides of t when it is read in the shape of `to` (numpy rules: aligned at the last axis, a dim of 1 and a
// missing leading dim get stride 0). False where t does not broadcast to that shape.
bool broadcast_strides(const opmux_tdesc& t, const opmux_tdesc& to, int64_t stride[8]);

}  // namespace opmux::schema
