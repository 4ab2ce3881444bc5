// SPDX-License-Identifier: Apache-2.0
// Convolutions and pools.
#include "host/onnx/rules/window.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace opmux::onnx_import {
namespace {

// So far from any real attribute that sums of a few cannot overflow.
constexpr int64_t kMost = int64_t{1} << 30;

// SAME: as much padding as makes ceil(extent / stride) windows; the odd one goes to the end or to the
// beginning.
void pad_same(Window& w, std::span<const int64_t> spatial, bool more_at_end) {
  const size_t n = spatial.size();
  for (size_t i = 0; i < n; ++i) {
    const int64_t windows = (spatial[i] + w.stride[i] - 1) / w.stride[i];
    const int64_t span = w.dilation[i] * (w.kernel[i] - 1) + 1;
    const int64_t total = std::max<int64_t>((windows - 1) * w.stride[i] + span - spatial[i], 0);
    w.pad[i] = more_at_end ? total / 2 : total - total / 2;
    w.pad[n + i] = total - w.pad[i];
  }
}

void check_at_least(std::span<const int64_t> values, int64_t least, const char* what) {
  for (int64_t v : values) {
    if (v < least || v > kMost) {
      fail(OPMUX_E_INVALID, "'{}' has an entry {}, it must be from {} to {}", what, v, least, kMost);
    }
  }
}

std::span<const int64_t> spatial_dims(const Dims& dims) { return std::span(dims).subspan(2); }

Dims checked_dims(const NodeContext& c, ValueId x) {
  const int64_t rank = c.b.rank(x);
  if (rank < 3 || rank > 5) fail(OPMUX_E_UNSUPPORTED, "input 0 has rank {}, only 3 to 5 are supported", rank);
  return c.b.dims(x);
}

void check_kernel_shape(const NodeContext& c, ValueId w) {
  const auto stated = c.integers("kernel_shape");
  if (!stated) return;
  const Dims dims = c.b.dims(w);
  if (!std::equal(stated->begin(), stated->end(), dims.begin() + 2, dims.end())) {
    fail(OPMUX_E_INVALID, "attribute 'kernel_shape' disagrees with the weight, which is {}",
         to_string(c.b.desc(w)));
  }
}

void conv(NodeContext& c) { c.out(0, add_bias(c, convolve(c, c.in(0), c.in(1)), 2)); }

// Pads of a transposed convolution from the output extents that are wanted; ONNX ConvTranspose.
void pads_for_output(const NodeContext& c, Window& w, std::span<const int64_t> full,
                     const std::vector<int64_t>& wanted) {
  const size_t n = full.size();
  const bool upper = c.text("auto_pad", "NOTSET") == "SAME_UPPER";
  for (size_t i = 0; i < n; ++i) {
    const int64_t total = std::max<int64_t>(full[i] - wanted[i], 0);
    w.pad[i] = upper ? total / 2 : total - total / 2;
    w.pad[n + i] = total - w.pad[i];
  }
}

void conv_transpose(NodeContext& c) {
  const ValueId x = c.in(0), weight = c.in(1);
  const Dims dims = checked_dims(c, x), kernel = c.b.dims(weight);
  if (kernel.size() != dims.size())
    fail(OPMUX_E_INVALID, "the weight has rank {}, input 0 {}", kernel.size(), dims.size());
  check_kernel_shape(c, weight);
  const size_t n = dims.size() - 2;
  const int64_t group = c.integer("group", 1);
  Window w;
  w.kernel.assign(kernel.begin() + 2, kernel.end());
  w.stride = spatial_list(c, "strides", n, 1);
  w.dilation = spatial_list(c, "dilations", n, 1);
  check_at_least(w.stride, 1, "strides");
  check_at_least(w.dilation, 1, "dilations");
  const auto extra = spatial_list(c, "output_padding", n, 0);
  check_at_least(extra, 0, "output_padding");
  w.pad = c.integers("pads").value_or(std::vector<int64_t>(2 * n, 0));
  if (w.pad.size() != 2 * n)
    fail(OPMUX_E_INVALID, "attribute 'pads' has {} entries, it must have {}", w.pad.size(), 2 * n);
  check_at_least(w.pad, 0, "pads");
  check_at_least(dims, 0, "X");
  check_at_least(kernel, 0, "W");
  std::vector<int64_t> full(n);
  for (size_t i = 0; i < n; ++i) {
    full[i] = w.stride[i] * (dims[2 + i] - 1) + extra[i] + w.dilation[i] * (w.kernel[i] - 1) + 1;
  }
  const std::string auto_pad = c.text("auto_pad", "NOTSET");
  auto wanted = c.integers("output_shape");
  if (!wanted && auto_pad.starts_with("SAME")) {
    wanted.emplace();
    for (size_t i = 0; i < n; ++i) wanted->push_back(dims[2 + i] * w.stride[i]);
  }
  if (wanted && wanted->size() == n + 2) wanted->erase(wanted->begin(), wanted->begin() + 2);
  if (wanted && wanted->size() != n) {
    fail(OPMUX_E_INVALID, "attribute 'output_shape' has {} entries, it must have {}", wanted->size(), n);
  }
  if (wanted) pads_for_output(c, w, full, *wanted);
  Dims out = {dims[0], kernel[1] * group};
  for (size_t i = 0; i < n; ++i) out.push_back(wanted ? (*wanted)[i] : full[i] - w.pad[i] - w.pad[n + i]);
  Node node;
  node.op = OPMUX_OP_CONV_TRANSPOSE;
  node.in = {x, weight};
  opmux_op_conv_transpose d{};
  d.group = static_cast<uint32_t>(group);
  d.acc_dtype = formula_dtype(c.b.dtype(x));
  d.stride = node.add_list(w.stride);
  d.dilation = node.add_list(w.dilation);
  d.pad = node.add_list(w.pad);
  node.set(d);
  const opmux_tdesc desc = make_desc(c.b.dtype(x), out);
  c.out(0, add_bias(c, c.b.emit_as(std::move(node), std::span(&desc, 1))[0], 2));
}

void emit_pool(NodeContext& c, uint32_t kind, const Window& w, uint32_t p = 0) {
  const ValueId x = c.in(0);
  Node node;
  node.op = OPMUX_OP_POOL;
  node.in = {x};
  opmux_op_pool d{};
  d.kind = kind;
  d.count_include_pad = kind == OPMUX_POOL_AVERAGE && c.flag("count_include_pad");
  d.p = p;
  d.ceil_mode = c.flag("ceil_mode");
  d.column_major = kind == OPMUX_POOL_MAX && c.flag("storage_order");
  d.kernel = node.add_list(w.kernel);
  d.stride = node.add_list(w.stride);
  d.dilation = node.add_list(w.dilation);
  d.pad = node.add_list(w.pad);
  node.set(d);
  const auto y = c.b.emit_n(std::move(node), kind == OPMUX_POOL_MAX && c.wants(1) ? 2 : 1);
  for (size_t i = 0; i < y.size(); ++i) c.out(i, y[i]);
}

template <uint32_t Kind>
void pool(NodeContext& c) {
  const Dims dims = checked_dims(c, c.in(0));
  const auto kernel = c.integers("kernel_shape");
  if (!kernel) fail(OPMUX_E_INVALID, "attribute 'kernel_shape' is missing");
  const Window w = window_of(c, spatial_dims(dims), *kernel);
  emit_pool(c, Kind, w, Kind == OPMUX_POOL_LP ? static_cast<uint32_t>(c.integer("p", 2)) : 0);
}

std::vector<int64_t> spatial_axes(const NodeContext& c, ValueId x) {
  if (c.b.rank(x) < 2) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 2 or more", c.b.rank(x));
  std::vector<int64_t> axes(static_cast<size_t>(c.b.rank(x) - 2));
  std::iota(axes.begin(), axes.end(), 2);
  return axes;
}

template <uint32_t Kind>
void global_pool(NodeContext& c) {
  c.out(0, c.b.reduce(Kind, c.in(0), spatial_axes(c, c.in(0)), true));
}

void global_lp_pool(NodeContext& c) {
  const int64_t p = c.integer("p", 2);
  if (p == 1) return global_pool<OPMUX_REDUCE_L1>(c);
  if (p == 2) return global_pool<OPMUX_REDUCE_L2>(c);
  if (p < 1) fail(OPMUX_E_INVALID, "attribute 'p' is {}, it must be 1 or more", p);
  apply_formula(c, [&](const Math& m, ValueId x) {
    const ValueId powers = m(OPMUX_FN_POW, {m(OPMUX_FN_ABS, {x}), m.number(x, static_cast<double>(p))});
    const ValueId sum = c.b.reduce(OPMUX_REDUCE_SUM, powers, spatial_axes(c, x), true);
    return m(OPMUX_FN_POW, {sum, m.number(x, 1.0 / static_cast<double>(p))});
  });
}

constexpr Rule kRules[] = {
    {"AveragePool", pool<OPMUX_POOL_AVERAGE>}, {"Conv", conv},
    {"ConvTranspose", conv_transpose},         {"GlobalAveragePool", global_pool<OPMUX_REDUCE_MEAN>},
    {"GlobalLpPool", global_lp_pool},          {"GlobalMaxPool", global_pool<OPMUX_REDUCE_MAX>},
    {"LpPool", pool<OPMUX_POOL_LP>},           {"MaxPool", pool<OPMUX_POOL_MAX>},
};

}  // namespace

