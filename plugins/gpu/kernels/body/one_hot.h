// SPDX-License-Identifier: Apache-2.0
// y = on where the coordinate along an axis equals the index, truncated and counted from the end if negative;
// off elsewhere.
//@group 128
//@in index values
//@out y
//@params rank dims[8] ys[8] is[8] along[8] depth on
//@body
uint rest = GK_ELEMENT;
uint i_at = B_index;
uint y_at = B_y;
uint coordinate = 0u;
GK_WALK(rest, P_rank, P_dims, GK_STEP(i_at, P_is) GK_STEP(y_at, P_ys) GK_STEP(coordinate, P_along))
if (rest == 0u) {
  T_index n = TO_index(GK_CODE(P_depth));
  T_index v = GK_TRUNC(LD_index(i_at));
  if (v < TO_index(0)) v = v + n;
  bool hot = v >= TO_index(0) && v < n && GK_U32(v) == coordinate;
  ST_y(y_at, LD_values(B_values + (hot ? GK_CODE(P_on) : 0u)));
}
