// SPDX-License-Identifier: Apache-2.0
// pool: each output row first gathers the rows of its windows into one (which has unit stride whatever the
// window's stride is), then the taps along that row.
#include "opmux/ops/pool.gen.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/gemm_op.hpp"
#include "cpu/kernels/gemm.hpp"
#include "cpu/kernels/pool.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/program.hpp"
#include "cpu/scratch.hpp"
#include "opmux/ops/pointwise.gen.h"

namespace opmux::cpu {
namespace {

struct Shape {
  int64_t n, c, in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
  int64_t x_n, x_c, x[3], y_n, y_c, y[3], i_n, i_c, i[3];  // strides of x, y and index
  int64_t in_size() const { return in[0] * in[1] * in[2]; }
  int64_t out_size() const { return out[0] * out[1] * out[2]; }
  // The gathered row with the padding that windows reach, and slack for whole vectors.
  int64_t row() const {
    return std::max((out[2] - 1) * stride[2] + (kernel[2] - 1) * dilation[2] + 1, begin[2] + in[2]) + 64;
  }
};

const opmux_op_pool& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_pool&>(d); }
uint32_t working_type(const opmux_opd& d) { return d.in[0].dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32; }

Shape shape(const opmux_opd& d) {
  const opmux_op_pool& op = desc(d);
  const uint32_t dims = d.in[0].rank - 2;
  Shape s{};
  auto slice = [&](opmux_slice l, uint32_t from, int64_t missing, int64_t* to) {
    std::fill(to, to + 3, missing);
    for (uint32_t i = 0; i < dims && from + i < l.count; ++i) to[3 - dims + i] = d.list[l.first + from + i];
  };
  auto spatial = [&](const opmux_tdesc& t, int64_t* dim, int64_t* n, int64_t* c, int64_t* stride) {
    if (dim) std::fill(dim, dim + 3, 1);
    *n = t.stride[0];
    *c = t.stride[1];
    for (uint32_t i = 0; i < dims; ++i) {
      if (dim) dim[3 - dims + i] = t.dim[2 + i];
      stride[3 - dims + i] = t.stride[2 + i];
    }
  };
  s.n = d.in[0].dim[0];
  s.c = d.in[0].dim[1];
  spatial(d.in[0], s.in, &s.x_n, &s.x_c, s.x);
  spatial(d.out[0], s.out, &s.y_n, &s.y_c, s.y);
  if (has_out(d, 1)) spatial(d.out[1], nullptr, &s.i_n, &s.i_c, s.i);
  slice(op.kernel, 0, 1, s.kernel);
  slice(op.stride, 0, 1, s.stride);
  slice(op.dilation, 0, 1, s.dilation);
  slice(op.pad, 0, 0, s.begin);
  slice(op.pad, dims, 0, s.end);
  return s;
}

bool is_plain(const opmux_opd& d, const Shape& s) {  // rows of x are used where they lie
  return d.in[0].dtype == working_type(d) && (s.x[2] == 1 || s.in[2] == 1);
}

struct Slot {
  uint64_t plane, row, out, total;  // bytes
};
Slot slot(const opmux_opd& d, const Shape& s) {
  auto round = [](int64_t bytes) { return (static_cast<uint64_t>(bytes) + 63) & ~uint64_t{63}; };
  const int64_t size = element_bytes(working_type(d));
  Slot l{};
  l.plane = is_plain(d, s) ? 0 : round(s.in_size() * size);
  l.row = round(s.row() * size);
  l.out = round(s.out[2] * size);
  l.total = l.plane + l.row + l.out + round(s.out[2] * 8);
  return l;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const opmux_tdesc& x = d->in[0];
  const bool known = x.dtype == OPMUX_F32 || x.dtype == OPMUX_F64 || x.dtype == OPMUX_F16 ||
                     x.dtype == OPMUX_BF16 || x.dtype == OPMUX_I8 || x.dtype == OPMUX_U8;
  if (!known) return no(cap, OPMUX_WHY_DTYPE, 0, x.dtype);
  if (x.rank < 3 || x.rank > 5) return no(cap, OPMUX_WHY_RANK, 0, x.rank, 5);
  if (!plain_operands(*d, cap)) return;
  if (is_aliased(*d)) return no(cap, OPMUX_WHY_ALIAS, 0);
  if (d->n_prog != 0) return no(cap, OPMUX_WHY_PROGRAM, 0);
  const Shape s = shape(*d);
  Cost c;
  c.bytes = static_cast<double>(elements(x) * element_bytes(x.dtype) +
                                elements(d->out[0]) * element_bytes(x.dtype));
  c.flops = static_cast<double>(elements(d->out[0]) * s.kernel[0] * s.kernel[1] * s.kernel[2]);
  c.flops_per_ns = 4;
  c.ws = scratch_bytes(slot(*d, s).total);
  yes(cap, info, c);
}

// The conversion of a finished row to the type and stride of y.
struct State {
  explicit State(const opmux_opd& d)
      : shape(opmux::cpu::shape(d)), lay(slot(d, shape)), plain(is_plain(d, shape)) {
    const uint32_t type = working_type(d), out_type = d.out[0].dtype, value = 1;
    same = type == out_type;
    if (same) return;
    const opmux_insn cast{OPMUX_FN_CAST, out_type, 0, 0, 0, 0, 0};
    store.compile({&cast, &value, 1, 1, OPMUX_SLOT_MAIN, 1}, &type, &out_type);
  }
  Shape shape;
  Slot lay;
  bool plain, same = false;  // same: y has the working type
  RowProgram store;
};

template <class T>
class Pool {
 public:
  Pool(const kit_call& call, const State& st, char* slot)
      : call_(call), d_(desc(*call.d)), s_(st.shape), st_(st) {
    plane_ = reinterpret_cast<T*>(slot);
    col_ = reinterpret_cast<T*>(slot + st.lay.plane);
    out_ = reinterpret_cast<T*>(slot + st.lay.plane + st.lay.row);
    index_ = reinterpret_cast<int64_t*>(slot + st.lay.plane + st.lay.row + st.lay.out);
  }