std::vector<int64_t> spatial_list(const NodeContext& c, const char* attr, size_t count, int64_t otherwise) {
  auto values = c.integers(attr);
  if (!values || values->empty()) return std::vector<int64_t>(count, otherwise);
  if (values->size() != count) {
    fail(OPMUX_E_INVALID, "attribute '{}' has {} entries, input 0 has {} spatial dims", attr, values->size(),
         count);
  }
  return *values;
}

Window window_of(const NodeContext& c, std::span<const int64_t> spatial, std::span<const int64_t> kernel) {
  const size_t n = spatial.size();
  if (kernel.size() != n) {
    fail(OPMUX_E_INVALID, "the window has {} dims, input 0 has {} spatial dims", kernel.size(), n);
  }
  Window w;
  w.kernel.assign(kernel.begin(), kernel.end());
  w.stride = spatial_list(c, "strides", n, 1);
  w.dilation = spatial_list(c, "dilations", n, 1);
  w.pad.assign(2 * n, 0);
  check_at_least(w.kernel, 1, "kernel_shape");
  check_at_least(w.stride, 1, "strides");
  check_at_least(w.dilation, 1, "dilations");
  const std::string how = c.text("auto_pad", "NOTSET");
  if (how == "SAME_UPPER" || how == "SAME_LOWER") {
    pad_same(w, spatial, how == "SAME_UPPER");
  } else if (how == "NOTSET" || how.empty()) {
    const auto pads = c.integers("pads");
    if (pads && !pads->empty()) {
      if (pads->size() != 2 * n) {
        fail(OPMUX_E_INVALID, "attribute 'pads' has {} entries, it must have {}", pads->size(), 2 * n);
      }
      check_at_least(*pads, 0, "pads");
      w.pad = *pads;
    }
  } else if (how != "VALID") {
    fail(OPMUX_E_INVALID, "attribute 'auto_pad' is '{}', it must be NOTSET, SAME_UPPER, SAME_LOWER or VALID",
         how);
  }
  return w;
}

