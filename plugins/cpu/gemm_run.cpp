// SPDX-License-Identifier: Apache-2.0
#include "cpu/gemm_run.hpp"

#include <algorithm>
#include <cstring>

#include "cpu/answer.hpp"
#include "cpu/parallel.hpp"

namespace opmux::cpu {
namespace {

// Forking costs a few microseconds: no chunk with less work than this many multiply-adds.
constexpr double kChunkFma = 200e3;

template <class P>
P* align64(P* p) {
  return reinterpret_cast<P*>((reinterpret_cast<uintptr_t>(p) + 63) & ~uintptr_t{63});
}

struct BatchOffsets {
  int64_t a = 0, b = 0, out = 0;  // elements, or matrices where packed
  int64_t extra[kMaxExtra] = {};
};

BatchOffsets batch_offsets(const GemmPlan& p, int64_t batch) {
  BatchOffsets o;
  for (uint32_t i = p.grid.n_batch; i-- > 0;) {
    const int64_t at = batch % p.grid.batch[i];
    batch /= p.grid.batch[i];
    o.a += at * (p.a_mode == GemmA::kStrip ? p.a.bs[i] : p.a.packed_bs[i]);
    o.b += at * (p.b_mode == GemmB::kPacked ? p.b.packed_bs[i] : p.b.bs[i]);
    o.out += at * p.grid.out.bs[i];
    for (uint32_t e = 0; e < p.grid.n_extra; ++e) o.extra[e] += at * p.grid.extra[e].bs[i];
  }
  return o;
}

template <class T>
const char* element(const void* base, const GemmOperand& o, int64_t offset) {
  return static_cast<const char*>(base) + offset * element_bytes(o.dtype);
}

// One thread's work on one block of one batch.
template <class T>
class Task {
 public:
  Task(const GemmCall<T>& call, const T* a_panels, char* slot)
      : c_(call), p_(*call.plan), a_panels_(a_panels) {
    const int64_t b_columns = p_.b_mode == GemmB::kPacked   ? 0
                              : p_.b_mode == GemmB::kDirect ? p_.tile.nr
                                                            : p_.b_block * p_.tile.nr;
    auto take = [&slot](int64_t elements) {
      T* at = reinterpret_cast<T*>(slot);
      slot += (static_cast<uint64_t>(elements) * sizeof(T) + 63) & ~uint64_t{63};
      return at;
    };
    b_scratch_ = take(b_columns * p_.kc + (b_columns != 0 ? 64 : 0));
    a_scratch_ = take(p_.a_mode == GemmA::kStrip ? p_.mr * p_.kc : 0);
    c_scratch_ = take(p_.direct ? 0 : p_.mr * p_.b_block * p_.tile.nr);
  }

  void run(int64_t task) {
    const int64_t a_block = task % p_.a_blocks, rest = task / p_.a_blocks;
    const int64_t b_block = rest % p_.b_blocks;
    batch_ = rest / p_.b_blocks;
    offset_ = batch_offsets(p_, batch_);
    out_ = static_cast<char*>(c_.out) + offset_.out * element_bytes(p_.grid.out.dtype);
    for (uint32_t e = 0; e < p_.grid.n_extra; ++e) {
      extra_[e] = static_cast<char*>(c_.extra[e]) + offset_.extra[e] * element_bytes(p_.grid.extra[e].dtype);
    }
    panel0_ = b_block * p_.b_block;
    col_ = panel0_ * p_.tile.nr;
    cols_ = std::min(p_.n - col_, p_.b_block * p_.tile.nr);
    const int64_t i0 = a_block * p_.a_block, i1 = std::min(p_.a_panels, i0 + p_.a_block);
    for (int64_t k0 = 0; k0 == 0 || k0 < p_.k; k0 += p_.kc) {
      const int64_t k = std::min(p_.kc, p_.k - k0);
      prepare_b(k0, k);
      for (int64_t i = i0; i < i1; ++i) strip(i, k0, k);
    }
  }

