// SPDX-License-Identifier: Apache-2.0
// det: elimination with row pivoting in f64. Many matrices go in parallel; of few large ones, the rows of a
// step.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/answer.hpp"
#include "cpu/kernels/vectors.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/scratch.hpp"
#include "cpu/state.hpp"
#include "cpu/typed_rows.hpp"
#include "opmux/ops/matmul.gen.h"

namespace opmux::cpu {
namespace {

constexpr double kMostBytes = 1ull << 40;

int64_t order(const opmux_opd& d) { return d.in[0].dim[d.in[0].rank - 1]; }

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  if (d->alias && d->alias[0] != 0) return no(cap, OPMUX_WHY_ALIAS, d->n_in);
  const auto n = static_cast<double>(order(*d));
  const double bytes = n * n * 8 * static_cast<double>(scratch_slots());
  if (!fits(bytes, kMostBytes, cap)) return;
  const auto matrices = static_cast<double>(elements(d->out[0]));
  yes(cap, info,
      {.flops = matrices * n * n * n * 2 / 3,
       .bytes = matrices * n * n * 8,
       .flops_per_ns = 8,
       .ws = scratch_bytes(static_cast<uint64_t>(order(*d) * order(*d)) * 8)});
}

struct State {
  explicit State(const opmux_opd& d)
      : n(order(d)), load(d.in[0].dtype), store(d.out[0].dtype), axpy(vector_kernels<double>().axpy) {}
  int64_t n;
  RowLoader<double> load;
  RowStorer<double> store;
  void (*axpy)(double, const double*, double*, int64_t);
};

// host: for parallel rows, nullptr: on this thread. a is overwritten.
double determinant(const State& s, const opmux_host_api* host, double* a) {
  const int64_t n = s.n;
  for (int64_t i = 0; i < n * n; ++i)
    if (!std::isfinite(a[i])) return std::numeric_limits<double>::quiet_NaN();
  double mantissa = 1;
  int64_t exponent = 0;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k; i < n; ++i)
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
      mantissa = -mantissa;
    }
    const double top = a[k * n + k];
    int e = 0;
    mantissa = std::frexp(mantissa * top, &e);
    exponent += e;
    if (top == 0) break;
    const auto eliminate = [&](uint64_t begin, uint64_t end) {
      for (auto i = k + 1 + static_cast<int64_t>(begin); i < k + 1 + static_cast<int64_t>(end); ++i) {
        const double factor = -a[i * n + k] / top;
        double* row = a + i * n + k + 1;
        s.axpy(factor, a + k * n + k + 1, row, n - k - 1);
      }
    };
    const auto rows = static_cast<uint64_t>(n - k - 1);
    if (host)
      parallel_for(host, rows, grain_for(rows, 0.3 * static_cast<double>(rows)), eliminate);
    else if (rows > 0)
      eliminate(0, rows);
  }
  return std::ldexp(mantissa, static_cast<int>(std::clamp<int64_t>(exponent, -100000, 100000)));
}

// The matrix of output element `index` into a.
void read(const State& s, const kit_call* call, int64_t index, double* a) {
  const opmux_tdesc &x = call->d->in[0], &y = call->d->out[0];
  int64_t from = 0, to_rest = index;
  for (uint32_t i = y.rank; i-- > 0; to_rest /= y.dim[i]) from += to_rest % y.dim[i] * x.stride[i];
  const int64_t size = element_bytes(x.dtype), n = s.n;
  const auto* base = static_cast<const char*>(call->arg[0]);
  for (int64_t i = 0; i < n; ++i) {
    const char* row = base + (from + i * x.stride[x.rank - 2]) * size;
    s.load(a + i * n, row, x.stride[x.rank - 1], n);
  }
}

void write(const State& s, const kit_call* call, int64_t index, double value) {
  const opmux_tdesc& y = call->d->out[0];
  int64_t to = 0;
  for (uint32_t i = y.rank; i-- > 0; index /= y.dim[i]) to += index % y.dim[i] * y.stride[i];
  char* p = static_cast<char*>(call->arg[call->d->n_in]) + to * element_bytes(y.dtype);
  s.store(p, 1, &value, 1);
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  const int64_t matrices = elements(call->d->out[0]);
  if (s.n >= 128 && matrices < scratch_slots() * 2) {
    auto* scratch = reinterpret_cast<double*>(align64(call->ws));
    for (int64_t i = 0; i < matrices; ++i) {
      read(s, call, i, scratch);
      write(s, call, i, determinant(s, call->host, scratch));
    }
    return OPMUX_OK;
  }
  const auto n = static_cast<double>(s.n);
  parallel_scratch(call->host, matrices, 20 + n * n * (2 + 0.2 * n), call->ws,
                   static_cast<uint64_t>(s.n * s.n) * sizeof(double),
                   [&](int64_t begin, int64_t end, char* slot) {
                     auto* a = reinterpret_cast<double*>(slot);
                     for (int64_t i = begin; i < end; ++i) {
                       read(s, call, i, a);
                       write(s, call, i, determinant(s, nullptr, a));
                     }
                   });
  return OPMUX_OK;
}

}  // namespace

const kit_op kDet = state_op<State, opmux_op_det>(OPMUX_OP_DET, "pivoted", query, run);

}  // namespace opmux::cpu
