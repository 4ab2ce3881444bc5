// SPDX-License-Identifier: Apache-2.0
// Runs the program of one element over the registers r[]. The body that includes this defines
// GK_OPERAND_AT(k), the element index of operand k. Truth values are 0.0 and 1.0.
uint pc = GK_U32(GK_AT_CODE);
for (uint step = 0u; step < insns; ++step) {
  uint imm = GK_CODE(pc + 5u);
  float va = r[GK_CODE(pc + 2u)];
  float vb = r[GK_CODE(pc + 3u)];
  float vc = r[GK_CODE(pc + 4u)];
  float v = va;
  switch (GK_CODE(pc)) {
    case GK_FN_LOAD: {
      uint where = GK_OPERAND_AT(imm);
      switch (imm) {
        case 0u: v = x0[where]; break;
        case 1u: v = x1[where]; break;
        case 2u: v = x2[where]; break;
        case 3u: v = x3[where]; break;
        case 4u: v = x4[where]; break;
        case 5u: v = x5[where]; break;
        case 6u: v = x6[where]; break;
        default: v = x7[where]; break;
      }
      break;
    }
    case OPMUX_FN_CONST: v = gk_float(imm); break;
    case OPMUX_FN_CAST: v = imm != 0u ? gk_bool(va != 0.0f) : va; break;
    case OPMUX_FN_NEG: v = -va; break;
    case OPMUX_FN_ABS: v = gk_fabs(va); break;
    case OPMUX_FN_SIGN: v = gk_sign(va); break;
    case OPMUX_FN_RECIPROCAL: v = 1.0f / va; break;
    case OPMUX_FN_SQRT: v = sqrt(va); break;
    case OPMUX_FN_RSQRT: v = 1.0f / sqrt(va); break;
    case OPMUX_FN_EXP: v = gk_exp(va); break;
    case OPMUX_FN_LOG: v = gk_log(va); break;
    case OPMUX_FN_TANH: v = gk_tanh(va); break;
    case OPMUX_FN_ERF: v = gk_erf(va); break;
    case OPMUX_FN_ERFC: v = gk_erfc(va); break;
    case OPMUX_FN_FLOOR: v = floor(va); break;
    case OPMUX_FN_CEIL: v = ceil(va); break;
    case OPMUX_FN_ROUND: v = gk_rint(va); break;
    case OPMUX_FN_TRUNC: v = trunc(va); break;
    case OPMUX_FN_NOT: v = 1.0f - va; break;
    case OPMUX_FN_IS_NAN: v = gk_bool(gk_isnan(va)); break;
    case OPMUX_FN_IS_INF: v = gk_bool(gk_isinf(va)); break;
    case OPMUX_FN_IS_FINITE: v = gk_bool(!gk_isnan(va) && !gk_isinf(va)); break;
    case OPMUX_FN_SIGMOID: v = gk_sigmoid(va); break;
    case OPMUX_FN_RELU: v = va < 0.0f ? 0.0f : va; break;
    case OPMUX_FN_GELU: v = gk_gelu(va); break;
    case OPMUX_FN_GELU_TANH: v = gk_gelu_tanh(va); break;
    case OPMUX_FN_SILU: v = gk_silu(va); break;
    case OPMUX_FN_SOFTSIGN: v = va / (1.0f + gk_fabs(va)); break;
    case OPMUX_FN_ADD: v = va + vb; break;
    case OPMUX_FN_SUB: v = va - vb; break;
    case OPMUX_FN_MUL: v = va * vb; break;
    case OPMUX_FN_DIV: v = va / vb; break;
    case OPMUX_FN_MIN: v = gk_min(va, vb); break;
    case OPMUX_FN_MAX: v = gk_max(va, vb); break;
    case OPMUX_FN_AND: v = gk_bool(va != 0.0f && vb != 0.0f); break;
    case OPMUX_FN_OR: v = gk_bool(va != 0.0f || vb != 0.0f); break;
    case OPMUX_FN_XOR: v = gk_bool((va != 0.0f) != (vb != 0.0f)); break;
    case OPMUX_FN_EQ: v = gk_bool(va == vb); break;
    case OPMUX_FN_NE: v = gk_bool(va != vb); break;
    case OPMUX_FN_LT: v = gk_bool(va < vb); break;
    case OPMUX_FN_LE: v = gk_bool(va <= vb); break;
    case OPMUX_FN_GT: v = gk_bool(va > vb); break;
    case OPMUX_FN_GE: v = gk_bool(va >= vb); break;
    case OPMUX_FN_SELECT: v = va != 0.0f ? vb : vc; break;
    case OPMUX_FN_FMA: v = gk_mad(va, vb, vc); break;
    case OPMUX_FN_CLAMP: v = gk_min(gk_max(va, vb), vc); break;
    default: break;
  }
  r[GK_CODE(pc + 1u)] = v;
  pc += GK_U32(GK_INSN_WORDS);
}
