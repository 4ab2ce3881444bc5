// SPDX-License-Identifier: Apache-2.0
// Coordinates in x of the elements that are not zero, a column of y each, from the running sums of their flags. The
// columns behind the last are zero.
//@group 128
//@in sums
//@out y count
//@params n rank dims[8] ystep column
//@body
uint i = GK_ELEMENT;
uint n = GK_CODE(P_n);
uint rank = GK_CODE(P_rank);
uint all = 0u;
if (n > 0u) all = LD_sums(B_sums + n - 1u);
if (i < n) {
  uint own = LD_sums(B_sums + i);
  uint before = 0u;
  if (i > 0u) before = LD_sums(B_sums + i - 1u);
  uint rest = i;
  for (uint axis = rank; axis > 0u;) {
    --axis;
    uint extent = GK_CODE(GK_U32(P_dims) + axis);
    uint line = B_y + axis * GK_CODE(P_ystep);
    if (own != before) ST_y(line + before * GK_CODE(P_column), GK_PAIR_OF(rest % extent, 0u));
    if (i >= all) ST_y(line + i * GK_CODE(P_column), GK_PAIR_OF(0u, 0u));
    rest = rest / extent;
  }
}
if (i == 0u) ST_count(B_count, GK_PAIR_OF(all, 0u));
