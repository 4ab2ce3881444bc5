// SPDX-License-Identifier: Apache-2.0
// conv with one input channel per group, in one or two spatial dims: each plane is padded into scratch and
// convolved directly.
#include "opmux/ops/conv.gen.h"

#include <algorithm>

#include "cpu/conv_shape.hpp"
#include "cpu/gemm_op.hpp"
#include "cpu/kernels/depthwise.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/scratch.hpp"

namespace opmux::cpu {
namespace {

constexpr uint32_t kOwn = 2;

struct Shape {
  ConvShape conv;
  OutGrid grid;
  bool direct = false;                    // planes are finished in place in y
  int64_t height = 0, width = 0;          // of the padded plane
  int64_t plane = 0, tile = 0, taps = 0;  // elements of scratch, multiples of 16
  uint64_t slot_bytes() const { return static_cast<uint64_t>(plane + tile + taps) * sizeof(float); }
};

const opmux_op_conv& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_conv&>(d); }
int64_t round16(int64_t n) { return (n + 15) / 16 * 16; }

Shape shape(const opmux_opd& d) {
  Shape s;
  s.conv = conv_shape(d);
  const ConvShape& c = s.conv;
  s.grid = conv_grid(d, c);
  s.direct = d.out[0].dtype == OPMUX_F32 && s.grid.n_col == 1 && s.grid.out.cs[0] == 1 && !is_aliased(d);
  s.height =
      std::max((c.out[1] - 1) * c.stride[1] + (c.kernel[1] - 1) * c.dilation[1] + 1, c.pad[1] + c.in[1]);
  s.width =
      std::max((c.out[2] - 1) * c.stride[2] + (c.kernel[2] - 1) * c.dilation[2] + 1, c.pad[2] + c.in[2]);
  s.plane = round16(s.height * s.width + kDepthwiseSlack);
  s.tile = s.direct ? 0 : round16(c.out_size());
  s.taps = round16(c.taps());
  return s;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const uint32_t acc = desc(*d).acc_dtype;
  if (acc != OPMUX_F32) return no(cap, OPMUX_WHY_DTYPE, kOwn, acc, OPMUX_F32);
  for (uint32_t i = 0; i < kOwn; ++i) {
    if (!accumulates(d->in[i].dtype, acc)) return no(cap, OPMUX_WHY_DTYPE, i, d->in[i].dtype, acc);
    if (d->in[i].rank < 3 || d->in[i].rank > 5) return no(cap, OPMUX_WHY_RANK, i, d->in[i].rank, 5);
    if (d->in[i].layout != 0) return no(cap, OPMUX_WHY_LAYOUT, i, d->in[i].layout);
  }
  const ConvShape c = conv_shape(*d);
  if (c.c != 1 || c.group < 2) return no(cap, OPMUX_WHY_DIM, 1, c.c, 1, 1);
  if (c.dims == 3) return no(cap, OPMUX_WHY_RANK, 0, 5, 4);
  if (!alias_fits(*d, kOwn)) return no(cap, OPMUX_WHY_ALIAS, d->alias[0] - 1);
  if (!Epilogue::supports(*d, kOwn, acc, cap)) return;
  const Shape s = shape(*d);
  Cost cost;
  cost.flops = 2.0 * static_cast<double>(elements(d->out[0]) * c.taps());
  cost.flops_per_ns = 30;
  cost.bytes = 4.0 * static_cast<double>(elements(d->in[0]) + elements(d->out[0]));
  cost.ws = scratch_bytes(s.slot_bytes());
  yes(cap, info, cost);
  cap->inplace_mask = extra_mask(*d, kOwn);
}

struct State {
  explicit State(const opmux_opd& d) : shape(opmux::cpu::shape(d)) {
    epilogue.compile(d, kOwn, OPMUX_F32, shape.grid, shape.direct);
  }
  Shape shape;
  Epilogue epilogue;
};

class Planes {
 public:
  Planes(const kit_call& call, const State& st, float* slot)
      : call_(call),
        st_(st),
        s_(st.shape),
        c_(st.shape.conv),
        plane_(slot),
        tile_(slot + s_.plane),
        w_(slot + s_.plane + s_.tile) {
    std::fill(plane_, plane_ + s_.plane, 0.0f);
  }

