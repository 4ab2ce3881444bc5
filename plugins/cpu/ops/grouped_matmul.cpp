// SPDX-License-Identifier: Apache-2.0
// grouped_matmul: blocks of rows of one group times a few panels of columns. Which rows make a group is known
// at the run only, so blocks are found by their number, and the workspace is the same whatever the groups
// are.
#include <algorithm>

#include "cpu/gemm_op.hpp"
#include "cpu/matmul_shape.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/scratch.hpp"
#include "opmux/ops/matmul.gen.h"

namespace opmux::cpu {
namespace {

constexpr uint32_t kOwn = 3;
constexpr int64_t kStrips = 8;  // of rows in a block, so that packing a panel of B is paid for
constexpr int64_t kPanels = 4;  // of columns

const opmux_op_grouped_matmul& desc(const opmux_opd& d) {
  return reinterpret_cast<const opmux_op_grouped_matmul&>(d);
}
uint64_t round64(uint64_t n) { return (n + 63) & ~uint64_t{63}; }

struct Shape {
  int64_t rows, k, n, groups;
  GemmTile tile{};
  OutGrid grid;
  int64_t panels, column_blocks, block_rows;
  uint64_t a_bytes, b_bytes, slot_bytes;  // of a slot: rows of A, a panel of B, a tile of sums

  explicit Shape(const opmux_opd& d) {
    const opmux_tdesc& out = d.out[0];
    rows = d.in[0].dim[0];
    k = d.in[0].dim[1];
    groups = d.in[1].dim[0];
    n = d.in[1].dim[2];
    grid.rows = rows;
    grid.col[0] = n;
    grid.out = grid_view(out, out);
    grid.n_extra = d.n_in - kOwn;
    for (uint32_t i = 0; i < grid.n_extra; ++i) grid.extra[i] = grid_view(d.in[kOwn + i], out);
    with_accumulator(desc(d).acc_dtype, [&](auto t) { tile = gemm_kernels<decltype(t)>().tile; });
    panels = (n + tile.nr - 1) / tile.nr;
    column_blocks = (panels + kPanels - 1) / kPanels;
    block_rows = tile.mr * kStrips;
    const int64_t size = element_bytes(desc(d).acc_dtype);
    a_bytes = round64(static_cast<uint64_t>(block_rows * k * size));
    b_bytes = d.in[1].layout != 0 ? 0 : round64(static_cast<uint64_t>((k * tile.nr + 64) * size));
    slot_bytes = a_bytes + b_bytes + round64(static_cast<uint64_t>(tile.mr * tile.nr * size));
  }
  uint64_t workspace() const { return scratch_bytes(slot_bytes); }
  uint32_t layout() const { return 0x0f000000u | static_cast<uint32_t>(tile.nr); }
};

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (is_aliased(*d) && d->alias[0] <= kOwn) return no(cap, OPMUX_WHY_ALIAS, d->alias[0] - 1);
  if (!Epilogue::supports(*d, kOwn, desc(*d).acc_dtype, cap)) return;
  const Shape s(*d);
  for (uint32_t i = 0; i < d->n_in; ++i) {
    const uint32_t want = i == 1 ? s.layout() : 0;
    if (d->in[i].layout != 0 && d->in[i].layout != want)
      return no(cap, OPMUX_WHY_LAYOUT, i, d->in[i].layout, want);
    if (want != 0 && (d->in[i].flags & OPMUX_T_CONST) && cap->in_layout && i < cap->layout_cap)
      cap->in_layout[i] = want;
  }
  const double flops = 2.0 * static_cast<double>(elements(d->out[0])) * static_cast<double>(s.k);
  yes_product(info, *d, kOwn, flops, s.workspace(), cap);
}

struct State {
  explicit State(const opmux_opd& d) : shape(d) {
    epilogue.compile(d, kOwn, desc(d).acc_dtype, shape.grid, false);
  }
  Shape shape;
  Epilogue epilogue;
};

// Groups of rows, with those before the first and after the last offset as groups -1 and `groups` of zeros.
class Groups {
 public:
  Groups(const kit_call* call, const Shape& s)
      : data_(static_cast<const int32_t*>(call->arg[2])), stride_(call->d->in[2].stride[0]), s_(s) {}

