// SPDX-License-Identifier: Apache-2.0
// Keys that compare as unsigned words, the top one first, in the order of elements: NaN above +infinity and equal to
// any NaN, -0 equal to 0. An item has a key of `each` elements of `size` words; `descending` turns the order.
// `form`: 0 unsigned, 1 signed, 2 float, 3 bool; top: all bits of the top word, sign: the sign's, inf: those of
// infinity.
//@group 128
//@in x
//@out items keys
//@params form top sign inf descending size words each per none rank dims[8] xs[8]
//@body
uint element = GK_ELEMENT;
uint rest = element;
uint x_at = B_x;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs))
if (rest == 0u) {
  uint form = GK_CODE(P_form);
  uint all = GK_CODE(P_top);
  uint sign = GK_CODE(P_sign);
  uint high = 0u;
  uint low = 0u;
  if (GK_CODE(P_none) == 0u) {
    T_x v = LD_x(x_at);
    high = GK_HIGH(v);
    low = GK_LOW(v);
  }
  if (form == 1u) high = high ^ sign;
  if (form == 3u) high = high != 0u ? 1u : 0u;
  if (form == 2u) {
    uint size = high & (sign - 1u);
    if (size > GK_CODE(P_inf) || (size == GK_CODE(P_inf) && low != 0u)) {
      high = all;
      low = 0xffffffffu;
    } else if (size == 0u && low == 0u) {
      high = sign;
    } else if ((high & sign) != 0u) {
      high = high ^ all;
      low = ~low;
    } else {
      high = high | sign;
    }
  }
  if (GK_CODE(P_descending) != 0u) {
    high = high ^ all;
    low = ~low;
  }
  uint item = element / GK_CODE(P_each);
  uint within = element % GK_CODE(P_each);
  if (within == 0u) ST_items(B_items + item, GK_PAIR_OF(high, item % GK_CODE(P_per)));
  if (GK_CODE(P_words) > 1u) {
    uint at = B_keys + item * GK_CODE(P_words) + within * GK_CODE(P_size);
    ST_keys(at, high);
    if (GK_CODE(P_size) > 1u) ST_keys(at + 1u, low);
  }
}