  // Output plane number: [image, group, channel of the group].
  void run(int64_t number) {
    const int64_t m = number % c_.m, group = number / c_.m % c_.group, image = number / (c_.m * c_.group);
    if (const int64_t input = number / c_.m; input != loaded_) {
      load(image, group);
      loaded_ = input;
    }
    const opmux_opd& d = *call_.d;
    const char* w =
        static_cast<const char*>(call_.arg[1]) + (group * c_.m + m) * c_.w_0 * element_bytes(d.in[1].dtype);
    for (int64_t kh = 0; kh < c_.kernel[1]; ++kh) {
      const char* row = w + kh * c_.w[1] * element_bytes(d.in[1].dtype);
      gemm_pack<float>(d.in[1].dtype, {row, c_.w[2], 0}, c_.kernel[2], 1, c_.kernel[2],
                       w_ + kh * c_.kernel[2]);
    }
    const OutGrid& g = s_.grid;
    void* extra[kMaxExtra];
    for (uint32_t e = 0; e < g.n_extra; ++e) {
      extra[e] = static_cast<char*>(call_.arg[kOwn + e]) +
                 (image * g.extra[e].bs[0] + group * g.extra[e].bs[1]) * element_bytes(g.extra[e].dtype);
    }
    char* out = static_cast<char*>(call_.arg[d.n_in]) +
                (image * g.out.bs[0] + group * g.out.bs[1]) * element_bytes(g.out.dtype);
    float* to = s_.direct ? reinterpret_cast<float*>(out) + m * g.out.rs : tile_;
    GemmStep<float> step[8];
    st_.epilogue.steps(g, extra, m, 0, step);
    depthwise({plane_, s_.width, w_, c_.kernel[1], c_.kernel[2], c_.stride[1], c_.stride[2], c_.dilation[1],
               c_.dilation[2], c_.out[1], c_.out[2], to, c_.out[2], st_.epilogue.n_step(), step});
    if (!s_.direct || st_.epilogue.is_program())
      st_.epilogue.finish(g, extra, out, m, 0, 1, c_.out_size(), to, c_.out_size());
  }

 private:
  // Rows of x into the middle of the padded plane, whose border stays 0.
  void load(int64_t image, int64_t group) {
    const uint32_t dtype = call_.d->in[0].dtype;
    const char* x =
        static_cast<const char*>(call_.arg[0]) + (image * c_.x_n + group * c_.x_c) * element_bytes(dtype);
    for (int64_t h = 0; h < c_.in[1]; ++h) {
      gemm_pack<float>(dtype, {x + h * c_.x[1] * element_bytes(dtype), c_.x[2], 0}, c_.in[2], 1, c_.in[2],
                       plane_ + (c_.pad[1] + h) * s_.width + c_.pad[2]);
    }
  }

  const kit_call& call_;
  const State& st_;
  const Shape& s_;
  const ConvShape& c_;
  float *plane_, *tile_, *w_;
  int64_t loaded_ = -1;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const State& st = *static_cast<const State*>(call->state);
  const ConvShape& c = st.shape.conv;
  if (c.out_size() == 0) return OPMUX_OK;
  const double ns = static_cast<double>(c.out_size() * c.taps()) / 15 + 50;
  parallel_scratch(call->host, c.n * c.group * c.m, ns, call->ws, st.shape.slot_bytes(),
                   [&](int64_t begin, int64_t end, char* slot) {
                     Planes p(*call, st, reinterpret_cast<float*>(slot));
                     for (int64_t i = begin; i < end; ++i) p.run(i);
                   });
  return OPMUX_OK;
}

}  // namespace

const kit_op kConvDepthwise = state_op<State, opmux_op_conv>(OPMUX_OP_CONV, "depthwise", query, run);

}  // namespace opmux::cpu
