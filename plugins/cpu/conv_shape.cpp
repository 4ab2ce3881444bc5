// SPDX-License-Identifier: Apache-2.0
#include "cpu/conv_shape.hpp"

#include <algorithm>

#include "opmux/ops/conv.gen.h"

namespace opmux::cpu {
namespace {

// The descriptors have the same attributes in the same places.
static_assert(offsetof(opmux_op_conv, pad) == offsetof(opmux_op_deform_conv, pad));
static_assert(offsetof(opmux_op_conv, group) == offsetof(opmux_op_deform_conv, group));
static_assert(offsetof(opmux_op_conv, pad) == offsetof(opmux_op_conv_transpose, pad));
static_assert(offsetof(opmux_op_conv, group) == offsetof(opmux_op_conv_transpose, group));

void spread(const opmux_opd& d, opmux_slice s, uint32_t dims, int64_t missing, int64_t* to) {
  std::fill(to, to + 3, missing);
  for (uint32_t i = 0; i < dims && i < s.count; ++i) to[3 - dims + i] = d.list[s.first + i];
}

void spatial(const opmux_tdesc& t, uint32_t dims, int64_t* dim, int64_t* stride) {
  for (uint32_t i = 0; i < 3; ++i) {
    const bool there = i + dims >= 3;
    if (dim) dim[i] = there ? t.dim[i + dims - 1] : 1;
    if (stride) stride[i] = there ? t.stride[i + dims - 1] : 0;
  }
}

}  // namespace

ConvShape conv_shape(const opmux_opd& d) {
  const auto& op = reinterpret_cast<const opmux_op_conv&>(d);
  const opmux_tdesc &x = d.in[0], &w = d.in[1], &y = d.out[0];
  ConvShape s;
  s.dims = x.rank - 2;
  s.n = x.dim[0];
  s.group = std::max<int64_t>(op.group, 1);
  s.c = x.dim[1] / s.group;
  s.m = y.dim[1] / s.group;
  spatial(x, s.dims, s.in, s.x);
  spatial(y, s.dims, s.out, nullptr);
  spatial(w, s.dims, s.kernel, s.w);
  s.x_n = x.stride[0];
  s.x_c = x.stride[1];
  s.w_0 = w.stride[0];
  s.w_1 = w.stride[1];
  spread(d, op.stride, s.dims, 1, s.stride);
  spread(d, op.dilation, s.dims, 1, s.dilation);
  spread(d, op.pad, s.dims, 0, s.pad);
  return s;
}

OutGrid conv_grid(const opmux_opd& d, const ConvShape& s, uint32_t own) {
  OutGrid g;
  g.n_batch = 2;
  g.batch[0] = s.n;
  g.batch[1] = s.group;
  g.rows = s.m;
  g.n_col = 3;
  std::copy(s.out, s.out + 3, g.col);
  auto view = [&](const opmux_tdesc& t) {
    GridView v;
    int64_t stride[OPMUX_MAX_RANK] = {};
    broadcast_strides(t, d.out[0], stride);
    v.dtype = t.dtype;
    v.bs[0] = stride[0];
    v.rs = stride[1];
    v.bs[1] = s.group == 1 ? 0 : stride[1] * s.m;  // an axis of one element may have any stride
    for (uint32_t i = 0; i < s.dims; ++i) v.cs[3 - s.dims + i] = stride[2 + i];
    return v;
  };
  g.out = view(d.out[0]);
  g.n_extra = d.n_in - own;
  for (uint32_t i = 0; i < g.n_extra; ++i) g.extra[i] = view(d.in[own + i]);
  g.collapse_columns();
  return g;
}

int64_t joined_stride(const int64_t* dim, const int64_t* stride) {
  int64_t joined = 0, size = 1;
  for (int i = 2; i >= 0; --i) {
    if (dim[i] == 1) continue;
    if (size == 1) {
      joined = stride[i];
    } else if (stride[i] != joined * size) {
      return 0;
    }
    size *= dim[i];
  }
  return size == 1 ? 1 : joined;
}

}  // namespace opmux::cpu
