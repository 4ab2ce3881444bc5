// SPDX-License-Identifier: Apache-2.0
// col2im: one plane of the image at a time grows in scratch, a row of blocks after the other.
#include <algorithm>

#include "cpu/answer.hpp"
#include "cpu/kernels/pool.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/scratch.hpp"
#include "cpu/state.hpp"
#include "cpu/tiles.hpp"
#include "opmux/ops/image.gen.h"

namespace opmux::cpu {
namespace {

struct Shape {
  int64_t n = 1, c = 1, image[3], kernel[3], stride[3], dilation[3], begin[3], blocks[3];
  int64_t y_n = 0, y_c = 0, y[3] = {};
  int64_t pixels() const { return image[0] * image[1] * image[2]; }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};

uint32_t working_type(const opmux_opd& d) { return d.in[0].dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32; }
uint64_t rounded(int64_t elements, uint32_t dtype) {
  return (static_cast<uint64_t>(elements * element_bytes(dtype)) + 63) & ~uint64_t{63};
}

Shape shape(const opmux_opd& d) {
  const auto& op = reinterpret_cast<const opmux_op_col2im&>(d);
  const opmux_tdesc& y = d.out[0];
  const uint32_t dims = y.rank - 2;
  Shape s;
  s.n = y.dim[0];
  s.c = y.dim[1];
  s.y_n = y.stride[0];
  s.y_c = y.stride[1];
  auto spread = [&](opmux_slice l, int64_t missing, int64_t* to) {
    std::fill(to, to + 3, missing);
    for (uint32_t i = 0; i < dims && i < l.count; ++i) to[3 - dims + i] = d.list[l.first + i];
  };
  int64_t end[3] = {};
  spread(op.image, 1, s.image);
  spread(op.kernel, 1, s.kernel);
  spread(op.stride, 1, s.stride);
  spread(op.dilation, 1, s.dilation);
  spread(op.pad, 0, s.begin);
  for (uint32_t i = 0; i < dims && dims + i < op.pad.count; ++i)
    end[3 - dims + i] = d.list[op.pad.first + dims + i];
  for (uint32_t i = 0; i < dims; ++i) s.y[3 - dims + i] = y.stride[2 + i];
  for (int i = 0; i < 3; ++i)
    s.blocks[i] =
        (s.image[i] + s.begin[i] + end[i] - s.dilation[i] * (s.kernel[i] - 1) - 1) / s.stride[i] + 1;
  return s;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  const Shape s = shape(*d);
  const uint32_t type = working_type(*d);
  const auto x = static_cast<double>(elements(d->in[0])), y = static_cast<double>(elements(d->out[0]));
  yes(cap, info,
      {.flops = x,
       .bytes = static_cast<double>(element_bytes(d->in[0].dtype)) * (x + y),
       .flops_per_ns = 2,
       .ws = scratch_bytes(rounded(s.pixels(), type) + rounded(s.blocks[2], type))});
}

struct State {
  explicit State(const opmux_opd& d)
      : shape(opmux::cpu::shape(d)),
        plane_bytes(rounded(shape.pixels(), working_type(d))),
        slot_bytes(plane_bytes + rounded(shape.blocks[2], working_type(d))),
        bytes(element_bytes(d.in[0].dtype)),
        load(find_load(d.in[0].dtype)),
        store(find_store(d.in[0].dtype)) {
    std::copy(d.in[0].stride, d.in[0].stride + 3, x);
    direct = lanes_are_memory(d.in[0].dtype) && (x[2] == 1 || d.in[0].dim[2] == 1);
  }
  Shape shape;
  uint64_t plane_bytes, slot_bytes;
  int64_t bytes, x[3];
  LoadFn load;
  StoreFn store;
  bool direct;  // rows of x are used where they lie
};

template <class T>
class Plane {
 public:
  Plane(const State& st, char* slot)
      : st_(st),
        s_(st.shape),
        plane_(reinterpret_cast<T*>(slot)),
        row_(reinterpret_cast<T*>(slot + st.plane_bytes)) {}