  void run(int64_t plane) {
    const int64_t n = plane / s_.c, c = plane % s_.c, size = element_bytes(call_.d->in[0].dtype);
    number_ = plane;
    x_ = static_cast<const char*>(call_.arg[0]) + (n * s_.x_n + c * s_.x_c) * size;
    if (!st_.plain) convert();
    char* y =
        static_cast<char*>(call_.arg[1]) + (n * s_.y_n + c * s_.y_c) * element_bytes(call_.d->out[0].dtype);
    int64_t* winner = nullptr;
    if (call_.d->n_out > 1 && call_.arg[2])
      winner = static_cast<int64_t*>(call_.arg[2]) + n * s_.i_n + c * s_.i_c;
    for (int64_t d = 0; d < s_.out[0]; ++d) {
      for (int64_t h = 0; h < s_.out[1]; ++h) {
        const int64_t at[2] = {d, h};
        if (winner) {
          max_with_index(at);
          for (int64_t o = 0; o < s_.out[2]; ++o) winner[d * s_.i[0] + h * s_.i[1] + o * s_.i[2]] = index_[o];
        } else {
          pool(at);
        }
        finish(y + (d * s_.y[0] + h * s_.y[1]) * element_bytes(call_.d->out[0].dtype));
      }
    }
  }

 private:
  void finish(char* y) {
    if (st_.same) {
      T* to = reinterpret_cast<T*>(y);
      for (int64_t o = 0; o < s_.out[2]; ++o) to[o * s_.y[2]] = out_[o];
      return;
    }
    const TileView from{out_, s_.out[2], 1}, to{y, 0, s_.y[2]};
    st_.store.run_tile(1, s_.out[2], &from, &to);
  }

  // The plane in the working type, contiguous.
  void convert() {
    const uint32_t dtype = call_.d->in[0].dtype;
    T* to = plane_;
    for (int64_t d = 0; d < s_.in[0]; ++d) {
      for (int64_t h = 0; h < s_.in[1]; ++h, to += s_.in[2]) {
        const char* from = x_ + (d * s_.x[0] + h * s_.x[1]) * element_bytes(dtype);
        if (dtype == OPMUX_I8 || dtype == OPMUX_U8) {
          for (int64_t w = 0; w < s_.in[2]; ++w) {
            const char* p = from + w * s_.x[2];
            to[w] = dtype == OPMUX_I8 ? static_cast<T>(*reinterpret_cast<const int8_t*>(p))
                                      : static_cast<T>(*reinterpret_cast<const uint8_t*>(p));
          }
        } else {
          gemm_pack<T>(dtype, {from, s_.x[2], 0}, s_.in[2], 1, s_.in[2], to);
        }
      }
    }
  }

  const T* row(int64_t d, int64_t h) const {
    if (!st_.plain) return plane_ + (d * s_.in[1] + h) * s_.in[2];
    return reinterpret_cast<const T*>(x_) + d * s_.x[0] + h * s_.x[1];
  }

  // Calls f(row) for the rows of the input under the window rows at output (at[0], at[1]).
  template <class F>
  void each_row(const int64_t* at, const F& f) const {
    for (int64_t kd = 0; kd < s_.kernel[0]; ++kd) {
      const int64_t d = at[0] * s_.stride[0] + kd * s_.dilation[0] - s_.begin[0];
      if (d < 0 || d >= s_.in[0]) continue;
      for (int64_t kh = 0; kh < s_.kernel[1]; ++kh) {
        const int64_t h = at[1] * s_.stride[1] + kh * s_.dilation[1] - s_.begin[1];
        if (h >= 0 && h < s_.in[1]) f(d, h);
      }
    }
  }

