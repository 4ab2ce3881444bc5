// SPDX-License-Identifier: Apache-2.0
// speculative: rows in parallel, each in f64 as the operator's doc says.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "cpu/answer.hpp"
#include "cpu/kernels/random.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/typed_rows.hpp"
#include "kit/operands/sampling.gen.hpp"
#include "opmux/ops/sampling.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::speculative::Input;
using enum operands::speculative::Output;
constexpr int64_t kTile = 256;

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  for (uint32_t o = 0; d->alias && o < d->n_out; ++o)
    if (d->alias[o] != 0) return no(cap, OPMUX_WHY_ALIAS, d->n_in + o);
  const auto n = static_cast<double>(elements(d->in[kP]));
  yes(cap, info,
      {.flops = 4 * n,
       .bytes = 2 * n * static_cast<double>(element_bytes(d->in[kP].dtype)),
       .flops_per_ns = 2});
}

// Elements [begin, end) of a row as f64, end - begin <= kTile.
struct Line {
  Line(const kit_call* call, uint32_t i, int64_t row, int64_t position)
      : dtype(call->d->in[i].dtype), stride(call->d->in[i].stride[2]) {
    const opmux_tdesc& t = call->d->in[i];
    base = static_cast<const char*>(call->arg[i]) +
           (row * t.stride[0] + position * t.stride[1]) * element_bytes(dtype);
  }
  void load(int64_t begin, int64_t end, double* to) const {
    const char* from = base + begin * stride * element_bytes(dtype);
    const RowLoader<double> rows(dtype);
    rows(to, from, stride, end - begin);
  }
  double at(int64_t i) const {
    double v;
    load(i, i + 1, &v);
    return v;
  }
  uint32_t dtype;
  int64_t stride;
  const char* base;
};

class Row {
 public:
  Row(const kit_call* call, int64_t row)
      : call_(call), row_(row), drafted_(call->d->in[kDraft].dim[1]), n_(call->d->in[kQ].dim[2]) {}

  // False: the row has a fault, which explain() words.
  bool run() {
    if (bad_draft() < drafted_) return false;
    for (accepted_ = 0; accepted_ < drafted_; ++accepted_) {
      const int64_t t = draft(accepted_);
      if (!(uniform(accepted_) * q(accepted_).at(t) < p(accepted_).at(t))) break;
      put(accepted_, t);
    }
    const double u = uniform(drafted_ + 1 + accepted_);
    int64_t drawn = accepted_ < drafted_ ? draw(u, true) : -1;
    if (drawn < 0) drawn = draw(u, false);
    if (drawn < 0) return false;
    put(accepted_, drawn);
    for (int64_t i = accepted_ + 1; i <= drafted_; ++i) put(i, -1);
    auto* count = static_cast<int64_t*>(call_->arg[call_->d->n_in + kCount]);
    count[row_ * call_->d->out[kCount].stride[0]] = accepted_ + 1;
    return true;
  }

  opmux_status explain(opmux_err* err) {
    const auto row = static_cast<long long>(row_);
    if (const int64_t i = bad_draft(); i < drafted_)
      return kit_fail(err, OPMUX_E_FAULT, kDraft,
                      "speculative: draft token %lld of row %lld is outside [0, %lld]",
                      static_cast<long long>(draft(i)), row, static_cast<long long>(n_ - 1));
    run();
    return kit_fail(err, OPMUX_E_FAULT, kP,
                    "speculative: the probabilities of position %lld of row %lld have none above 0",
                    static_cast<long long>(accepted_), row);
  }

 private:
  Line q(int64_t i) const { return {call_, kQ, row_, i}; }
  Line p(int64_t i) const { return {call_, kP, row_, i}; }
  // The first position whose token is out of range, or drafted_.
  int64_t bad_draft() const {
    int64_t i = 0;
    while (i < drafted_ && draft(i) >= 0 && draft(i) < n_) ++i;
    return i;
  }
  int64_t draft(int64_t i) const {
    const opmux_tdesc& t = call_->d->in[kDraft];
    const int64_t at = row_ * t.stride[0] + i * t.stride[1];
    const void* base = call_->arg[kDraft];
    return t.dtype == OPMUX_I64 ? static_cast<const int64_t*>(base)[at]
                                : static_cast<const int32_t*>(base)[at];
  }
  void put(int64_t i, int64_t token) const {
    const opmux_tdesc& t = call_->d->out[kToken];
    static_cast<int64_t*>(call_->arg[call_->d->n_in + kToken])[row_ * t.stride[0] + i * t.stride[1]] = token;
  }
  double uniform(int64_t j) const {
    alignas(8) uint32_t words[4 + kPhiloxOverrun];
    const auto k = static_cast<uint64_t>(row_ * (2 * drafted_ + 2) + j);
    const auto number = [&](uint32_t i) { return *static_cast<const uint64_t*>(call_->arg[i]); };
    philox(number(kSeed), number(kOffset) + k / 2, 1, words);
    const uint64_t word = words[2 * (k % 2)] | uint64_t{words[2 * (k % 2) + 1]} << 32;
    return std::ldexp(static_cast<double>(word >> 11), -53);
  }

  // The first token whose running sum is above u times the sum; -1: no weight is above 0.
  int64_t draw(double u, bool surplus) const {
    double sum = 0;
    each_weight(surplus, [&](int64_t, double w) {
      sum += w;
      return true;
    });
    double run = 0;
    int64_t token = -1;
    each_weight(surplus, [&](int64_t i, double w) {
      run += w;
      token = i;
      return !(run > u * sum);
    });
    return token;
  }
  // f(token, weight) for weights above 0, until it gives false.
  template <class F>
  void each_weight(bool surplus, F f) const {
    double a[kTile], b[kTile];
    for (int64_t begin = 0; begin < n_; begin += kTile) {
      const int64_t end = std::min(n_, begin + kTile);
      p(accepted_).load(begin, end, a);
      if (surplus) q(accepted_).load(begin, end, b);
      for (int64_t i = 0; i < end - begin; ++i) {
        const double w = surplus ? a[i] - b[i] : a[i];
        if (w > 0 && !f(begin + i, w)) return;
      }
    }
  }

  const kit_call* call_;
  int64_t row_, drafted_, n_, accepted_ = 0;
};

opmux_status run(const kit_call* call, opmux_err* err) {
  const auto rows = static_cast<uint64_t>(call->d->in[kDraft].dim[0]);
  std::atomic<int64_t> bad{std::numeric_limits<int64_t>::max()};  // the first row with a fault
  parallel_for(call->host, rows, grain_for(rows, 2 * static_cast<double>(call->d->in[kP].dim[2])),
               [&](uint64_t begin, uint64_t end) {
                 for (auto r = static_cast<int64_t>(begin); r < static_cast<int64_t>(end); ++r) {
                   if (Row(call, r).run()) continue;
                   int64_t first = bad.load();
                   while (r < first && !bad.compare_exchange_weak(first, r)) {
                   }
                 }
               });
  return bad.load() == std::numeric_limits<int64_t>::max() ? opmux_status{OPMUX_OK}
                                                           : Row(call, bad.load()).explain(err);
}

}  // namespace

const kit_op kSpeculative = {
    OPMUX_OP_SPECULATIVE,         "rows", query, nullptr, nullptr, run, nullptr, nullptr,
    sizeof(opmux_op_speculative), 1};

}  // namespace opmux::cpu
