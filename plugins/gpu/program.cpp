// SPDX-License-Identifier: Apache-2.0
#include "gpu/program.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "gpu/kernels/layout.h"
#include "kit/check.h"

namespace opmux::gpu {
namespace {

constexpr uint32_t kFunctions[] = {
    OPMUX_FN_CONST,      OPMUX_FN_CAST,     OPMUX_FN_NEG,    OPMUX_FN_ABS,    OPMUX_FN_SIGN,
    OPMUX_FN_RECIPROCAL, OPMUX_FN_SQRT,     OPMUX_FN_RSQRT,  OPMUX_FN_EXP,    OPMUX_FN_LOG,
    OPMUX_FN_TANH,       OPMUX_FN_ERF,      OPMUX_FN_ERFC,   OPMUX_FN_FLOOR,  OPMUX_FN_CEIL,
    OPMUX_FN_ROUND,      OPMUX_FN_TRUNC,    OPMUX_FN_NOT,    OPMUX_FN_IS_NAN, OPMUX_FN_IS_INF,
    OPMUX_FN_IS_FINITE,  OPMUX_FN_SIGMOID,  OPMUX_FN_RELU,   OPMUX_FN_GELU,   OPMUX_FN_GELU_TANH,
    OPMUX_FN_SILU,       OPMUX_FN_SOFTSIGN, OPMUX_FN_ADD,    OPMUX_FN_SUB,    OPMUX_FN_MUL,
    OPMUX_FN_DIV,        OPMUX_FN_MIN,      OPMUX_FN_MAX,    OPMUX_FN_AND,    OPMUX_FN_OR,
    OPMUX_FN_XOR,        OPMUX_FN_EQ,       OPMUX_FN_NE,     OPMUX_FN_LT,     OPMUX_FN_LE,
    OPMUX_FN_GT,         OPMUX_FN_GE,       OPMUX_FN_SELECT, OPMUX_FN_FMA,    OPMUX_FN_CLAMP};

bool known(const opmux_insn& x) {
  return std::ranges::find(kFunctions, x.op) != std::end(kFunctions) &&
         (x.dtype == OPMUX_F32 || x.dtype == OPMUX_BOOL);
}

class Translator {
 public:
  Translator(const opmux_prog& p, uint32_t first, ProgramCode& out) : p_(p), first_(first), out_(out) {
    last_use_.fill(0);
    for (uint32_t i = 0; i < p.n_insn; ++i) {
      for (uint32_t v : operands(p.insn[i])) last_use_[v] = i;
    }
    last_use_[p.out[0]] = p.n_insn;
    home_.fill(kNowhere);
    if (first > 0) take(0, 0);
  }

  ProgramRefusal run() {
    for (uint32_t i = 0; i < p_.n_insn; ++i) {
      const opmux_insn& x = p_.insn[i];
      if (!known(x)) return {true, i};
      uint32_t reg[3] = {0, 0, 0}, n = 0;
      for (uint32_t v : operands(x)) {
        if (!load(v)) return {true, i};
        reg[n++] = home_[v];
      }
      for (uint32_t v : operands(x)) release(v, i);
      const uint32_t to = free_register();
      if (to == kNowhere) return {true, i};
      take(p_.n_in + i, to);
      emit(x.op, to, reg, immediate(x));
      release(p_.n_in + i, i);
    }
    if (!load(p_.out[0])) return {true, p_.n_insn};
    out_.result = home_[p_.out[0]];
    return {};
  }

 private:
  static constexpr uint32_t kNowhere = ~0u;

  // The values that an instruction reads.
  struct Operands {
    uint32_t value[3];
    uint32_t count;
    const uint32_t* begin() const { return value; }
    const uint32_t* end() const { return value + count; }
  };
  static Operands operands(const opmux_insn& x) {
    return {{x.a, x.b, x.c}, static_cast<uint32_t>(kit_fn_arity(x.op))};
  }

  static uint32_t immediate(const opmux_insn& x) {
    if (x.op == OPMUX_FN_CAST) return x.dtype == OPMUX_BOOL;
    if (x.op != OPMUX_FN_CONST) return 0;
    if (x.dtype != OPMUX_BOOL) return static_cast<uint32_t>(x.imm);
    const float truth = (x.imm & 0xff) != 0 ? 1.0f : 0.0f;
    uint32_t bits;
    std::memcpy(&bits, &truth, sizeof bits);
    return bits;
  }

  uint32_t free_register() const {
    for (uint32_t r = 0; r < GK_REGISTERS; ++r) {
      if (!used_[r]) return r;
    }
    return kNowhere;
  }
  void take(uint32_t value, uint32_t reg) {
    home_[value] = reg;
    used_[reg] = true;
  }
  void release(uint32_t value, uint32_t insn) {
    if (home_[value] != kNowhere && last_use_[value] <= insn) used_[home_[value]] = false;
  }
  void emit(uint32_t fn, uint32_t to, const uint32_t (&reg)[3], uint32_t imm) {
    for (uint32_t w : {fn, to, reg[0], reg[1], reg[2], imm}) out_.words.push_back(w);
    ++out_.n_insn;
  }
  bool load(uint32_t value) {
    if (home_[value] != kNowhere) return true;
    const uint32_t to = free_register();
    if (to == kNowhere) return false;
    take(value, to);
    emit(GK_FN_LOAD, to, {0, 0, 0}, value - first_);
    return true;
  }

  const opmux_prog& p_;
  uint32_t first_;
  ProgramCode& out_;
  std::array<uint32_t, OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN> last_use_{}, home_{};
  std::array<bool, GK_REGISTERS> used_{};
};

}  // namespace

ProgramRefusal translate(const opmux_prog& p, uint32_t first, const opmux_tdesc* inputs, ProgramCode& out) {
  out = {};
  if (p.n_out != 1 || p.n_in - first > GK_OPERANDS) return {true, p.n_insn};
  for (uint32_t i = 0; i < p.n_in - first; ++i) {
    if (inputs[i].dtype != OPMUX_F32) return {true, p.n_insn};
  }
  out.operands = p.n_in - first;
  return Translator(p, first, out).run();
}

}  // namespace opmux::gpu
