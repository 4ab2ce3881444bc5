// SPDX-License-Identifier: Apache-2.0
// deform_conv as a matrix product of weights and patches, whose elements are sampled where they are packed.
#include <algorithm>
#include <cmath>

#include "cpu/conv_product.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/point_samples.hpp"
#include "kit/insn.hpp"
#include "opmux/ops/conv.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kPanel = 64, kTaps = 4;  // columns of a panel at most; elements around a position

const opmux_op_deform_conv& desc(const opmux_opd& d) {
  return reinterpret_cast<const opmux_op_deform_conv&>(d);
}

uint32_t own(const opmux_opd& d) { return kit::own_inputs(d); }
ConvProduct product(const opmux_opd& d) { return conv_product(d, own(d), true); }

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!conv_check(*d, own(*d), cap)) return;
  const ConvProduct p = product(*d);
  if (!conv_check_layout(*d, p, cap)) return;
  // About what sampling takes: 4 products, and the search for places shared by the channels of a group.
  const double sampled = static_cast<double>(elements(d->in[2]) * std::max<int64_t>(p.conv.c, 1));
  conv_yes(*d, own(*d), p, 60 * sampled, info, cap);
}

struct State {
  explicit State(const opmux_opd& d)
      : product(opmux::cpu::product(d)), steps(d.in[0].dtype), read(d.in[0].dtype) {
    product.plan.epilogue.compile(d, own(d), desc(d).acc_dtype, product.plan.grid);
    per_offset = std::max<int64_t>(d.in[0].dim[1] / desc(d).offset_group, 1);
    std::copy(d.in[2].stride, d.in[2].stride + 4, offset);
    if (has_in(d, 3)) std::copy(d.in[3].stride, d.in[3].stride + 4, mask);
  }
  ConvProduct product;
  SampleSteps steps;
  NumberReader read;
  int64_t per_offset;  // channels that move together
  int64_t offset[4] = {}, mask[4] = {};
};

struct PackContext {
  const State* state;
  const void *x, *offset, *mask;  // mask may be NULL
};

// The columns of one panel, for one tap after the other.
template <class T>
class Panel {
 public:
  Panel(const PackContext& ctx, int64_t image, int64_t col, int64_t width)
      : ctx_(ctx), s_(*ctx.state), c_(s_.product.conv), image_(image), col_(col), width_(width) {}

  // Finds the places of a tap for the channels of one offset group.
  void place(int64_t tap, int64_t group) {
    samples_.clear(width_, c_.in_size() == 0 ? 0 : kTaps);
    const int64_t moved = group * c_.taps() + tap, kh = tap / c_.kernel[2], kw = tap % c_.kernel[2];
    for (int64_t i = 0; i < width_; ++i) {
      const int64_t oh = (col_ + i) / c_.out[2], ow = (col_ + i) % c_.out[2];
      const int64_t at =
          image_ * s_.offset[0] + 2 * moved * s_.offset[1] + oh * s_.offset[2] + ow * s_.offset[3];
      const double h =
          static_cast<double>(oh * c_.stride[1] + kh * c_.dilation[1] - c_.pad[1]) + s_.read(ctx_.offset, at);
      const double w = static_cast<double>(ow * c_.stride[2] + kw * c_.dilation[2] - c_.pad[2]) +
                       s_.read(ctx_.offset, at + s_.offset[1]);
      double factor = 1;
      if (ctx_.mask)
        factor =
            s_.read(ctx_.mask, image_ * s_.mask[0] + moved * s_.mask[1] + oh * s_.mask[2] + ow * s_.mask[3]);
      if (std::isnan(h) || std::isnan(w) || !std::isfinite(factor))
        samples_.no_value(i);
      else
        neighbours(i, h, w, factor);
    }
  }

  // The values of a channel of the image, then zeros up to nr.
  void row(int64_t channel, int64_t nr, T* dst) {
    const char* x = static_cast<const char*>(ctx_.x) + (image_ * c_.x_n + channel * c_.x_c) * s_.steps.bytes;
    const T* sums = samples_.sums(s_.steps, x);
    std::copy(sums, sums + width_, dst);
    std::fill(dst + width_, dst + nr, T{0});
  }

