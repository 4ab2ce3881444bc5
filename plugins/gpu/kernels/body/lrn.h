// SPDX-License-Identifier: Apache-2.0
// y = x / (bias + alpha / size sum of x^2)^beta, the sum over the channels from `below` before to `above` behind the
// element's own. A lane an element; the power is an exponential of a logarithm.
//@group 128
//@in x
//@out y
//@type sum
//@params brain rank dims[8] xs[8] ys[8] cs[8] channels step below above alpha[3] beta[3] bias[3] whole odd
//@use values.h
//@body
uint rest = GK_ELEMENT;
uint x_at = B_x;
uint y_at = B_y;
uint c = 0u;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys) GK_STEP(c, P_cs))
if (rest == 0u) {
  int begin = GK_I32(c) - GK_I32(GK_CODE(P_below));
  uint low = GK_U32(begin < 0 ? 0 : begin);
  uint last = GK_CODE(P_channels) - 1u;
  uint high = last - c > GK_CODE(P_above) ? c + GK_CODE(P_above) : last;
  uint step = GK_CODE(P_step);
  T_sum total = TO_sum(0);
  for (uint k = low; k <= high; ++k) {
    T_sum v = GK_GET(LD_x(x_at + (k - c) * step));
    total = total + v * v;
  }
  T_sum beta = GK_REAL(P_beta);
  T_sum part = GK_REAL(P_alpha) * total;
  T_sum base = GK_REAL(P_bias) + part;
  T_sum factor = GK_EXP(-beta * GK_LOG(gk_fabs(base)));
  if (base < TO_sum(0) && gk_fabs(base) < TO_sum(GK_INF)) {
    if (GK_CODE(P_whole) == 0u) factor = TO_sum(GK_NAN);
    if (GK_CODE(P_odd) != 0u) factor = -factor;
  }
  if (beta == TO_sum(0)) factor = TO_sum(1);
  ST_y(y_at, GK_PUT(GK_GET(LD_x(x_at)) * factor));
}
