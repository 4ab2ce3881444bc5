// SPDX-License-Identifier: Apache-2.0
// rotary: one item is a token; its row of the caches serves all heads.
#include "cpu/kernels/rotary.hpp"

#include "cpu/answer.hpp"
#include "cpu/index_value.hpp"
#include "cpu/kernels/memory.hpp"
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/scratch.hpp"
#include "cpu/state.hpp"
#include "kit/operands/position.gen.hpp"
#include "opmux/ops/position.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::rotary::Input;

// Of a worker: a row of each cache, and a head.
uint64_t slot_bytes(const opmux_opd& d) {
  const int64_t pairs = d.in[kCos].dim[d.in[kCos].rank - 1];
  const uint64_t lanes = static_cast<uint64_t>(4 * pairs) * lane_bytes(lane_of(d.in[kX].dtype));
  return (lanes + 127) / 64 * 64;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  const opmux_tdesc& x = d->in[kX];
  for (uint32_t i : {kX, kCos}) {
    const Lane lane = lane_of(d->in[i].dtype);
    if (lane != Lane::kF32 && lane != Lane::kF64) return no(cap, OPMUX_WHY_DTYPE, i, d->in[i].dtype);
  }
  const bool in_place = same_view(x, d->out[0]);
  if (d->alias && d->alias[0] != 0 && (d->alias[0] != 1 || !in_place))
    return no(cap, OPMUX_WHY_ALIAS, d->alias[0] - 1);
  const auto n = static_cast<double>(elements(x));
  yes(cap, info,
      {.flops = 3 * n,
       .bytes = 2 * n * static_cast<double>(element_bytes(x.dtype)),
       .flops_per_ns = 15,
       .ws = scratch_bytes(slot_bytes(*d))});
  cap->inplace_mask = in_place ? 1 : 0;
}

struct State {
  explicit State(const opmux_opd& d) {
    const opmux_tdesc &x = d.in[kX], &cosine = d.in[kCos];
    const auto lane = lane_of(x.dtype);
    pairs = cosine.dim[cosine.rank - 1];
    turn = find_rotary(lane, reinterpret_cast<const opmux_op_rotary&>(d).interleaved != 0);
    load = find_load(x.dtype);
    load_cache = find_load(cosine.dtype);
    store = find_store(x.dtype);
    move = find_move(element_bytes(x.dtype));
    lane_size = static_cast<int64_t>(lane_bytes(lane));
    slot = static_cast<int64_t>(slot_bytes(d));
    direct = lanes_are_memory(x.dtype) && (x.stride[3] == 1 || x.dim[3] < 2);
    direct_y = lanes_are_memory(x.dtype) && (d.out[0].stride[3] == 1 || x.dim[3] < 2);
    direct_cache = lanes_are_memory(cosine.dtype);
    ns = 20 + static_cast<double>(x.dim[1] * x.dim[3]) * 0.4;
  }
  int64_t pairs, lane_size, slot;
  RotaryFn turn;
  LoadFn load, load_cache;
  StoreFn store;
  MoveFn move;
  bool direct, direct_y, direct_cache;
  double ns;  // of a token, roughly
};

int64_t position(const kit_call* call, int64_t b, int64_t s) {
  const opmux_tdesc& t = call->d->in[kPositions];
  return index_value(t.dtype, call->arg[kPositions], b * t.stride[0] + s * t.stride[1]);
}

// The lanes of a cache's row: where they are, or in scratch.
const void* cache_row(const kit_call* call, const State& s, uint32_t i, int64_t b, int64_t t, void* scratch) {
  const opmux_tdesc& c = call->d->in[i];
  const bool picked = has_in(*call->d, kPositions);
  const int64_t at = picked ? position(call, b, t) * c.stride[0] : b * c.stride[0] + t * c.stride[1];
  const char* p = static_cast<const char*>(call->arg[i]) + at * element_bytes(c.dtype);
  const int64_t step = c.stride[c.rank - 1];
  if (s.direct_cache && (step == 1 || s.pairs < 2)) return p;
  s.load_cache(scratch, p, step, static_cast<size_t>(s.pairs));
  return scratch;
}

void turn_token(const kit_call* call, const State& s, int64_t token, char* scratch) {
  const opmux_tdesc &x = call->d->in[kX], &y = call->d->out[0];
  const int64_t b = token / x.dim[2], t = token % x.dim[2], bytes = element_bytes(x.dtype);
  char* head = scratch + 2 * s.pairs * s.lane_size;
  const void* cosine = cache_row(call, s, kCos, b, t, scratch);
  const void* sine = cache_row(call, s, kSin, b, t, scratch + s.pairs * s.lane_size);
  const int64_t turned = 2 * s.pairs, rest = x.dim[3] - turned;
  for (int64_t h = 0; h < x.dim[1]; ++h) {
    const char* from = static_cast<const char*>(call->arg[kX]) +
                       (b * x.stride[0] + h * x.stride[1] + t * x.stride[2]) * bytes;
    char* to = static_cast<char*>(call->arg[call->d->n_in]) +
               (b * y.stride[0] + h * y.stride[1] + t * y.stride[2]) * bytes;
    if (!s.direct) s.load(head, from, x.stride[3], static_cast<size_t>(turned));
    s.turn(s.direct_y ? to : head, s.direct ? from : head, cosine, sine, s.pairs);
    if (!s.direct_y) s.store(to, y.stride[3], head, static_cast<size_t>(turned));
    if (rest > 0 && to != from)
      s.move(to + turned * y.stride[3] * bytes, y.stride[3], from + turned * x.stride[3] * bytes, x.stride[3],
             rest);
  }
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  const opmux_tdesc& x = call->d->in[kX];
  const int64_t tokens = x.dim[0] * x.dim[2];
  if (has_in(*call->d, kPositions)) {
    const int64_t limit = call->d->in[kCos].dim[0];
    for (int64_t t = 0; t < tokens; ++t) {
      const int64_t at = position(call, t / x.dim[2], t % x.dim[2]);
      if (at < 0 || at >= limit)
        return kit_fail(
            err, OPMUX_E_FAULT, kPositions, "rotary: position %lld of token %lld is outside [0, %lld]",
            static_cast<long long>(at), static_cast<long long>(t), static_cast<long long>(limit - 1));
    }
  }
  parallel_scratch(call->host, tokens, s.ns, call->ws, static_cast<uint64_t>(s.slot),
                   [&](int64_t begin, int64_t end, char* slot) {
                     for (int64_t t = begin; t < end; ++t) turn_token(call, s, t, slot);
                   });
  return OPMUX_OK;
}

}  // namespace

const kit_op kRotary = state_op<State, opmux_op_rotary>(OPMUX_OP_ROTARY, "pairs", query, run);

}  // namespace opmux::cpu