 private:
  void neighbours(int64_t i, double h, double w, double factor) {
    if (h <= -1 || h >= static_cast<double>(c_.in[1]) || w <= -1 || w >= static_cast<double>(c_.in[2]))
      return;
    const double low_h = std::floor(h), low_w = std::floor(w);
    for (int64_t k = 0; k < kTaps; ++k) {
      const double at_h = low_h + static_cast<double>(k / 2), at_w = low_w + static_cast<double>(k % 2);
      const auto y = static_cast<int64_t>(at_h), x = static_cast<int64_t>(at_w);
      const double weight = (1 - std::fabs(h - at_h)) * (1 - std::fabs(w - at_w));
      if (y < 0 || y >= c_.in[1] || x < 0 || x >= c_.in[2] || weight == 0) continue;
      samples_.set(i, k, y * c_.x[1] + x * c_.x[2], weight * factor);
    }
  }

  const PackContext& ctx_;
  const State& s_;
  const ConvShape& c_;
  int64_t image_, col_, width_;
  PointSamples<T, kPanel, kTaps> samples_;
};

template <class T>
void pack_b(const void* ctx, int64_t batch, int64_t k0, int64_t k, int64_t col, int64_t cols, int64_t nr,
            T* dst) {
  const auto& p = *static_cast<const PackContext*>(ctx);
  const ConvShape& c = p.state->product.conv;
  const int64_t image = batch / c.group, group = batch % c.group, taps = c.taps();
  for (int64_t j = 0; j < cols; j += nr, dst += nr * k) {
    Panel<T> panel(p, image, col + j, std::min(nr, cols - j));
    for (int64_t tap = 0; tap < taps; ++tap) {
      // Channels whose row of this tap lies in [k0, k0 + k).
      const int64_t lo = tap >= k0 ? 0 : (k0 - tap + taps - 1) / taps;
      const int64_t hi = tap >= k0 + k ? 0 : (k0 + k - 1 - tap) / taps + 1;
      int64_t placed = -1;
      for (int64_t i = lo; i < hi; ++i) {
        const int64_t channel = group * c.c + i, offset_group = channel / p.state->per_offset;
        if (offset_group != placed) panel.place(tap, offset_group);
        placed = offset_group;
        panel.row(channel, nr, dst + (i * taps + tap - k0) * nr);
      }
    }
  }
}

template <class T>
opmux_status multiply(const kit_call* call, const State& s) {
  char* ws = static_cast<char*>(call->ws);
  const void* w = s.product.weights(call->arg[1], ws);
  const PackContext ctx{&s, call->arg[0], call->arg[2], has_in(*call->d, 3) ? call->arg[3] : nullptr};
  gemm_run<T>({&s.product.plan, gemm_kernels<T>(), call->host, w, call->arg[0], pack_b<T>, &ctx,
               call->arg[call->d->n_in], call->arg + own(*call->d), ws});
  return OPMUX_OK;
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  return desc(*call->d).acc_dtype == OPMUX_F64 ? multiply<double>(call, s) : multiply<float>(call, s);
}

opmux_status packed_size(const opmux_opd* d, uint32_t i, uint32_t layout, uint64_t* size, uint64_t* arg,
                         opmux_err* err) {
  return conv_packed_size("deform_conv", *d, product(*d), i, layout, size, arg, err);
}

opmux_status pack(const opmux_host_api* host, const opmux_opd* d, uint32_t i, uint32_t layout,
                  const void* src, void* dst, opmux_err* err) {
  return conv_pack("deform_conv", host, *d, product(*d), i, layout, src, dst, err);
}

}  // namespace

const kit_op kDeformConv = state_op<State, opmux_op_deform_conv>(OPMUX_OP_DEFORM_CONV, "implicit_gemm", query,
                                                                 run, packed_size, pack);

}  // namespace opmux::cpu
