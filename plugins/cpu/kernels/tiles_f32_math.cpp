// SPDX-License-Identifier: Apache-2.0
// Tile operations on f32 lanes, in vectors: functions and activations.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tiles_f32_math.cpp"
#include <cmath>
#include <cstring>

#include "cpu/kernels/tile_tables.hpp"
#include "opmux/ops/pointwise.gen.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/kernels/f32_loops-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace {

OPMUX_F32_1(Exp, exp(d, x))
OPMUX_F32_1(Expm1, expm1(d, x))
OPMUX_F32_1(Exp2, exp2(d, x))
OPMUX_F32_1(Log, log(d, x))
OPMUX_F32_1(Log1p, log1p(d, x))
OPMUX_F32_1(Log2, log2(d, x))
OPMUX_F32_1(Tanh, tanh(d, x))
OPMUX_F32_1(Erf, erf(d, x))
OPMUX_F32_1(Sigmoid, sigmoid(d, x))
OPMUX_F32_1(Gelu, gelu(d, x))
OPMUX_F32_1(Silu, silu(d, x))
OPMUX_F32_1(Softplus, softplus(d, x))
OPMUX_F32_1(Mish, mish(d, x))

const TileEntry kTable[] = {
    // clang-format off
    OPMUX_UNARY(OPMUX_FN_EXP, Exp),
    OPMUX_UNARY(OPMUX_FN_EXPM1, Expm1),
    OPMUX_UNARY(OPMUX_FN_EXP2, Exp2),
    OPMUX_UNARY(OPMUX_FN_LOG, Log),
    OPMUX_UNARY(OPMUX_FN_LOG1P, Log1p),
    OPMUX_UNARY(OPMUX_FN_LOG2, Log2),
    OPMUX_UNARY(OPMUX_FN_TANH, Tanh),
    OPMUX_UNARY(OPMUX_FN_SIGMOID, Sigmoid),
    OPMUX_UNARY(OPMUX_FN_SILU, Silu),
    OPMUX_UNARY(OPMUX_FN_SOFTPLUS, Softplus),
    OPMUX_UNARY(OPMUX_FN_MISH, Mish),
    OPMUX_UNARY(OPMUX_FN_ERF, Erf),
    OPMUX_UNARY(OPMUX_FN_GELU, Gelu),
    // clang-format on
};

}  // namespace

TileTable f32_math_tiles() { return {kTable, sizeof kTable / sizeof kTable[0]}; }

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(f32_math_tiles);
TileTable f32_math_tiles() { return HWY_DYNAMIC_DISPATCH(f32_math_tiles)(); }
}  // namespace opmux::cpu
#endif
