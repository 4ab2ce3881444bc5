// SPDX-License-Identifier: Apache-2.0
// Where among the sorted items each group of equal ones starts, from the running sums of the heads; and by position
// 1 where a group has its first member, else 0.
//@group 128
//@in items sums
//@out starts firsts
//@params n
//@body
uint i = GK_ELEMENT;
if (i < GK_CODE(P_n)) {
  uint own = LD_sums(B_sums + i);
  uint before = 0u;
  if (i > 0u) before = LD_sums(B_sums + i - 1u);
  gk_pair item = LD_items(B_items + i);
  if (own != before) ST_starts(B_starts + before, i);
  ST_firsts(B_firsts + item.y, own != before ? 1u : 0u);
}
