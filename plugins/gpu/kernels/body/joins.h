// SPDX-License-Identifier: Apache-2.0
// How two numbers become one, by OPMUX_SCAN_*: of equal extremes the first stays, and NaN is before all.
uint kind = GK_CODE(P_kind);
#define GK_EXTREME(a, b) \
  (GK_ISNAN(a) || (kind == 3u ? GK_RANK(a) >= GK_RANK(b) : GK_RANK(a) <= GK_RANK(b)) ? (a) : (b))
#define GK_JOIN(a, b) (kind == 1u ? (a) + (b) : (kind == 2u ? (a) * (b) : GK_EXTREME(a, b)))
