// SPDX-License-Identifier: Apache-2.0
// y = 0.
//@group 128
//@out y
//@params count
//@body
if (GK_ELEMENT < GK_CODE(P_count)) ST_y(B_y + GK_ELEMENT, TO_y(0));
