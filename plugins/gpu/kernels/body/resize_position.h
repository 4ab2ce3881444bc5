// SPDX-License-Identifier: Apache-2.0
// The position place_of of output o on an axis of `extent` elements, as ONNX Resize says by coordinates (OPMUX_RESIZE_*).
uint coordinates = GK_CODE(P_coordinates);
double x = GK_F64(o);
GK_PRECISE double resized = zoom * extent;
GK_PRECISE double place_of = (x + GK_HALF) / zoom - GK_HALF;
if (coordinates == 2u) {
  GK_PRECISE double shift = extent * GK_HALF * (one - made / resized);
  place_of = place_of + shift;
}
if (coordinates == 3u && resized == one) place_of = -GK_HALF;
if (coordinates == 4u) {
  GK_PRECISE double corner = x * last / (resized - one);
  place_of = resized == one ? GK_F64(0) : corner;
}
if (coordinates == 5u) place_of = x / zoom;
if (coordinates == 6u) {
  GK_PRECISE double span = (end - start) * last;
  GK_PRECISE double moved = x * span / (resized - one);
  if (resized == one) moved = span * GK_HALF;
  place_of = start * last + moved;
  outside = place_of < GK_F64(0) || place_of > last;
}
