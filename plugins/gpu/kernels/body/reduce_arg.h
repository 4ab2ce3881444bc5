// SPDX-License-Identifier: Apache-2.0
// y = the position of the greatest (or least) of `len` elements along one axis; NaN is before all.
//@group 128
//@in x
//@out y
//@shared best T_x GK_GROUP_SIZE
//@shared place uint GK_GROUP_SIZE
//@params width len rank dims[8] xs[8] ys[8] rstride
//@body
// Is b at position j to be taken before a at position i?
#define GK_TAKE(a, i, b, j) \
  (GK_ISNAN(b) ? (!GK_ISNAN(a) || GK_LATER(i, j)) : (!GK_ISNAN(a) && (GK_BEATS(b, a) || ((b) == (a) && GK_LATER(i, j)))))
uint width = GK_CODE(P_width);
uint len = GK_CODE(P_len);
uint lane = GK_LANE % width;
uint rest = GK_ELEMENT / width;
uint x_at = B_x;
uint y_at = B_y;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys))
T_x own = TO_x(0);
uint at = 0xffffffffu;
if (rest == 0u && lane < len) {
  own = LD_x(x_at + lane * GK_CODE(P_rstride));
  at = lane;
  for (uint i = lane + width; i < len; i += width) {
    T_x v = LD_x(x_at + i * GK_CODE(P_rstride));
    if (GK_TAKE(own, at, v, i)) {
      own = v;
      at = i;
    }
  }
}
best[GK_LANE] = own;
place[GK_LANE] = at;
for (uint half_width = width / 2u; half_width > 0u; half_width = half_width / 2u) {
  GK_BARRIER();
  if (lane < half_width) {
    T_x v = best[GK_LANE + half_width];
    uint i = place[GK_LANE + half_width];
    if (i != 0xffffffffu && GK_TAKE(best[GK_LANE], place[GK_LANE], v, i)) {
      best[GK_LANE] = v;
      place[GK_LANE] = i;
    }
  }
}
if (rest == 0u && lane == 0u) ST_y(y_at, TO_y(place[GK_LANE]));