 private:
  // Where the strips find their B: full panels, and apart from them the last narrow one of a direct B.
  void prepare_b(int64_t k0, int64_t k) {
    const int64_t nr = p_.tile.nr;
    tail_ = 0;
    b_ld_ = nr;
    if (p_.b_mode == GemmB::kPacked) {
      b_ = static_cast<const T*>(c_.b) + offset_.b * p_.b_panels * nr * p_.k + panel0_ * nr * p_.k + k0 * nr;
      b_panel_ = nr * p_.k;
      return;
    }
    if (p_.b_mode == GemmB::kCustom) {
      c_.pack_b(c_.pack_ctx, batch_, k0, k, col_, cols_, nr, b_scratch_);
      b_ = b_scratch_;
      b_panel_ = nr * k;
      return;
    }
    const char* src = element<T>(c_.b, p_.b, offset_.b + k0 * p_.b.ks + col_ * p_.b.rs);
    if (p_.b_mode == GemmB::kDirect) {
      tail_ = cols_ % nr;
      b_ = reinterpret_cast<const T*>(src);
      b_ld_ = p_.b.ks;
      b_panel_ = nr;
      const char* last = src + (cols_ - tail_) * element_bytes(p_.b.dtype);
      if (tail_ != 0) gemm_pack<T>(p_.b.dtype, {last, p_.b.rs, p_.b.ks}, tail_, k, nr, b_scratch_);
      return;
    }
    for (int64_t j = 0; j < cols_; j += nr) {
      const PackSource from{src + j * p_.b.rs * element_bytes(p_.b.dtype), p_.b.rs, p_.b.ks};
      gemm_pack<T>(p_.b.dtype, from, std::min(nr, cols_ - j), k, nr, b_scratch_ + j * k);
    }
    b_ = b_scratch_;
    b_panel_ = nr * k;
  }

  const T* strip_of_a(int64_t i, int64_t rows, int64_t k0, int64_t k) {
    if (p_.a_mode != GemmA::kStrip)
      return a_panels_ + (offset_.a * p_.a_panels + i) * p_.mr * p_.k + k0 * p_.mr;
    const char* src = element<T>(c_.a, p_.a, offset_.a + i * p_.mr * p_.a.rs + k0 * p_.a.ks);
    gemm_pack<T>(p_.a.dtype, {src, p_.a.rs, p_.a.ks}, rows, k, p_.mr, a_scratch_);
    return a_scratch_;
  }

  void strip(int64_t i, int64_t k0, int64_t k) {
    const int64_t row = i * p_.mr, rows = std::min(p_.mr, p_.m - row);
    const bool last = k0 + k >= p_.k;
    T* c = p_.direct ? reinterpret_cast<T*>(out_) + row * p_.grid.out.rs + col_ : c_scratch_;
    const int64_t ldc = p_.direct ? p_.grid.out.rs : p_.b_block * p_.tile.nr;
    GemmStep<float> step[8];
    GemmStrip<T> s{
        rows, cols_ - tail_, k, strip_of_a(i, rows, k0, k), p_.mr, b_, b_ld_, b_panel_, c, ldc, k0 != 0,
        0,    nullptr};
    if constexpr (std::is_same_v<T, float>) {
      if (last && p_.epilogue.n_step() != 0) {
        p_.epilogue.steps(p_.grid, extra_, row, col_, step);
        s.n_step = p_.epilogue.n_step();
        s.step = step;
      }
    }
    c_.kernels.strip(s);
    if (tail_ != 0) narrow(s, step);
    if (last && (!p_.direct || p_.epilogue.is_program())) {
      p_.epilogue.finish(p_.grid, extra_, out_, row, col_, rows, cols_, c, ldc);
    }
  }

  void narrow(GemmStrip<T> s, GemmStep<float>* step) {
    const int64_t done = cols_ - tail_;
    s.c += done;
    s.b = b_scratch_;
    s.ldb = p_.tile.nr;
    s.cols = tail_;
    for (uint32_t i = 0; i < s.n_step; ++i) step[i].p += step[i].p != nullptr ? done * step[i].cs : 0;
    c_.kernels.strip(s);
  }

