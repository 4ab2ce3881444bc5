// SPDX-License-Identifier: Apache-2.0
// Joins what the lanes of a group know, by a tree, in lane 0: counts of NaN, infinities, zeros and finite numbers,
// bounds, means and squares about them (Chan, Golub and LeVeque 1979; shares instead of sums, which stay in range).
nans[GK_LANE] = nan;
infinities[GK_LANE] = infinite;
zeros[GK_LANE] = zero;
numbers[GK_LANE] = number;
lows[GK_LANE] = low;
highs[GK_LANE] = high;
means[GK_LANE] = mean;
squares[GK_LANE] = square;
for (uint half_width = GK_U32(GK_GROUP_SIZE) / 2u; half_width > 0u; half_width = half_width / 2u) {
  GK_BARRIER();
  if (GK_LANE < half_width) {
    uint other = GK_LANE + half_width;
    nans[GK_LANE] = nans[GK_LANE] + nans[other];
    infinities[GK_LANE] = infinities[GK_LANE] + infinities[other];
    zeros[GK_LANE] = zeros[GK_LANE] + zeros[other];
    lows[GK_LANE] = lows[other] < lows[GK_LANE] ? lows[other] : lows[GK_LANE];
    highs[GK_LANE] = highs[other] > highs[GK_LANE] ? highs[other] : highs[GK_LANE];
    if (numbers[other] > 0u) {
      uint all = numbers[GK_LANE] + numbers[other];
      GK_PRECISE double share = GK_F64(numbers[other]) / GK_F64(all);
      GK_PRECISE double gap = means[other] - means[GK_LANE];
      GK_PRECISE double moved = means[GK_LANE] * (GK_F64(1) - share) + means[other] * share;
      GK_PRECISE double apart = gap * gap * share * GK_F64(numbers[GK_LANE]);
      if (numbers[GK_LANE] == 0u) {
        moved = means[other];
        apart = GK_F64(0);
      }
      squares[GK_LANE] = squares[GK_LANE] + squares[other] + apart;
      means[GK_LANE] = moved;
      numbers[GK_LANE] = all;
    }
  }
}
