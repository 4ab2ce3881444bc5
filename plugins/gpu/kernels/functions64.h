// SPDX-License-Identifier: Apache-2.0
// Functions of f64, within 2 ulp: the languages have none (GLSL), or not everywhere. Constants by their bits,
// as literals of double differ.
#define GK_D(high, low) gk_double((GK_U64(high) << 32u) | GK_U64(low))
GK_FN double gk_power64(int k) { return gk_double(GK_U64(GK_U32(k + 1023)) << 52u); }

// Cody and Waite's reduction: x = n log 2 + r, |r| <= log(2) / 2.
GK_FN double gk_reduce64(double x, double n) {
  GK_PRECISE double r = x - n * GK_D(0x3fe62e42u, 0xfee00000u);
  r = r - n * GK_D(0x3dea39efu, 0x35793c76u);
  return r;
}
// e^r - 1 by its series.
GK_FN double gk_series64(double r) {
  GK_PRECISE double q = GK_D(0x3da93974u, 0xa8c07c9du);
  q = q * r + GK_D(0x3de61246u, 0x13a86d09u);
  q = q * r + GK_D(0x3e21eed8u, 0xeff8d898u);
  q = q * r + GK_D(0x3e5ae645u, 0x67f544e4u);
  q = q * r + GK_D(0x3e927e4fu, 0xb7789f5cu);
  q = q * r + GK_D(0x3ec71de3u, 0xa556c734u);
  q = q * r + GK_D(0x3efa01a0u, 0x1a01a01au);
  q = q * r + GK_D(0x3f2a01a0u, 0x1a01a01au);
  q = q * r + GK_D(0x3f56c16cu, 0x16c16c17u);
  q = q * r + GK_D(0x3f811111u, 0x11111111u);
  q = q * r + GK_D(0x3fa55555u, 0x55555555u);
  q = q * r + GK_D(0x3fc55555u, 0x55555555u);
  q = q * r + GK_D(0x3fe00000u, 0x00000000u);
  q = q * r * r + r;
  return q;
}
GK_FN double gk_exp64(double x) {
  double t = x > GK_D(0xc0875000u, 0x00000000u)
                 ? (x < GK_D(0x40863000u, 0x00000000u) ? x : GK_D(0x40863000u, 0x00000000u))
                 : GK_D(0xc0875000u, 0x00000000u);
  double n = floor(t * GK_D(0x3ff71547u, 0x652b82feu) + GK_D(0x3fe00000u, 0x00000000u));
  double z = gk_series64(gk_reduce64(t, n)) + GK_D(0x3ff00000u, 0x00000000u);
  // Two factors, so that subnormal results and overflow come out right.
  int k = GK_I32(n);
  int half_k = k >> 1;
  z = z * gk_power64(half_k) * gk_power64(k - half_k);
  return x == x ? z : x;
}
GK_FN double gk_expm164(double x) {
  if (!(gk_fabs(x) < GK_D(0x403e0000u, 0x00000000u))) return gk_exp64(x) - GK_D(0x3ff00000u, 0x00000000u);
  double n = floor(x * GK_D(0x3ff71547u, 0x652b82feu) + GK_D(0x3fe00000u, 0x00000000u));
  double scale = gk_power64(GK_I32(n));
  GK_PRECISE double z = gk_series64(gk_reduce64(x, n)) * scale + (scale - GK_D(0x3ff00000u, 0x00000000u));
  return x == GK_D(0x00000000u, 0x00000000u) ? x : z;
}
// The polynomial of fdlibm's log.
GK_FN double gk_log64(double a) {
  bool tiny = a < GK_D(0x00100000u, 0x00000000u);
  gk_ulong u = gk_bits64(tiny ? a * GK_D(0x43500000u, 0x00000000u) : a);
  int e = GK_I32(GK_U32(u >> 52u) & 2047u) - 1023 - (tiny ? 54 : 0);
  double m = gk_double((u & ((GK_U64(1) << 52u) - GK_U64(1))) | (GK_U64(1023u) << 52u));
  if (m > GK_D(0x3ff6a09eu, 0x667f3bcdu)) {
    m = m * GK_D(0x3fe00000u, 0x00000000u);
    e = e + 1;
  }
  double k = GK_F64(e), f = m - GK_D(0x3ff00000u, 0x00000000u), s = f / (GK_D(0x40000000u, 0x00000000u) + f),
         z = s * s;
  GK_PRECISE double q = GK_D(0x3fc2f112u, 0xdf3e5244u);
  q = q * z + GK_D(0x3fc39a09u, 0xd078c69fu);
  q = q * z + GK_D(0x3fc74664u, 0x96cb03deu);
  q = q * z + GK_D(0x3fcc71c5u, 0x1d8e78afu);
  q = q * z + GK_D(0x3fd24924u, 0x94229359u);
  q = q * z + GK_D(0x3fd99999u, 0x9997fa04u);
  q = q * z + GK_D(0x3fe55555u, 0x55555593u);
  q = q * z;
  GK_PRECISE double part = GK_D(0x3fe00000u, 0x00000000u) * f * f;
  GK_PRECISE double low = s * (part + q) + k * GK_D(0x3dea39efu, 0x35793c76u);
  GK_PRECISE double r = k * GK_D(0x3fe62e42u, 0xfee00000u) - ((part - low) - f);
  if (a == GK_D(0x00000000u, 0x00000000u)) r = -GK_F64(GK_INF);
  if (a < GK_D(0x00000000u, 0x00000000u)) r = GK_F64(GK_NAN);
  return a == GK_F64(GK_INF) || !(a == a) ? a : r;
}
GK_FN double gk_log1p64(double x) {
  GK_PRECISE double w = GK_D(0x3ff00000u, 0x00000000u) + x;
  GK_PRECISE double lost = x - (w - GK_D(0x3ff00000u, 0x00000000u));
  return gk_fabs(x) < GK_D(0x3fe00000u, 0x00000000u) ? gk_log64(w) + lost / w : gk_log64(w);
}
GK_FN double gk_tanh64(double x) {
  double t = gk_fabs(x);
  double z = gk_expm164(GK_D(0x40000000u, 0x00000000u) *
                        (t < GK_D(0x40360000u, 0x00000000u) ? t : GK_D(0x40360000u, 0x00000000u)));
  double r = z / (z + GK_D(0x40000000u, 0x00000000u));
  return x == x && t > GK_D(0x00000000u, 0x00000000u) ? (x < GK_D(0x00000000u, 0x00000000u) ? -r : r) : x;
}
GK_FN double gk_sigmoid64(double x) {
  double e = gk_exp64(-gk_fabs(x)), r = GK_D(0x3ff00000u, 0x00000000u) / (GK_D(0x3ff00000u, 0x00000000u) + e);
  return x < GK_D(0x00000000u, 0x00000000u) ? e * r : r;
}
// Series for |x| <= pi / 4.
GK_FN double gk_sin64_core(double x) {
  double z = x * x;
  GK_PRECISE double q = GK_D(0x3ce952c7u, 0x7030ad4au);
  q = q * z + GK_D(0xbd6ae7f3u, 0xe733b81fu);
  q = q * z + GK_D(0x3de61246u, 0x13a86d09u);
  q = q * z + GK_D(0xbe5ae645u, 0x67f544e4u);
  q = q * z + GK_D(0x3ec71de3u, 0xa556c734u);
  q = q * z + GK_D(0xbf2a01a0u, 0x1a01a01au);
  q = q * z + GK_D(0x3f811111u, 0x11111111u);
  q = q * z + GK_D(0xbfc55555u, 0x55555555u);
  q = q * z * x + x;
  return q;
}
GK_FN double gk_cos64_core(double x) {
  double z = x * x;
  GK_PRECISE double q = GK_D(0xbca68278u, 0x63b97d97u);
  q = q * z + GK_D(0x3d2ae7f3u, 0xe733b81fu);
  q = q * z + GK_D(0xbda93974u, 0xa8c07c9du);
  q = q * z + GK_D(0x3e21eed8u, 0xeff8d898u);
  q = q * z + GK_D(0xbe927e4fu, 0xb7789f5cu);
  q = q * z + GK_D(0x3efa01a0u, 0x1a01a01au);
  q = q * z + GK_D(0xbf56c16cu, 0x16c16c17u);
  q = q * z + GK_D(0x3fa55555u, 0x55555555u);
  q = q * z * z - GK_D(0x3fe00000u, 0x00000000u) * z;
  return q + GK_D(0x3ff00000u, 0x00000000u);
}
