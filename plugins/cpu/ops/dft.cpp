// SPDX-License-Identifier: Apache-2.0
// dft: transforms go in groups, interleaved, so that vectors lie across them; a group is a work item.
#include <algorithm>
#include <limits>

#include "cpu/dft_plan.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/scratch.hpp"
#include "cpu/state.hpp"
#include "cpu/typed_rows.hpp"
#include "opmux/ops/signal.gen.h"

namespace opmux::cpu {
namespace {

constexpr double kMostBytes = 1ull << 36;
// Longer ones go in smaller groups, which stay in the cache.
constexpr int64_t kLong = 1 << 14;
constexpr int64_t kMostColumns = 16;

const opmux_op_dft& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_dft&>(d); }

// Short transforms compute in f64 whatever the type: it costs little there, and bins in which terms cancel
// keep their digits. ONNX's own cases want 1e-7 of terms up to 45.
bool is_wide(const opmux_opd& d) { return d.in[0].dtype == OPMUX_F64 || desc(d).length <= 1024; }

int64_t transforms(const opmux_opd& d) {
  const opmux_tdesc& x = d.in[0];
  int64_t n = 1;
  for (uint32_t i = 0; i + 1 < x.rank; ++i) n *= i == desc(d).axis ? 1 : x.dim[i];
  return n;
}

int64_t columns_of(const opmux_opd& d) {
  const int64_t n = transforms(d), most = dft_work_length(desc(d).length) > kLong ? 4 : kMostColumns;
  return n <= 1 ? 1 : std::min<int64_t>(most, n <= 4 ? 4 : n <= 8 ? 8 : kMostColumns);
}

// Of a work item, in elements: both buffers, then a row.
int64_t slot_elements(const opmux_opd& d) {
  const int64_t work = dft_work_length(desc(d).length);
  return ((4 * columns_of(d) + 1) * work + 15) / 16 * 16;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  if (d->alias && d->alias[0] != 0) return no(cap, OPMUX_WHY_ALIAS, d->n_in);
  const double bytes =
      static_cast<double>(slot_elements(*d)) * (is_wide(*d) ? 8 : 4) * static_cast<double>(scratch_slots());
  if (!fits(bytes, kMostBytes, cap)) return;
  const auto n = static_cast<double>(transforms(*d)) * static_cast<double>(dft_work_length(desc(*d).length));
  yes(cap, info,
      {.flops = 40 * n, .bytes = 16 * n, .flops_per_ns = 10, .ws = static_cast<uint64_t>(bytes) + 64});
}

struct State {
  explicit State(const opmux_opd& d) {
    if (is_wide(d))
      f64 = std::make_unique<DftPlan<double>>(desc(d).length);
    else
      f32 = std::make_unique<DftPlan<float>>(desc(d).length);
  }
  std::unique_ptr<DftPlan<float>> f32;
  std::unique_ptr<DftPlan<double>> f64;
};

template <class T>
class Run {
 public:
  Run(const kit_call* call, const DftPlan<T>& plan)
      : call_(call),
        d_(desc(*call->d)),
        x_(call->d->in[0]),
        y_(call->d->out[0]),
        plan_(plan),
        load_(x_.dtype),
        store_(y_.dtype),
        n_(d_.length),
        work_(dft_work_length(n_)),
        columns_(columns_of(*call->d)),
        last_(x_.rank - 1) {}

  void all() const {
    const int64_t count = transforms(*call_->d);
    const uint64_t slot_bytes = static_cast<uint64_t>(slot_elements(*call_->d)) * sizeof(T);
    const double ns = 200 + static_cast<double>(work_ * columns_) * 8;
    parallel_scratch(call_->host, (count + columns_ - 1) / columns_, ns, call_->ws, slot_bytes,
                     [&](int64_t begin, int64_t end, char* slot) {
                       for (int64_t g = begin; g < end; ++g) {
                         const int64_t first = g * columns_;
                         group(first, std::min(columns_, count - first), reinterpret_cast<T*>(slot));
                       }
                     });
  }

 private:
  using Buffer = typename DftPlan<T>::Buffer;

