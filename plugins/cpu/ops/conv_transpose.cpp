// SPDX-License-Identifier: Apache-2.0
// conv_transpose: a matrix product gives the contribution of every input position to every tap; each output
// element then gathers its own in the order of the taps, so the sum does not depend on threads.
#include "opmux/ops/conv.gen.h"

#include <algorithm>
#include <cstring>

#include "cpu/conv_shape.hpp"
#include "cpu/gemm_op.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"

namespace opmux::cpu {
namespace {

constexpr uint32_t kOwn = 2;

// One image and group at a time: columns[m * taps, positions of x] = w^T x, then y from the columns.
struct Shape {
  ConvShape conv;
  GemmPlan plan;  // of one group of one image
  OutGrid grid;   // of y
  bool joined_x = true, joined_w = true;
  uint64_t column_bytes = 0, sum_bytes = 0, x_bytes = 0, w_bytes = 0;
  uint64_t workspace() const { return plan.workspace() + column_bytes + sum_bytes + x_bytes + w_bytes + 64; }
};

const opmux_op_conv_transpose& desc(const opmux_opd& d) {
  return reinterpret_cast<const opmux_op_conv_transpose&>(d);
}
uint64_t round64(int64_t bytes) { return (static_cast<uint64_t>(bytes) + 63) & ~uint64_t{63}; }

Shape shape(const opmux_opd& d) {
  Shape s;
  s.conv = conv_shape(d);
  const ConvShape& c = s.conv;
  const uint32_t acc = desc(d).acc_dtype;
  const int64_t size = element_bytes(acc), taps = c.taps();
  s.grid = conv_grid(d, c);
  GemmPlan& p = s.plan;
  p.m = c.m * taps;
  p.n = c.in_size();
  p.k = c.c;
  // Rows of the left operand are [M / group, taps]; what can't be one stride is made contiguous first.
  const int64_t tap_stride = joined_stride(c.kernel, c.w);
  s.joined_w = c.m == 1 || (taps == 1 ? true : tap_stride != 0 && c.w_1 == tap_stride * taps);
  s.joined_w = s.joined_w && (taps == 1 || tap_stride != 0);
  const int64_t column = joined_stride(c.in, c.x);
  s.joined_x = column != 0;
  p.a.dtype = d.in[1].dtype;
  p.a.rs = s.joined_w ? (taps == 1 ? c.w_1 : tap_stride) : 1;
  p.a.ks = s.joined_w ? c.w_0 : p.m;
  p.b.dtype = d.in[0].dtype;
  p.b.rs = s.joined_x ? column : 1;
  p.b.ks = s.joined_x ? c.x_c : p.n;
  p.grid.rows = p.m;
  p.grid.col[0] = p.n;
  p.grid.out.dtype = acc;
  p.grid.out.rs = p.n;
  p.grid.out.cs[0] = 1;
  with_accumulator(acc, [&](auto t) { cut(p, gemm_kernels<decltype(t)>().tile, acc, false); });
  s.column_bytes = round64(p.m * p.n * size);
  s.sum_bytes = round64(c.m * c.out_size() * size);
  s.x_bytes = s.joined_x ? 0 : round64(c.c * p.n * element_bytes(p.b.dtype));
  s.w_bytes = s.joined_w ? 0 : round64(c.c * p.m * element_bytes(p.a.dtype));
  return s;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const uint32_t acc = desc(*d).acc_dtype;
  for (uint32_t i = 0; i < kOwn; ++i) {
    if (!accumulates(d->in[i].dtype, acc)) return no(cap, OPMUX_WHY_DTYPE, i, d->in[i].dtype, acc);
    if (d->in[i].rank < 3 || d->in[i].rank > 5) return no(cap, OPMUX_WHY_RANK, i, d->in[i].rank, 5);
    if (d->in[i].layout != 0) return no(cap, OPMUX_WHY_LAYOUT, i, d->in[i].layout);
  }
  if (!alias_fits(*d, kOwn)) return no(cap, OPMUX_WHY_ALIAS, d->alias[0] - 1);
  if (!Epilogue::supports(*d, kOwn, acc, cap)) return;
  const Shape s = shape(*d);
  Cost c;
  c.flops = 2.0 * static_cast<double>(elements(d->in[0])) * static_cast<double>(s.conv.m * s.conv.taps());
  c.bytes = c.flops / static_cast<double>(std::max<int64_t>(s.conv.c, 1)) * 4;
  c.ws = s.workspace();
  yes(cap, info, c);
  cap->inplace_mask = extra_mask(*d, kOwn);
}

struct State {
  explicit State(const opmux_opd& d) : shape(opmux::cpu::shape(d)) {
    epilogue.compile(d, kOwn, desc(d).acc_dtype, shape.grid, false);
  }
  Shape shape;
  Epilogue epilogue;
};

// [outer, 3 spatial dims] made contiguous.
char* gather(const char* src, int64_t bytes, int64_t outer, int64_t outer_stride, const int64_t* dim,
             const int64_t* stride, char* dst) {
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t a = 0; a < dim[0]; ++a) {
      for (int64_t b = 0; b < dim[1]; ++b) {
        for (int64_t c = 0; c < dim[2]; ++c, dst += bytes) {
          const int64_t at = o * outer_stride + a * stride[0] + b * stride[1] + c * stride[2];
          std::memcpy(dst, src + at * bytes, static_cast<size_t>(bytes));
        }
      }
    }
  }
  return dst;
}

