// SPDX-License-Identifier: Apache-2.0
// Three spatial dims of operators with windows, missing ones in front with extent 1, and the words of kernels
// for them.
#pragma once

#include "gpu/ops/step.hpp"

namespace opmux::gpu {

struct Window {
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1}, begin[3] = {}, end[3] = {};

  // kernels: one extent a spatial dim.
  Window(const opmux_opd& d, const int64_t* kernels, opmux_slice strides, opmux_slice dilations,
         opmux_slice pads);
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t outputs() const { return out[0] * out[1] * out[2]; }
  // Words in[3] out[3] kernel[3] stride[3] dilation[3] begin[3].
  void write(StepMaker& s) const;
  // Words jump[3] of kernels with kernels/body/taps_at.h.
  void write_jumps(StepMaker& s) const;
};

// Positions reach this far from an element of the input, so that sums of them stay in 31 bits.
bool check_window(const opmux_opd& d, const Window& w, opmux_cap& cap);
// The same where the input is spread over the output.
bool check_spread(const opmux_opd& d, const Window& w, opmux_cap& cap);

// Strides of t [N, C, spatial], which may have fewer dims, in the shape of `to` as [N, C, 3 spatial dims].
void set_window_strides(StepMaker& s, const char* name, uint32_t at, const opmux_tdesc& t,
                        const opmux_tdesc& to);

// Strides of a convolution: its input as fs, its weights as ws, the program's operands as xs and result as
// ys.
void set_conv_strides(StepMaker& s, const opmux_opd& d);

}  // namespace opmux::gpu
