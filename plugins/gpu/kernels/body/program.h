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
    case 0u: {
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
    case 1u: v = gk_float(imm); break;
    case 2u: v = imm != 0u ? gk_bool(va != 0.0f) : va; break;
    case 16u: v = -va; break;
    case 17u: v = gk_fabs(va); break;
    case 18u: v = gk_sign(va); break;
    case 19u: v = 1.0f / va; break;
    case 20u: v = sqrt(va); break;
    case 21u: v = 1.0f / sqrt(va); break;
    case 22u: v = gk_exp(va); break;
    case 25u: v = gk_log(va); break;
    case 37u: v = gk_tanh(va); break;
    case 40u: v = gk_erf(va); break;
    case 41u: v = gk_erfc(va); break;
    case 43u: v = floor(va); break;
    case 44u: v = ceil(va); break;
    case 45u: v = gk_rint(va); break;
    case 46u: v = trunc(va); break;
    case 47u: v = 1.0f - va; break;
    case 49u: v = gk_bool(gk_isnan(va)); break;
    case 50u: v = gk_bool(gk_isinf(va)); break;
    case 51u: v = gk_bool(!gk_isnan(va) && !gk_isinf(va)); break;
    case 52u: v = gk_sigmoid(va); break;
    case 53u: v = va < 0.0f ? 0.0f : va; break;
    case 54u: v = gk_gelu(va); break;
    case 55u: v = gk_gelu_tanh(va); break;
    case 56u: v = gk_silu(va); break;
    case 58u: v = va / (1.0f + gk_fabs(va)); break;
    case 128u: v = va + vb; break;
    case 129u: v = va - vb; break;
    case 130u: v = va * vb; break;
    case 131u: v = va / vb; break;
    case 135u: v = gk_min(va, vb); break;
    case 136u: v = gk_max(va, vb); break;
    case 138u: v = gk_bool(va != 0.0f && vb != 0.0f); break;
    case 139u: v = gk_bool(va != 0.0f || vb != 0.0f); break;
    case 140u: v = gk_bool((va != 0.0f) != (vb != 0.0f)); break;
    case 146u: v = gk_bool(va == vb); break;
    case 147u: v = gk_bool(va != vb); break;
    case 148u: v = gk_bool(va < vb); break;
    case 149u: v = gk_bool(va <= vb); break;
    case 150u: v = gk_bool(va > vb); break;
    case 151u: v = gk_bool(va >= vb); break;
    case 256u: v = va != 0.0f ? vb : vc; break;
    case 257u: v = gk_mad(va, vb, vc); break;
    case 258u: v = gk_min(gk_max(va, vb), vc); break;
    default: break;
  }
  r[GK_CODE(pc + 1u)] = v;
  pc += GK_U32(GK_INSN_WORDS);
}
