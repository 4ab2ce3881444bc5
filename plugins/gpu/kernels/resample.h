// SPDX-License-Identifier: Apache-2.0
// Positions and weights of resampling, step by step as kit/resample.hpp has them, so that every device
// decides between neighbours as the host does.
#define GK_HALF GK_F64(0.5f)

// Keys 1981: the weight of an element at distance d.
GK_FN double gk_cubic_weight(double d, double a) {
  double t = gk_fabs(d);
  GK_PRECISE double inner = ((a + GK_F64(2)) * t - (a + GK_F64(3))) * t * t + GK_F64(1);
  GK_PRECISE double outer = ((a * t - GK_F64(5) * a) * t + GK_F64(8) * a) * t - GK_F64(4) * a;
  return t <= GK_F64(1) ? inner : (t < GK_F64(2) ? outer : GK_F64(0));
}

// Between low and high; low for NaN.
GK_FN double gk_between(double v, double low, double high) { return v >= low ? (v <= high ? v : high) : low; }

// To nearest, halves to even.
GK_FN double gk_round_even(double x) {
  double low = floor(x);
  GK_PRECISE double part = x - low;
  double halved = low * GK_HALF;
  if (part == GK_HALF) return floor(halved) == halved ? low : low + GK_F64(1);
  return part < GK_HALF ? low : low + GK_F64(1);
}
