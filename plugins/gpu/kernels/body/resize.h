// SPDX-License-Identifier: Apache-2.0
// y = the elements of x that the tables of resize_table.h name, times their weights; a lane an output.
//@group 128
//@in x place weight
//@out y
//@type sum
//@params rank dims[8] ys[8] xs[8] entry[8] weights[8] most[8] extrapolation
//@body
uint rest = GK_ELEMENT;
uint x_at = B_x;
uint y_at = B_y;
//@include resize_places.h
if (rest == 0u) {
  GK_PRECISE T_sum sum = TO_sum(0);
  for (uint t = 0u; t < many; ++t) {
    uint which = t;
    uint at = x_at;
    GK_PRECISE T_sum w = TO_sum(1);
    bool counts_here = true;
    // The axis that lies closest comes first in the arrays.
    for (uint k = 0u; k < axes; ++k) {
      uint i = which % counts[k];
      which = which / counts[k];
      T_sum part = TO_sum(LD_weight(B_weight + weights_of[k] + i));
      if (part == TO_sum(0)) counts_here = false;
      w = w * part;
      at += i * steps[k];
    }
    if (counts_here) sum = sum + w * TO_sum(LD_x(at));
  }
  if (outside) sum = TO_sum(gk_float(GK_CODE(P_extrapolation)));
  ST_y(y_at, sum);
}
