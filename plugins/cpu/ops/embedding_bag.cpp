// SPDX-License-Identifier: Apache-2.0
// embedding_bag: a strip of columns of one bag at a time, in f64.
#include <algorithm>
#include <limits>

#include "cpu/coordinate.hpp"
#include "cpu/kernels/update.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/wide.hpp"
#include "opmux/ops/index.gen.h"

namespace opmux::cpu {
namespace {

constexpr int64_t kStrip = 256;

struct State {
  explicit State(const opmux_opd& d);
  void item(const kit_call* call, uint64_t i, FirstFault* bad) const;
  // First element of bag b, or of all behind the last.
  int64_t begin(const void* offsets, int64_t b) const {
    return offset.number(static_cast<const char*>(offsets), b * offset_step);
  }

  uint32_t kind;
  bool weighted;
  Wide wide;
  UpdateFn join;
  Coordinate row, offset;
  int64_t n, bags, columns, strips, index_step, offset_step, weight_step = 0;
  int64_t table_row, table_column, y_row, y_column;
  uint64_t grain = 1;
};

State::State(const opmux_opd& d) {
  const opmux_tdesc &table = d.in[0], &index = d.in[1], &offsets = d.in[2], &y = d.out[0];
  kind = reinterpret_cast<const opmux_op_embedding_bag&>(d).kind;
  weighted = has_in(d, 3);
  if (weighted) weight_step = d.in[3].stride[0];
  wide = Wide(table.dtype, OPMUX_F64);
  join = find_update(kind == OPMUX_BAG_MAX ? OPMUX_SCATTER_MAX : OPMUX_SCATTER_ADD, OPMUX_F64);
  row.wide = index.dtype == OPMUX_I64;
  row.dim[0] = table.dim[0];
  row.stride[0] = table_row = table.stride[0];
  offset.wide = offsets.dtype == OPMUX_I64;
  n = index.dim[0];
  bags = y.dim[0];
  columns = y.dim[1];
  strips = (columns + kStrip - 1) / kStrip;
  index_step = index.stride[0];
  offset_step = offsets.stride[0];
  table_column = table.stride[1];
  y_row = y.stride[0];
  y_column = y.stride[1];
  const double mean_rows = bags ? static_cast<double>(n) / static_cast<double>(bags) : 0;
  grain = grain_for(static_cast<uint64_t>(bags * strips),
                    30 + mean_rows * (20 + static_cast<double>(std::min(columns, kStrip))));
}

void State::item(const kit_call* call, uint64_t i, FirstFault* bad) const {
  const int64_t bag = static_cast<int64_t>(i) / strips, first = static_cast<int64_t>(i) % strips * kStrip;
  const int64_t some = std::min(kStrip, columns - first);
  const int64_t from = begin(call->arg[2], bag), to = begin(call->arg[2], bag + 1);
  const bool max = kind == OPMUX_BAG_MAX && to > from;
  double sum[kStrip], v[kStrip];
  std::fill_n(sum, some, max ? -std::numeric_limits<double>::infinity() : 0.0);
  for (int64_t k = from; k < to; ++k) {
    int64_t at;
    if (!row.locate(static_cast<const char*>(call->arg[1]), k * index_step, at)) {
      bad->note(static_cast<uint64_t>(k));
      continue;
    }
    wide.get(call->arg[0], at + first * table_column, table_column, some, v);
    if (weighted) {
      double w;
      wide.get(call->arg[3], k * weight_step, 1, 1, &w);
      for (int64_t c = 0; c < some; ++c) v[c] *= w;
    }
    join(sum, 1, nullptr, v, 1, some);
  }
  if (kind == OPMUX_BAG_MEAN && to > from)
    for (int64_t c = 0; c < some; ++c) sum[c] /= static_cast<double>(to - from);
  wide.put(call->arg[call->d->n_in], bag * y_row + first * y_column, y_column, some, sum);
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  const auto count = static_cast<double>(d->in[1].dim[0]) * static_cast<double>(d->in[0].dim[1]);
  yes(cap, info,
      {.flops = 2 * count,
       .bytes = count * static_cast<double>(element_bytes(d->in[0].dtype)),
       .flops_per_ns = 1});
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  int64_t least = 0;
  for (int64_t b = 0; b <= s.bags; ++b) {
    const int64_t at = s.begin(call->arg[2], b);
    if (at < least || at > s.n)
      return kit_fail(err, OPMUX_E_FAULT, 2,
                      "embedding_bag: offset %lld at position %lld is outside [%lld, %lld]",
                      static_cast<long long>(at), static_cast<long long>(b), static_cast<long long>(least),
                      static_cast<long long>(s.n));
    least = at;
  }
  FirstFault bad;
  parallel_for(call->host, static_cast<uint64_t>(s.bags * s.strips), s.grain,
               [&](uint64_t begin, uint64_t end) {
                 for (uint64_t i = begin; i < end; ++i) s.item(call, i, &bad);
               });
  if (!bad.any()) return OPMUX_OK;
  return s.row.fault("embedding_bag", static_cast<const char*>(call->arg[1]),
                     static_cast<int64_t>(bad.position()) * s.index_step, err);
}

}  // namespace

const kit_op kEmbeddingBag =
    state_op<State, opmux_op_embedding_bag>(OPMUX_OP_EMBEDDING_BAG, "strips", query, run);

}  // namespace opmux::cpu
