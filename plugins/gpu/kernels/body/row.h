// SPDX-License-Identifier: Apache-2.0
// A row of elements for `width` lanes beside each other, a power of two. Joins what each lane has in `own` by a
// tree; then all of them have the whole of the row in `own`. GK_JOIN(a, b) is the operation.
joined[GK_LANE] = own;
for (uint half_width = width / 2u; half_width > 0u; half_width = half_width / 2u) {
  GK_BARRIER();
  if (lane < half_width) joined[GK_LANE] = GK_JOIN(joined[GK_LANE], joined[GK_LANE + half_width]);
}
GK_BARRIER();
own = joined[GK_LANE - lane];
GK_BARRIER();
