// SPDX-License-Identifier: Apache-2.0
// Coordinate of the input on axis a under tap k of the window at output o; may be outside.
#define GK_TAP(a, o, k) \
  (GK_I32((o) * GK_CODE(P_stride + a) + (k) * GK_CODE(P_dilation + a)) - GK_I32(GK_CODE(P_begin + a)))
#define GK_INSIDE(a, i) ((i) >= 0 && (i) < GK_I32(GK_CODE(P_in + a)))
// Element of a view [N, C, 3 dims].
#define GK_AT5(s, n, c, i0, i1, i2)                                                                      \
  ((n) * GK_CODE(s) + (c) * GK_CODE(s + 1) + GK_U32(i0) * GK_CODE(s + 2) + GK_U32(i1) * GK_CODE(s + 3) + \
   GK_U32(i2) * GK_CODE(s + 4))
