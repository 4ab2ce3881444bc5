// SPDX-License-Identifier: Apache-2.0
// Which taps reach the positions at[3] of the larger side of a window, as in a transposed convolution: on each
// axis those `jump` = stride / gcd(stride, dilation) apart from tap_first on, tap_count of them. The smaller
// side's position is (at + begin - tap * dilation) / stride, a whole number, if it is inside.
uint tap_first[3];
uint tap_count[3];
for (uint a = 0u; a < 3u; ++a) {
  uint stride_of = GK_CODE(GK_U32(P_stride) + a);
  uint dilation_of = GK_CODE(GK_U32(P_dilation) + a);
  uint jump_of = GK_CODE(GK_U32(P_jump) + a);
  uint kernel_of = GK_CODE(GK_U32(P_kernel) + a);
  uint wanted = (at[a] + GK_CODE(GK_U32(P_begin) + a)) % stride_of;
  uint most = jump_of < kernel_of ? jump_of : kernel_of;
  uint k = 0u;
  while (k < most && k * dilation_of % stride_of != wanted) ++k;
  tap_first[a] = k;
  tap_count[a] = k < most ? (kernel_of - k + jump_of - 1u) / jump_of : 0u;
}
