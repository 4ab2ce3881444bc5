// SPDX-License-Identifier: Apache-2.0
// What operators with windows share: their spatial dims, always three, the missing ones in front with
// extent 1.
#pragma once

#include <algorithm>
#include <span>

#include "reference/job.hpp"

namespace opmux::reference {

struct Window {
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1}, begin[3] = {}, end[3] = {};

  Window(const opmux_tdesc& x, const opmux_tdesc& y, std::span<const int64_t> kernels,
         std::span<const int64_t> strides, std::span<const int64_t> dilations,
         std::span<const int64_t> pads) {
    const uint32_t n = x.rank - 2;
    for (uint32_t i = 0; i < n; ++i) {
      const uint32_t to = 3 - n + i;
      in[to] = x.dim[2 + i];
      out[to] = y.dim[2 + i];
      kernel[to] = kernels[i];
      stride[to] = strides[i];
      dilation[to] = dilations[i];
      begin[to] = pads[i];
      end[to] = pads[n + i];
    }
  }
  int64_t in_plane() const { return in[0] * in[1] * in[2]; }
  int64_t out_plane() const { return out[0] * out[1] * out[2]; }
  int64_t kernel_plane() const { return kernel[0] * kernel[1] * kernel[2]; }

  // Coordinate of the input on axis a under tap k of the window at output o; may be outside.
  int64_t at(int a, int64_t o, int64_t k) const { return o * stride[a] + k * dilation[a] - begin[a]; }

  // Outputs [first, end) of axis a whose tap k hits the input.
  int64_t first(int a, int64_t k) const {
    const int64_t missing = begin[a] - k * dilation[a];
    return missing > 0 ? (missing + stride[a] - 1) / stride[a] : 0;
  }
  int64_t last_end(int a, int64_t k) const {
    const int64_t room = in[a] - 1 - k * dilation[a] + begin[a];
    return room < 0 ? 0 : std::min(out[a], room / stride[a] + 1);
  }

  // f(flat output position, flat input position, n) for rows of outputs of a plane whose tap (k0, k1, k2)
  // hits the input: n outputs side by side, whose inputs are stride[2] apart.
  template <class F>
  void rows(const int64_t* k, F&& f) const {
    const int64_t c = first(2, k[2]), n = last_end(2, k[2]) - c;
    for (int64_t a = first(0, k[0]); n > 0 && a < last_end(0, k[0]); ++a)
      for (int64_t b = first(1, k[1]); b < last_end(1, k[1]); ++b)
        f((a * out[1] + b) * out[2] + c, (at(0, a, k[0]) * in[1] + at(1, b, k[1])) * in[2] + at(2, c, k[2]),
          n);
  }

  // f(flat output position, flat input position), one by one.
  template <class F>
  void hits(const int64_t* k, F&& f) const {
    rows(k, [&](int64_t o, int64_t i, int64_t n) {
      for (int64_t j = 0; j < n; ++j) f(o + j, i + j * stride[2]);
    });
  }

  // f(k, flat tap number) for each tap of the kernel, row-major.
  template <class F>
  void taps(F&& f) const {
    int64_t k[3], flat = 0;
    for (k[0] = 0; k[0] < kernel[0]; ++k[0])
      for (k[1] = 0; k[1] < kernel[1]; ++k[1])
        for (k[2] = 0; k[2] < kernel[2]; ++k[2]) f(static_cast<const int64_t*>(k), flat++);
  }
};

}  // namespace opmux::reference
