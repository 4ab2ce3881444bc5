// SPDX-License-Identifier: Apache-2.0
// Splits `rest` over the axes of the results and moves xat and yat to the element.
GK_WALK(rest, P_rank, P_dims, {
  for (uint k = 0u; k < GK_U32(GK_N_X); ++k) xat[k] += gk_i * GK_CODE(GK_U32(P_xs) + 8u * k + gk_axis);
  for (uint k = 0u; k < GK_U32(GK_N_Y); ++k) yat[k] += gk_i * GK_CODE(GK_U32(P_ys) + 8u * k + gk_axis);
})
