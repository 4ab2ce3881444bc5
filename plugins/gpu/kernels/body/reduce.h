// SPDX-License-Identifier: Apache-2.0
// y = a sum or the like over `len` elements of x, `width` lanes a row or a part of it. With GK_CENTRED a first pass
// joins GK_FIRST_TERM(v) by GK_FIRST_JOIN into `centre`, which the terms of the second may use.
//@group 128
//@in x
//@out y
//@rw partial
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params width len split parts part stage second rank dims[8] xs[8] ys[8] rrank rdims[8] rs[8]
//@body
//@include parts.h
uint x_at = B_x;
uint y_at = B_y;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys))
T_sum centre = TO_sum(0);
T_sum own;
#if defined(GK_CENTRED)
{
  own = GK_FIRST_NEUTRAL;
  GK_PASS(1u)
  for (uint i = from; i < to; i += width) {
    T_sum term;
    if (joins) {
      term = GK_LEFT(1u, i);
    } else {
      uint where = i;
      uint at = x_at;
      GK_WALK(where, P_rrank, P_rdims, GK_STEP(at, P_rs))
      T_x v = LD_x(at);
      term = GK_FIRST_TERM(v);
    }
    own = GK_FIRST_JOIN(own, term);
  }
#define GK_JOIN(a, b) GK_FIRST_JOIN(a, b)
//@include row.h
#undef GK_JOIN
  GK_LEAVE(1u, own)
  centre = GK_CENTRE(own);
}
#endif
own = GK_NEUTRAL;
GK_PASS(2u)
for (uint i = from; i < to; i += width) {
  T_sum term;
  if (joins) {
    term = GK_LEFT(2u, i);
  } else {
    uint where = i;
    uint at = x_at;
    GK_WALK(where, P_rrank, P_rdims, GK_STEP(at, P_rs))
    T_x v = LD_x(at);
    term = GK_TERM(v);
  }
  own = GK_SECOND_JOIN(own, term);
}
#define GK_JOIN(a, b) GK_SECOND_JOIN(a, b)
//@include row.h
GK_LEAVE(2u, own)
if (rest == 0u && lane == 0u && (stage == 0u || stage == 3u)) ST_y(y_at, GK_RESULT(own));
