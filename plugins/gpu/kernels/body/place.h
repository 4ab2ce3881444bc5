// SPDX-License-Identifier: Apache-2.0
// Splits `rest` into image n, channel c of `channels` and the position o0, o1, o2 of an output.
uint o2 = rest % GK_CODE(P_out + 2);
rest = rest / GK_CODE(P_out + 2);
uint o1 = rest % GK_CODE(P_out + 1);
rest = rest / GK_CODE(P_out + 1);
uint o0 = rest % GK_CODE(P_out);
rest = rest / GK_CODE(P_out);
uint c = rest % GK_CODE(P_channels);
uint n = rest / GK_CODE(P_channels);
