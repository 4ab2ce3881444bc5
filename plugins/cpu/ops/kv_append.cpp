// SPDX-License-Identifier: Apache-2.0
// kv_append: one item is a head, which goes over the rows in their order, so that the last one of several for
// a slot stays.
#include <algorithm>
#include <bit>
#include <cmath>

#include "cpu/answer.hpp"
#include "cpu/attention_core.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/strided_copy.hpp"
#include "kit/operands/attention.gen.hpp"
#include "opmux/ops/attention.gen.h"
#include "opmux/ops/pointwise.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::kv_append::Input;
using enum operands::kv_append::Output;
constexpr size_t kPiece = 256;  // elements at a time

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  for (uint32_t o : {kNewPages, kNewScale}) {
    if (!has_out(*d, o)) continue;
    const uint32_t state = o == kNewPages ? kPages : kScale;
    if (!d->alias || d->alias[o] != state + 1 || !same_view(d->in[state], d->out[o]))
      return no(cap, OPMUX_WHY_ALIAS, d->n_in + o);
  }
  const auto n = static_cast<double>(elements(d->in[kX]));
  yes(cap, info, {.flops = 2 * n, .bytes = 8 * n, .flops_per_ns = 2});
}

int8_t to_i8(float v) {
  if (v != v) return 0;
  return static_cast<int8_t>(std::lrintf(std::clamp(v, -128.0f, 127.0f)));
}

// To nearest, ties to even, beyond 448 to that.
uint8_t to_e4m3fn(float v) {
  const auto bits = std::bit_cast<uint32_t>(v);
  const auto sign = static_cast<uint8_t>(bits >> 24 & 0x80);
  const uint32_t size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7f;
  if (size >= std::bit_cast<uint32_t>(448.0f)) return sign | 0x7e;
  if (size < std::bit_cast<uint32_t>(0x1p-6f))  // in steps of 2^-9
    return sign | static_cast<uint8_t>(std::lrintf(std::bit_cast<float>(size) * 512));
  const uint32_t rounded = (size + 0x7ffff + (size >> 20 & 1)) >> 20;
  return sign | static_cast<uint8_t>(rounded - ((127 - 7) << 3));
}

struct State {
  explicit State(const opmux_opd& d) {
    load = find_load(d.in[kX].dtype);
    dtype = d.out[kNewPages].dtype;
    store = dtype == OPMUX_E4M3FN ? nullptr : find_store(dtype);
    divide = find_tile(OPMUX_FN_DIV, Lane::kF32, kUniformB);
    whole.plan(d.out[kNewPages], d.in[kPages]);
    find_scale = has_out(d, kNewScale);
    if (find_scale) whole_scale.plan(d.out[kNewScale], d.in[kScale]);
    if (has_in(d, kScale)) broadcast_strides(find_scale ? d.out[kNewScale] : d.in[kScale], scale_stride);
  }
  LoadFn load;
  StoreFn store;
  TileFn divide;
  StridedCopy whole, whole_scale;
  uint32_t dtype;
  bool find_scale;
  int64_t scale_stride[4] = {};  // [-, page, row, head]
};

class Append {
 public:
  Append(const kit_call* call, const State& s)
      : s_(s),
        x_(call->d->in[kX]),
        slots_(call->d->in[kSlots]),
        pages_(call->d->out[kNewPages]),
        from_(static_cast<const char*>(call->arg[kX])),
        slot_p_(call->arg[kSlots]),
        to_(static_cast<char*>(call->arg[call->d->n_in + kNewPages])) {
    if (s.find_scale)
      scale_ = static_cast<float*>(call->arg[call->d->n_in + kNewScale]);
    else if (has_in(*call->d, kScale))
      scale_ = static_cast<float*>(call->arg[kScale]);
  }
  int64_t slot(int64_t n) const { return index_value(slots_.dtype, slot_p_, n * slots_.stride[0]); }

  void head(int64_t h) const {
    for (int64_t n = 0; n < x_.dim[0]; ++n) {
      const int64_t at = slot(n);
      if (at >= 0) row(from_ + (n * x_.stride[0] + h * x_.stride[1]) * element_bytes(x_.dtype), at, h);
    }
  }

