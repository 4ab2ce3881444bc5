// SPDX-License-Identifier: Apache-2.0
// Tiles of 4 x 4 elements of x, two apart, as F(2x2, 3x3) multiplies them: B^T d B, 16 planes of
// [images, channels, tiles]. A lane a tile.
//@group 64
//@in x
//@out y
//@params count channels tiles[2] in[3] begin[3] xs[5]
//@use window.h
//@body
uint e = GK_ELEMENT;
if (e < GK_CODE(P_count)) {
  uint count = GK_CODE(P_count);
  uint tx = e % GK_CODE(P_tiles + 1);
  uint ty = e / GK_CODE(P_tiles + 1) % GK_CODE(P_tiles);
  uint plane = e / GK_CODE(P_tiles + 1) / GK_CODE(P_tiles);
  uint c = plane % GK_CODE(P_channels);
  uint n = plane / GK_CODE(P_channels);
  int top = GK_I32(2u * ty) - GK_I32(GK_CODE(P_begin + 1));
  int left = GK_I32(2u * tx) - GK_I32(GK_CODE(P_begin + 2));
  float rows[16];
  for (uint j = 0u; j < 4u; ++j) {
    float d[4];
    int w = left + GK_I32(j);
    for (uint i = 0u; i < 4u; ++i) {
      int h = top + GK_I32(i);
      d[i] = 0.0f;
      if (GK_INSIDE(1, h) && GK_INSIDE(2, w)) d[i] = LD_x(B_x + GK_AT5(P_xs, n, c, 0u, h, w));
    }
    rows[j] = d[0] - d[2];
    rows[4u + j] = d[1] + d[2];
    rows[8u + j] = d[2] - d[1];
    rows[12u + j] = d[1] - d[3];
  }
  for (uint i = 0u; i < 4u; ++i) {
    uint at = B_y + 4u * i * count + e;
    y[at] = rows[4u * i] - rows[4u * i + 2u];
    y[at + count] = rows[4u * i + 1u] + rows[4u * i + 2u];
    y[at + 2u * count] = rows[4u * i + 2u] - rows[4u * i + 1u];
    y[at + 3u * count] = rows[4u * i + 1u] - rows[4u * i + 3u];
  }
}
