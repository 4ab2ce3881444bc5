// SPDX-License-Identifier: Apache-2.0
// y[i] = start + i step, in the type `sum`.
//@group 128
//@in start step
//@out y
//@type sum
//@params count ystride
//@body
uint i = GK_ELEMENT;
if (i < GK_CODE(P_count)) {
  T_sum v = GK_MAD(TO_sum(i), TO_sum(LD_step(B_step)), TO_sum(LD_start(B_start)));
  ST_y(B_y + i * GK_CODE(P_ystride), GK_OUT(v));
}
