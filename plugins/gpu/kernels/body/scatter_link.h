// SPDX-License-Identifier: Apache-2.0
// Lists of the updates of each place of y, in any order: heads holds the number of one, from 1, and `next` that of
// the one behind it; 0 ends a list. A lane an update. A number out of range is reported.
//@group 128
//@in index
//@rw heads
//@out next
//@faults
//@params entries erank edims[8] eis[8] ehs[8] count step cdim[8] chs[8]
//@body
uint rest = GK_ELEMENT;
uint i_at = B_index;
uint h_at = B_heads;
GK_WALK(rest, P_erank, P_edims, GK_STEP(i_at, P_eis) GK_STEP(h_at, P_ehs))
if (GK_ELEMENT < GK_CODE(P_entries)) {
#define GK_FOUND(v, k) h_at += GK_U32(v) * GK_CODE(GK_U32(P_chs) + k);
  //@include coordinates.h
  if (inside) {
    next[B_next + GK_ELEMENT] = GK_ATOMIC_EXCHANGE(heads, h_at, GK_ELEMENT + 1u);
  } else {
    GK_FAULT();
  }
}
