// SPDX-License-Identifier: Apache-2.0
// y = x with updates joined in at coordinates that index holds, in their order: a lane an element of y finds its
// updates, so that no two lanes meet and the order is kept. Where scatter_link has made lists, it takes them from
// its list, the least number first (with `last` the greatest only); else, and where a list is so long that it
// costs less, it looks at all updates of its line. A number out of range is reported.
//@group 128
//@in x index updates heads next
//@out y
//@type sum
//@faults
//@params rank dims[8] limits[8] xs[8] ys[8] is[8] us[8] orders orank odims[8] ois[8] ous[8]
//@params count step cdim[8] caxis[8] linked last hs[8] odiv reduction
//@body
uint rest = GK_ELEMENT;
uint x_at = B_x;
uint y_at = B_y;
uint i_line = B_index;
uint u_line = B_updates;
uint h_at = B_heads;
uint place[8];
bool reached = true;
uint join = GK_CODE(P_reduction);
GK_WALK(rest, P_rank, P_dims, {
  place[gk_axis] = gk_i;
  if (gk_i >= GK_CODE(GK_U32(P_limits) + gk_axis)) reached = false;
  GK_STEP(x_at, P_xs) GK_STEP(y_at, P_ys) GK_STEP(i_line, P_is) GK_STEP(u_line, P_us) GK_STEP(h_at, P_hs)
})
if (rest == 0u) {
  T_sum own = TO_sum(LD_x(x_at));
  uint orders = reached ? GK_CODE(P_orders) : 0u;
  uint head = GK_CODE(P_linked) != 0u ? heads[h_at] : 0u;
  uint turns = 0u;
  for (uint e = head; e != 0u && turns * turns <= orders; e = next[B_next + e - 1u]) ++turns;
  if (GK_CODE(P_last) != 0u && turns > 0u) turns = 1u;
  if (GK_CODE(P_linked) != 0u && turns * turns <= orders) orders = 0u;
  uint done = 0u;
  for (uint t = 0u; t < turns && orders == 0u; ++t) {
    uint found = 0u;
    for (uint e = head; e != 0u; e = next[B_next + e - 1u]) {
      bool before = GK_CODE(P_last) != 0u ? e > found : e > done && (found == 0u || e < found);
      if (before) found = e;
    }
    done = found;
    uint order = (found - 1u) / GK_CODE(P_odiv) % GK_CODE(P_orders);
    uint u_at = u_line;
    GK_WALK(order, P_orank, P_odims, GK_STEP(u_at, P_ous))
    T_sum update = TO_sum(LD_updates(u_at));
    own = GK_JOINED(own, update);
  }
  for (uint o = 0u; o < orders; ++o) {
    uint order = o;
    uint i_at = i_line;
    uint u_at = u_line;
    GK_WALK(order, P_orank, P_odims, GK_STEP(i_at, P_ois) GK_STEP(u_at, P_ous))
    bool mine = true;
    for (uint k = 0u; k < GK_CODE(P_count); ++k) {
      T_index v = LD_index(i_at + k * GK_CODE(P_step));
      T_index n = TO_index(GK_CODE(GK_U32(P_cdim) + k));
      if (v < TO_index(0)) v = v + n;
      if (v < TO_index(0) || v >= n) {
        GK_FAULT();
        mine = false;
      } else if (GK_U32(v) != place[GK_CODE(GK_U32(P_caxis) + k)]) {
        mine = false;
      }
    }
    if (mine) {
      T_sum update = TO_sum(LD_updates(u_at));
      own = GK_JOINED(own, update);
    }
  }
  ST_y(y_at, TO_y(own));
}
