// SPDX-License-Identifier: Apache-2.0
// lrn: all dims but the channels are positions; a block of positions goes through the channels row by row.
// Each window is summed anew: a running sum would keep the rounding errors of what has left the window.
#include <algorithm>
#include <cstddef>

#include "cpu/answer.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/tiles.hpp"
#include "opmux/ops/normalise.gen.h"
#include "opmux/ops/pointwise.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kBlock = 512;  // positions; all rows of a block lie in L1

uint32_t working_type(uint32_t dtype) { return dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32; }

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const opmux_tdesc& x = d->in[0];
  const bool known =
      x.dtype == OPMUX_F32 || x.dtype == OPMUX_F64 || x.dtype == OPMUX_F16 || x.dtype == OPMUX_BF16;
  if (!known) return no(cap, OPMUX_WHY_DTYPE, 0, x.dtype);
  if (!plain_operands(*d, cap)) return;
  if (d->alias && d->alias[0] != 0) return no(cap, OPMUX_WHY_ALIAS, 0);  // windows read rows already written
  const auto size = reinterpret_cast<const opmux_op_lrn*>(d)->size;
  const double n = static_cast<double>(elements(x));
  yes(cap, info,
      {.flops = n * (8 + 2.0 * std::min<double>(size, static_cast<double>(x.dim[1]))),
       .bytes = 2 * n * static_cast<double>(element_bytes(x.dtype)),
       .flops_per_ns = 8});
}

struct State {
  explicit State(const opmux_opd& d) : desc(reinterpret_cast<const opmux_op_lrn&>(d)) {
    const opmux_tdesc &x = d.in[0], &y = d.out[0];
    opmux_tdesc positions = y, from = x;
    positions.dim[1] = from.dim[1] = 1;
    loops = Loops(positions);
    loops.add(positions);
    loops.add(from);
    loops.simplify(0);
    if (loops.rank == 0) {
      loops.rank = 1;
      loops.dim[0] = 1;
      loops.stride[0][0] = loops.stride[1][0] = 1;
    }
    channels = y.dim[1];
    x_channel = x.stride[1];
    y_channel = y.stride[1];
    bytes = element_bytes(y.dtype);
    const Lane lane = lane_of(working_type(y.dtype));
    fma = find_tile(OPMUX_FN_FMA, lane, 0);
    mul = find_tile(OPMUX_FN_MUL, lane, 0);
    div = find_tile(OPMUX_FN_DIV, lane, 0);
    sqrt = find_tile(OPMUX_FN_SQRT, lane, 0);
    pow = find_tile(OPMUX_FN_POW, lane, 0);
    load = find_load(y.dtype);
    store = find_store(y.dtype);
    direct = lanes_are_memory(y.dtype) && loops.stride[1][loops.rank - 1] == 1;
    blocks = (loops.dim[loops.rank - 1] + kBlock - 1) / kBlock;
  }
  const opmux_op_lrn& desc;
  Loops loops;  // positions; 0: y, 1: x
  int64_t channels, x_channel, y_channel, bytes, blocks;
  TileFn fma, mul, div, sqrt, pow;
  LoadFn load;
  StoreFn store;
  bool direct;  // rows of x are used where they lie
};

template <class T>
class Block {
 public:
  explicit Block(const State& s) : s_(s) {
    const opmux_op_lrn& d = s.desc;
    std::fill(alpha_, alpha_ + kBlock, static_cast<T>(d.alpha) / static_cast<T>(d.size));
    std::fill(beta_, beta_ + kBlock, static_cast<T>(d.beta));
    std::fill(bias_, bias_ + kBlock, static_cast<T>(d.bias));
  }

  void run(char* y, const char* x, int64_t n) {
    const int64_t below = (int64_t{s_.desc.size} - 1) / 2, above = int64_t{s_.desc.size} / 2;
    const auto count = static_cast<size_t>(n);
    const uint32_t last = s_.loops.rank - 1;
    for (int64_t c = 0; c < s_.channels; ++c) {
      const int64_t end = std::min(c + above, s_.channels - 1);
      std::fill(sum_, sum_ + n, T{0});
      for (int64_t k = std::max<int64_t>(c - below, 0); k <= end; ++k) {
        const T* v = row(x, k, count);
        s_.fma(sum_, v, v, sum_, count);
      }
      s_.fma(sum_, sum_, alpha_, bias_, count);
      power(count);
      s_.div(sum_, row(x, c, count), sum_, nullptr, count);
      s_.store(y + c * s_.y_channel * s_.bytes, s_.loops.stride[0][last], sum_, count);
    }
  }

 private:
  const T* row(const char* x, int64_t channel, size_t n) {
    const char* from = x + channel * s_.x_channel * s_.bytes;
    if (s_.direct) return reinterpret_cast<const T*>(from);
    s_.load(row_, from, s_.loops.stride[1][s_.loops.rank - 1], n);
    return row_;
  }
  // sum^beta; the exponent of nearly every network is two square roots.
  void power(size_t n) {
    if (s_.desc.beta != 0.75f) return s_.pow(sum_, sum_, beta_, nullptr, n);
    s_.sqrt(sum_, sum_, nullptr, nullptr, n);
    s_.sqrt(row_, sum_, nullptr, nullptr, n);
    s_.mul(sum_, sum_, row_, nullptr, n);
  }

  const State& s_;
  alignas(64) T row_[kBlock], sum_[kBlock], alpha_[kBlock], beta_[kBlock], bias_[kBlock];
};

template <class T>
void normalise(const kit_call* call, const State& s) {
  const uint32_t last = s.loops.rank - 1;
  auto n = static_cast<uint64_t>(s.blocks);
  for (uint32_t i = 0; i < last; ++i) n *= static_cast<uint64_t>(s.loops.dim[i]);
  const double window = static_cast<double>(std::min<int64_t>(s.desc.size, s.channels));
  const double ns =
      static_cast<double>(std::min(kBlock, s.loops.dim[last]) * s.channels) * (1 + 0.2 * window);
  parallel_for(call->host, n, grain_for(n, ns), [&](uint64_t begin, uint64_t end) {
    Block<T> block(s);
    for (uint64_t i = begin; i < end; ++i) {
      const auto blocks = static_cast<uint64_t>(s.blocks);
      const int64_t at = static_cast<int64_t>(i % blocks) * kBlock;
      const int64_t yo = s.loops.offset(0, last, i / blocks) + at * s.loops.stride[0][last];
      const int64_t xo = s.loops.offset(1, last, i / blocks) + at * s.loops.stride[1][last];
      block.run(static_cast<char*>(call->arg[1]) + yo * s.bytes,
                static_cast<const char*>(call->arg[0]) + xo * s.bytes,
                std::min(kBlock, s.loops.dim[last] - at));
    }
  });
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  if (call->d->out[0].dtype == OPMUX_F64)
    normalise<double>(call, s);
  else
    normalise<float>(call, s);
  return OPMUX_OK;
}

}  // namespace

const kit_op kLrn = state_op<State, opmux_op_lrn>(OPMUX_OP_LRN, "rows", query, run);

}  // namespace opmux::cpu
