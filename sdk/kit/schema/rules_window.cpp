// SPDX-License-Identifier: Apache-2.0
// Shape rules of operators with windows: conv, deform_conv, conv_transpose, pool, col2im.
#include <algorithm>

#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

long long ll(int64_t v) { return v; }

// The largest extent, step or pad of a window: products of three of them stay far below 2^63.
constexpr int64_t kLargest = int64_t{1} << 31;

struct Windows {
  std::span<const int64_t> stride, dilation, pad;
  int64_t kernel[3] = {};
  uint32_t n = 0;  // spatial dims
};

bool check_list(const View& v, const char* name, size_t offset, std::span<const int64_t> values, size_t count,
                int64_t least, Problem& p) {
  const At at = View::at_attr(offset);
  if (values.size() != count)
    return fail(p, v.name(), at, static_cast<int64_t>(values.size()), static_cast<int64_t>(count),
                "%s has %zu entries, must have %zu", name, values.size(), count);
  for (size_t i = 0; i < count; ++i)
    if (values[i] < least || values[i] > kLargest)
      return fail(p, v.name(), at, values[i], values[i] < least ? least : kLargest,
                  "entry %zu of %s is %lld, must be in [%lld, %lld]", i, name, ll(values[i]), ll(least),
                  ll(kLargest));
  return true;
}

template <class Attr>
bool read_windows(const View& v, const Attr& a, Windows& w, Problem& p) {
  w.n = v.in(0).rank - 2;
  w.stride = v.list(a.stride);
  w.dilation = v.list(a.dilation);
  w.pad = v.list(a.pad);
  for (uint32_t i = 0; i < w.n; ++i)
    if (v.in(0).dim[2 + i] > kLargest)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, 2 + i), v.in(0).dim[2 + i], kLargest,
                  "dim %u of x is %lld, at most %lld is possible", 2 + i, ll(v.in(0).dim[2 + i]),
                  ll(kLargest));
  return check_list(v, "stride", offsetof(Attr, stride), w.stride, w.n, 1, p) &&
         check_list(v, "dilation", offsetof(Attr, dilation), w.dilation, w.n, 1, p) &&
         check_list(v, "pad", offsetof(Attr, pad), w.pad, 2 * size_t{w.n}, 0, p);
}

int64_t reach(const Windows& w, uint32_t i) { return w.dilation[i] * (w.kernel[i] - 1) + 1; }

bool check_fit(const View& v, const Windows& w, uint32_t i, Problem& p) {
  const int64_t padded = v.in(0).dim[2 + i] + w.pad[i] + w.pad[w.n + i];
  if (padded < reach(w, i))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, 2 + i), padded, reach(w, i),
                "dim %u of x with its pads is %lld, but the window spans %lld", 2 + i, ll(padded),
                ll(reach(w, i)));
  return true;
}

// Types and the kernel's extents, the same for conv and its transpose.
bool check_weight(const View& v, uint32_t acc_dtype, size_t acc_offset, Windows& w, Problem& p) {
  const opmux_tdesc &x = v.in(0), &k = v.in(1);
  const bool integer = OPMUX_DTYPE_CLASS(x.dtype) != OPMUX_CLASS_FLOAT;
  if (x.dtype != k.dtype && !(integer && OPMUX_DTYPE_CLASS(k.dtype) != OPMUX_CLASS_FLOAT))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, 1), k.dtype, x.dtype, "w is %s, but x is %s",
                dtype_name(k.dtype), dtype_name(x.dtype));
  const uint32_t acc = integer ? OPMUX_I32 : compute_dtype(x.dtype);
  if (acc_dtype != acc)
    return fail(p, v.name(), View::at_attr(acc_offset), acc_dtype, acc, "acc_dtype is %s, must be %s for %s",
                dtype_name(acc_dtype), dtype_name(acc), dtype_name(x.dtype));
  if (k.rank != x.rank)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, 1), k.rank, x.rank, "w has rank %u, but x has rank %u",
                k.rank, x.rank);
  for (uint32_t i = 0; i < x.rank - 2; ++i) {
    w.kernel[i] = k.dim[2 + i];
    if (w.kernel[i] < 1 || w.kernel[i] > kLargest / 2)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, 2 + i), w.kernel[i], 1,
                  "dim %u of w is %lld, must be in [1, %lld]", 2 + i, ll(w.kernel[i]), ll(kLargest / 2));
  }
  return true;
}

uint32_t out_dtype(const View& v, uint32_t acc) {
  const uint32_t x = v.in(0).dtype;
  const bool integer = OPMUX_DTYPE_CLASS(x) != OPMUX_CLASS_FLOAT;
  return integer || v.out(0).dtype == acc ? acc : x;
}

