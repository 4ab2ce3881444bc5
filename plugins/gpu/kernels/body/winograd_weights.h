// SPDX-License-Identifier: Apache-2.0
// The weights of a 3 x 3 convolution as F(2x2, 3x3) multiplies by them (Lavin and Gray 2016): G w G^T, 16 planes of
// [outputs, inputs of a group]. A lane a pair of channels.
//@group 64
//@in w
//@out y
//@params count inputs ws[5]
//@use window.h
//@body
uint e = GK_ELEMENT;
if (e < GK_CODE(P_count)) {
  uint m = e / GK_CODE(P_inputs);
  uint c = e % GK_CODE(P_inputs);
  float rows[12];
  for (uint j = 0u; j < 3u; ++j) {
    float a = LD_w(B_w + GK_AT5(P_ws, m, c, 0u, 0u, j));
    float b = LD_w(B_w + GK_AT5(P_ws, m, c, 0u, 1u, j));
    float d = LD_w(B_w + GK_AT5(P_ws, m, c, 0u, 2u, j));
    rows[j] = a;
    rows[3u + j] = 0.5f * (a + b + d);
    rows[6u + j] = 0.5f * (a - b + d);
    rows[9u + j] = d;
  }
  for (uint i = 0u; i < 4u; ++i) {
    float a = rows[3u * i];
    float b = rows[3u * i + 1u];
    float d = rows[3u * i + 2u];
    uint at = B_y + 4u * i * GK_CODE(P_count) + e;
    y[at] = a;
    y[at + GK_CODE(P_count)] = 0.5f * (a + b + d);
    y[at + 2u * GK_CODE(P_count)] = 0.5f * (a - b + d);
    y[at + 3u * GK_CODE(P_count)] = d;
  }
}
