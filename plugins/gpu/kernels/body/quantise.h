// SPDX-License-Identifier: Apache-2.0
// Codes of y: x over its scale plus its zero, or with `zeros` the zeros themselves. A lane makes the elements that lie
// in one byte of y, since elements of less than a byte cannot be written by several lanes; what of the byte is not
// of y stays. Elements of y follow from their place: `steps` are the strides of its axes, the greatest first, all
// positive, from the element that lies first; `backward` marks axes that go the other way.
//@group 128
//@in x scale zero
//@rw y
//@type sum
//@params brain format per zeros whole has_zero bottom top bytes skip span axes dims[8] steps[8] backward[8] share[8]
//@params xs[8] ss[8] zs[8]
//@use values.h codes.h
//@body
uint byte = GK_ELEMENT;
if (byte < GK_CODE(P_bytes)) {
  uint format = GK_CODE(P_format);
  uint per = GK_CODE(P_per);
  uint bits = GK_WIDTH_OF(format);
  uint mask = (1u << bits) - 1u;
  float bottom = gk_float(GK_CODE(P_bottom));
  float top = gk_float(GK_CODE(P_top));
  uint y_at = B_y + byte - GK_CODE(P_skip);
  uint kept = LD_y(y_at);
  bool touched = false;
  for (uint sub = 0u; sub < per; ++sub) {
    // Elements from the one that lies first; those before it wrap.
    uint rest = byte * per + sub - GK_CODE(P_span);
    uint x_at = B_x;
    uint s_at = B_scale;
    uint z_at = B_zero;
    bool inside = true;
    for (uint a = 0u; a < GK_CODE(P_axes); ++a) {
      uint step = GK_CODE(P_steps + a);
      uint extent = GK_CODE(P_dims + a);
      uint i = rest / step;
      rest = rest % step;
      if (i >= extent) inside = false;
      if (GK_CODE(P_backward + a) != 0u) i = extent - 1u - i;
      x_at += i * GK_CODE(P_xs + a);
      i = i / GK_CODE(P_share + a);
      s_at += i * GK_CODE(P_ss + a);
      z_at += i * GK_CODE(P_zs + a);
    }
    if (inside && rest == 0u) {
      GK_PRECISE float v = 0.0f;
      if (GK_CODE(P_has_zero) != 0u) v = LD_zero(z_at);
      if (GK_CODE(P_zeros) == 0u) {
        GK_PRECISE float ratio = GK_GET(LD_x(x_at)) / LD_scale(s_at);
        if (GK_CODE(P_whole) != 0u) ratio = gk_rint(ratio);
        v = ratio + v;
        if (GK_CODE(P_whole) == 0u) v = ratio;
      }
      if (GK_CODE(P_whole) != 0u && !gk_isnan(v)) v = v < bottom ? bottom : (v > top ? top : v);
      kept = (kept & ~(mask << (sub * bits))) | (gk_encode(v, format) << (sub * bits));
      touched = true;
    }
  }
  if (touched) ST_y(y_at, kept);
}
