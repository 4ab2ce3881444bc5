// SPDX-License-Identifier: Apache-2.0
// Marks of tokens in rows of `tokens`: cleared, then set for those of the history.
//@group 128
//@in history
//@rw marks
//@params clear count length tokens words hs[2]
//@use values.h
//@body
uint i = GK_ELEMENT;
if (i < GK_CODE(P_count)) {
  if (GK_CODE(P_clear) != 0u) {
    ST_marks(B_marks + i, 0u);
  } else {
    uint row = i / GK_CODE(P_length);
    uint at = row * GK_CODE(P_hs) + i % GK_CODE(P_length) * GK_CODE(P_hs + 1);
    uint low = GK_LOW(LD_history, B_history, at, GK_CODE(P_words));
    uint high = GK_HIGH(LD_history, B_history, at, GK_CODE(P_words));
    if (high == 0u && low < GK_CODE(P_tokens)) GK_ATOMIC_MAX(marks, B_marks + row * GK_CODE(P_tokens) + low, 1u);
  }
}
