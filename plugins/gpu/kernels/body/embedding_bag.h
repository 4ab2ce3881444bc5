// SPDX-License-Identifier: Apache-2.0
// y = the sum, mean or maximum of the rows of a table that a run of indices names, a column of a bag at a time,
// `width` lanes each. An index out of range is reported; a bag of bad offsets has no rows.
//@group 128
//@in table index offsets weights
//@out y
//@type sum
//@shared joined T_sum GK_GROUP_SIZE
//@faults
//@params kind mean weighted width n rows bags columns iwords istep owords ostep wstep trow tcolumn yrow ycolumn
//@body
//@include wide_index.h
//@include joins.h
uint width = GK_CODE(P_width);
uint lane = GK_LANE % width;
uint cell = GK_ELEMENT / width;
uint column = cell % GK_CODE(P_columns);
uint bag = cell / GK_CODE(P_columns);
uint begin = 0u;
uint end = 0u;
if (bag < GK_CODE(P_bags)) {
  uint words = GK_CODE(P_owords);
  uint at = (B_offsets + bag * GK_CODE(P_ostep)) * words;
  uint behind = (B_offsets + (bag + 1u) * GK_CODE(P_ostep)) * words;
  GK_INDEX(least, sound, offsets, at, words, GK_CODE(P_n) + 1u, false)
  GK_INDEX(most, known, offsets, behind, words, GK_CODE(P_n) + 1u, false)
  if (sound && known && least <= most) {
    begin = least;
    end = most;
  }
}
uint piece = (end - begin + width - 1u) / width;
uint from = begin + lane * piece < end ? begin + lane * piece : end;
uint to = from + piece < end ? from + piece : end;
T_sum own = begin < end ? TO_sum(gk_float(kind == 3u ? 0xff800000u : 0u)) : TO_sum(0);
for (uint i = from; i < to; ++i) {
  uint words = GK_CODE(P_iwords);
  GK_INDEX(row, inside, index, (B_index + i * GK_CODE(P_istep)) * words, words, GK_CODE(P_rows), true)
  if (inside) {
    T_sum v = TO_sum(LD_table(B_table + row * GK_CODE(P_trow) + column * GK_CODE(P_tcolumn)));
    if (GK_CODE(P_weighted) != 0u) v = v * TO_sum(LD_weights(B_weights + i * GK_CODE(P_wstep)));
    own = GK_JOIN(own, v);
  } else {
    GK_FAULT();
  }
}
//@include join_pieces.h
if (bag < GK_CODE(P_bags) && lane == 0u) {
  if (GK_CODE(P_mean) != 0u && begin < end) own = own / TO_sum(end - begin);
  ST_y(B_y + bag * GK_CODE(P_yrow) + column * GK_CODE(P_ycolumn), own);
}
