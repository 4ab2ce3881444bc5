// SPDX-License-Identifier: Apache-2.0
// Opens three loops over the taps k0, k1, k2 of the window of an output that lie on an input i0, i1, i2; whoever
// includes this closes them.
for (uint k0 = 0u; k0 < GK_CODE(P_kernel); ++k0) {
  int i0 = GK_TAP(0, o0, k0);
  if (!GK_INSIDE(0, i0)) continue;
  for (uint k1 = 0u; k1 < GK_CODE(P_kernel + 1); ++k1) {
    int i1 = GK_TAP(1, o1, k1);
    if (!GK_INSIDE(1, i1)) continue;
    for (uint k2 = 0u; k2 < GK_CODE(P_kernel + 2); ++k2) {
      int i2 = GK_TAP(2, o2, k2);
      if (!GK_INSIDE(2, i2)) continue;