// Window and output of conv and its kin.
template <class Attr>
bool conv_extents(const View& v, const Attr& a, Windows& w, opmux_tdesc& y, Problem& p) {
  const opmux_tdesc &x = v.in(0), &k = v.in(1);
  if (!check_weight(v, a.acc_dtype, offsetof(Attr, acc_dtype), w, p) || !read_windows(v, a, w, p))
    return false;
  const int64_t group = a.group;
  if (x.dim[1] % group != 0 || k.dim[1] != x.dim[1] / group)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, 1), k.dim[1], x.dim[1] / group,
                "dim 1 of w is %lld, but x has %lld channels in %lld group(s)", ll(k.dim[1]), ll(x.dim[1]),
                ll(group));
  if (k.dim[0] % group != 0)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, 0), k.dim[0], group,
                "dim 0 of w is %lld, which %lld group(s) do not divide", ll(k.dim[0]), ll(group));
  y = x;
  y.dim[1] = k.dim[0];
  for (uint32_t i = 0; i < w.n; ++i) {
    if (!check_fit(v, w, i, p)) return false;
    y.dim[2 + i] = (x.dim[2 + i] + w.pad[i] + w.pad[w.n + i] - reach(w, i)) / w.stride[i] + 1;
  }
  return true;
}

}  // namespace

namespace rules {

bool conv(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_conv>();
  Windows w;
  opmux_tdesc y;
  if (!conv_extents(v, a, w, y, p)) return false;
  s.like(0, out_dtype(v, a.acc_dtype), y);
  return true;
}

bool deform_conv(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_deform_conv>();
  Windows w;
  opmux_tdesc y;
  if (!conv_extents(v, a, w, y, p)) return false;
  const opmux_tdesc& x = v.in(0);
  const int64_t moved = a.offset_group, taps = w.kernel[0] * w.kernel[1];
  if (x.dim[1] % moved != 0)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, 1), x.dim[1], moved,
                "x has %lld channels, which %lld offset group(s) do not divide", ll(x.dim[1]), ll(moved));
  for (uint32_t i = 2; i < 4; ++i) {
    if (!v.has_in(i)) continue;
    const char* name = i == 2 ? "offset" : "mask";
    const opmux_tdesc& t = v.in(i);
    const Sat channels = Sat(moved) * Sat(taps) * Sat(i == 2 ? 2 : 1);
    const int64_t want[] = {x.dim[0], static_cast<int64_t>(channels.value()), y.dim[2], y.dim[3]};
    for (uint32_t k = 0; k < 4; ++k)
      if (t.dim[k] != want[k])
        return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i, k), t.dim[k], want[k],
                    "dim %u of %s is %lld, must be %lld", k, name, ll(t.dim[k]), ll(want[k]));
  }
  s.like(0, out_dtype(v, a.acc_dtype), y);
  return true;
}

bool conv_transpose(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_conv_transpose>();
  const opmux_tdesc &x = v.in(0), &k = v.in(1);
  Windows w;
  if (!check_weight(v, a.acc_dtype, offsetof(opmux_op_conv_transpose, acc_dtype), w, p) ||
      !read_windows(v, a, w, p))
    return false;
  const int64_t group = a.group;
  if (k.dim[0] != x.dim[1] || x.dim[1] % group != 0)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, 0), k.dim[0], x.dim[1],
                "dim 0 of w is %lld, but x has %lld channels in %lld group(s)", ll(k.dim[0]), ll(x.dim[1]),
                ll(group));
  if (k.dim[1] > kLargest)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 1, 1), k.dim[1], kLargest,
                "dim 1 of w is %lld, at most %lld is possible", ll(k.dim[1]), ll(kLargest));
  opmux_tdesc y = x;
  y.dim[1] = k.dim[1] * group;
  const opmux_tdesc& asked = v.out(0);
  for (uint32_t i = 0; i < w.n; ++i) {
    const int64_t pads = w.pad[i] + w.pad[w.n + i];
    const int64_t least =
        std::max<int64_t>(x.dim[2 + i] == 0 ? 0 : w.stride[i] * (x.dim[2 + i] - 1) + reach(w, i) - pads, 0);
    y.dim[2 + i] = least;
    if (asked.rank != x.rank) continue;
    // The asked extent may be any number: it is subtracted from only when it is not negative.
    const int64_t below = std::max(w.stride[i], w.dilation[i]);
    if (asked.dim[2 + i] < least || asked.dim[2 + i] - least >= below)
      return fail(p, v.name(), v.at_out(OPMUX_WHY_DIM, 0, 2 + i), asked.dim[2 + i], least,
                  "dim %u of output y is %lld, must be in [%lld, %lld]", 2 + i, ll(asked.dim[2 + i]),
                  ll(least), ll(least + below - 1));
    y.dim[2 + i] = asked.dim[2 + i];
  }
  s.like(0, out_dtype(v, a.acc_dtype), y);
  return true;
}

