// SPDX-License-Identifier: Apache-2.0
// One stage of a transform of rows of `size` pairs in the self-sorting form (Stockham): from transforms of `done`
// elements, those of `done` radix. A lane a pair of the result, which is a sum over `radix` pairs of x times turns.
//@group 128
//@in x turns
//@out y
//@type work
//@params count size done radix
//@body
uint e = GK_ELEMENT;
if (e < GK_CODE(P_count)) {
  uint size = GK_CODE(P_size);
  uint done = GK_CODE(P_done);
  uint radix = GK_CODE(P_radix);
  uint o = e % size;
  uint made = done * radix;
  uint at = B_x + 2u * (e - o + o / made * done + o % done);
  uint step = size / radix;
  uint turn = o % made * (size / made);
  uint k = 0u;
  T_work re = TO_work(0);
  T_work im = TO_work(0);
  for (uint r = 0u; r < radix; ++r) {
    T_work c = LD_turns(B_turns + 2u * k);
    T_work s = LD_turns(B_turns + 2u * k + 1u);
    T_work a = LD_x(at + 2u * r * step);
    T_work b = LD_x(at + 2u * r * step + 1u);
    re = re + (a * c - b * s);
    im = im + (a * s + b * c);
    k += turn;
    if (k >= size) k -= size;
  }
  ST_y(B_y + 2u * e, re);
  ST_y(B_y + 2u * e + 1u, im);
}