  const GemmCall<T>& c_;
  const GemmPlan& p_;
  const T* a_panels_;
  T *b_scratch_, *a_scratch_, *c_scratch_;
  BatchOffsets offset_;
  void* extra_[kMaxExtra];
  char* out_ = nullptr;
  int64_t batch_ = 0, panel0_ = 0, col_ = 0, cols_ = 0, tail_ = 0;
  const T* b_ = nullptr;
  int64_t b_ld_ = 0, b_panel_ = 0;
};

// Calls f(matrix number, offset of its element 0) for each distinct matrix of an operand in packed order.
template <class F>
void each_matrix(const GemmPlan& p, const GemmOperand& o, int64_t from, int64_t to, const F& f) {
  for (int64_t i = from; i < to; ++i) {
    int64_t rest = i, offset = 0;
    for (uint32_t d = p.grid.n_batch; d-- > 0;) {
      if (o.bs[d] == 0) continue;
      offset += rest % p.grid.batch[d] * o.bs[d];
      rest /= p.grid.batch[d];
    }
    f(i, offset);
  }
}

int64_t matrices(const GemmPlan& p, const GemmOperand& o) {
  int64_t n = 1;
  for (uint32_t i = 0; i < p.grid.n_batch; ++i) n *= o.bs[i] != 0 ? p.grid.batch[i] : 1;
  return n;
}

}  // namespace

template <class T>
uint64_t gemm_packed_bytes(const GemmPlan& p, bool as_a) {
  const int64_t rows = as_a ? p.a_panels * p.mr : p.b_panels * p.tile.nr;
  return static_cast<uint64_t>(matrices(p, as_a ? p.a : p.b) * rows * p.k) * sizeof(T);
}

template <class T>
void gemm_pack_operand(const opmux_host_api* host, const GemmPlan& p, bool as_a, const void* src, T* dst) {
  const GemmOperand& o = as_a ? p.a : p.b;
  const int64_t height = as_a ? p.mr : p.tile.nr, total = as_a ? p.m : p.n,
                panels = as_a ? p.a_panels : p.b_panels;
  if (p.k == 0 || panels == 0) return;
  const auto units = static_cast<uint64_t>(matrices(p, o) * panels);
  parallel_for(host, units, grain_for(units, static_cast<double>(height * p.k) * 0.3),
               [&](uint64_t begin, uint64_t end) {
                 for (auto u = static_cast<int64_t>(begin); u < static_cast<int64_t>(end); ++u) {
                   each_matrix(p, o, u / panels, u / panels + 1, [&](int64_t, int64_t offset) {
                     const int64_t row = u % panels * height;
                     const PackSource from{element<T>(src, o, offset + row * o.rs), o.rs, o.ks};
                     gemm_pack<T>(o.dtype, from, std::min(height, total - row), p.k, height,
                                  dst + u * height * p.k);
                   });
                 }
               });
}

template <class T>
void gemm_run(const GemmCall<T>& call) {
  const GemmPlan& p = *call.plan;
  if (p.m == 0 || p.n == 0 || p.batches == 0) return;
  char* ws = align64(static_cast<char*>(call.ws));
  const T* a_panels = static_cast<const T*>(call.a);
  if (p.a_mode == GemmA::kUpfront) {
    gemm_pack_operand<T>(call.host, p, true, call.a, reinterpret_cast<T*>(ws));
    a_panels = reinterpret_cast<const T*>(ws);
  }
  char* slots = ws + p.a_bytes;
  const auto tasks = static_cast<uint64_t>(p.tasks());
  const double fma = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k) *
                     static_cast<double>(p.batches);
  const double per_task = fma / static_cast<double>(tasks);
  const uint64_t grain =
      fma < 2 * kChunkFma ? tasks : std::max<uint64_t>(1, static_cast<uint64_t>(kChunkFma / per_task));
  parallel_slots(call.host, tasks, grain, static_cast<uint64_t>(p.slots),
                 [&](uint64_t begin, uint64_t end, uint64_t slot) {
                   Task<T> task(call, a_panels, slots + slot * p.slot_bytes);
                   for (uint64_t i = begin; i < end; ++i) task.run(static_cast<int64_t>(i));
                 });
}

template void gemm_run<float>(const GemmCall<float>&);
template void gemm_run<double>(const GemmCall<double>&);
template void gemm_run<int32_t>(const GemmCall<int32_t>&);
template uint64_t gemm_packed_bytes<float>(const GemmPlan&, bool);
template uint64_t gemm_packed_bytes<double>(const GemmPlan&, bool);
template uint64_t gemm_packed_bytes<int32_t>(const GemmPlan&, bool);
template void gemm_pack_operand<float>(const opmux_host_api*, const GemmPlan&, bool, const void*, float*);
template void gemm_pack_operand<double>(const opmux_host_api*, const GemmPlan&, bool, const void*, double*);
template void gemm_pack_operand<int32_t>(const opmux_host_api*, const GemmPlan&, bool, const void*, int32_t*);

}  // namespace opmux::cpu
