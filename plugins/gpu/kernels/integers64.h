// SPDX-License-Identifier: Apache-2.0
GK_INTEGERS(gk_long, gk_ulong, GK_I64, GK_U64, l, m)
