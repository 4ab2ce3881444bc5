// SPDX-License-Identifier: Apache-2.0
// A column of a segment, `width` lanes: where the column lies in x and y, the sorted items of the segment, [begin, end),
// and of these the lane's own piece, [from, to).
uint width = GK_CODE(P_width);
uint lane = GK_LANE % width;
uint cell = GK_ELEMENT / width;
uint segment = cell / GK_CODE(P_columns);
uint rest = cell % GK_CODE(P_columns);
bool mine = segment < GK_CODE(P_segments);
uint x_at = B_x;
uint y_at = B_y;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys))
uint begin = 0u;
uint end = 0u;
for (uint side = 0u; side < 2u && mine; ++side) {
  uint low = begin;
  uint high = GK_CODE(P_n);
  while (low < high) {
    uint middle = (low + high) / 2u;
    gk_pair item = LD_items(B_items + middle);
    if (item.x < segment + side) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  if (side == 0u) begin = low;
  end = low;
}
uint piece = (end - begin + width - 1u) / width;
uint from = begin + lane * piece < end ? begin + lane * piece : end;
uint to = from + piece < end ? from + piece : end;
