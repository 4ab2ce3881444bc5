// SPDX-License-Identifier: Apache-2.0
// Reports offsets that are not in [0, n] or below the one before.
//@group 128
//@in offsets
//@faults
//@params count n words step
//@body
//@include wide_index.h
uint i = GK_ELEMENT;
if (i < GK_CODE(P_count)) {
  uint words = GK_CODE(P_words);
  uint at = (B_offsets + i * GK_CODE(P_step)) * words;
  GK_INDEX(own, sound, offsets, at, words, GK_CODE(P_n) + 1u, false)
  if (i > 0u && sound) {
    uint before_at = (B_offsets + (i - 1u) * GK_CODE(P_step)) * words;
    GK_INDEX(before, known, offsets, before_at, words, GK_CODE(P_n) + 1u, false)
    if (known && before > own) sound = false;
  }
  if (!sound) GK_FAULT();
}
