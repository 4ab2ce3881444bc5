// SPDX-License-Identifier: Apache-2.0
// How the operands of a matrix product lie, for the operators that are one.
#ifndef OPMUX_CPU_MATMUL_SHAPE_HPP
#define OPMUX_CPU_MATMUL_SHAPE_HPP

#include "cpu/gemm_plan.hpp"

namespace opmux::cpu {

// A matrix with leading batch dims that broadcast to those of out; axes counted from the end.
GemmOperand matrix_operand(const opmux_tdesc& t, const opmux_tdesc& out, uint32_t row_axis, uint32_t k_axis);
GridView grid_view(const opmux_tdesc& t, const opmux_tdesc& out);

// The inner batch dim becomes rows where the right operand does not depend on it and everything else
// continues.
void fold_batch(GemmPlan& p);
// Rows of length 1 have any stride; the one that lets a batch dim continue them is the batch's.
void free_stride(GemmPlan& p);

// The distinct matrices of an operand in row-major order of the batch: how many, offset of element 0 of one
// in elements, and which of them a batch uses (after cut()).
int64_t matrix_count(const GemmPlan& p, const GemmOperand& o);
int64_t matrix_offset(const GemmPlan& p, const GemmOperand& o, int64_t number);
int64_t matrix_of_batch(const GemmPlan& p, const GemmOperand& o, int64_t batch);

}  // namespace opmux::cpu
#endif
