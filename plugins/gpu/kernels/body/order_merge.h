// SPDX-License-Identifier: Apache-2.0
// Merges pairs of sorted runs of `run` items in rows of n, of each pair the first `keep`: an item's place is its own
// in its run and its rank in the other, found by halving.
//@group 128
//@in keys from
//@out to
//@params words row_len n total run keep given
//@body
//@include order.h
uint element = GK_ELEMENT;
if (element < GK_CODE(P_total)) {
  uint words = GK_CODE(P_words);
  uint n = GK_CODE(P_n);
  uint run = GK_CODE(P_run);
  uint row = element / n;
  uint i = element % n;
  uint own = i / run;
  uint begin = (own ^ 1u) * run;
  uint low = 0u;
  uint high = begin < n ? (n - begin < run ? n - begin : run) : 0u;
  gk_pair a = LD_from(B_from + element);
  while (low < high) {
    uint middle = (low + high) / 2u;
    gk_pair b = LD_from(B_from + row * n + begin + middle);
    GK_BEFORE(b, a, row * GK_CODE(P_row_len))
    if (less) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  uint place = i % run + low;
  if (place < GK_CODE(P_keep)) ST_to(B_to + row * GK_CODE(P_given) + own / 2u * GK_CODE(P_keep) + place, a);
}
