// SPDX-License-Identifier: Apache-2.0
// Zeros for the counts, two words each.
//@group 128
//@out y
//@params bins ystep
//@body
uint b = GK_ELEMENT;
if (b < GK_CODE(P_bins)) ST_y(B_y + b * GK_CODE(P_ystep), GK_PAIR_OF(0u, 0u));
