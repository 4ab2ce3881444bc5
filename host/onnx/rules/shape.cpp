// SPDX-License-Identifier: Apache-2.0
// Views, and shapes as values. None of these makes work at run time.
#include <algorithm>
#include <numeric>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

int64_t clamp(int64_t v, int64_t low, int64_t high) { return std::min(std::max(v, low), high); }

void shape(NodeContext& c) {
  const Dims dims = c.b.dims(c.in(0));
  const auto rank = static_cast<int64_t>(dims.size());
  const auto bound = [&](const char* attr, int64_t otherwise) {
    const int64_t v = c.integer(attr, otherwise);
    return clamp(v < 0 ? v + rank : v, 0, rank);
  };
  const int64_t start = bound("start", 0), end = std::max(bound("end", rank), start);
  c.out(0, c.b.int_vector(
               std::span(dims).subspan(static_cast<size_t>(start), static_cast<size_t>(end - start))));
}

void size(NodeContext& c) {
  const int64_t n = element_count(c.b.desc(c.in(0)));
  c.out(0, c.b.constant(HostTensor::of<int64_t>(OPMUX_I64, {}, std::span(&n, 1))));
}

// 0 keeps an extent, -1 takes what is left.
Dims resolve_shape(const Dims& from, std::vector<int64_t> to, bool allow_zero) {
  int64_t known = 1, free = -1;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] == 0 && !allow_zero) {
      if (i >= from.size()) {
        fail(OPMUX_E_INVALID, "dim {} of the shape is 0, but input 0 has rank {}", i, from.size());
      }
      to[i] = from[i];
    }
    if (to[i] == -1) {
      if (free >= 0) fail(OPMUX_E_INVALID, "dims {} and {} of the shape are both -1", free, i);
      free = static_cast<int64_t>(i);
    } else if (to[i] < 0) {
      fail(OPMUX_E_INVALID, "dim {} of the shape is {}, it must be -1 or more", i, to[i]);
    } else if (__builtin_mul_overflow(known, to[i], &known)) {
      fail(OPMUX_E_INVALID, "the shape has more than 2^63 elements");
    }
  }
  if (free < 0) return to;
  const int64_t have = product_of(from);
  if (known == 0 || have % known != 0) {
    fail(OPMUX_E_INVALID, "the shape leaves {} elements for its dim -1, which do not divide by {}", have,
         known);
  }
  to[static_cast<size_t>(free)] = have / known;
  return to;
}

void reshape(NodeContext& c) {
  const ValueId x = c.in(0);
  auto to = c.ints(1, "shape");  // an attribute up to operator set 4
  if (!to) fail(OPMUX_E_INVALID, "input 1 is missing");
  c.out(0, c.b.reshape(x, resolve_shape(c.b.dims(x), std::move(*to), c.flag("allowzero"))));
}

void flatten(NodeContext& c) {
  const ValueId x = c.in(0);
  const Dims dims = c.b.dims(x);
  const auto rank = static_cast<int64_t>(dims.size());
  int64_t axis = c.integer("axis", 1);
  if (axis < -rank || axis > rank) {
    fail(OPMUX_E_INVALID, "axis {} is outside [{}, {}] for rank {}", axis, -rank, rank, rank);
  }
  if (axis < 0) axis += rank;
  const auto [before, after] = split_at(dims, axis);
  const Dims to = {product_of(before), product_of(after)};
  c.out(0, c.b.reshape(x, to));
}

void squeeze(NodeContext& c) {
  const ValueId x = c.in(0);
  auto axes = c.ints(1, "axes");
  if (!axes) {
    axes.emplace();
    for (int64_t i = 0; i < c.b.rank(x); ++i) {
      if (c.b.dim(x, i) == 1) axes->push_back(i);
    }
  }
  c.out(0, c.b.squeeze(x, normal_axes(*axes, c.b.rank(x), "axes")));
}

void unsqueeze(NodeContext& c) {
  const ValueId x = c.in(0);
  const auto axes = c.ints(1, "axes");
  if (!axes) fail(OPMUX_E_INVALID, "axes are missing");
  const int64_t rank = c.b.rank(x) + static_cast<int64_t>(axes->size());
  c.out(0, c.b.unsqueeze(x, normal_axes(*axes, rank, "axes")));
}

