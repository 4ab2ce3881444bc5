// SPDX-License-Identifier: Apache-2.0
// y = what the stages made of its signals: scaled and with its parts exchanged back for an inverse; with a chirp,
// the convolution's parts exchanged back and multiplied by it.
//@group 128
//@in x turns
//@out y
//@type work
//@params count size n made inverse parts part_step step n_chirp rank dims[8] ys[8]
//@body
uint e = GK_ELEMENT;
if (e < GK_CODE(P_count)) {
  uint size = GK_CODE(P_size);
  uint made = GK_CODE(P_made);
  uint k = e % made;
  uint row = e / made;
  uint y_at = B_y + k * GK_CODE(P_step);
  uint at = B_x + 2u * (row * size + k);
  T_work re = LD_x(at);
  T_work im = LD_x(at + 1u);
  if (GK_CODE(P_n_chirp) != 0u) {
    T_work c = LD_turns(B_turns + 2u * (size + k));
    T_work s = LD_turns(B_turns + 2u * (size + k) + 1u);
    T_work turned = im * c - re * s;
    im = im * s + re * c;
    re = turned;
  }
  if (GK_CODE(P_inverse) != 0u) {
    T_work other = re;
    re = im / TO_work(GK_CODE(P_n));
    im = other / TO_work(GK_CODE(P_n));
  }
  GK_WALK(row, P_rank, P_dims, GK_STEP(y_at, P_ys))
  ST_y(y_at, TO_y(re));
  if (GK_CODE(P_parts) == 2u) ST_y(y_at + GK_CODE(P_part_step), TO_y(im));
}
