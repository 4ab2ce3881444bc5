// SPDX-License-Identifier: Apache-2.0
// What operators with windows share: their spatial dims, always three, the missing ones in front with
// extent 1.
#pragma once

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

  // f(flat output position, flat input position) for all outputs of a plane whose tap (k0, k1, k2) hits the
  // input.
  template <class F>
  void hits(const int64_t* k, F&& f) const {
    for (int64_t a = 0; a < out[0]; ++a) {
      const int64_t i0 = at(0, a, k[0]);
      if (i0 < 0 || i0 >= in[0]) continue;
      for (int64_t b = 0; b < out[1]; ++b) {
        const int64_t i1 = at(1, b, k[1]);
        if (i1 < 0 || i1 >= in[1]) continue;
        for (int64_t c = 0; c < out[2]; ++c) {
          const int64_t i2 = at(2, c, k[2]);
          if (i2 >= 0 && i2 < in[2]) f((a * out[1] + b) * out[2] + c, (i0 * in[1] + i1) * in[2] + i2);
        }
      }
    }
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