void transpose(NodeContext& c) {
  const ValueId x = c.in(0);
  auto perm = c.integers("perm");
  if (!perm || (perm->empty() && c.b.rank(x) > 0)) {
    perm.emplace(static_cast<size_t>(c.b.rank(x)));
    std::iota(perm->rbegin(), perm->rend(), 0);
  }
  c.out(0, c.b.permute(x, *perm));
}

void expand(NodeContext& c) {
  const ValueId x = c.in(0);
  const auto to = c.b.ints(c.in(1), "the shape");
  if (to.size() > OPMUX_MAX_RANK) {
    fail(OPMUX_E_UNSUPPORTED, "rank {} is beyond the limit of {}", to.size(), OPMUX_MAX_RANK);
  }
  const Dims from = c.b.dims(x);
  const std::span<const int64_t> both[] = {from, to};
  c.out(0, c.b.expand(x, broadcast_dims(both)));
}

int64_t block_size(const NodeContext& c, const Dims& dims) {
  const int64_t n = c.integer("blocksize");
  if (dims.size() != 4) fail(OPMUX_E_INVALID, "input 0 has rank {}, it must be 4", dims.size());
  if (n < 1 || n > int64_t{1} << 20)
    fail(OPMUX_E_INVALID, "attribute 'blocksize' is {}, it must be 1 or more", n);
  return n;
}

// Whether the depth of a place counts before the place within its block (DCR) or after it (CRD).
std::string depth_mode(const NodeContext& c) {
  std::string mode = c.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") {
    fail(OPMUX_E_INVALID, "attribute 'mode' is '{}', it must be DCR or CRD", mode);
  }
  return mode;
}

void depth_to_space(NodeContext& c) {
  const ValueId x = c.in(0);
  const Dims d = c.b.dims(x);
  const int64_t n = block_size(c, d);
  if (d[1] % (n * n) != 0) {
    fail(OPMUX_E_INVALID, "{} channels do not divide by the square of blocksize {}", d[1], n);
  }
  const int64_t depth = d[1] / (n * n);
  const bool crd = depth_mode(c) == "CRD";
  const Dims split = crd ? Dims{d[0], depth, n, n, d[2], d[3]} : Dims{d[0], n, n, depth, d[2], d[3]};
  const Dims perm = crd ? Dims{0, 1, 4, 2, 5, 3} : Dims{0, 3, 4, 1, 5, 2};
  const Dims to = {d[0], depth, d[2] * n, d[3] * n};
  c.out(0, c.b.reshape(c.b.permute(c.b.reshape(x, split), perm), to));
}

void space_to_depth(NodeContext& c) {
  const ValueId x = c.in(0);
  const Dims d = c.b.dims(x);
  const int64_t n = block_size(c, d);
  if (d[2] % n != 0 || d[3] % n != 0) {
    fail(OPMUX_E_INVALID, "{} x {} elements do not divide by blocksize {}", d[2], d[3], n);
  }
  const bool crd = depth_mode(c) == "CRD";
  const Dims split = {d[0], d[1], d[2] / n, n, d[3] / n, n};
  const Dims perm = crd ? Dims{0, 1, 3, 5, 2, 4} : Dims{0, 3, 5, 1, 2, 4};
  const Dims to = {d[0], d[1] * n * n, d[2] / n, d[3] / n};
  c.out(0, c.b.reshape(c.b.permute(c.b.reshape(x, split), perm), to));
}

constexpr Rule kRules[] = {
    {"DepthToSpace", depth_to_space},
    {"Expand", expand},
    {"Flatten", flatten},
    {"Reshape", reshape},
    {"Shape", shape},
    {"Size", size},
    {"SpaceToDepth", space_to_depth},
    {"Squeeze", squeeze},
    {"Transpose", transpose},
    {"Unsqueeze", unsqueeze},
};

}  // namespace

std::span<const Rule> shape_rules() { return kRules; }

}  // namespace opmux::onnx_import
