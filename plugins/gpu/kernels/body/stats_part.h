// SPDX-License-Identifier: Apache-2.0
// What `per` elements of x hold, a group a part of 8 numbers: NaN, infinities, zeros, finite ones, least, greatest,
// mean, squares about it. x comes by its width; kind says what it is: 0 unsigned, 1 signed, 2 f16, 3 bf16, 4 f32 or
// f64; shift: 32 less the bits of a small signed one.
//@group 128
//@in x
//@out parts
//@shared nans uint GK_GROUP_SIZE
//@shared infinities uint GK_GROUP_SIZE
//@shared zeros uint GK_GROUP_SIZE
//@shared numbers uint GK_GROUP_SIZE
//@shared lows double GK_GROUP_SIZE
//@shared highs double GK_GROUP_SIZE
//@shared means double GK_GROUP_SIZE
//@shared squares double GK_GROUP_SIZE
//@params count per kind shift rank dims[8] xs[8]
//@body
uint part = p.first + GK_GROUP_X;
uint begin = part * GK_CODE(P_per);
uint end = begin + GK_CODE(P_per);
end = end < GK_CODE(P_count) ? end : GK_CODE(P_count);
uint kind = GK_CODE(P_kind);
uint nan = 0u;
uint infinite = 0u;
uint zero = 0u;
uint number = 0u;
double low = GK_F64(GK_INF);
double high = -low;
GK_PRECISE double mean = GK_F64(0);
GK_PRECISE double square = GK_F64(0);
for (uint i = begin + GK_LANE; i < end; i += GK_U32(GK_GROUP_SIZE)) {
  uint rest = i;
  uint x_at = B_x;
  GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs))
  T_x raw = LD_x(x_at);
#if defined(GK_WIDE)
  double v = kind == 4u ? gk_double(raw) : (kind == 1u ? GK_F64(GK_I64(raw)) : GK_F64(raw));
#else
  uint shift = GK_CODE(P_shift);
  double v = GK_F64(raw);
  if (kind == 1u) v = GK_F64(GK_I32(raw << shift) >> shift);
  if (kind == 2u) v = GK_F64(gk_f16_float(raw));
  if (kind == 3u) v = GK_F64(gk_bf16_float(raw));
  if (kind == 4u) v = GK_F64(gk_float(raw));
#endif
  if (!(v == v)) {
    ++nan;
  } else if (!(gk_fabs(v) < GK_F64(GK_INF))) {
    ++infinite;
  } else {
    if (v == GK_F64(0)) ++zero;
    ++number;
    low = v < low ? v : low;
    high = v > high ? v : high;
    GK_PRECISE double share = GK_F64(1) / GK_F64(number);
    GK_PRECISE double gap = v - mean;
    mean = mean * (GK_F64(1) - share) + v * share;
    GK_PRECISE double rest_gap = v - mean;
    square = square + gap * rest_gap;
  }
}
//@include stats_join.h
if (GK_LANE == 0u) {
  uint to = B_parts + 8u * part;
  ST_parts(to, GK_F64(nans[0]));
  ST_parts(to + 1u, GK_F64(infinities[0]));
  ST_parts(to + 2u, GK_F64(zeros[0]));
  ST_parts(to + 3u, GK_F64(numbers[0]));
  ST_parts(to + 4u, lows[0]);
  ST_parts(to + 5u, highs[0]);
  ST_parts(to + 6u, means[0]);
  ST_parts(to + 7u, squares[0]);
}