  bool check(opmux_err* err, opmux_status* status) const {
    int64_t low = 0;
    for (int64_t i = 0; i <= s_.groups; ++i) {
      const int64_t v = data_[i * stride_];
      if (v < low || v > s_.rows) {
        *status = kit_fail(err, OPMUX_E_FAULT, 2,
                           "grouped_matmul: offset %lld at position %lld is outside [%lld, %lld]",
                           static_cast<long long>(v), static_cast<long long>(i), static_cast<long long>(low),
                           static_cast<long long>(s_.rows));
        return false;
      }
      low = v;
    }
    return true;
  }
  int64_t begin(int64_t g) const { return g < 0 ? 0 : data_[g * stride_]; }
  int64_t end(int64_t g) const { return g == s_.groups ? s_.rows : data_[(g + 1) * stride_]; }
  int64_t blocks(int64_t g) const { return (end(g) - begin(g) + s_.block_rows - 1) / s_.block_rows; }
  int64_t blocks() const {
    int64_t n = 0;
    for (int64_t g = -1; g <= s_.groups; ++g) n += blocks(g);
    return n;
  }
  struct Block {
    int64_t group, begin, end;
  };
  Block find(int64_t number) const {
    int64_t g = -1;
    for (; number >= blocks(g); ++g) number -= blocks(g);
    const int64_t from = begin(g) + number * s_.block_rows;
    return {g, from, std::min(end(g), from + s_.block_rows)};
  }

 private:
  const int32_t* data_;
  int64_t stride_;
  const Shape& s_;
};

template <class T>
class Worker {
 public:
  Worker(const kit_call* call, const State& state, char* slot)
      : call_(call), s_(state.shape), epilogue_(state.epilogue), kernels_(gemm_kernels<T>()) {
    a_ = reinterpret_cast<T*>(slot);
    b_ = reinterpret_cast<T*>(slot + s_.a_bytes);
    c_ = reinterpret_cast<T*>(slot + s_.a_bytes + s_.b_bytes);
  }

  void run(const Groups::Block& block, int64_t column_block) {
    const bool zeros = block.group < 0 || block.group == s_.groups;
    const int64_t k = zeros ? 0 : s_.k, rows = block.end - block.begin;
    const int64_t height = balanced_rows(rows, s_.tile.mr);
    const opmux_tdesc& a = call_->d->in[0];
    const auto* from =
        static_cast<const char*>(call_->arg[0]) + block.begin * a.stride[0] * element_bytes(a.dtype);
    for (int64_t r = 0; r < rows && k > 0; r += height)
      gemm_pack<T>(a.dtype, {from + r * a.stride[0] * element_bytes(a.dtype), a.stride[0], a.stride[1]},
                   std::min(height, rows - r), k, height, a_ + r * k);
    const int64_t last = std::min(s_.panels, (column_block + 1) * kPanels);
    for (int64_t panel = column_block * kPanels; panel < last; ++panel) {
      const int64_t col = panel * s_.tile.nr, cols = std::min(s_.tile.nr, s_.n - col);
      const T* b = zeros ? b_ : columns(block.group, panel, col, cols);
      for (int64_t r = 0; r < rows; r += height) {
        const int64_t some = std::min(height, rows - r);
        kernels_.strip({some, cols, k, a_ + r * k, height, b, s_.tile.nr, s_.tile.nr * k, c_, s_.tile.nr,
                        false, 0, nullptr});
        epilogue_.finish(s_.grid, call_->arg + kOwn, call_->arg[call_->d->n_in], block.begin + r, col, some,
                         cols, c_, s_.tile.nr);
      }
    }
  }

