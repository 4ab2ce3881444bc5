// SPDX-License-Identifier: Apache-2.0
// The signals of a transform, each `size` pairs in a row of y: elements of x, completed by the conjugates of a
// half, then 0. An inverse is a transform with the parts exchanged. What is not finite becomes NaN in both parts
// and with it the whole transform, for every result has a term of it. With a chirp (n_chirp > 0) the signals are
// multiplied by it, and one row more holds the conjugate chirp, which the convolution is with.
//@group 128
//@in x turns
//@out y
//@type work
//@params count rows size n given half inverse parts part_step step n_chirp rank dims[8] xs[8]
//@body
uint e = GK_ELEMENT;
if (e < GK_CODE(P_count)) {
  uint size = GK_CODE(P_size);
  uint n = GK_CODE(P_n);
  uint j = e % size;
  uint row = e / size;
  T_work re = TO_work(0);
  T_work im = TO_work(0);
  if (row >= GK_CODE(P_rows)) {
    uint k = j < n ? j : (size - j < n ? size - j : n);
    if (k < n) {
      re = LD_turns(B_turns + 2u * (size + k));
      im = -LD_turns(B_turns + 2u * (size + k) + 1u);
    }
  } else if (j < n) {
    uint x_at = B_x;
    GK_WALK(row, P_rank, P_dims, GK_STEP(x_at, P_xs))
    bool half_given = GK_CODE(P_half) != 0u;
    bool mirrored = half_given && 2u * j > n;
    uint from = mirrored ? n - j : j;
    if (from < GK_CODE(P_given)) {
      x_at += from * GK_CODE(P_step);
      re = TO_work(LD_x(x_at));
      if (GK_CODE(P_parts) == 2u && !(half_given && (from == 0u || 2u * from == n)))
        im = TO_work(LD_x(x_at + GK_CODE(P_part_step)));
      if (mirrored) im = -im;
      if (!(gk_fabs(re) < TO_work(GK_INF) && gk_fabs(im) < TO_work(GK_INF))) {
        re = TO_work(GK_NAN);
        im = re;
      }
    }
    if (GK_CODE(P_inverse) != 0u) {
      T_work other = re;
      re = im;
      im = other;
    }
    if (GK_CODE(P_n_chirp) != 0u) {
      T_work c = LD_turns(B_turns + 2u * (size + j));
      T_work s = LD_turns(B_turns + 2u * (size + j) + 1u);
      T_work turned = re * c - im * s;
      im = re * s + im * c;
      re = turned;
    }
  }
  ST_y(B_y + 2u * e, re);
  ST_y(B_y + 2u * e + 1u, im);
}
