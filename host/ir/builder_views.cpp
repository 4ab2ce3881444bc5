// SPDX-License-Identifier: Apache-2.0
// The operators that are only another way to look at memory.
#include <numeric>

#include "host/ir/builder.hpp"
#include "host/platform/error.hpp"

namespace opmux {
// Strides of `dims` over the memory of `d` without moving anything, or nothing. As numpy: groups of axes
// whose products match must be dense within themselves.
static std::optional<std::vector<int64_t>> reshaped_strides(const opmux_tdesc& d,
                                                            std::span<const int64_t> dims) {
  std::vector<int64_t> old_dim, old_stride;
  for (uint32_t i = 0; i < d.rank; ++i) {
    if (d.dim[i] == 1) continue;
    old_dim.push_back(d.dim[i]);
    old_stride.push_back(d.stride[i]);
  }
  std::vector<int64_t> strides(dims.size(), 1);
  size_t oi = 0, ni = 0;
  while (oi < old_dim.size() && ni < dims.size()) {
    int64_t old_product = old_dim[oi], new_product = dims[ni];
    size_t oj = oi + 1, nj = ni + 1;
    while (old_product != new_product) {
      if (new_product < old_product) {
        if (nj == dims.size()) return std::nullopt;
        new_product *= dims[nj++];
      } else {
        if (oj == old_dim.size()) return std::nullopt;
        old_product *= old_dim[oj++];
      }
    }
    for (size_t k = oi; k + 1 < oj; ++k) {
      if (old_stride[k] != old_dim[k + 1] * old_stride[k + 1]) return std::nullopt;
    }
    strides[nj - 1] = old_stride[oj - 1];
    for (size_t k = nj - 1; k > ni; --k) strides[k - 1] = strides[k] * dims[k];
    oi = oj;
    ni = nj;
  }
  for (; ni < dims.size(); ++ni) strides[ni] = 1;  // trailing size-1 axes
  return strides;
}

std::optional<opmux_tdesc> reshaped_view(const opmux_tdesc& d, std::span<const int64_t> dims) {
  opmux_tdesc to = make_desc(d.dtype, dims);
  if (element_count(to) != element_count(d)) return std::nullopt;
  to.flags = d.flags;
  if (element_count(to) == 0) return to;
  const auto strides = reshaped_strides(d, dims);
  if (!strides) return std::nullopt;
  std::copy(strides->begin(), strides->end(), to.stride);
  return to;
}

int64_t normal_axis(int64_t axis, int64_t rank, const char* what) {
  if (axis < -rank || axis >= rank) {
    fail(OPMUX_E_INVALID, "{}: axis {} is outside [{}, {}] for rank {}", what, axis, -rank, rank - 1, rank);
  }
  return axis < 0 ? axis + rank : axis;
}

Dims broadcast_dims(std::span<const std::span<const int64_t>> shapes) {
  size_t rank = 0;
  for (auto s : shapes) rank = std::max(rank, s.size());
  Dims out(rank, 1);
  for (auto s : shapes) {
    for (size_t i = 0; i < s.size(); ++i) {
      int64_t& have = out[rank - s.size() + i];
      if (s[i] == have || s[i] == 1) continue;
      if (have != 1) fail(OPMUX_E_INVALID, "shapes do not broadcast: extent {} meets {}", s[i], have);
      have = s[i];
    }
  }
  return out;
}

ValueId GraphBuilder::reshape(ValueId v, std::span<const int64_t> dims) {
  opmux_tdesc to = make_desc(dtype(v), dims);
  if (element_count(to) != element_count(desc(v))) {
    fail(OPMUX_E_INVALID, "reshape: {} has {} elements, the new shape {} has {}", to_string(desc(v)),
         element_count(desc(v)), to_string(to), element_count(to));
  }
  if (same_shape(desc(v), to)) return v;
  const auto view = reshaped_view(desc(v), dims);
  if (!view) {
    const Dims kept(dims.begin(), dims.end());  // dims may point into the graph that is about to grow
    return reshape(contiguous(v), kept);
  }
  return graph_.add_view(v, *view, 0, name_);
}

ValueId GraphBuilder::permute(ValueId v, std::span<const int64_t> perm) {
  const opmux_tdesc from = desc(v);
  if (perm.size() != from.rank) {
    fail(OPMUX_E_INVALID, "transpose: {} axes named for rank {}", perm.size(), from.rank);
  }
  opmux_tdesc to = from;
  uint32_t seen = 0;
  for (size_t i = 0; i < perm.size(); ++i) {
    const int64_t a = normal_axis(perm[i], from.rank, "transpose");
    if (seen >> a & 1) fail(OPMUX_E_INVALID, "transpose: axis {} is named twice", a);
    seen |= 1u << a;
    to.dim[i] = from.dim[a];
    to.stride[i] = from.stride[a];
  }
  return graph_.add_view(v, to, 0, name_);
}

ValueId GraphBuilder::slice(ValueId v, int64_t axis, int64_t start, int64_t count, int64_t step) {
  opmux_tdesc to = desc(v);
  axis = normal_axis(axis, to.rank, "slice");
  const int64_t last = start + (count - 1) * step;
  if (count < 0 || (count > 0 && (start < 0 || start >= to.dim[axis] || last < 0 || last >= to.dim[axis]))) {
    fail(OPMUX_E_INVALID, "slice: elements {} to {} of axis {} are outside its extent {}", start, last, axis,
         to.dim[axis]);
  }
  if (OPMUX_DTYPE_BITS(to.dtype) % 8) fail(OPMUX_E_UNSUPPORTED, "slice: sub-byte types are not supported");
  const int64_t offset = count == 0 ? 0 : start * to.stride[axis] * (OPMUX_DTYPE_BITS(to.dtype) / 8);
  to.dim[axis] = count;
  to.stride[axis] *= step;
  return graph_.add_view(v, to, offset, name_);
}

ValueId GraphBuilder::expand(ValueId v, std::span<const int64_t> dims) {
  const opmux_tdesc from = desc(v);
  opmux_tdesc to = make_desc(from.dtype, dims);
  if (same_shape(from, to)) return v;
  if (from.rank > to.rank) {
    fail(OPMUX_E_INVALID, "expand: {} has a higher rank than {}", to_string(from), to_string(to));
  }
  const uint32_t shift = to.rank - from.rank;
  for (uint32_t i = 0; i < to.rank; ++i) {
    if (i < shift) {
      to.stride[i] = 0;
      continue;
    }
    const int64_t have = from.dim[i - shift];
    if (have != to.dim[i] && have != 1) {
      fail(OPMUX_E_INVALID, "expand: dim {} is {} and cannot become {}", i - shift, have, to.dim[i]);
    }
    to.stride[i] = have == to.dim[i] ? from.stride[i - shift] : 0;
  }
  to.flags = from.flags;
  return graph_.add_view(v, to, 0, name_);
}

ValueId GraphBuilder::squeeze(ValueId v, std::span<const int64_t> axes) {
  const opmux_tdesc from = desc(v);
  uint32_t drop = 0;
  for (int64_t a : axes) {
    const int64_t axis = normal_axis(a, from.rank, "squeeze");
    if (from.dim[axis] != 1)
      fail(OPMUX_E_INVALID, "squeeze: axis {} has extent {}, not 1", axis, from.dim[axis]);
    drop |= 1u << axis;
  }
  opmux_tdesc to = from;
  to.rank = 0;
  for (uint32_t i = 0; i < from.rank; ++i) {
    if (drop >> i & 1) continue;
    to.dim[to.rank] = from.dim[i];
    to.stride[to.rank++] = from.stride[i];
  }
  std::fill(to.dim + to.rank, to.dim + OPMUX_MAX_RANK, 0);
  std::fill(to.stride + to.rank, to.stride + OPMUX_MAX_RANK, 0);
  return graph_.add_view(v, to, 0, name_);
}

ValueId GraphBuilder::unsqueeze(ValueId v, std::span<const int64_t> axes) {
  const opmux_tdesc from = desc(v);
  const auto rank = static_cast<int64_t>(from.rank + axes.size());
  if (rank > OPMUX_MAX_RANK) {
    fail(OPMUX_E_INVALID, "unsqueeze: rank {} is beyond the limit of {}", rank, OPMUX_MAX_RANK);
  }
  uint32_t added = 0;
  for (int64_t a : axes) {
    const int64_t axis = normal_axis(a, rank, "unsqueeze");
    if (added >> axis & 1) fail(OPMUX_E_INVALID, "unsqueeze: axis {} is named twice", axis);
    added |= 1u << axis;
  }
  opmux_tdesc to = from;
  to.rank = static_cast<uint32_t>(rank);
  for (uint32_t i = 0, k = 0; i < to.rank; ++i) {
    const bool one = added >> i & 1;
    to.dim[i] = one ? 1 : from.dim[k];
    to.stride[i] = one ? 1 : from.stride[k];
    k += !one;
  }
  return graph_.add_view(v, to, 0, name_);
}

ValueId GraphBuilder::contiguous(ValueId v) {
  if (opmux::is_contiguous(desc(v))) return v;
  if (is_constant(v)) return constant(to_contiguous(graph_.constant(v)));
  Node node;
  node.op = OPMUX_OP_COPY;
  node.set(opmux_op_copy{});
  node.in = {v};
  return emit(std::move(node));
}

}  // namespace opmux
