// SPDX-License-Identifier: Apache-2.0
// An item is the first word of a key and a position in its row; no item: GK_NO_ITEM twice, behind all others. The
// whole key, `words` words, lies in `keys`, those of a row from element `row` on. Sets `less`: does a come before b?
// Equal keys are in the order of their positions, so no two items are equal and every sort is stable.
#define GK_NO_ITEM 0xffffffffu
#define GK_BEFORE(a, b, row) \
  bool less = (a).x < (b).x; \
  if ((a).x == (b).x) { \
    less = (a).y < (b).y; \
    uint gk_words = (a).y == GK_NO_ITEM || (b).y == GK_NO_ITEM ? 1u : words; \
    for (uint gk_w = 1u; gk_w < gk_words; ++gk_w) { \
      uint gk_a = LD_keys(B_keys + ((row) + (a).y) * words + gk_w); \
      uint gk_b = LD_keys(B_keys + ((row) + (b).y) * words + gk_w); \
      if (gk_a != gk_b) { \
        less = gk_a < gk_b; \
        break; \
      } \
    } \
  }
