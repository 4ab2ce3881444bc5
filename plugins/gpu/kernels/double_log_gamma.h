// SPDX-License-Identifier: Apache-2.0
// ln |gamma(a)| of f64. Needs double_core.h and double_cycle.h.
// log gamma(1 + x) / (x (x - 1)) and log gamma(2 + x) / ((x + 1) x) for |x| <= 1/2; 2e-18.
GK_FN double gk_lgamma_one(double x) {
  double q = 0.11085899735141698d;
  q = (q * x - 0.1142806060495023d) * x - 0.08300985443081176d;
  q = (q * x + 0.08532809667377311d) * x + 0.07547948080594057d;
  q = (q * x - 0.0779261344606791d) * x + 0.002052495676344135d;
  q = (q * x - 0.0024327669275136083d) * x + 0.027688536184191183d;
  q = (q * x - 0.028951157038668355d) * x + 0.02490778264077449d;
  q = (q * x - 0.026270026294447774d) * x + 0.02862978653237747d;
  q = (q * x - 0.03035945377828152d) * x + 0.032218815048872314d;
  q = (q * x - 0.034436692145567833d) * x + 0.03698991835462524d;
  q = (q * x - 0.039943325032720044d) * x + 0.043410871085662106d;
  q = (q * x - 0.04754311942143399d) * x + 0.05255632488226146d;
  q = (q * x - 0.05877794159837892d) * x + 0.06673172823237797d;
  q = (q * x - 0.07731816852855389d) * x + 0.09223900846486405d;
  q = (q * x - 0.1151465425638577d) * x + 0.15543426586395104d;
  q = (q * x - 0.2452513685225803d) * x + 0.5772156649015329d;
  return q;
}
GK_FN double gk_lgamma_two(double x) {
  double q = -5.832930129320894e-08d;
  q = (q * x + 1.2211977636940668e-07d) * x - 1.8333634733806836e-07d;
  q = (q * x + 3.863844148542206e-07d) * x - 8.554745925302383e-07d;
  q = (q * x + 1.813340925941714e-06d) * x - 3.846868630984396e-06d;
  q = (q * x + 8.221243547899526e-06d) * x - 1.7661727092640293e-05d;
  q = (q * x + 3.816899450869808e-05d) * x - 8.309512288139664e-05d;
  q = (q * x + 0.00018255263198029055d) * x - 0.0004057073976405256d;
  q = (q * x + 0.0009153769225258352d) * x - 0.0021081308339532027d;
  q = (q * x + 0.00499864116469194d) * x - 0.012384192193371297d;
  q = (q * x + 0.032965000621155864d) * x - 0.10031730167435392d;
  q = q * x + 0.42278433509846713d;
  return q;
}
// For a > 0: Stirling's series from 8 on, below it the fits after steps down.
GK_FN double gk_lgamma_positive(double a) {
  double z = 1.0d / (a * a);
  double q = ((-0.029550653594771242d * z + 0.00641025641025641d) * z - 0.0019175269175269176d) * z;
  q = ((q + 0.0008417508417508417d) * z - 0.0005952380952380953d) * z + 0.0007936507936507937d;
  q = ((q * z - 0.002777777777777778d) * z + 0.08333333333333333d) / a;
  if (a >= 8.0d) return (a - 0.5d) * (gk_log_d(a) - 1.0d) + (q + 0.4189385332046728d);
  double product = 1.0d, t = a;
  for (uint k = 0u; k < 6u; ++k) {
    if (t >= 2.5d) {
      t = t - 1.0d;
      product = product * t;
    }
  }
  if (a < 0.5d) return (a * (a - 1.0d)) * gk_lgamma_one(a) - gk_log_d(a);
  if (a < 1.5d) return ((a - 1.0d) * (a - 2.0d)) * gk_lgamma_one(a - 1.0d);
  return ((t - 1.0d) * (t - 2.0d)) * gk_lgamma_two(t - 2.0d) + gk_log_d(product);
}
// |sin(pi a)| for a >= 0.
GK_FN double gk_sin_pi(double a) {
  double f = a - floor(a);
  if (f > 0.5d) f = 1.0d - f;
  gk_two pi = GK_TWO(3.141592653589793d, 1.2246467991473532e-16d);
  return f <= 0.25d ? gk_sin_near_d(gk_mul_two(GK_TWO(f, 0.0d), pi))
                    : gk_cos_near_d(gk_mul_two(GK_TWO(0.5d - f, 0.0d), pi));
}
// Below 0 by reflection.
GK_FN double gk_lgamma_d(double a) {
  double t = gk_fabs(a);
  double r = t < 1e-20d ? -gk_log_d(t) : gk_lgamma_positive(t);
  if (a < 0.0d && t >= 1e-20d) r = gk_log_d(3.141592653589793d / (t * gk_sin_pi(t))) - r;
  return GK_ISNAN(a) ? a : (t == GK_INF_D ? t : r);
}
GK_FN float gk_lgamma(float a) { return GK_F32(gk_lgamma_d(GK_F64(a))); }
