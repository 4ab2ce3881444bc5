// SPDX-License-Identifier: Apache-2.0
// The scale of each group of `len` elements along an axis of `extent`, `width` lanes a group, and with with_zero its
// zero as a float into a workspace. Every step is one operation of f32. A NaN makes both ends of the range NaN.
//@group 128
//@in x
//@out scale zero
//@type sum
//@shared joined float GK_GROUP_SIZE
//@params brain width len extent rank dims[8] xs[8] gs[8] ss[8] zs[8] step with_zero bottom top
//@use values.h
//@body
uint width = GK_CODE(P_width);
uint lane = GK_LANE % width;
uint rest = GK_ELEMENT / width;
uint x_at = B_x;
uint s_at = B_scale;
uint z_at = B_zero;
uint begin = 0u;
GK_WALK(rest, P_rank, P_dims, GK_STEP(x_at, P_xs) GK_STEP(begin, P_gs) GK_STEP(s_at, P_ss) GK_STEP(z_at, P_zs))
uint len = GK_CODE(P_extent) - begin;
if (len > GK_CODE(P_len)) len = GK_CODE(P_len);
uint mine = rest == 0u ? len : 0u;
float low = 0.0f;
float high = 0.0f;
for (uint i = lane; i < mine; i += width) {
  float v = GK_GET(LD_x(x_at + i * GK_CODE(P_step)));
  low = gk_min(low, v);
  high = gk_max(high, v);
}
float own = low;
#define GK_JOIN(a, b) gk_min(a, b)
//@include row.h
#undef GK_JOIN
low = own;
own = high;
#define GK_JOIN(a, b) gk_max(a, b)
//@include row.h
high = own;
bool with_zero = GK_CODE(P_with_zero) != 0u;
float bottom = gk_float(GK_CODE(P_bottom));
float top = gk_float(GK_CODE(P_top));
GK_PRECISE float span = with_zero ? high - low : gk_max(-low, high);
GK_PRECISE float scale_of = span / (with_zero ? top - bottom : top);
if (span == 0.0f) scale_of = 1.0f;
GK_PRECISE float shift = low / scale_of;
GK_PRECISE float at = gk_rint(bottom - shift);
if (rest == 0u && lane == 0u) {
  ST_scale(s_at, scale_of);
  if (with_zero) ST_zero(z_at, gk_isnan(at) ? 0.0f : (at < bottom ? bottom : (at > top ? top : at)));
}
