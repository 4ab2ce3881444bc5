// SPDX-License-Identifier: Apache-2.0
// The error function of f64 and what follows from it; 4 ulp. Needs double_core.h.
// erf(sqrt z) / sqrt z for z <= 1; 1e-19.
GK_FN double gk_erf_near(double z) {
  double q = 5.957176147748911e-11d;
  q = (q * z - 1.1372848856791674e-09d) * z + 1.4659775274047436e-08d;
  q = (q * z - 1.6350312701054695e-07d) * z + 1.6461000484121368e-06d;
  q = (q * z - 1.4925595266831182e-05d) * z + 0.0001205533111164271d;
  q = (q * z - 0.000854832698083379d) * z + 0.0052239776248180145d;
  q = (q * z - 0.026866170645076792d) * z + 0.11283791670954879d;
  q = (q * z - 0.3761263890318375d) * z + 1.1283791670955126d;
  return q;
}
// e^(x^2) erfc(x) / t for t = 4 / (4 + x) and x of [0.45, 27.5], which make the argument [-1, 1]; 1e-18.
GK_FN double gk_erfcx_tail(double x) {
  double q = 5.457133059816358e-13d;
  q = (q * x - 1.6546430626975327e-11d) * x - 1.645626616737998e-11d;
  q = (q * x + 2.747893867073554e-10d) * x + 4.0772474059792155e-10d;
  q = (q * x - 3.1588845949460766e-09d) * x - 9.082757120502019e-09d;
  q = (q * x + 2.7140057267052523e-08d) * x + 1.765715932002516e-07d;
  q = (q * x + 3.333257530567432e-08d) * x - 2.563664766464634e-06d;
  q = (q * x - 9.487575468750007e-06d) * x + 3.812494786290797e-06d;
  q = (q * x + 0.0001941794203795866d) * x + 0.0011281846469143955d;
  q = (q * x + 0.00429744276099219d) * x + 0.01275832577450578d;
  q = (q * x + 0.03142928250054806d) * x + 0.06625747672018108d;
  q = (q * x + 0.12162533628686548d) * x + 0.19637871660428063d;
  q = q * x + 0.280444082645086d;
  return q;
}
GK_FN double gk_erfcx_d(double a) {
  GK_PRECISE double x = 5.048059149722737d - 1.3290203327171903d * a;
  x = x / (4.0d + a);
  return gk_erfcx_tail(x) * 4.0d / (4.0d + a);
}
// Beyond 27.5 the result is below half of the least number.
GK_FN double gk_erfc_positive_d(double a) {
  gk_two square = gk_product_two(a, a);
  return a > 27.5d ? 0.0d : gk_exp_of(-square.x, -square.y) * gk_erfcx_d(a);
}
GK_FN double gk_erf_d(double a) {
  double t = gk_fabs(a);
  return GK_ISNAN(a) ? a
                     : (t < 1.0d ? a * gk_erf_near(a * a) : gk_copysign_d(1.0d - gk_erfc_positive_d(t), a));
}
GK_FN double gk_erfc_d(double a) {
  double r = a < 0.0d ? 2.0d - gk_erfc_positive_d(-a) : gk_erfc_positive_d(a);
  if (gk_fabs(a) < 0.5d) r = 1.0d - gk_erf_d(a);
  return GK_ISNAN(a) ? a : r;
}
// Infinity times zero is NaN, as the formula says.
GK_FN double gk_gelu_d(double a) {
  double t = gk_fabs(a), z = t * 0.7071067811865476d;
  gk_two square = gk_product_two(t, t);
  double tail = t > 39.0d ? 0.0d : 0.5d * gk_exp_of(-0.5d * square.x, -0.5d * square.y) * gk_erfcx_d(z);
  double r = a < 0.0d ? a * tail : a - a * tail;
  if (z < 0.5d) r = a * (0.5d + 0.5d * gk_erf_d(a * 0.7071067811865476d));
  return t == GK_INF_D ? a * (a < 0.0d ? 0.0d : 1.0d) : r;
}
