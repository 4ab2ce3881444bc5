// SPDX-License-Identifier: Apache-2.0
// How kernels of several element types get at their values with few texts: f16 and bf16 share one, numbers of
// few bits another, and indices of 32 and 64 bits are words.
#pragma once

#include "gpu/ops/step.hpp"

namespace opmux::gpu {

// The type to bind a float of `dtype` by: 16 bits for f16 and bf16, whose kind is the word `brain` then.
uint32_t real_storage(uint32_t dtype);
// For operands of `dtype`: the type of the sum (f64 where `wide`), GK_GET and GK_PUT between an element of
// real_storage and it, and functions of it: GK_EXP, GK_LOG, GK_TANH, GK_SIGMOID, GK_EXPM1, GK_LOG1P, GK_REAL.
// The last two functions of f32 are in powers.h.
void real_types(StepMaker& s, uint32_t dtype, bool wide);
// The macros of elements of another type: GK_GET and GK_PUT with a suffix, and its own word.
void real_access(StepMaker& s, uint32_t dtype, bool wide, const std::string& suffix, const std::string& word);
// A number that a kernel reads by GK_REAL.
void set_real(StepMaker& s, const char* name, double value, uint32_t at = 0);
void bind_real(StepMaker& s, const char* name, const opmux_opd& d, uint32_t arg);

// The word of kernels/codes.h; 0: that knows no such type.
uint32_t code_format(uint32_t dtype);
// As bytes, with the format in the word `format`.
void bind_codes(StepMaker& s, const char* name, const opmux_opd& d, uint32_t arg, const char* format);

// i32 or i64 as words, how many each in the word `words`.
void bind_indices(StepMaker& s, const char* name, const opmux_opd& d, uint32_t arg, const char* words);
// Reports values of an operand of rank 0 or 1 outside of [least, most], least 0 or -1, and if `rising` those
// below the one before.
Step check_step(const opmux_devinfo& info, const opmux_opd& d, uint32_t arg, int least, int64_t most,
                bool rising);

// Strides of t, aligned at the last of n dims; 0 where an extent is 1.
void set_strides(StepMaker& s, const char* name, const opmux_tdesc& t, uint32_t n);
bool same_view(const opmux_tdesc& a, const opmux_tdesc& b);
// Outputs are apart from all inputs, but that output o may lie in input in[o]'s place, or must.
struct Place {
  uint32_t out, in;
  bool must = false;
};
bool check_places(const opmux_opd& d, opmux_cap& cap, std::initializer_list<Place> places);

}  // namespace opmux::gpu
