// SPDX-License-Identifier: Apache-2.0
// y = the position of the greatest (or least) of `len` elements along one axis; NaN is before all. Parts of a row leave
// positions.
//@group 128
//@in x
//@out y
//@rw partial
//@shared best T_x GK_GROUP_SIZE
//@shared place uint GK_GROUP_SIZE
//@params width len split parts part stage second rank dims[8] xs[8] ys[8] rstride
//@body
// Is b at position j to be taken before a at position i?
#define GK_TAKE(a, i, b, j) \
  (GK_ISNAN(b) ? (!GK_ISNAN(a) || GK_LATER(i, j)) : (!GK_ISNAN(a) && (GK_BEATS(b, a) || ((b) == (a) && GK_LATER(i, j)))))
//@include parts.h
uint x_at = B_x;
uint y_at = B_y;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys))
T_x own = TO_x(0);
uint at = 0xffffffffu;
GK_PASS(2u)
for (uint k = from; k < to; k += width) {
  uint i = joins ? GK_LEFT(2u, k) : k;
  T_x v = LD_x(x_at + i * GK_CODE(P_rstride));
  bool taken = at == 0xffffffffu;
  if (!taken) taken = GK_TAKE(own, at, v, i);
  if (taken) {
    own = v;
    at = i;
  }
}
best[GK_LANE] = own;
place[GK_LANE] = at;
for (uint half_width = width / 2u; half_width > 0u; half_width = half_width / 2u) {
  GK_BARRIER();
  if (lane < half_width) {
    T_x v = best[GK_LANE + half_width];
    uint i = place[GK_LANE + half_width];
    bool taken = i != 0xffffffffu;
    if (taken && place[GK_LANE] != 0xffffffffu) taken = GK_TAKE(best[GK_LANE], place[GK_LANE], v, i);
    if (taken) {
      best[GK_LANE] = v;
      place[GK_LANE] = i;
    }
  }
}
GK_LEAVE(2u, place[GK_LANE])
if (rest == 0u && lane == 0u && (stage == 0u || stage == 3u)) ST_y(y_at, TO_y(place[GK_LANE]));
