// SPDX-License-Identifier: Apache-2.0
// A row of `len` elements for `width` lanes; a very long one in `split` parts, of which this cell takes [begin, end),
// in steps. In step 0 a cell does all passes of a row. Else step k does pass k over its part and leaves the result in
// partial, and takes those of earlier passes from there: GK_PASS says from where to where a lane goes in pass k, and
// whether it takes what parts have left (joins). GK_LEFT(k, i) is what part i left after pass k.
uint width = GK_CODE(P_width);
uint len = GK_CODE(P_len);
uint parts = GK_CODE(P_parts);
uint stage = GK_CODE(P_stage);
uint lane = GK_LANE % width;
uint cell = GK_ELEMENT / width;
uint row = cell / GK_CODE(P_split);
uint rest = row;
uint begin = cell % GK_CODE(P_split) * GK_CODE(P_part);
uint end = begin + GK_CODE(P_part) < len ? begin + GK_CODE(P_part) : len;
#define GK_PASS(k) \
  bool joins = stage > k; \
  uint to = rest != 0u ? 0u : (joins ? parts : (stage == 0u || stage == k ? end : 0u)); \
  uint from = joins ? lane : begin + lane;
#define GK_LEFT(k, i) LD_partial(B_partial + (k - 1u) * GK_CODE(P_second) + row * parts + (i))
#define GK_LEAVE(k, v) \
  if (stage == k && rest == 0u && lane == 0u) ST_partial(B_partial + (k - 1u) * GK_CODE(P_second) + cell, v);
