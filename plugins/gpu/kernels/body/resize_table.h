// SPDX-License-Identifier: Apache-2.0
// Where the outputs of each resized axis take their elements: two words of `place` (the first element; how many,
// and in the highest bit whether the output lies outside) and, but for nearest, their weights. A lane an output
// of an axis; entries and weights of axis k start at entry[k] and weights[k], `most` weights an output. A scale or
// region that makes no sense is reported and takes nothing.
//@group 64
//@in scale roi
//@out place weight
//@faults
//@params count axes mode coordinates rounding antialias exclude cubic has_scale scale_wide scale_step
//@params has_roi roi_wide roi_step in[8] out[8] entry[8] weights[8] most[8]
//@use numbers.h resample.h
//@body
uint e = GK_ELEMENT;
if (e < GK_CODE(P_count)) {
  uint k = 0u;
  while (k + 1u < GK_CODE(P_axes) && e >= GK_CODE(GK_U32(P_entry) + k + 1u)) ++k;
  uint o = e - GK_CODE(GK_U32(P_entry) + k);
  double one = GK_F64(1);
  double extent = GK_F64(GK_CODE(GK_U32(P_in) + k));
  double made = GK_F64(GK_CODE(GK_U32(P_out) + k));
  double last = extent - one;
  GK_PRECISE double ratio = made / extent;
  double zoom = ratio;
  if (GK_CODE(P_has_scale) != 0u) zoom = GK_NUMBER(scale, B_scale, k * GK_CODE(P_scale_step), GK_CODE(P_scale_wide));
  double start = GK_F64(0);
  double end = one;
  double most_size = GK_F64(1000000000.0f);
  GK_PRECISE double least_scale = one / most_size;
  bool sound = zoom >= least_scale && zoom <= most_size;
  bool antialias = GK_CODE(P_antialias) != 0u;
  if (antialias && zoom < ratio * GK_HALF) sound = false;
  if (GK_CODE(P_has_roi) != 0u) {
    start = GK_NUMBER(roi, B_roi, k * GK_CODE(P_roi_step), GK_CODE(P_roi_wide));
    end = GK_NUMBER(roi, B_roi, (GK_CODE(P_axes) + k) * GK_CODE(P_roi_step), GK_CODE(P_roi_wide));
    if (!(gk_fabs(start) <= most_size && gk_fabs(end) <= most_size)) sound = false;
  }
  uint first = 0u;
  uint taken = 0u;
  bool outside = false;
  if (sound) {
    //@include resize_position.h
    uint mode = GK_CODE(P_mode);
    if (mode == 1u) {
      uint rounding = GK_CODE(P_rounding);
      double i = ceil(place_of);
      if (rounding == 1u) i = ceil(place_of - GK_HALF);
      if (rounding == 2u) i = floor(place_of + GK_HALF);
      if (rounding == 3u) i = floor(place_of);
      first = GK_U32(gk_between(i, GK_F64(0), last));
      taken = 1u;
    } else {
      //@include resize_weights.h
    }
  } else {
    GK_FAULT();
  }
  place[B_place + 2u * e] = first;
  place[B_place + 2u * e + 1u] = taken | (outside ? 0x80000000u : 0u);
}
