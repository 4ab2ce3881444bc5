// SPDX-License-Identifier: Apache-2.0
// Reads the `count` numbers of an index at i_at, each counted from the end where it is below 0; GK_FOUND(v, k)
// takes number k. `inside`: are all in their range?
bool inside = true;
for (uint k = 0u; k < GK_CODE(P_count); ++k) {
  T_index v = LD_index(i_at + k * GK_CODE(P_step));
  T_index n = TO_index(GK_CODE(GK_U32(P_cdim) + k));
  if (v < TO_index(0)) v = v + n;
  if (v < TO_index(0) || v >= n)
    inside = false;
  else
    GK_FOUND(v, k)
}