bool pool(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_pool>();
  const opmux_tdesc& x = v.in(0);
  const auto kernel = v.list(a.kernel);
  Windows w;
  if (!check_list(v, "kernel", offsetof(opmux_op_pool, kernel), kernel, x.rank - 2, 1, p) ||
      !read_windows(v, a, w, p))
    return false;
  opmux_tdesc y = x;
  for (uint32_t i = 0; i < w.n; ++i) {
    w.kernel[i] = kernel[i];
    if (!check_fit(v, w, i, p)) return false;
    for (uint32_t side : {i, w.n + i})
      if (w.pad[side] >= reach(w, i))
        return fail(p, v.name(), View::at_attr(offsetof(opmux_op_pool, pad)), w.pad[side], reach(w, i) - 1,
                    "entry %u of pad is %lld, but the window spans only %lld", side, ll(w.pad[side]),
                    ll(reach(w, i)));
    const int64_t room = x.dim[2 + i] + w.pad[i] + w.pad[w.n + i] - reach(w, i);
    int64_t n = room / w.stride[i] + 1;
    if (a.ceil_mode != 0) {
      n = (room + w.stride[i] - 1) / w.stride[i] + 1;
      // A window that would start in the end padding is dropped.
      if ((n - 1) * w.stride[i] >= x.dim[2 + i] + w.pad[i]) --n;
    }
    y.dim[2 + i] = n;
  }
  for (uint32_t o = 0; o < v.d->n_out; ++o) s.like(o, o == 0 ? x.dtype : OPMUX_I64, y);
  return true;
}

bool col2im(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_col2im>();
  const opmux_tdesc& x = v.in(0);
  const auto image = v.list(a.image), kernel = v.list(a.kernel), stride = v.list(a.stride),
             dilation = v.list(a.dilation), pad = v.list(a.pad);
  const size_t n = image.size();
  if (n < 1 || n > 3)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_col2im, image)), static_cast<int64_t>(n), 3,
                "image has %zu entries, must have 1 to 3", n);
  if (!check_list(v, "image", offsetof(opmux_op_col2im, image), image, n, 0, p) ||
      !check_list(v, "kernel", offsetof(opmux_op_col2im, kernel), kernel, n, 1, p) ||
      !check_list(v, "stride", offsetof(opmux_op_col2im, stride), stride, n, 1, p) ||
      !check_list(v, "dilation", offsetof(opmux_op_col2im, dilation), dilation, n, 1, p) ||
      !check_list(v, "pad", offsetof(opmux_op_col2im, pad), pad, 2 * n, 0, p))
    return false;
  Sat taps(1), blocks(1);
  int64_t y[OPMUX_MAX_RANK] = {x.dim[0]};
  for (size_t i = 0; i < n; ++i) {
    const int64_t room = image[i] + pad[i] + pad[n + i], span = dilation[i] * (kernel[i] - 1) + 1;
    if (room < span)
      return fail(p, v.name(), View::at_attr(offsetof(opmux_op_col2im, image)), room, span,
                  "entry %zu of image with its pads is %lld, but the window spans %lld", i, ll(room),
                  ll(span));
    taps = taps * Sat(kernel[i]);
    blocks = blocks * Sat((room - span) / stride[i] + 1);
    y[2 + i] = image[i];
  }
  if (taps.value() > INT64_MAX || x.dim[1] % static_cast<int64_t>(taps.value()) != 0)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, 1), x.dim[1], static_cast<int64_t>(taps.value()),
                "dim 1 of x is %lld, which is no multiple of the %lld elements of the window", ll(x.dim[1]),
                ll(static_cast<int64_t>(taps.value())));
  if (blocks.value() != static_cast<uint64_t>(x.dim[2]))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, 0, 2), x.dim[2], static_cast<int64_t>(blocks.value()),
                "dim 2 of x is %lld, but the image has %lld blocks", ll(x.dim[2]),
                ll(static_cast<int64_t>(blocks.value())));
  y[1] = x.dim[1] / static_cast<int64_t>(taps.value());
  s.set(0, x.dtype, {y, n + 2});
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
