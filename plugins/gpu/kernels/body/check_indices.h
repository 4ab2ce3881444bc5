// SPDX-License-Identifier: Apache-2.0
// Reports indices, `step` apart, that are below `least` (0 or -1) or not below `limit`, and if `rising` those below the
// one before them.
//@group 128
//@in x
//@faults
//@params words count step least limit rising
//@use values.h
//@body
uint i = GK_ELEMENT;
if (i < GK_CODE(P_count)) {
  uint words = GK_CODE(P_words);
  uint at = i * GK_CODE(P_step);
  uint low = GK_LOW(LD_x, B_x, at, words);
  uint high = GK_HIGH(LD_x, B_x, at, words);
  bool inside = high == 0u && low < GK_CODE(P_limit);
  if (low == 0xffffffffu && high == 0xffffffffu) inside = GK_CODE(P_least) != 0u;
  if (i > 0u && GK_CODE(P_rising) != 0u && low < GK_LOW(LD_x, B_x, at - GK_CODE(P_step), words)) inside = false;
  if (!inside) {
    GK_FAULT();
  }
}