  // x: row 0 of the patches of this plane.
  void run(const char* x, char* y) {
    std::fill(plane_, plane_ + s_.pixels(), T{0});
    int64_t tap = 0, k[3];
    for (k[0] = 0; k[0] < s_.kernel[0]; ++k[0])
      for (k[1] = 0; k[1] < s_.kernel[1]; ++k[1])
        for (k[2] = 0; k[2] < s_.kernel[2]; ++k[2]) add_tap(x + tap++ * st_.x[1] * st_.bytes, k);
    for (int64_t i = 0; i < s_.image[0]; ++i)
      for (int64_t j = 0; j < s_.image[1]; ++j)
        st_.store(y + (i * s_.y[0] + j * s_.y[1]) * st_.bytes, s_.y[2],
                  plane_ + (i * s_.image[1] + j) * s_.image[2], static_cast<size_t>(s_.image[2]));
  }

 private:
  int64_t pixel(int axis, int64_t block, int64_t k) const {
    return block * s_.stride[axis] + k * s_.dilation[axis] - s_.begin[axis];
  }

  void add_tap(const char* x, const int64_t* k) {
    // Blocks [first, end) of a row whose element falls on the image.
    const int64_t missing = s_.begin[2] - k[2] * s_.dilation[2], step = s_.stride[2];
    const int64_t first = missing > 0 ? (missing + step - 1) / step : 0;
    const int64_t room = s_.image[2] - 1 + missing;
    const int64_t end = room < 0 ? 0 : std::min(s_.blocks[2], room / step + 1);
    if (first >= end) return;
    for (int64_t a = 0; a < s_.blocks[0]; ++a) {
      const int64_t i = pixel(0, a, k[0]);
      if (i < 0 || i >= s_.image[0]) continue;
      for (int64_t b = 0; b < s_.blocks[1]; ++b) {
        const int64_t j = pixel(1, b, k[1]);
        if (j < 0 || j >= s_.image[1]) continue;
        const int64_t block = (a * s_.blocks[1] + b) * s_.blocks[2] + first;
        T* to = plane_ + (i * s_.image[1] + j) * s_.image[2] + pixel(2, first, k[2]);
        add_row(x + block * st_.x[2] * st_.bytes, end - first, step, to);
      }
    }
  }

  void add_row(const char* x, int64_t n, int64_t step, T* to) {
    const T* from = reinterpret_cast<const T*>(x);
    if (!st_.direct) {
      st_.load(row_, x, st_.x[2], static_cast<size_t>(n));
      from = row_;
    }
    if (step == 1) return pool_row<T>(PoolFn::kSum, from, n, to);
    for (int64_t i = 0; i < n; ++i) to[i * step] += from[i];
  }

  const State& st_;
  const Shape& s_;
  T *plane_, *row_;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const State& st = *static_cast<const State*>(call->state);
  const Shape& s = st.shape;
  if (s.pixels() == 0) return OPMUX_OK;
  const double ns =
      0.5 * static_cast<double>(s.blocks[0] * s.blocks[1] * s.blocks[2] * s.taps() + s.pixels());
  parallel_scratch(
      call->host, s.n * s.c, ns, call->ws, st.slot_bytes, [&](int64_t begin, int64_t end, char* slot) {
        auto all = [&](auto t) {
          Plane<decltype(t)> plane(st, slot);
          for (int64_t i = begin; i < end; ++i) {
            const int64_t n = i / s.c, c = i % s.c;
            plane.run(
                static_cast<const char*>(call->arg[0]) + (n * st.x[0] + c * s.taps() * st.x[1]) * st.bytes,
                static_cast<char*>(call->arg[1]) + (n * s.y_n + c * s.y_c) * st.bytes);
          }
        };
        working_type(*call->d) == OPMUX_F64 ? all(double{}) : all(float{});
      });
  return OPMUX_OK;
}

}  // namespace

const kit_op kCol2im = state_op<State, opmux_op_col2im>(OPMUX_OP_COL2IM, "planes", query, run);

}  // namespace opmux::cpu