 private:
  template <class F>
  void pieces(const char* from, F&& f) const {
    float lanes[kPiece];
    for (int64_t e = 0; e < x_.dim[2]; e += static_cast<int64_t>(kPiece)) {
      const size_t n = std::min(kPiece, static_cast<size_t>(x_.dim[2] - e));
      s_.load(lanes, from + e * x_.stride[2] * element_bytes(x_.dtype), x_.stride[2], n);
      f(lanes, e, n);
    }
  }

  float scale_of(const char* from) const {
    if (s_.dtype != OPMUX_I8 && s_.dtype != OPMUX_E4M3FN) return 1;
    float most = 0;
    pieces(from, [&](const float* v, int64_t, size_t n) {
      for (size_t i = 0; i < n; ++i) {
        const float size = std::fabs(v[i]);
        if (size > most && size <= 3.4028234663852886e38f) most = size;
      }
    });
    return most / (s_.dtype == OPMUX_I8 ? 127.0f : 448.0f);
  }

  void row(const char* from, int64_t slot, int64_t h) const {
    const int64_t page = slot / pages_.dim[1], at = slot % pages_.dim[1];
    float scale = 1;
    if (scale_) {
      float* place = scale_ + page * s_.scale_stride[1] + at * s_.scale_stride[2] + h * s_.scale_stride[3];
      if (s_.find_scale) *place = scale_of(from);
      scale = *place;
    }
    char* to = to_ + (page * pages_.stride[0] + at * pages_.stride[1] + h * pages_.stride[2]) *
                         element_bytes(s_.dtype);
    pieces(from, [&](float* v, int64_t e, size_t n) {
      if (scale == 0)
        std::fill(v, v + n, 0.0f);
      else if (scale_)
        s_.divide(v, v, &scale, nullptr, n);
      put(to + e * pages_.stride[3] * element_bytes(s_.dtype), v, n);
    });
  }

  void put(char* to, const float* v, size_t n) const {
    const int64_t step = pages_.stride[3];
    if (s_.dtype == OPMUX_I8)
      for (size_t i = 0; i < n; ++i) to[static_cast<int64_t>(i) * step] = static_cast<char>(to_i8(v[i]));
    else if (s_.dtype == OPMUX_E4M3FN)
      for (size_t i = 0; i < n; ++i) to[static_cast<int64_t>(i) * step] = static_cast<char>(to_e4m3fn(v[i]));
    else
      s_.store(to, step, v, n);
  }

  const State& s_;
  const opmux_tdesc &x_, &slots_, &pages_;
  const char* from_;
  const void* slot_p_;
  char* to_;
  float* scale_ = nullptr;
};

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  const opmux_opd& d = *call->d;
  const opmux_tdesc& x = d.in[kX];
  const Append append(call, s);
  const int64_t limit = d.in[kPages].dim[0] * d.in[kPages].dim[1];
  for (int64_t n = 0; n < x.dim[0]; ++n) {
    const int64_t slot = append.slot(n);
    if (slot < -1 || slot >= limit)
      return kit_fail(err, OPMUX_E_FAULT, kSlots, "kv_append: slots[%lld] is %lld, outside [-1, %lld]",
                      static_cast<long long>(n), static_cast<long long>(slot),
                      static_cast<long long>(limit - 1));
  }
  // A state that is bound apart in spite of the alias is copied first.
  if (call->arg[d.n_in + kNewPages] != call->arg[kPages])
    s.whole.run(call->host, call->arg[d.n_in + kNewPages], call->arg[kPages]);
  if (s.find_scale && call->arg[d.n_in + kNewScale] != call->arg[kScale])
    s.whole_scale.run(call->host, call->arg[d.n_in + kNewScale], call->arg[kScale]);
  const auto heads = static_cast<uint64_t>(x.dim[1]);
  parallel_for(call->host, heads, grain_for(heads, static_cast<double>(x.dim[0] * (20 + x.dim[2]))),
               [&](uint64_t begin, uint64_t end) {
                 for (uint64_t h = begin; h < end; ++h) append.head(static_cast<int64_t>(h));
               });
  return OPMUX_OK;
}

}  // namespace

const kit_op kKvAppend = state_op<State, opmux_op_kv_append>(OPMUX_OP_KV_APPEND, "rows", query, run);

}  // namespace opmux::cpu
