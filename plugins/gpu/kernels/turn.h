// SPDX-License-Identifier: Apache-2.0
// exp(2 pi i a / b) for a < b < 2^28: the angle is brought within an eighth of a turn by whole numbers, where
// the Taylor series end below half a unit in the last place of T_work (GK_TURN_TERMS of them: 6 for f32, 9
// for f64). cosine and sine are variables of that type.
#define GK_TURN(cosine, sine, a, b)                                                                     \
  {                                                                                                     \
    uint eighths = (a) * 8u;                                                                            \
    uint quarter = (eighths / (b) + 1u) / 2u;                                                           \
    T_work angle = TO_work(GK_I32(eighths) - GK_I32(2u * quarter * (b))) * GK_EIGHTH_TURN / TO_work(b); \
    T_work square = angle * angle;                                                                      \
    GK_PRECISE T_work even = TO_work(1);                                                                \
    GK_PRECISE T_work odd = TO_work(1);                                                                 \
    for (int term = GK_TURN_TERMS; term > 0; --term) {                                                  \
      even = TO_work(1) - square * even / TO_work((2 * term - 1) * (2 * term));                         \
      odd = TO_work(1) - square * odd / TO_work((2 * term) * (2 * term + 1));                           \
    }                                                                                                   \
    odd = odd * angle;                                                                                  \
    cosine = (quarter & 1u) != 0u ? odd : even;                                                         \
    sine = (quarter & 1u) != 0u ? even : odd;                                                           \
    if (((quarter + 1u) & 2u) != 0u) cosine = -cosine;                                                  \
    if ((quarter & 2u) != 0u) sine = -sine;                                                             \
  }
