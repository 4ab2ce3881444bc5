// SPDX-License-Identifier: Apache-2.0
// One run as the operators see it: typed attributes, dense inputs in a wide type, and one way to put results.
//
// Every operator here is written in three steps: read whole inputs as dense row-major arrays of a type wider
// than their own, compute plainly, write the whole output. Strides, small types, rounding and epilogues are
// in this file alone. Buffers are allocated per run: clarity comes before speed in this plugin, and only
// here.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kit/guard.hpp"
#include "kit/insn.hpp"
#include "kit/op.h"
#include "kit/view.hpp"
#include "opmux/ext/oracle.h"
#include "opmux/ops.h"

namespace opmux::reference {

using kit::Scalar;

[[noreturn]] void fail(opmux_status status, uint32_t arg, const char* format, ...) KIT_PRINTF(3, 4);

// Calls f with a zero of the type in which elements of `dtype` are computed: double for floats up to f32,
// long double for f64, uint64_t for integers and bool. Sums and products of integers modulo 2^64 are right
// for every narrower type, signed or not; what needs a sign looks at dtype.
template <class F>
void with_wide_type(uint32_t dtype, F&& f) {
  if (dtype == OPMUX_F64)
    f(static_cast<long double>(0));
  else if (kit::is_float(dtype))
    f(0.0);
  else
    f(uint64_t{0});
}

template <class R>
R to_wide(uint32_t dtype, Scalar s) {
  if constexpr (std::is_floating_point_v<R>) {
    if (kit::is_float(dtype)) return R(s.f);
    return kit::is_signed(dtype) ? R(s.i) : R(s.u);
  } else {
    return s.u;
  }
}

inline int64_t count_of(const opmux_tdesc& t) {
  int64_t n = 1;
  for (uint32_t i = 0; i < t.rank; ++i) n *= t.dim[i];
  return n;
}
inline std::span<const int64_t> dims_of(const opmux_tdesc& t) { return {t.dim, t.rank}; }

// Absolute values, for the magnitudes of sums of products.
template <class R>
std::vector<double> absolute(const std::vector<R>& v) {
  std::vector<double> out;
  out.reserve(v.size());
  for (R x : v)
    out.push_back(std::is_floating_point_v<R> ? std::fabs(double(x)) : std::fabs(double(int64_t(x))));
  return out;
}

// The unsigned type of the same width, for moving elements without looking at them.
uint32_t raw_type(uint32_t dtype);

// The program of a slot with the operands that only it reads; makes one result from value 0.
class Epilogue {
 public:
  Epilogue(const kit_call& call, uint32_t output, uint32_t value_dtype);
  explicit operator bool() const { return prog_ != nullptr; }
  uint32_t extras() const { return prog_ ? prog_->n_in - 1 : 0; }
  const opmux_tdesc& extra(uint32_t i) const { return call_->d->in[first_ + i]; }
  uint32_t out_dtype() const { return prog_ ? dtype_[prog_->out[0]] : dtype_[0]; }
  // offset[i]: element of extra operand i.
  Scalar apply(Scalar value0, const int64_t* offset);
  // The result of the last apply before its rounding.
  long double unrounded() const;

 private:
  const kit_call* call_;
  const opmux_prog* prog_ = nullptr;
  uint32_t first_ = 0;  // input number of extra operand 0
  uint32_t dtype_[OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN] = {};
  Scalar value_[OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN] = {};
};

// Result of a program's value `v` before rounding, once run_program has filled value[].
long double unrounded_value(const opmux_prog& prog, const uint32_t* dtype, const Scalar* value, uint32_t v);

class Job {
 public:
  explicit Job(const kit_call& call, opmux_oracle_result* oracle = nullptr) : call_(call), oracle_(oracle) {}

  const kit_call& call() const { return call_; }
  template <class T>
  const T& desc() const {
    return *reinterpret_cast<const T*>(call_.d);
  }
  const opmux_tdesc& in(uint32_t i) const { return call_.d->in[i]; }
  const opmux_tdesc& out(uint32_t o) const { return call_.d->out[o]; }
  bool has_in(uint32_t i) const { return i < kit::own_inputs(*call_.d) && in(i).dtype != OPMUX_NONE; }
  bool has_out(uint32_t o) const { return o < call_.d->n_out && out(o).dtype != OPMUX_NONE; }
  const void* in_data(uint32_t i) const { return call_.arg[i]; }
  void* out_data(uint32_t o) const { return call_.arg[call_.d->n_in + o]; }
  std::span<const int64_t> list(opmux_slice s) const { return {call_.d->list + s.first, s.count}; }

