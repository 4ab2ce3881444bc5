// SPDX-License-Identifier: Apache-2.0
// Sorts each `span` items, a power of two, of rows of n, and passes on the first `keep` of them: a bitonic network in
// shared memory (Batcher 1968), a group 1024 items. by_position: the key is the position.
//@group 128
//@in keys from
//@out to
//@shared held gk_pair 1024
//@params words row_len n span tiles cells keep given by_position
//@body
//@include order.h
uint words = GK_CODE(P_words);
uint n = GK_CODE(P_n);
uint span = GK_CODE(P_span);
uint tiles = GK_CODE(P_tiles);
uint first = (p.first + GK_GROUP_X) * 1024u;
for (uint s = GK_LANE; s < 1024u; s += GK_U32(GK_GROUP_SIZE)) {
  uint cell = (first + s) / span;
  uint at = cell % tiles * span + (first + s) % span;
  gk_pair item = GK_PAIR_OF(GK_NO_ITEM, GK_NO_ITEM);
  if (cell < GK_CODE(P_cells) && at < n) {
    item = LD_from(B_from + cell / tiles * n + at);
    if (GK_CODE(P_by_position) != 0u) item.x = item.y;
  }
  held[s] = item;
}
for (uint size = 2u; size <= span; size = size * 2u) {
  for (uint step = size / 2u; step > 0u; step = step / 2u) {
    GK_BARRIER();
    for (uint q = GK_LANE; q < 512u; q += GK_U32(GK_GROUP_SIZE)) {
      uint i = 2u * q - (q & (step - 1u));
      gk_pair a = held[i];
      gk_pair b = held[i + step];
      uint row = (first + i) / span / tiles * GK_CODE(P_row_len);
      bool falling = size < span && (i & size) != 0u;
      GK_BEFORE(b, a, row)
      if (less != falling) {
        held[i] = b;
        held[i + step] = a;
      }
    }
  }
}
GK_BARRIER();
for (uint s = GK_LANE; s < 1024u; s += GK_U32(GK_GROUP_SIZE)) {
  uint cell = (first + s) / span;
  uint tile = cell % tiles;
  uint at = (first + s) % span;
  if (cell < GK_CODE(P_cells) && at < GK_CODE(P_keep) && tile * span + at < n) {
    ST_to(B_to + cell / tiles * GK_CODE(P_given) + tile * GK_CODE(P_keep) + at, held[s]);
  }
}