ValueId add_bias(NodeContext& c, ValueId y, size_t i) {
  if (!c.has(i)) return y;
  const ValueId bias = c.in(i);
  if (c.b.rank(bias) != 1 || c.b.dim(bias, 0) != c.b.dim(y, 1)) {
    fail(OPMUX_E_INVALID, "bias is {}, it must have one element for each of {} channels",
         to_string(c.b.desc(bias)), c.b.dim(y, 1));
  }
  return Math(c.b).add(y, c.b.reshape(bias, channel_dims(c.b.dim(bias, 0), c.b.rank(y))));
}

ValueId convolve(NodeContext& c, ValueId x, ValueId weight) { return convolve_padded(c, x, weight, kNone); }

ValueId convolve_padded(NodeContext& c, ValueId x, ValueId weight, ValueId value) {
  const Dims dims = checked_dims(c, x), kernel = c.b.dims(weight);
  if (kernel.size() != dims.size()) {
    fail(OPMUX_E_INVALID, "the weight has rank {}, input 0 has rank {}", kernel.size(), dims.size());
  }
  check_kernel_shape(c, weight);
  Window w = window_of(c, spatial_dims(dims), spatial_dims(kernel));
  const int64_t group = c.integer("group", 1);
  if (group < 1 || group > kMost)
    fail(OPMUX_E_INVALID, "attribute 'group' is {}, it must be 1 or more", group);
  if (value != kNone) {
    std::vector<int64_t> pads(2 * dims.size(), 0);
    const size_t n = w.stride.size();
    for (size_t i = 0; i < n; ++i) {
      pads[2 + i] = w.pad[i];
      pads[dims.size() + 2 + i] = w.pad[n + i];
    }
    x = padded(c.b, x, pads, value);
    std::fill(w.pad.begin(), w.pad.end(), 0);
  }
  Node node;
  node.op = OPMUX_OP_CONV;
  node.in = {x, weight};
  opmux_op_conv d{};
  d.group = static_cast<uint32_t>(group);
  d.acc_dtype = is_float(c.b.dtype(x)) ? formula_dtype(c.b.dtype(x)) : OPMUX_I32;
  d.stride = node.add_list(w.stride);
  d.dilation = node.add_list(w.dilation);
  d.pad = node.add_list(w.pad);
  node.set(d);
  return c.b.emit(std::move(node));
}

std::span<const Rule> window_rules() { return kRules; }

}  // namespace opmux::onnx_import