 private:
  const T* columns(int64_t group, int64_t panel, int64_t col, int64_t cols) {
    const opmux_tdesc& b = call_->d->in[1];
    if (b.layout != 0)
      return static_cast<const T*>(call_->arg[1]) + (group * s_.panels + panel) * s_.tile.nr * s_.k;
    const auto* from = static_cast<const char*>(call_->arg[1]) +
                       (group * b.stride[0] + col * b.stride[2]) * element_bytes(b.dtype);
    gemm_pack<T>(b.dtype, {from, b.stride[2], b.stride[1]}, cols, s_.k, s_.tile.nr, b_);
    return b_;
  }

  const kit_call* call_;
  const Shape& s_;
  const Epilogue& epilogue_;
  GemmKernels<T> kernels_;
  T *a_, *b_, *c_;
};

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& state = *static_cast<const State*>(call->state);
  const Shape& s = state.shape;
  const Groups groups(call, s);
  opmux_status status = OPMUX_OK;
  if (!groups.check(err, &status)) return status;
  if (s.rows == 0 || s.n == 0) return OPMUX_OK;
  const int64_t items = groups.blocks() * s.column_blocks;
  // About 30 multiply-adds a nanosecond.
  const double ns = static_cast<double>(s.rows) * static_cast<double>(s.k) * static_cast<double>(s.n) / 30 /
                    static_cast<double>(items);
  with_accumulator(desc(*call->d).acc_dtype, [&](auto t) {
    parallel_scratch(call->host, items, ns, call->ws, s.slot_bytes,
                     [&](int64_t begin, int64_t end, char* slot) {
                       Worker<decltype(t)> worker(call, state, slot);
                       for (int64_t i = begin; i < end; ++i)
                         worker.run(groups.find(i / s.column_blocks), i % s.column_blocks);
                     });
  });
  return OPMUX_OK;
}

opmux_status packed_size(const opmux_opd* d, uint32_t i, uint32_t layout, uint64_t* size, uint64_t* arg,
                         opmux_err* err) {
  const Shape s(*d);
  if (i != 1 || layout != s.layout())
    return kit_fail(err, OPMUX_E_UNSUPPORTED, i, "grouped_matmul: operand %u has no layout 0x%x", i, layout);
  *arg = 0;
  *size = static_cast<uint64_t>(s.groups * s.panels * s.tile.nr * s.k * element_bytes(desc(*d).acc_dtype));
  return OPMUX_OK;
}

opmux_status pack(const opmux_host_api* host, const opmux_opd* d, uint32_t i, uint32_t layout,
                  const void* src, void* dst, opmux_err* err) {
  uint64_t size, arg;
  if (opmux_status e = packed_size(d, i, layout, &size, &arg, err); e != OPMUX_OK) return e;
  const Shape s(*d);
  const opmux_tdesc& b = d->in[1];
  with_accumulator(desc(*d).acc_dtype, [&](auto t) {
    using T = decltype(t);
    const auto items = static_cast<uint64_t>(s.groups * s.panels);
    parallel_for(host, items, grain_for(items, 0.3 * static_cast<double>(s.k * s.tile.nr)),
                 [&](uint64_t begin, uint64_t end) {
                   for (auto at = static_cast<int64_t>(begin); at < static_cast<int64_t>(end); ++at) {
                     const int64_t col = at % s.panels * s.tile.nr;
                     const auto* from =
                         static_cast<const char*>(src) +
                         (at / s.panels * b.stride[0] + col * b.stride[2]) * element_bytes(b.dtype);
                     gemm_pack<T>(b.dtype, {from, b.stride[2], b.stride[1]}, std::min(s.tile.nr, s.n - col),
                                  s.k, s.tile.nr, static_cast<T*>(dst) + at * s.tile.nr * s.k);
                   }
                 });
  });
  return OPMUX_OK;
}

}  // namespace

const kit_op kGroupedMatmul = state_op<State, opmux_op_grouped_matmul>(OPMUX_OP_GROUPED_MATMUL, "panels",
                                                                       query, run, packed_size, pack);

}  // namespace opmux::cpu
