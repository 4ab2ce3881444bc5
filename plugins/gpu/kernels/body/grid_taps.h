// SPDX-License-Identifier: Apache-2.0
// Elements and weights of the sample on axis a; valid becomes false where there is no value.
uint first = 4u * a;
taps[a] = 1u;
tap_at[first] = 0u;
tap_weight[first] = TO_sum(1);
if (a + dims < 3u) continue;
int count = GK_I32(GK_CODE(GK_U32(P_in) + a));
double extent = GK_F64(count);
double low = align ? GK_F64(0) : -GK_HALF;
double span = align ? extent - one : extent;
double g = GK_F64(LD_grid(B_grid + GK_AT5(P_gs, n, 0u, o0, o1, o2) + (2u - a) * GK_CODE(P_grid_step)));
GK_PRECISE double between = (g + one) * GK_HALF * (extent - one);
GK_PRECISE double bordered = ((g + one) * extent - one) * GK_HALF;
double place = align ? between : bordered;
if (mode == 1u) place = gk_round_even(place);
if (!(place == place)) {
  valid = false;
} else if (beyond == 2u) {
  if (place < -GK_HALF || place > extent - GK_HALF || align) place = gk_between(place, GK_F64(0), extent - one);
} else if (beyond == 3u) {
  double v = place;
  GK_REFLECT(place, v)
} else {
  place = gk_between(place, -GK_F64(4), extent + GK_F64(3));  // beyond that all is as far outside
}
if (!(place == place)) valid = false;
if (!valid) continue;
double base = mode == 1u ? gk_round_even(place) : floor(place);
GK_PRECISE double part = place - base;
int from = mode == 3u ? -1 : 0;
int to = mode == 3u ? 2 : (mode == 2u ? 1 : 0);
uint taken = 0u;
for (int k = from; k <= to; ++k) {
  GK_PRECISE double w = one;
  if (mode == 2u) w = k == 0 ? one - part : part;
  if (mode == 3u) w = gk_cubic_weight(part - GK_F64(k), -GK_F64(0.75f));
  int i = GK_I32(base) + k;
  bool there = i >= 0 && i < count;
  if (!there && beyond != 1u) {
    double v = GK_F64(i);
    double e = v;
    if (beyond == 3u) {
      GK_REFLECT(e, v)
      e = trunc(e);
    }
    i = GK_I32(gk_between(e, GK_F64(0), extent - one));
    there = true;
  }
  if (there && w != GK_F64(0)) {
    tap_at[first + taken] = GK_U32(i);
    tap_weight[first + taken] = TO_sum(w);
    ++taken;
  }
}
taps[a] = taken;
