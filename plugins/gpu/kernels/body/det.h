// SPDX-License-Identifier: Apache-2.0
// y = the determinant of an n x n matrix by elimination with row pivoting; a group a matrix, of which it makes a
// copy. The product of the pivots is kept as a factor and a power of two, so that it neither overflows nor
// underflows on its way. Pivots follow on each other; the lanes share the search and the elimination of each.
//@group 128
//@in x
//@out y
//@rw copy
//@type sum
//@shared best T_sum GK_GROUP_SIZE
//@shared place uint GK_GROUP_SIZE
//@params n rank dims[8] xs[8] ys[8] row col
//@body
// m, which is finite and not 0, becomes a number in [1, 2) with its sign, and e grows by its exponent.
#if defined(GK_WIDE)
#define GK_MOST_EXPONENT 1023
#define GK_POWER_OF_TWO(e) gk_double(GK_U64(GK_U32((e) + 1023)) << 52u)
#define GK_SPLIT(m, e)                                                         \
  {                                                                            \
    if (gk_fabs(m) < GK_POWER_OF_TWO(-1022)) {                                 \
      m = m * GK_POWER_OF_TWO(54);                                             \
      e -= 54;                                                                 \
    }                                                                          \
    gk_ulong bits = gk_bits64(m);                                              \
    int own = GK_I32(GK_U32(bits >> 52u) & 2047u) - 1023;                      \
    e += own;                                                                  \
    gk_ulong one = GK_U64(1) << 52u;                                           \
    m = gk_double((bits & ((one - GK_U64(1)) | (GK_U64(1) << 63u))) | (GK_U64(1023) << 52u)); \
  }
#else
#define GK_MOST_EXPONENT 127
#define GK_POWER_OF_TWO(e) gk_float(GK_U32((e) + 127) << 23u)
#define GK_SPLIT(m, e)                                                         \
  {                                                                            \
    if (gk_fabs(m) < GK_POWER_OF_TWO(-126)) {                                  \
      m = m * GK_POWER_OF_TWO(24);                                             \
      e -= 24;                                                                 \
    }                                                                          \
    uint bits = gk_bits(m);                                                    \
    e += GK_I32((bits >> 23u) & 255u) - 127;                                   \
    m = gk_float((bits & 0x807fffffu) | 0x3f800000u);                          \
  }
#endif
#define GK_COPY(i, j) copy[copy_at + (i) * n + (j)]
uint lane = GK_LANE;
uint width = GK_U32(GK_GROUP_SIZE);
uint n = GK_CODE(P_n);
uint matrix = p.first + GK_GROUP_X;
uint rest = matrix;
uint x_at = B_x;
uint y_at = B_y;
uint copy_at = B_copy + matrix * n * n;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys))
uint faulty = 0u;
for (uint e = lane; e < n * n; e += width) {
  T_sum v = TO_sum(LD_x(x_at + e / n * GK_CODE(P_row) + e % n * GK_CODE(P_col)));
  if (!(gk_fabs(v) < TO_sum(GK_INF))) faulty = 1u;
  copy[copy_at + e] = v;
}
place[lane] = faulty;
for (uint half_width = width / 2u; half_width > 0u; half_width = half_width / 2u) {
  GK_BARRIER();
  if (lane < half_width) place[lane] = place[lane] | place[lane + half_width];
}
GK_BARRIER_BUFFERS();
bool finite = place[0] == 0u;
GK_BARRIER();
T_sum factor = TO_sum(1);
int power = 0;
bool going = finite;
for (uint k = 0u; going && k < n; ++k) {
  T_sum own = -TO_sum(1);
  uint own_row = k;
  for (uint i = k + lane; i < n; i += width) {
    T_sum size = gk_fabs(GK_COPY(i, k));
    if (size > own) {
      own = size;
      own_row = i;
    }
  }
  best[lane] = own;
  place[lane] = own_row;
  for (uint half_width = width / 2u; half_width > 0u; half_width = half_width / 2u) {
    GK_BARRIER();
    if (lane < half_width) {
      T_sum v = best[lane + half_width];
      uint i = place[lane + half_width];
      if (v > best[lane] || (v == best[lane] && i < place[lane])) {
        best[lane] = v;
        place[lane] = i;
      }
    }
  }
  GK_BARRIER();
  uint pivot = place[0];
  T_sum top = GK_COPY(pivot, k);
  GK_BARRIER_BUFFERS();
  if (top == TO_sum(0) || !(gk_fabs(top) < TO_sum(GK_INF))) {
    factor = top;
    going = false;
  } else {
    T_sum share = top;
    GK_SPLIT(share, power)
    factor = factor * (pivot != k ? -share : share);
    GK_SPLIT(factor, power)
    for (uint j = k + lane; pivot != k && j < n; j += width) {
      T_sum upper = GK_COPY(k, j);
      GK_COPY(k, j) = GK_COPY(pivot, j);
      GK_COPY(pivot, j) = upper;
    }
  }
  GK_BARRIER_BUFFERS();
  uint left = n - k - 1u;
  for (uint e = lane; going && e < left * left; e += width) {
    uint i = k + 1u + e / left;
    uint j = k + 1u + e % left;
    T_sum ratio = GK_COPY(i, k) / top;
    GK_COPY(i, j) = GK_COPY(i, j) - ratio * GK_COPY(k, j);
  }
  GK_BARRIER_BUFFERS();
}
if (lane == 0u) {
  T_sum value = TO_sum(GK_NAN);
  if (finite) {
    int most = GK_MOST_EXPONENT;
    int first = power > most ? most : (power < 1 - most ? 1 - most : power);
    int second = power - first;
    second = second > most ? most : (second < 1 - most ? 1 - most : second);
    value = factor * GK_POWER_OF_TWO(first);
    value = value * GK_POWER_OF_TWO(second);
  }
  ST_y(y_at, value);
}
