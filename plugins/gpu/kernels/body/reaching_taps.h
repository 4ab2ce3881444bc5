// SPDX-License-Identifier: Apache-2.0
// Opens three loops over the taps k0, k1, k2 that reach an output from an input i0, i1, i2 (taps_at.h); whoever
// includes this closes them.
for (uint j0 = 0u; j0 < tap_count[0]; ++j0) {
  uint k0 = tap_first[0] + j0 * GK_CODE(P_jump);
  int i0 = GK_FROM(0, k0);
  if (i0 < 0) continue;
  i0 = i0 / GK_I32(GK_CODE(P_stride));
  if (!GK_INSIDE(0, i0)) continue;
  for (uint j1 = 0u; j1 < tap_count[1]; ++j1) {
    uint k1 = tap_first[1] + j1 * GK_CODE(P_jump + 1);
    int i1 = GK_FROM(1, k1);
    if (i1 < 0) continue;
    i1 = i1 / GK_I32(GK_CODE(P_stride + 1));
    if (!GK_INSIDE(1, i1)) continue;
    for (uint j2 = 0u; j2 < tap_count[2]; ++j2) {
      uint k2 = tap_first[2] + j2 * GK_CODE(P_jump + 2);
      int i2 = GK_FROM(2, k2);
      if (i2 < 0) continue;
      i2 = i2 / GK_I32(GK_CODE(P_stride + 2));
      if (!GK_INSIDE(2, i2)) continue;
