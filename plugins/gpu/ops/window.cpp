// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/window.hpp"

#include "kit/insn.hpp"

#include <algorithm>
#include <numeric>

namespace opmux::gpu {

Window::Window(const opmux_opd& d, const int64_t* kernels, opmux_slice strides, opmux_slice dilations,
               opmux_slice pads) {
  const opmux_tdesc &x = d.in[0], &y = d.out[0];
  const uint32_t n = x.rank - 2;
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t to = 3 - n + i;
    in[to] = x.dim[2 + i];
    out[to] = y.dim[2 + i];
    kernel[to] = kernels[i];
    stride[to] = d.list[strides.first + i];
    dilation[to] = d.list[dilations.first + i];
    begin[to] = d.list[pads.first + i];
    end[to] = d.list[pads.first + n + i];
  }
}

void Window::write(StepMaker& s) const {
  for (uint32_t i = 0; i < 3; ++i) {
    s.set("in", static_cast<uint64_t>(in[i]), i);
    s.set("out", static_cast<uint64_t>(out[i]), i);
    s.set("kernel", static_cast<uint64_t>(kernel[i]), i);
    s.set("stride", static_cast<uint64_t>(stride[i]), i);
    s.set("dilation", static_cast<uint64_t>(dilation[i]), i);
    s.set("begin", static_cast<uint64_t>(begin[i]), i);
  }
}

void Window::write_jumps(StepMaker& s) const {
  for (uint32_t i = 0; i < 3; ++i)
    s.set("jump", static_cast<uint64_t>(stride[i] / std::gcd(stride[i], dilation[i])), i);
}

bool check_spread(const opmux_opd& d, const Window& w, opmux_cap& cap) {
  Window gathered = w;
  std::swap(gathered.in, gathered.out);
  constexpr int64_t kMost = (int64_t{1} << 31) - 1;
  for (uint32_t i = 0; i < 3; ++i) {
    if (w.out[i] + w.begin[i] + w.stride[i] > kMost)
      return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, i, w.out[i] + w.begin[i] + w.stride[i], kMost);
  }
  return check_window(d, gathered, cap);
}

bool check_window(const opmux_opd& d, const Window& w, opmux_cap& cap) {
  constexpr int64_t kMost = (int64_t{1} << 31) - 1;
  for (uint32_t i = 0; i < 3; ++i) {
    // Extents, strides and dilations of a valid descriptor are below 2^31 each where products are formed
    // here.
    if (w.kernel[i] > kMost || w.stride[i] > kMost || w.dilation[i] > kMost)
      return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, i, std::max({w.kernel[i], w.stride[i], w.dilation[i]}),
                    kMost);
    const int64_t far =
        std::max<int64_t>(w.out[i], 1) * w.stride[i] + w.kernel[i] * w.dilation[i] + w.begin[i];
    if (far > kMost) return kit_no(&cap, OPMUX_WHY_DIM, d.n_in, i, far, kMost);
  }
  return true;
}

void set_window_strides(StepMaker& s, const char* name, uint32_t at, const opmux_tdesc& t,
                        const opmux_tdesc& to) {
  for (uint32_t i = 0; i < 5; ++i) s.set(name, 0, at + i);
  for (uint32_t i = 0; i < t.rank; ++i) {
    const uint32_t axis = to.rank - t.rank + i;  // of `to`
    const uint32_t place = axis < 2 ? axis : axis + 5 - to.rank;
    if (t.dim[i] != 1) s.set(name, static_cast<uint64_t>(t.stride[i]), at + place);
  }
}

void set_conv_strides(StepMaker& s, const opmux_opd& d) {
  const opmux_tdesc& y = d.out[0];
  set_window_strides(s, "fs", 0, d.in[0], d.in[0]);
  set_window_strides(s, "ws", 0, d.in[1], d.in[1]);
  const uint32_t own = kit::own_inputs(d);
  for (uint32_t i = own; i < d.n_in; ++i) set_window_strides(s, "xs", 8 * (i - own), d.in[i], y);
  set_window_strides(s, "ys", 0, y, y);
}

}  // namespace opmux::gpu
