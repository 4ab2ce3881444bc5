// SPDX-License-Identifier: Apache-2.0
// Row x[n] of a head into its slot of the pages, rounded as `format` says: a group a row of a head. Of several rows
// for one slot the last stays: a row looks for its slot among those behind it. With find_scale the row's own scale
// comes first, its greatest finite value over `greatest`.
//@group 64
//@in x slots scale
//@out pages new_scale
//@type sum
//@shared joined float GK_GROUP_SIZE
//@faults
//@params brain format heads width_x rows words step page limit scaled find_scale whole greatest xs[3] ps[4] ss[3] ns[3]
//@use values.h codes.h
//@body
#define GK_JOIN(a, b) ((a) > (b) ? (a) : (b))
uint width = GK_U32(GK_GROUP_SIZE);
uint lane = GK_LANE;
uint row = p.first + GK_GROUP_X;
uint h = row % GK_CODE(P_heads);
uint n = row / GK_CODE(P_heads);
uint words = GK_CODE(P_words);
uint step = GK_CODE(P_step);
uint slot = GK_LOW(LD_slots, B_slots, n * step, words);
uint slot_high = GK_HIGH(LD_slots, B_slots, n * step, words);
bool left_out = slot == 0xffffffffu && slot_high == 0xffffffffu;
bool inside = slot_high == 0u && slot < GK_CODE(P_limit);
float own = 0.0f;
for (uint m = n + 1u + lane; m < GK_CODE(P_rows); m += width) {
  if (GK_LOW(LD_slots, B_slots, m * step, words) == slot) own = 1.0f;
}
//@include row.h
bool stays = inside && own == 0.0f;
uint x_at = B_x + n * GK_CODE(P_xs) + h * GK_CODE(P_xs + 1);
uint x_step = GK_CODE(P_xs + 2);
uint elements = GK_CODE(P_width_x);
own = 0.0f;
for (uint e = lane; e < elements; e += width) {
  float v = gk_fabs(GK_GET(LD_x(x_at + e * x_step)));
  if (v < GK_INF) own = GK_JOIN(own, v);
}
//@include row.h
uint number = slot / GK_CODE(P_page);
uint of_page = slot % GK_CODE(P_page);
bool find = GK_CODE(P_find_scale) != 0u;
uint format = GK_CODE(P_format);
if (stays) {
  float by = 1.0f;
  if (find) {
    if (GK_CODE(P_greatest) != 0u) by = own / gk_float(GK_CODE(P_greatest));
  } else if (GK_CODE(P_scaled) != 0u) {
    by = LD_scale(B_scale + number * GK_CODE(P_ss) + of_page * GK_CODE(P_ss + 1) + h * GK_CODE(P_ss + 2));
  }
  uint p_at = B_pages + number * GK_CODE(P_ps) + of_page * GK_CODE(P_ps + 1) + h * GK_CODE(P_ps + 2);
  for (uint e = lane; e < elements; e += width) {
    float v = GK_GET(LD_x(x_at + e * x_step));
    if (find || GK_CODE(P_scaled) != 0u) v = v / by;
    if (by == 0.0f) v = 0.0f;
    if (GK_CODE(P_whole) != 0u && !gk_isnan(v)) v = gk_rint(v < -128.0f ? -128.0f : (v > 127.0f ? 127.0f : v));
    ST_pages(p_at + e * GK_CODE(P_ps + 3), gk_encode(v, format));
  }
  if (find && lane == 0u)
    ST_new_scale(B_new_scale + number * GK_CODE(P_ns) + of_page * GK_CODE(P_ns + 1) + h * GK_CODE(P_ns + 2), by);
} else if (!inside && !left_out) {
  GK_FAULT();
}
