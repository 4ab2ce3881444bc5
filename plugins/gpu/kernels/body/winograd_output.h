// SPDX-License-Identifier: Apache-2.0
// y = program(A^T product A), 2 x 2 outputs of each tile; a lane a tile of an output channel. What is not finite
// there has met the infinities and NaN of outputs beside it, so such an output is summed up from x and w.
//@group 64
//@in product x w
//@params count channels tiles[2] per_in per_out in[3] out[3] begin[3] fs[5] ws[5]
//@program
//@use window.h
//@body
#define GK_X(k) (p.base[GK_FIRST_X + (k)] + GK_AT5(P_xs + 8 * (k), n, c, 0u, h, w_of))
#define GK_Y(k) (p.base[GK_FIRST_Y + (k)] + GK_AT5(P_ys + 8 * (k), n, c, 0u, h, w_of))
uint e = GK_ELEMENT;
if (e < GK_CODE(P_count)) {
  uint tx = e % GK_CODE(P_tiles + 1);
  uint ty = e / GK_CODE(P_tiles + 1) % GK_CODE(P_tiles);
  uint plane = e / GK_CODE(P_tiles + 1) / GK_CODE(P_tiles);
  uint c = plane % GK_CODE(P_channels);
  uint n = plane / GK_CODE(P_channels);
  float rows[8];
  for (uint j = 0u; j < 4u; ++j) {
    uint at = B_product + j * GK_CODE(P_count) + e;
    uint step = 4u * GK_CODE(P_count);
    float b = product[at + step];
    float d = product[at + 2u * step];
    rows[j] = product[at] + b + d;
    rows[4u + j] = b - d - product[at + 3u * step];
  }
  for (uint o = 0u; o < 4u; ++o) {
    uint h = 2u * ty + o / 2u;
    uint w_of = 2u * tx + o % 2u;
    if (h < GK_CODE(P_out + 1) && w_of < GK_CODE(P_out + 2)) {
      uint r = o / 2u * 4u;
      float v0 = (o & 1u) == 0u ? rows[r] + rows[r + 1u] + rows[r + 2u] : rows[r + 1u] - rows[r + 2u] - rows[r + 3u];
      if (!(gk_fabs(v0) < GK_INF)) {
        v0 = 0.0f;
        uint first = c / GK_CODE(P_per_out) * GK_CODE(P_per_in);
        for (uint k = 0u; k < 9u; ++k) {
          int i = GK_I32(h + k / 3u) - GK_I32(GK_CODE(P_begin + 1));
          int l = GK_I32(w_of + k % 3u) - GK_I32(GK_CODE(P_begin + 2));
          if (!GK_INSIDE(1, i) || !GK_INSIDE(2, l)) continue;
          for (uint ch = 0u; ch < GK_CODE(P_per_in); ++ch) {
            float a = LD_x(B_x + GK_AT5(P_fs, n, first + ch, 0u, i, l));
            v0 = gk_mad(a, LD_w(B_w + GK_AT5(P_ws, c, ch, 0u, k / 3u, k % 3u)), v0);
          }
        }
      }
      //@program
    }
  }
}
