// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/series.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

// Bits of the neutral element; of floats those of f32.
uint64_t neutral_of(uint32_t kind, uint32_t dtype) {
  constexpr uint32_t kReal[] = {0, 0x3f800000u, 0xff800000u, 0x7f800000u};
  if (kit::is_float(dtype)) return kReal[kind - OPMUX_SCAN_SUM];
  if (kind == OPMUX_SCAN_SUM || kind == OPMUX_SCAN_PROD) return kind == OPMUX_SCAN_PROD;
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  const uint64_t top = ~uint64_t{0} >> (64 - bits + kit::is_signed(dtype));
  const bool max = kind == OPMUX_SCAN_MAX;
  return max ? (kit::is_signed(dtype) ? ~top : 0) : top;
}

// Of integers that lie as unsigned ones.
const char* term_of(uint32_t dtype, uint32_t sum) {
  if (OPMUX_DTYPE_BITS(dtype) == 64) return "(v)";
  if (sum == OPMUX_U64) {
    return "(GK_CODE(P_flip) != 0u ? GK_U64(GK_I64(GK_I32(((v) ^ GK_CODE(P_sign)) - GK_CODE(P_sign)))) : "
           "GK_U64(v))";
  }
  return "(((v) ^ GK_CODE(P_sign)) - GK_CODE(P_sign))";
}

}  // namespace

void define_numbers(StepMaker& m, uint32_t kind, uint32_t dtype, uint32_t sum) {
  const bool real = kit::is_float(dtype), wide = sum == OPMUX_U64;
  m.type("sum", sum);
  const char* words =
      wide ? "((GK_U64(GK_CODE(P_neutral + 1)) << 32u) | GK_U64(GK_CODE(P_neutral)))" : "GK_CODE(P_neutral)";
  const char* flipped = wide ? "((v) ^ (GK_U64(GK_CODE(P_flip)) << 32u))" : "((v) ^ GK_CODE(P_flip))";
  m.define("GK_NEUTRAL", real ? "TO_sum(gk_float(GK_CODE(P_neutral)))" : words);
  m.define("GK_RANK(v)", real ? "(v)" : flipped);
  m.define("GK_TERM(v)", real ? "TO_sum(v)" : term_of(dtype, sum));
  const bool narrowed = sum == OPMUX_F64 && dtype != OPMUX_F64;
  const char* narrow = OPMUX_DTYPE_BITS(dtype) == 16 ? "gk_odd_double(v)" : "GK_F32(v)";
  m.define("GK_RESULT(v)", narrowed ? narrow : !real && sum == OPMUX_U64 ? "GK_INTEGER(v)" : "(v)");
  m.define("GK_INTEGER(v)", OPMUX_DTYPE_BITS(dtype) == 64 ? "(v)" : "GK_U32(v)");
  const uint64_t neutral = neutral_of(kind, dtype);
  m.set("neutral", neutral);
  m.set("neutral", neutral >> 32, 1);
  const bool negative = !real && kit::is_signed(dtype);
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  m.set("flip", negative ? 0x80000000u : 0);
  m.set("sign", negative && bits < 32 ? 1u << (bits - 1) : 0);
}

}  // namespace opmux::gpu
