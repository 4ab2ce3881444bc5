// SPDX-License-Identifier: Apache-2.0
// Weights of the elements around place_of into the table, from the first that has one on; taken: how many.
bool exclude = GK_CODE(P_exclude) != 0u;
double a = GK_F64(gk_float(GK_CODE(P_cubic)));
double shrink = antialias && zoom < one ? zoom : one;
GK_PRECISE double reach = GK_F64(mode - 1u) / shrink;
double at = gk_between(place_of, -reach - GK_F64(2), last + reach + GK_F64(2));
GK_PRECISE double low = floor(at - reach);
GK_PRECISE double high = ceil(at + reach);
uint to = GK_CODE(GK_U32(P_weights) + k) + o * GK_CODE(GK_U32(P_most) + k);
GK_PRECISE double sum = GK_F64(0);
// Twice: for the sum, then for the weights. Those of one element come one after the other; leading
// elements without a weight are left out.
for (uint pass = 0u; pass < 2u; ++pass) {
  double own = -one;
  GK_PRECISE double together = GK_F64(0);
  for (double i = low; i <= high + one; i += one) {
    double element = i > high ? extent : gk_between(i, GK_F64(0), last);
    bool counts = i <= high && !(exclude && (i < GK_F64(0) || i > last));
    if (pass == 1u && element != own) {
      uint n = own < GK_F64(0) ? 0u : GK_U32(own) - first;
      if (taken == 0u && together != GK_F64(0)) {
        first = GK_U32(own);
        n = 0u;
      }
      if ((taken != 0u || together != GK_F64(0)) && n < GK_CODE(GK_U32(P_most) + k)) {
        ST_weight(B_weight + to + n, TO_weight(together / sum));
        if (together != GK_F64(0)) taken = n + 1u;
      }
      together = GK_F64(0);
      own = element;
    }
    if (counts) {
      GK_PRECISE double d = (i - at) * shrink;
      GK_PRECISE double w = one - gk_fabs(d);
      if (w < GK_F64(0)) w = GK_F64(0);
      if (mode == 3u) w = gk_cubic_weight(d, a);
      if (pass == 0u) sum = sum + w;
      together = together + w;
    }
  }
  if (sum == GK_F64(0)) break;
}
