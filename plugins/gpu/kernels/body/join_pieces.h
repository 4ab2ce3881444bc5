// SPDX-License-Identifier: Apache-2.0
// Joins what `width` lanes, a power of two, have in `own` in the order of the lanes; the first has the whole then.
joined[GK_LANE] = own;
for (uint span = 1u; span < width; span = span * 2u) {
  GK_BARRIER();
  if (lane % (span * 2u) == 0u) {
    T_sum other = joined[GK_LANE + span];
    own = GK_JOIN(own, other);
    joined[GK_LANE] = own;
  }
}