  // Is output o to be written, or are its unrounded values wanted?
  bool oracle() const { return oracle_ != nullptr; }
  bool wants(uint32_t o) const { return oracle_ ? oracle_->output == o : has_out(o); }
  bool wants_magnitude(uint32_t o) const { return oracle_ && oracle_->output == o && oracle_->magnitude; }

  // Input i, row-major.
  template <class R>
  std::vector<R> read(uint32_t i) const {
    return read_as<R>(i, in(i));
  }
  // Input i broadcast to the dims of `shape`.
  template <class R>
  std::vector<R> read_as(uint32_t i, const opmux_tdesc& shape) const;
  // Element 0 of a rank-0 input.
  Scalar scalar(uint32_t i) const { return kit::load(in(i).dtype, in_data(i), 0); }

  // Writes output o from row-major values, which have the type `value_dtype` (OPMUX_NONE: that of the output)
  // once rounded; then comes the epilogue, if there is one.
  template <class R>
  void write(uint32_t o, const std::vector<R>& values, const std::vector<double>& magnitude = {},
             uint32_t value_dtype = OPMUX_NONE);

  // Elements of input i, row-major, as their bits; and output o from such bits.
  std::vector<uint64_t> read_bits(uint32_t i) const;
  void write_bits(uint32_t o, const std::vector<uint64_t>& bits);

  // Moves elements without rounding: element k of output o, row-major, is at offset source[k] of input i, or
  // `other` (bits of the output's type) where source[k] is kNoSource.
  void move(uint32_t o, uint32_t i, const std::vector<int64_t>& source, uint64_t other = 0);
  static constexpr int64_t kNoSource = INT64_MIN;

  // For the oracle: stores the unrounded value of element k.
  void put_unrounded(int64_t k, long double value, double magnitude);

 private:
  void put_exact(int64_t k, uint32_t dtype, Scalar value);
  const kit_call& call_;
  opmux_oracle_result* oracle_;
};

template <class R>
std::vector<R> Job::read_as(uint32_t i, const opmux_tdesc& shape) const {
  const uint32_t dtype = in(i).dtype;
  const void* base = in_data(i);
  std::vector<R> values;
  values.reserve(size_t(count_of(shape)));
  kit::Walk walk(shape);
  walk.add(in(i)).collapse();
  walk.rows([&](const int64_t* offset, int64_t n, const int64_t* step) {
    for (int64_t j = 0; j < n; ++j)
      values.push_back(to_wide<R>(dtype, kit::load(dtype, base, offset[0] + j * step[0])));
  });
  return values;
}

// A computed value as an element of type `dtype`.
template <class R>
Scalar narrow(uint32_t dtype, R value) {
  if constexpr (std::is_floating_point_v<R>) {
    if (kit::is_float(dtype)) return kit::of_float(kit::round_to(dtype, double(value)));
    return kit::cast_to(OPMUX_F64, dtype, kit::of_float(double(value)), true);
  } else {
    return kit::wrap(dtype, value);
  }
}

template <class R>
void Job::write(uint32_t o, const std::vector<R>& values, const std::vector<double>& magnitude,
                uint32_t value_dtype) {
  if (!wants(o)) return;
  const opmux_tdesc& t = out(o);
  Epilogue epilogue(call_, o, value_dtype == OPMUX_NONE ? t.dtype : value_dtype);
  const uint32_t first = value_dtype == OPMUX_NONE ? t.dtype : value_dtype;
  kit::Walk walk(t);
  walk.add(t);
  for (uint32_t i = 0; i < epilogue.extras(); ++i) walk.add(epilogue.extra(i));
  int64_t k = 0;
  walk.each([&](const int64_t* offset) {
    const R value = values[size_t(k)];
    Scalar y = narrow(first, value);
    if (epilogue) y = epilogue.apply(y, offset + 1);
    if (!oracle_) {
      kit::store(t.dtype, out_data(o), offset[0], kit::cast_to(epilogue.out_dtype(), t.dtype, y));
    } else {
      const long double wide = !kit::is_float(t.dtype) ? to_wide<long double>(t.dtype, y)
                               : epilogue              ? epilogue.unrounded()
                                                       : static_cast<long double>(value);
      put_unrounded(k, wide, magnitude.empty() ? double(std::fabs(wide)) : magnitude[size_t(k)]);
    }
    ++k;
  });
}

}  // namespace opmux::reference
