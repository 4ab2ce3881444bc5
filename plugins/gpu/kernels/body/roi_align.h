// SPDX-License-Identifier: Apache-2.0
// y = regions of images pooled into bins; a lane a bin of GK_CHANNELS channels, which share their points. The
// first lanes also check a region each: an image out of range, a corner beyond 2^31 and too many points are
// reported, and such a region takes nothing.
//@group 64
//@in x roi image
//@out y
//@type sum
//@faults
//@params count regions channels all_channels kind half_pixel samples scale in[3] out[3] xs[5] ys[5] rs[2] image_step
//@use resample.h window.h
//@body
#define GK_CHANNELS 4
#define GK_CORNER(r, i) (GK_F64(LD_roi(B_roi + (r) * GK_CODE(P_rs) + (i) * GK_CODE(P_rs + 1))) * zoom)
// Start and extent of a side, and its points in a bin; axis 0: y, 1: x.
#define GK_SIDE(r, axis, start, extent, points)                                          \
  GK_PRECISE double start = GK_CORNER(r, 1u - (axis)) - shift;                           \
  GK_PRECISE double extent = GK_CORNER(r, 3u - (axis)) - shift;                          \
  extent = extent - start;                                                               \
  if (!half_pixel && extent < GK_F64(1)) extent = GK_F64(1);                             \
  GK_PRECISE double points = ceil(extent / GK_F64(GK_CODE(P_out + 1 + axis)));           \
  if (points < GK_F64(0)) points = GK_F64(0);                                            \
  if (GK_CODE(P_samples) != 0u) points = GK_F64(GK_CODE(P_samples));
#define GK_SOUND(sound, r)                                                               \
  bool sound = true;                                                                     \
  for (uint i = 0u; i < 4u; ++i) {                                                       \
    double v = GK_CORNER(r, i);                                                          \
    if (!(gk_fabs(v) <= GK_F64(2147483648.0f))) sound = false;                           \
  }                                                                                      \
  T_image number_##sound = LD_image(B_image + (r) * GK_CODE(P_image_step));              \
  if (number_##sound < TO_image(0) || number_##sound >= TO_image(GK_CODE(P_in))) sound = false; \
  if (sound && GK_CODE(P_kind) != 3u) {                                                  \
    GK_SIDE(r, 0u, top, height, down)                                                    \
    GK_SIDE(r, 1u, left, width, across)                                                  \
    if (down * across > GK_F64(1048576.0f)) sound = false;                               \
  }
// Rows or columns [begin, end) of a bin of max_bins, halves of corners away from 0.
#define GK_RANGE(begin, end, axis, bin)                                                  \
  uint begin;                                                                            \
  uint end;                                                                              \
  {                                                                                      \
    double from = GK_CORNER(n, 1u - (axis));                                             \
    double to = GK_CORNER(n, 3u - (axis));                                               \
    GK_PRECISE double from_part = from - trunc(from);                                    \
    GK_PRECISE double to_part = to - trunc(to);                                          \
    gk_long first = GK_I64(trunc(from)) + GK_I64(from_part >= GK_HALF ? 1 : (from_part <= -GK_HALF ? -1 : 0)); \
    gk_long last = GK_I64(trunc(to)) + GK_I64(to_part >= GK_HALF ? 1 : (to_part <= -GK_HALF ? -1 : 0)); \
    gk_long extent = last - first + GK_I64(1);                                           \
    if (extent < GK_I64(1)) extent = GK_I64(1);                                          \
    gk_long bins = GK_I64(GK_CODE(P_out + 1 + axis));                                    \
    gk_long most = GK_I64(GK_CODE(P_in + 1 + axis));                                     \
    gk_long a = first + GK_I64(bin) * extent / bins;                                     \
    gk_long b = first + (GK_I64((bin) + 1u) * extent + bins - GK_I64(1)) / bins;         \
    begin = GK_U32(a < GK_I64(0) ? GK_I64(0) : (a > most ? most : a));                   \
    end = GK_U32(b < GK_I64(0) ? GK_I64(0) : (b > most ? most : b));                     \
  }
// Both neighbours of a point and the weight of the upper one; inside becomes false where there are none.
#define GK_NEIGHBOURS(low, high, part, axis, start, extent, points, bin, point)          \
  uint low = 0u;                                                                         \
  uint high = 0u;                                                                        \
  GK_PRECISE double part = GK_F64(0);                                                    \
  {                                                                                      \
    GK_PRECISE double size = extent / GK_F64(GK_CODE(P_out + 1 + axis));                 \
    GK_PRECISE double v = start + GK_F64(bin) * size;                                    \
    GK_PRECISE double within = (GK_F64(point) + GK_HALF) * size / points;                \
    v = v + within;                                                                      \
    uint all = GK_CODE(P_in + 1 + axis);                                                 \
    if (!(v >= -GK_F64(1) && v <= GK_F64(all)) || all == 0u) {                           \
      inside = false;                                                                    \
    } else {                                                                             \
      if (v < GK_F64(0)) v = GK_F64(0);                                                  \
      low = GK_U32(v);                                                                   \
      high = low + 1u;                                                                   \
      part = v - GK_F64(low);                                                            \
      if (low + 1u >= all) {                                                             \
        low = all - 1u;                                                                  \
        high = low;                                                                      \
        part = GK_F64(0);                                                                \
      }                                                                                  \
    }                                                                                    \
  }
#define GK_TAKE_LARGER(best, v, is_first) \
  if ((is_first) || (!GK_ISNAN(best) && ((v) > best || GK_ISNAN(v)))) best = v;
GK_PRECISE double zoom = GK_F64(gk_float(GK_CODE(P_scale)));
bool half_pixel = GK_CODE(P_half_pixel) != 0u;
double shift = half_pixel ? GK_HALF : GK_F64(0);
uint rest = GK_ELEMENT;
if (rest < GK_CODE(P_regions)) {
  GK_SOUND(known, rest)
  if (!known) {
    GK_FAULT();
  }
}
if (rest < GK_CODE(P_count)) {
  //@include place.h
  uint kind = GK_CODE(P_kind);
  uint channel = c * GK_U32(GK_CHANNELS);
  uint plane[GK_CHANNELS];
  T_sum own[GK_CHANNELS];
  GK_SOUND(sound, n)
  for (uint h = 0u; h < GK_U32(GK_CHANNELS); ++h) {
    own[h] = TO_sum(0);
    uint of = channel + h < GK_CODE(P_all_channels) ? channel + h : channel;
    plane[h] = sound ? B_x + GK_U32(number_sound) * GK_CODE(P_xs) + of * GK_CODE(P_xs + 1) : B_x;
  }
  if (sound && kind == 3u) {
    GK_RANGE(row_begin, row_end, 0, o1)
    GK_RANGE(col_begin, col_end, 1, o2)
    for (uint i = row_begin; i < row_end; ++i) {
      for (uint j = col_begin; j < col_end; ++j) {
        for (uint h = 0u; h < GK_U32(GK_CHANNELS); ++h) {
          T_sum v = TO_sum(LD_x(plane[h] + i * GK_CODE(P_xs + 3) + j * GK_CODE(P_xs + 4)));
          GK_TAKE_LARGER(own[h], v, i == row_begin && j == col_begin)
        }
      }
    }
  }
  if (sound && kind != 3u) {
    //@include roi_points.h
  }
  for (uint h = 0u; h < GK_U32(GK_CHANNELS); ++h) {
    if (channel + h < GK_CODE(P_all_channels)) ST_y(B_y + GK_AT5(P_ys, n, channel + h, 0u, o1, o2), own[h]);
  }
}
