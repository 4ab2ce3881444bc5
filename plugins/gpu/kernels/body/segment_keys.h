// SPDX-License-Identifier: Apache-2.0
// An item for each row: its segment, and its position. A segment out of range is reported; its row belongs to none.
//@group 128
//@in ids
//@out items
//@faults
//@params n words step segments
//@body
//@include wide_index.h
uint i = GK_ELEMENT;
if (i < GK_CODE(P_n)) {
  uint words = GK_CODE(P_words);
  GK_INDEX(id, inside, ids, (B_ids + i * GK_CODE(P_step)) * words, words, GK_CODE(P_segments), false)
  if (!inside) {
    GK_FAULT();
    id = GK_CODE(P_segments);
  }
  ST_items(B_items + i, GK_PAIR_OF(id, i));
}
