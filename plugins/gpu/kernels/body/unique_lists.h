// SPDX-License-Identifier: Apache-2.0
// Of each group its number in y, its first member, its size; `from` has the first member of slice i of y, n if there
// is none. Groups are numbered in their order, or by the running sums of their first members' flags.
//@group 128
//@in items sums starts firsts
//@out from first inverse counts count
//@params n sorted has_first has_inverse has_counts fstep istep cstep
//@body
uint i = GK_ELEMENT;
uint n = GK_CODE(P_n);
uint all = 0u;
if (n > 0u) all = LD_sums(B_sums + n - 1u);
if (i < n) {
  uint group = LD_sums(B_sums + i) - 1u;
  uint start = LD_starts(B_starts + group);
  gk_pair head = LD_items(B_items + start);
  gk_pair item = LD_items(B_items + i);
  uint number = group;
  if (GK_CODE(P_sorted) == 0u) number = LD_firsts(B_firsts + head.y) - 1u;
  if (GK_CODE(P_has_inverse) != 0u) ST_inverse(B_inverse + item.y * GK_CODE(P_istep), GK_PAIR_OF(number, 0u));
  if (i == start) {
    uint end = n;
    if (group + 1u < all) end = LD_starts(B_starts + group + 1u);
    ST_from(B_from + number, head.y);
    if (GK_CODE(P_has_first) != 0u) ST_first(B_first + number * GK_CODE(P_fstep), GK_PAIR_OF(head.y, 0u));
    if (GK_CODE(P_has_counts) != 0u) ST_counts(B_counts + number * GK_CODE(P_cstep), GK_PAIR_OF(end - start, 0u));
  }
  if (i >= all) {
    ST_from(B_from + i, n);
    if (GK_CODE(P_has_first) != 0u) ST_first(B_first + i * GK_CODE(P_fstep), GK_PAIR_OF(0u, 0u));
    if (GK_CODE(P_has_counts) != 0u) ST_counts(B_counts + i * GK_CODE(P_cstep), GK_PAIR_OF(0u, 0u));
  }
}
if (i == 0u) ST_count(B_count, GK_PAIR_OF(all, 0u));