  // Elements along an axis that the divisor of an average counts.
  int64_t counted(int axis, int64_t o) const {
    const int64_t lo = d_.count_include_pad ? -s_.begin[axis] : 0;
    const int64_t hi = s_.in[axis] + (d_.count_include_pad ? s_.end[axis] : 0);
    int64_t n = 0;
    for (int64_t k = 0; k < s_.kernel[axis]; ++k) {
      const int64_t i = o * s_.stride[axis] + k * s_.dilation[axis] - s_.begin[axis];
      n += i >= lo && i < hi;
    }
    return n;
  }

  void pool(const int64_t* at) {
    const bool max = d_.kind == OPMUX_POOL_MAX;
    const PoolFn fn = max                             ? PoolFn::kMax
                      : d_.kind == OPMUX_POOL_AVERAGE ? PoolFn::kSum
                      : d_.p == 2                     ? PoolFn::kSumSquare
                                                      : PoolFn::kSumAbs;
    const T none = max ? lowest() : T{0};
    std::fill(col_, col_ + s_.row(), none);
    each_row(at, [&](int64_t d, int64_t h) {
      if (d_.kind == OPMUX_POOL_LP && d_.p > 2) {
        const T* x = row(d, h);
        for (int64_t w = 0; w < s_.in[2]; ++w)
          col_[s_.begin[2] + w] += std::pow(std::fabs(x[w]), static_cast<T>(d_.p));
      } else {
        pool_row<T>(fn, row(d, h), s_.in[2], col_ + s_.begin[2]);
      }
    });
    pool_taps<T>(max ? PoolFn::kMax : PoolFn::kSum, col_, s_.kernel[2], s_.dilation[2], s_.stride[2],
                 s_.out[2], out_);
    if (max) return;
    if (d_.kind == OPMUX_POOL_AVERAGE) {
      const int64_t rows = counted(0, at[0]) * counted(1, at[1]);
      for (int64_t o = 0; o < s_.out[2]; ++o) {
        const int64_t n = rows * counted(2, o);
        out_[o] = n == 0 ? T{0} : out_[o] / static_cast<T>(n);
      }
    } else if (d_.p > 1) {
      for (int64_t o = 0; o < s_.out[2]; ++o) {
        out_[o] = d_.p == 2 ? std::sqrt(out_[o]) : std::pow(out_[o], T{1} / static_cast<T>(d_.p));
      }
    }
  }

  void max_with_index(const int64_t* at) {
    std::fill(out_, out_ + s_.out[2], lowest());
    std::fill(index_, index_ + s_.out[2], int64_t{-1});
    each_row(at, [&](int64_t d, int64_t h) {
      const T* x = row(d, h);
      for (int64_t o = 0; o < s_.out[2]; ++o) {
        for (int64_t k = 0; k < s_.kernel[2]; ++k) {
          const int64_t w = o * s_.stride[2] + k * s_.dilation[2] - s_.begin[2];
          if (w < 0 || w >= s_.in[2]) continue;
          const T v = x[w];
          if (index_[o] >= 0 && !(v > out_[o]) && !(std::isnan(v) && !std::isnan(out_[o]))) continue;
          out_[o] = v;
          index_[o] = number_ * s_.in_size() + (d_.column_major ? d + s_.in[0] * (h + s_.in[1] * w)
                                                                : (d * s_.in[1] + h) * s_.in[2] + w);
        }
      }
    });
  }

  T lowest() const {
    switch (call_.d->in[0].dtype) {
      case OPMUX_I8:
        return -128;
      case OPMUX_U8:
        return 0;
      default:
        return -std::numeric_limits<T>::infinity();
    }
  }

  const kit_call& call_;
  const opmux_op_pool& d_;
  const Shape& s_;
  const State& st_;
  T *plane_, *col_, *out_;
  int64_t* index_;
  const char* x_ = nullptr;
  int64_t number_ = 0;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const State& st = *static_cast<const State*>(call->state);
  const Shape& s = st.shape;
  if (s.out_size() == 0) return OPMUX_OK;
  const double ns = static_cast<double>(s.out_size() * s.kernel[0] * s.kernel[1] * s.kernel[2]) * 0.3 + 20;
  parallel_scratch(call->host, s.n * s.c, ns, call->ws, st.lay.total,
                   [&](int64_t begin, int64_t end, char* slot) {
                     auto all = [&](auto t) {
                       Pool<decltype(t)> pool(*call, st, slot);
                       for (int64_t i = begin; i < end; ++i) pool.run(i);
                     };
                     working_type(*call->d) == OPMUX_F64 ? all(double{}) : all(float{});
                   });
  return OPMUX_OK;
}

}  // namespace

const kit_op kPool = state_op<State, opmux_op_pool>(OPMUX_OP_POOL, "rows", query, run);

}  // namespace opmux::cpu