// Along one axis: outputs o = i * stride + k * dilation - pad for input positions i in [lo, hi).
struct Span {
  int64_t lo, hi, first;  // first: output of position lo
};
Span span(const ConvShape& c, int axis, int64_t k) {
  const int64_t shift = k * c.dilation[axis] - c.pad[axis], stride = c.stride[axis];
  const int64_t lo = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const int64_t room = c.out[axis] - 1 - shift;
  const int64_t hi = room < 0 ? 0 : std::min(c.in[axis], room / stride + 1);
  return {lo, std::max(lo, hi), lo * stride + shift};
}

// One channel of y: sum[out_size] from its taps' columns.
template <class T>
void scatter(const ConvShape& c, const T* columns, T* sum) {
  std::fill(sum, sum + c.out_size(), T{});
  for (int64_t kd = 0; kd < c.kernel[0]; ++kd) {
    for (int64_t kh = 0; kh < c.kernel[1]; ++kh) {
      for (int64_t kw = 0; kw < c.kernel[2]; ++kw, columns += c.in_size()) {
        const Span d = span(c, 0, kd), h = span(c, 1, kh), w = span(c, 2, kw);
        for (int64_t i = d.lo; i < d.hi; ++i) {
          for (int64_t j = h.lo; j < h.hi; ++j) {
            const T* from = columns + (i * c.in[1] + j) * c.in[2];
            T* to =
                sum + ((d.first + (i - d.lo) * c.stride[0]) * c.out[1] + h.first + (j - h.lo) * c.stride[1]) *
                          c.out[2];
            for (int64_t l = w.lo; l < w.hi; ++l) to[w.first + (l - w.lo) * c.stride[2]] += from[l];
          }
        }
      }
    }
  }
}

template <class T>
void run_group(const kit_call& call, const State& st, int64_t image, int64_t group) {
  const Shape& s = st.shape;
  const ConvShape& c = s.conv;
  const int64_t x_size = element_bytes(s.plan.b.dtype), w_size = element_bytes(s.plan.a.dtype);
  auto base = reinterpret_cast<uintptr_t>(call.ws);
  char* ws = reinterpret_cast<char*>((base + 63) & ~uintptr_t{63});
  T* columns = reinterpret_cast<T*>(ws);
  T* sums = reinterpret_cast<T*>(ws + s.column_bytes);
  char* rest = ws + s.column_bytes + s.sum_bytes;
  const char* x = static_cast<const char*>(call.arg[0]) + (image * c.x_n + group * c.c * c.x_c) * x_size;
  const char* w = static_cast<const char*>(call.arg[1]) + group * c.c * c.w_0 * w_size;
  if (!s.joined_x) {
    gather(x, x_size, c.c, c.x_c, c.in, c.x, rest);
    x = rest;
    rest += s.x_bytes;
  }
  if (!s.joined_w) {
    char* to = rest;
    for (int64_t i = 0; i < c.c; ++i)
      to = gather(w + i * c.w_0 * w_size, w_size, c.m, c.w_1, c.kernel, c.w, to);
    w = rest;
    rest += s.w_bytes;
  }
  gemm_run<T>({&s.plan, gemm_kernels<T>(), call.host, w, x, nullptr, nullptr, columns, nullptr, rest});
  void* extra[kMaxExtra];
  const OutGrid& g = s.grid;
  for (uint32_t e = 0; e < g.n_extra; ++e) {
    extra[e] = static_cast<char*>(call.arg[kOwn + e]) +
               (image * g.extra[e].bs[0] + group * g.extra[e].bs[1]) * element_bytes(g.extra[e].dtype);
  }
  char* out = static_cast<char*>(call.arg[call.d->n_in]) +
              (image * g.out.bs[0] + group * g.out.bs[1]) * element_bytes(g.out.dtype);
  const auto channels = static_cast<uint64_t>(c.m);
  parallel_for(call.host, channels, grain_for(channels, static_cast<double>(c.taps() * c.in_size())),
               [&](uint64_t begin, uint64_t end) {
                 for (auto m = static_cast<int64_t>(begin); m < static_cast<int64_t>(end); ++m) {
                   T* sum = sums + m * c.out_size();
                   scatter(c, columns + m * c.taps() * c.in_size(), sum);
                   st.epilogue.finish(g, extra, out, m, 0, 1, c.out_size(), sum, c.out_size());
                 }
               });
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& st = *static_cast<const State*>(call->state);
  const ConvShape& c = st.shape.conv;
  if (c.out_size() == 0 || c.m == 0) return OPMUX_OK;
  with_accumulator(desc(*call->d).acc_dtype, [&](auto t) {
    for (int64_t i = 0; i < c.n * c.group; ++i) run_group<decltype(t)>(*call, st, i / c.group, i % c.group);
  });
  return OPMUX_OK;
}

}  // namespace

const kit_op kConvTranspose =
    state_op<State, opmux_op_conv_transpose>(OPMUX_OP_CONV_TRANSPOSE, "columns", query, run);

}  // namespace opmux::cpu
