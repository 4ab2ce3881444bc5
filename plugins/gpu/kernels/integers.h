// SPDX-License-Identifier: Apache-2.0
// Integer functions by sign and magnitude: what the languages do with negative operands of / and % differs.
// T the signed type, U the unsigned one of its width, t and u the suffixes of their functions.
#define GK_INTEGERS(T, U, TO_T, TO_U, t, u)                                          \
  GK_FN U gk_div_##u(U a, U b) { return b == TO_U(0) ? TO_U(0) : a / b; }            \
  GK_FN U gk_rem_##u(U a, U b) { return b == TO_U(0) ? TO_U(0) : a % b; }            \
  GK_FN U gk_pow_##u(U a, U b) {                                                     \
    U r = TO_U(1);                                                                   \
    for (; b != TO_U(0); b = b >> 1u) {                                              \
      if ((b & TO_U(1)) != TO_U(0)) r = r * a;                                       \
      a = a * a;                                                                     \
    }                                                                                \
    return r;                                                                        \
  }                                                                                  \
  GK_FN U gk_size_##t(T a) { return a < TO_T(0) ? TO_U(0) - TO_U(a) : TO_U(a); }     \
  GK_FN T gk_div_##t(T a, T b) {                                                     \
    U q = gk_div_##u(gk_size_##t(a), gk_size_##t(b));                                \
    return TO_T((a < TO_T(0)) != (b < TO_T(0)) ? TO_U(0) - q : q);                   \
  }                                                                                  \
  GK_FN T gk_rem_##t(T a, T b) {                                                     \
    U r = gk_rem_##u(gk_size_##t(a), gk_size_##t(b));                                \
    return TO_T(a < TO_T(0) ? TO_U(0) - r : r);                                      \
  }                                                                                  \
  GK_FN T gk_mod_##t(T a, T b) {                                                     \
    T r = gk_rem_##t(a, b);                                                          \
    return r != TO_T(0) && (r < TO_T(0)) != (b < TO_T(0)) ? r + b : r;               \
  }                                                                                  \
  GK_FN T gk_pow_##t(T a, T b) {                                                     \
    if (b >= TO_T(0)) return TO_T(gk_pow_##u(TO_U(a), TO_U(b)));                     \
    if (a == TO_T(1)) return a;                                                      \
    return a == TO_T(-1) ? ((TO_U(b) & TO_U(1)) != TO_U(0) ? a : TO_T(1)) : TO_T(0); \
  }
GK_INTEGERS(int, uint, GK_I32, GK_U32, i, u)
