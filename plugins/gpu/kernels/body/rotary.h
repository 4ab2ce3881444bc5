// SPDX-License-Identifier: Apache-2.0
// Pairs of elements of each head turned by the angle of their token: (c a - s b, s a + c b). A lane makes a pair,
// or moves one of the elements behind the pairs; it reads both before it writes, so y may lie in x's place.
//@group 128
//@in x cosine sine positions
//@out y
//@type sum
//@faults
//@params brain items pairs interleaved tokens heads count located limit words xs[4] ys[4] cs[3] ss[3] ps[2]
//@use values.h
//@body
uint rest = GK_ELEMENT;
bool inside = rest < GK_CODE(P_count);
uint item = rest % GK_CODE(P_items);
rest = rest / GK_CODE(P_items);
uint t = rest % GK_CODE(P_tokens);
rest = rest / GK_CODE(P_tokens);
uint h = rest % GK_CODE(P_heads);
uint b = rest / GK_CODE(P_heads);
if (inside) {
  uint x_at = B_x + b * GK_CODE(P_xs) + h * GK_CODE(P_xs + 1) + t * GK_CODE(P_xs + 2);
  uint y_at = B_y + b * GK_CODE(P_ys) + h * GK_CODE(P_ys + 1) + t * GK_CODE(P_ys + 2);
  uint pairs = GK_CODE(P_pairs);
  uint c_at = B_cosine + b * GK_CODE(P_cs) + t * GK_CODE(P_cs + 1);
  uint s_at = B_sine + b * GK_CODE(P_ss) + t * GK_CODE(P_ss + 1);
  if (GK_CODE(P_located) != 0u) {
    uint p_at = b * GK_CODE(P_ps) + t * GK_CODE(P_ps + 1);
    uint row = GK_LOW(LD_positions, B_positions, p_at, GK_CODE(P_words));
    uint high = GK_HIGH(LD_positions, B_positions, p_at, GK_CODE(P_words));
    inside = high == 0u && row < GK_CODE(P_limit);
    c_at = B_cosine + row * GK_CODE(P_cs + 1);
    s_at = B_sine + row * GK_CODE(P_ss + 1);
  }
  if (!inside) {
    GK_FAULT();
  } else if (item < pairs) {
    uint first = item;
    uint second = item + pairs;
    if (GK_CODE(P_interleaved) != 0u) {
      first = 2u * item;
      second = first + 1u;
    }
    T_sum va = GK_GET(LD_x(x_at + first * GK_CODE(P_xs + 3)));
    T_sum vb = GK_GET(LD_x(x_at + second * GK_CODE(P_xs + 3)));
    T_sum vc = GK_GET_CACHE(LD_cosine(c_at + item * GK_CODE(P_cs + 2)));
    T_sum vs = GK_GET_CACHE(LD_sine(s_at + item * GK_CODE(P_ss + 2)));
    ST_y(y_at + first * GK_CODE(P_ys + 3), GK_PUT(vc * va - vs * vb));
    ST_y(y_at + second * GK_CODE(P_ys + 3), GK_PUT(vs * va + vc * vb));
  } else {
    uint e = item + pairs;
    ST_y(y_at + e * GK_CODE(P_ys + 3), LD_x(x_at + e * GK_CODE(P_xs + 3)));
  }
}
