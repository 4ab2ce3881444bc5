// SPDX-License-Identifier: Apache-2.0
// The mean or the greatest of the points of a bin, into own[] for each channel.
GK_SIDE(n, 0u, top, height, down)
GK_SIDE(n, 1u, left, width, across)
uint rows = GK_U32(down);
uint cols = GK_U32(across);
for (uint i = 0u; i < rows; ++i) {
  for (uint j = 0u; j < cols; ++j) {
    bool inside = true;
    GK_NEIGHBOURS(low_y, high_y, part_y, 0, top, height, down, o1, i)
    GK_NEIGHBOURS(low_x, high_x, part_x, 1, left, width, across, o2, j)
    for (uint h = 0u; h < GK_U32(GK_CHANNELS); ++h) {
      GK_PRECISE T_sum sum = TO_sum(0);
      T_sum largest = TO_sum(0);
      for (uint corner = 0u; inside && corner < 4u; ++corner) {
        bool lower = corner >= 2u;
        bool right = (corner & 1u) != 0u;
        GK_PRECISE double w_y = lower ? part_y : GK_F64(1) - part_y;
        GK_PRECISE double w_x = right ? part_x : GK_F64(1) - part_x;
        GK_PRECISE double w = w_y * w_x;
        T_sum term = TO_sum(0);
        if (w != GK_F64(0)) {
          uint at = (lower ? high_y : low_y) * GK_CODE(P_xs + 3) + (right ? high_x : low_x) * GK_CODE(P_xs + 4);
          term = TO_sum(w) * TO_sum(LD_x(plane[h] + at));
        }
        sum = sum + term;
        GK_TAKE_LARGER(largest, term, corner == 0u)
      }
      if (kind == 1u) {
        own[h] = own[h] + sum;
      } else {
        GK_TAKE_LARGER(own[h], largest, i == 0u && j == 0u)
      }
    }
  }
}
uint taken = rows * cols;
for (uint h = 0u; kind == 1u && h < GK_U32(GK_CHANNELS); ++h) own[h] = own[h] / TO_sum(taken == 0u ? 1u : taken);
