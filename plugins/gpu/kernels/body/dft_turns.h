// SPDX-License-Identifier: Apache-2.0
// Tables of a transform: turns[k] = exp(-2 pi i k / size) for all k < size, and behind them, where there is a
// convolution with a chirp (Bluestein 1970), exp(-pi i k^2 / n) for k < n. Pairs of real and imaginary part.
//@group 128
//@out turns
//@type work
//@params size n
//@use turn.h
//@body
uint e = GK_ELEMENT;
uint size = GK_CODE(P_size);
uint n = GK_CODE(P_n);
if (e < size + n) {
  uint k = e;
  uint of = size;
  if (e >= size) {
    // k^2 modulo 2 n, bit by bit.
    of = 2u * n;
    uint square = 0u;
    uint power = e - size;
    for (uint bits = power; bits != 0u; bits = bits >> 1u) {
      if ((bits & 1u) != 0u) square = (square + power) % of;
      power = 2u * power % of;
    }
    k = square;
  }
  T_work cosine = TO_work(0);
  T_work sine = TO_work(0);
  GK_TURN(cosine, sine, k, of)
  ST_turns(B_turns + 2u * e, cosine);
  ST_turns(B_turns + 2u * e + 1u, -sine);
}
