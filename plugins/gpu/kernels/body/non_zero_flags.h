// SPDX-License-Identifier: Apache-2.0
// 1 for each element of x, row-major, that has one of the bits of `mask` in its top word or any other bit, else 0.
//@group 128
//@in x
//@out flags
//@params mask rank dims[8] xs[8]
//@body
uint element = GK_ELEMENT;
uint rest = element;
uint x_at = B_x;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs))
if (rest == 0u) {
  T_x v = LD_x(x_at);
  ST_flags(B_flags + element, ((GK_HIGH(v) & GK_CODE(P_mask)) | GK_LOW(v)) != 0u ? 1u : 0u);
}
