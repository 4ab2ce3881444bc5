// SPDX-License-Identifier: Apache-2.0
// Adds to the low word of each count of y how many elements of x fall into its bin, `each` elements a lane. The few
// bins of most histograms are counted in shared memory first. Sums of integers are the same in any order.
//@group 128
//@in x low high
//@rw y
//@shared held uint 1024
//@faults
//@params n each bins ystep sign rank dims[8] xs[8]
//@body
uint bins = GK_CODE(P_bins);
bool shared_bins = bins <= 1024u;
for (uint b = GK_LANE; b < 1024u; b += GK_U32(GK_GROUP_SIZE)) held[b] = 0u;
GK_BARRIER();
T_x low_x = LD_low(B_low);
T_x high_x = LD_high(B_high);
GK_PRECISE double low_end = GK_NUMBER(low_x);
GK_PRECISE double high_end = GK_NUMBER(high_x);
double most = GK_F64(bins);
bool sound = gk_fabs(low_end) < GK_F64(GK_INF) && gk_fabs(high_end) < GK_F64(GK_INF) && low_end < high_end;
uint first = (p.first + GK_GROUP_X) * GK_U32(GK_GROUP_SIZE) * GK_CODE(P_each) + GK_LANE;
for (uint k = 0u; k < GK_CODE(P_each) && sound; ++k) {
  uint element = first + k * GK_U32(GK_GROUP_SIZE);
  if (element < GK_CODE(P_n)) {
    uint rest = element;
    uint x_at = B_x;
    GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs))
    T_x x_v = LD_x(x_at);
    GK_PRECISE double v = GK_NUMBER(x_v);
    if (v >= low_end && v <= high_end) {
      GK_PRECISE double above = v - low_end;
      GK_PRECISE double scaled = above * most;
      GK_PRECISE double range = high_end - low_end;
      GK_PRECISE double place = floor(scaled / range);
      uint bin = place < most ? GK_U32(place) : bins - 1u;
      if (shared_bins) {
        GK_ATOMIC_ADD(held, bin, 1u);
      } else {
        GK_ATOMIC_ADD(y, (B_y + bin * GK_CODE(P_ystep)) * 2u, 1u);
      }
    }
  }
}
GK_BARRIER();
if (shared_bins) {
  for (uint b = GK_LANE; b < bins; b += GK_U32(GK_GROUP_SIZE)) {
    uint count = held[b];
    if (count != 0u) GK_ATOMIC_ADD(y, (B_y + b * GK_CODE(P_ystep)) * 2u, count);
  }
}
if (first == 0u && !sound) GK_FAULT();
