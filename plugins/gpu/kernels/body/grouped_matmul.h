// SPDX-License-Identifier: Apache-2.0
// y[i, j] = program(sum_k a[i, k] b[g, k, j]) for rows i of group g. The rows before the groups, those of each and
// those after them are cut into tiles, one after another; `parts` of them, groups and 2. A group of lanes finds its
// part and tile by the offsets, and has nothing to do behind the last. Offsets that are out of order are cut;
// another step reports them.
//@group 64
//@in a b offsets
//@type sum
//@shared ta T_sum GK_BK * (GK_BM + 1)
//@shared tb T_sum GK_BK * (GK_BN + 1)
//@params brain all_rows cols all_depth parts step as[2] bs[3] rank dims[8]
//@program
//@use values.h tile.h
//@body
uint all_rows = GK_CODE(P_all_rows);
uint cols = GK_CODE(P_cols);
uint parts = GK_CODE(P_parts);
uint tile = p.first + GK_GROUP_Y;
uint rows = 0u;
uint first_row = 0u;
uint number = 0u;
bool found = false;
uint from = 0u;
for (uint part = 0u; part < parts && !found; ++part) {
  uint to = all_rows;
  if (part + 1u < parts) to = GK_U32(LD_offsets(B_offsets + part * GK_CODE(P_step)));
  if (to > all_rows) to = all_rows;
  if (to < from) to = from;
  uint tiles = (to - from + GK_U32(GK_BM) - 1u) / GK_U32(GK_BM);
  found = tile < tiles;
  if (found) {
    first_row = from + tile * GK_U32(GK_BM);
    rows = to;
    number = part;
  } else {
    tile = tile - tiles;
    from = to;
  }
}
// Rows of no group have nothing to add up.
bool grouped = number > 0u && number + 1u < parts;
uint depth = found && grouped ? GK_CODE(P_all_depth) : 0u;
uint b_at = B_b + (grouped ? number - 1u : 0u) * GK_CODE(P_bs);
//@include operands.h
#define GK_ROW0 first_row
#define GK_LOAD_A(v, i, k) v = GK_GET(LD_a(B_a + (i) * GK_CODE(P_as) + (k) * GK_CODE(P_as + 1)));
#define GK_LOAD_B(v, k, j) v = GK_GET(LD_b(b_at + (k) * GK_CODE(P_bs + 1) + (j) * GK_CODE(P_bs + 2)));
//@include tile.h
//@include tile_results.h
