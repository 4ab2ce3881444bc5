// SPDX-License-Identifier: Apache-2.0
// Element k of y from word k of the stream. GK_FORM: 0 floats of at most 32 bits, 1 f64, 2 integers of at most 32
// bits, which lie by raw width, 3 of 64. Uniform, or with `normal` by Box and Muller (1958), an angle within an eighth
// of a turn so that a multiple of a quarter gives an exact 0 or 1.
//@group 128
//@in seed offset a b
//@out y
//@type sum
//@params brain count rank dims[8] ys[8] normal bits is_signed
//@use values.h philox.h
//@body
uint k = GK_ELEMENT;
uint rest = k;
uint y_at = B_y;
GK_WALK(rest, P_rank, P_dims, GK_STEP(y_at, P_ys))
bool normal = GK_CODE(P_normal) != 0u;
uint bits = GK_CODE(P_bits);
#if GK_FORM == 0 || GK_FORM == 2
GK_PHILOX(r0, r1, r2, r3, k / 4u)
uint even = (k & 2u) != 0u ? r2 : r0;
uint odd = (k & 2u) != 0u ? r3 : r1;
uint word = (k & 1u) != 0u ? odd : even;
#else
GK_PHILOX(r0, r1, r2, r3, k / 2u)
uint low = (k & 1u) != 0u ? r2 : r0;
uint high = (k & 1u) != 0u ? r3 : r1;
#endif
if (rest == 0u) {
#if GK_FORM == 0
  float va = GK_GET(LD_a(B_a));
  float vb = GK_GET(LD_b(B_b));
  float step = (vb - va) * (GK_F32(word >> (32u - bits)) * gk_float((127u - bits) << 23u));
  if (normal) {
    // Above a half the distance from 1 has the digits.
    float of_v = even >= 0x80000000u ? gk_log1p(-(GK_F32(~even) * 2.3283064365386963e-10f))
                                     : gk_log((GK_F32(even) + 1.0f) * 2.3283064365386963e-10f);
    uint quarter = (odd + 0x20000000u) >> 30u;
    float angle = GK_F32(GK_I32(odd - (quarter << 30u))) * 1.4629180792671596e-9f;
    bool sine = ((quarter + k) & 1u) != 0u;
    float z = sqrt(-2.0f * of_v) * (sine ? gk_sin_near(angle) : gk_cos_near(angle));
    // cos: c, -s, -c, s; sin: s, c, -s, -c.
    bool negative = (k & 1u) == 0u ? quarter == 1u || quarter == 2u : quarter >= 2u;
    step = vb * (negative ? -z : z);
  }
  ST_y(y_at, GK_PUT(va + step));
#elif GK_FORM == 1
  double va = LD_a(B_a);
  double vb = LD_b(B_b);
  double step = (vb - va) * GK_FRACTION53(high, low);
  if (normal) {
    double of_v = gk_log_d(GK_FRACTION53(r1, r0) + GK_D(0x3ca00000u, 0u));
    double turn = GK_FRACTION53(r3, r2);
    double quarters = floor(turn * GK_F64(4) + GK_D(0x3fe00000u, 0u));
    double angle = (turn - quarters * GK_D(0x3fd00000u, 0u)) * GK_D(0x401921fbu, 0x54442d18u);
    uint quarter = GK_U32(quarters) & 3u;
    bool sine = ((quarter + k) & 1u) != 0u;
    double z = sqrt(GK_F64(-2) * of_v) * (sine ? gk_sin_near_d(GK_TWO(angle, GK_F64(0))) : gk_cos_near_d(GK_TWO(angle, GK_F64(0))));
    bool negative = (k & 1u) == 0u ? quarter == 1u || quarter == 2u : quarter >= 2u;
    step = vb * (negative ? -z : z);
  }
  ST_y(y_at, va + step);
#elif GK_FORM == 2
  uint va = LD_a(B_a);
  uint vb = LD_b(B_b);
  bool is_signed = GK_CODE(P_is_signed) != 0u;
  uint top = 1u << (bits - 1u);
  if (is_signed) {
    va = (va ^ top) - top;
    vb = (vb ^ top) - top;
  }
  bool empty = is_signed ? GK_I32(vb) <= GK_I32(va) : vb <= va;
  ST_y(y_at, va + (empty ? 0u : gk_high(vb - va, word)));
#else
  gk_ulong va = LD_a(B_a);
  gk_ulong vb = LD_b(B_b);
  bool empty = GK_CODE(P_is_signed) != 0u ? GK_I64(vb) <= GK_I64(va) : vb <= va;
  gk_ulong range = empty ? GK_U64(0) : vb - va;
  gk_ulong rl = range & GK_U64(0xffffffffu);
  gk_ulong rh = range >> 32u;
  gk_ulong middle = ((rl * GK_U64(low)) >> 32u) + rh * GK_U64(low);
  gk_ulong cross = (middle & GK_U64(0xffffffffu)) + rl * GK_U64(high);
  ST_y(y_at, va + (rh * GK_U64(high) + (middle >> 32u) + (cross >> 32u)));
#endif
}
