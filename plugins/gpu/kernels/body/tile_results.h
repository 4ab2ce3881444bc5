// SPDX-License-Identifier: Apache-2.0
// The program for each sum that tile.h made; strides of its views: at 6 the row, at 7 the column.
#define GK_X(k) (xat[k] + row * GK_CODE(P_xs + 8 * (k) + 6) + col * GK_CODE(P_xs + 8 * (k) + 7))
#define GK_Y(k) (yat[k] + row * GK_CODE(P_ys + 8 * (k) + 6) + col * GK_CODE(P_ys + 8 * (k) + 7))
for (uint e = 0u; e < GK_U32(GK_TM * GK_TN); ++e) {
  uint row = row0 + ty * GK_U32(GK_TM) + e / GK_U32(GK_TN);
  uint col = col0 + tx * GK_U32(GK_TN) + e % GK_U32(GK_TN);
  if (row < rows && col < cols) {
    T_sum v0 = sums[e];
    //@program
  }
}
