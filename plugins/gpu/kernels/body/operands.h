// SPDX-License-Identifier: Apache-2.0
// Where element 0 of each operand (xat) and result (yat) of the program lies.
uint xat[GK_N_X];
uint yat[GK_N_Y];
for (uint k = 0u; k < GK_U32(GK_N_X); ++k) xat[k] = p.base[GK_U32(GK_FIRST_X) + k];
for (uint k = 0u; k < GK_U32(GK_N_Y); ++k) yat[k] = p.base[GK_U32(GK_FIRST_Y) + k];
