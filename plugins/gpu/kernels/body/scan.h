// SPDX-License-Identifier: Apache-2.0
// Running joins of `len` elements of x along one axis. `width` lanes take a part of `part` elements, each a piece of
// `piece` in order. With `fold` the join of each part goes to carry; without it, y is made, each part from the join
// of those before it, which carry has by then if there are several parts. A lane writes what it alone reads, so
// y may be x.
//@group 128
//@in x
//@out y
//@rw carry
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@params kind exclusive fold width piece part parts len first step yfirst ystep neutral[2] flip sign
//@params rank dims[8] xs[8] ys[8]
//@body
//@include joins.h
uint width = GK_CODE(P_width);
uint parts = GK_CODE(P_parts);
uint lane = GK_LANE % width;
uint cell = GK_ELEMENT / width;
uint part = cell % parts;
uint rest = cell / parts;
uint x_at = B_x + GK_CODE(P_first);
uint y_at = B_y + GK_CODE(P_yfirst);
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys))
uint begin = part * GK_CODE(P_part) + lane * GK_CODE(P_piece);
uint end = begin + GK_CODE(P_piece);
if (end > (part + 1u) * GK_CODE(P_part)) end = (part + 1u) * GK_CODE(P_part);
if (end > GK_CODE(P_len)) end = GK_CODE(P_len);
if (rest != 0u) end = 0u;
T_sum own = GK_NEUTRAL;
for (uint i = begin; i < end; ++i) {
  T_x v = LD_x(x_at + i * GK_CODE(P_step));
  T_sum term = GK_TERM(v);
  own = GK_JOIN(own, term);
}
joined[GK_LANE] = own;
for (uint back = 1u; back < width; back = back * 2u) {
  GK_BARRIER();
  T_sum before = lane >= back ? joined[GK_LANE - back] : own;
  GK_BARRIER();
  if (lane >= back) {
    own = GK_JOIN(before, own);
    joined[GK_LANE] = own;
  }
}
GK_BARRIER();
if (GK_CODE(P_fold) != 0u) {
  if (rest == 0u && lane == width - 1u) ST_carry(B_carry + cell, own);
} else if (begin < end) {
  T_sum running = GK_NEUTRAL;
  if (parts > 1u) running = LD_carry(B_carry + cell);
  if (lane > 0u) {
    T_sum before = joined[GK_LANE - 1u];
    running = GK_JOIN(running, before);
  }
  for (uint i = begin; i < end; ++i) {
    T_x v = LD_x(x_at + i * GK_CODE(P_step));
    T_sum term = GK_TERM(v);
    T_sum after = GK_JOIN(running, term);
    T_sum given = GK_CODE(P_exclusive) != 0u ? running : after;
    ST_y(y_at + i * GK_CODE(P_ystep), GK_RESULT(given));
    running = after;
  }
}
