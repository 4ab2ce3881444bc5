// SPDX-License-Identifier: Apache-2.0
// Pointwise programs, compiled once per kernel into a list of typed tile operations.
//
// A value of a program lives in a tile: up to tile() elements in L1, one after the other, in the value's lane
// type. f16 and bf16 values are held as f32 and rounded after every instruction; all other types are held as
// they are. A uniform value (constant, or an input that is the same all along a row) has one element and its
// operations run on one element.
#ifndef OPMUX_CPU_TILE_PROGRAM_HPP
#define OPMUX_CPU_TILE_PROGRAM_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/tiles.hpp"
#include "opmux/plugin.h"

namespace opmux::cpu {

// Why a program cannot be done: instruction index, or its count when a value or the program itself is at
// fault.
struct ProgramProblem {
  uint32_t insn = 0;
  char text[128] = {};
};

class TileProgram {
 public:
  static constexpr size_t kScratchBytes = 48 * 1024;  // of a thread, on its stack

  // Can the tile operations do `prog` over inputs of these dtypes? Allocates nothing.
  static bool supports(const opmux_prog& prog, const uint32_t* in_dtype, ProgramProblem& why);

  // supports() must have said yes. uniform[i]: input i has the same value all along a row.
  void compile(const opmux_prog& prog, const uint32_t* in_dtype, const bool* uniform);

  uint32_t n_in() const { return n_in_; }
  uint32_t n_out() const { return static_cast<uint32_t>(out_.size()); }
  size_t tile() const { return tile_; }            // most elements of one run, a multiple of 64
  uint32_t n_values() const { return n_values_; }  // size of the table that bind() fills, at most kMaxValues
  uint32_t out_value(uint32_t o) const { return out_[o]; }
  uint32_t out_dtype(uint32_t o) const { return value_dtype_[out_[o]]; }
  bool uniform(uint32_t value) const { return uniform_[value]; }
  // May output o be written straight to memory that an input shares? Only if no later step reads an input.
  bool direct(uint32_t o) const { return direct_[o]; }

  static constexpr uint32_t kMaxValues = OPMUX_MAX_PROG_IN + 3 * OPMUX_MAX_INSN;

  // Points every computed value at its place in scratch (kScratchBytes, 64-byte aligned) or at its constant.
  // The caller sets the n_in() inputs, and may redirect direct() outputs, before each run.
  void bind(void** value, std::byte* scratch) const;
  // Where input i may be loaded to when it cannot be used in place; valid for the scratch of bind().
  void* input_slot(uint32_t i, std::byte* scratch) const { return scratch + slot_[i]; }
  void run(void* const* value, size_t n) const {
    for (const Step& s : steps_) s.fn(value[s.out], value[s.a], value[s.b], value[s.c], s.uniform ? 1 : n);
  }

 private:
  struct Step {
    TileFn fn;
    uint16_t out, a, b, c;
    bool uniform;
  };
  struct Builder;
  uint32_t n_in_ = 0, n_values_ = 0;
  size_t tile_ = 0;
  std::vector<Step> steps_;
  std::vector<uint32_t> out_, value_dtype_;
  std::vector<uint8_t> uniform_, direct_;
  std::vector<uint32_t> slot_;        // byte offset in scratch, of each value
  std::vector<uint64_t> constant_;    // storage of constants
  std::vector<int32_t> constant_of_;  // value -> index in constant_, -1 none
};

}  // namespace opmux::cpu
#endif