  void group(int64_t first, int64_t count, T* scratch) const {
    const int64_t size = work_ * columns_;
    const Buffer a = {scratch, scratch + size}, b = {scratch + 2 * size, scratch + 3 * size};
    T* row = scratch + 4 * size;
    std::fill(scratch, scratch + 2 * size, T(0));
    bool finite[kMostColumns];
    for (int64_t i = 0; i < count; ++i) {
      read(first + i, i, a, row);
      finite[i] = is_finite(a, i);
    }
    Buffer y = a;
    if (d_.inverse != 0) {  // an inverse is a transform with the parts exchanged
      const Buffer turned = plan_.run({a.im, a.re}, {b.im, b.re}, columns_);
      y = {turned.im, turned.re};
    } else {
      y = plan_.run(a, b, columns_);
    }
    for (int64_t i = 0; i < count; ++i) {
      const T nan = std::numeric_limits<T>::quiet_NaN();
      for (int64_t j = i; !finite[i] && j < n_ * columns_; j += columns_) y.re[j] = y.im[j] = nan;
      write(first + i, i, y, row);
    }
  }

  bool is_finite(const Buffer& x, int64_t column) const {
    T sum = 0;  // stays 0 as long as everything is finite
    for (int64_t i = 0, at = column; i < n_; ++i, at += columns_) sum += T(0) * x.re[at] + T(0) * x.im[at];
    return sum == 0;
  }

  int64_t offset(const opmux_tdesc& t, int64_t index) const {
    int64_t at = 0;
    for (uint32_t i = last_; i-- > 0;) {
      if (i == d_.axis) continue;
      at += index % t.dim[i] * t.stride[i];
      index /= t.dim[i];
    }
    return at;
  }

  void read(int64_t index, int64_t column, const Buffer& to, T* row) const {
    const bool half = d_.inverse != 0 && d_.onesided != 0;
    const int64_t n = std::min(x_.dim[d_.axis], half ? n_ / 2 + 1 : n_);
    const auto* base = static_cast<const char*>(call_->arg[0]);
    for (int64_t part = 0; part < x_.dim[last_]; ++part) {
      const int64_t at = offset(x_, index) + part * x_.stride[last_];
      load_(row, base + at * element_bytes(x_.dtype), x_.stride[d_.axis], n);
      T* dense = (part == 0 ? to.re : to.im) + column;
      for (int64_t j = 0; j < n; ++j) dense[j * columns_] = row[j];
    }
    if (!half) return;
    // The conjugates of the given half; what stands alone is real.
    T *re = to.re + column, *im = to.im + column;
    im[0] = 0;
    for (int64_t k = 1; 2 * k <= n_; ++k) {
      const int64_t low = k * columns_, high = (n_ - k) * columns_;
      if (2 * k == n_) im[low] = 0;
      re[high] = re[low];
      if (2 * k != n_) im[high] = -im[low];
    }
  }

  void write(int64_t index, int64_t column, const Buffer& from, T* row) const {
    const int64_t n = y_.dim[d_.axis];
    auto* base = static_cast<char*>(call_->arg[call_->d->n_in]);
    const T scale = d_.inverse != 0 ? T(1) / static_cast<T>(n_) : T(1);
    for (int64_t part = 0; part < y_.dim[last_]; ++part) {
      const T* dense = (part == 0 ? from.re : from.im) + column;
      for (int64_t j = 0; j < n; ++j) row[j] = dense[j * columns_] * scale;
      const int64_t at = offset(y_, index) + part * y_.stride[last_];
      store_(base + at * element_bytes(y_.dtype), y_.stride[d_.axis], row, n);
    }
  }

  const kit_call* call_;
  const opmux_op_dft& d_;
  const opmux_tdesc &x_, &y_;
  const DftPlan<T>& plan_;
  RowLoader<T> load_;
  RowStorer<T> store_;
  int64_t n_, work_, columns_;
  uint32_t last_;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  if (s.f64)
    Run<double>(call, *s.f64).all();
  else
    Run<float>(call, *s.f32).all();
  return OPMUX_OK;
}

}  // namespace

const kit_op kDft = state_op<State, opmux_op_dft>(OPMUX_OP_DFT, "stockham", query, run);

}  // namespace opmux::cpu
