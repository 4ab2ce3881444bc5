// SPDX-License-Identifier: Apache-2.0
// 1 for each of n sorted items whose key is not that of the item before it, else 0.
//@group 128
//@in items keys
//@out flags
//@params words n
//@body
uint i = GK_ELEMENT;
uint words = GK_CODE(P_words);
if (i < GK_CODE(P_n)) {
  bool head = i == 0u;
  if (!head) {
    gk_pair a = LD_items(B_items + i - 1u);
    gk_pair b = LD_items(B_items + i);
    head = a.x != b.x;
    for (uint w = 1u; w < words && !head; ++w)
      head = LD_keys(B_keys + a.y * words + w) != LD_keys(B_keys + b.y * words + w);
  }
  ST_flags(B_flags + i, head ? 1u : 0u);
}
