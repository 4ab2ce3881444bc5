// SPDX-License-Identifier: Apache-2.0
// What sort and top_k are but for the form in which they want their rows.
#ifndef OPMUX_CPU_ORDERED_OP_HPP
#define OPMUX_CPU_ORDERED_OP_HPP

#include "cpu/answer.hpp"
#include "cpu/ordered_rows.hpp"
#include "cpu/state.hpp"
#include "kit/schema/schema.hpp"

namespace opmux::cpu {

template <OrderedRows::Form (*kForm)(const opmux_opd&)>
struct OrderedOp {
  static void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
    if (!plain_operands(*d, cap)) return;
    for (uint32_t o = 0; d->alias && o < d->n_out; ++o)
      if (d->alias[o] != 0) return no(cap, OPMUX_WHY_ALIAS, d->alias[o] - 1);
    yes(cap, info,
        {.flops = static_cast<double>(schema::flops(*d)),
         .bytes = static_cast<double>(schema::bytes(*d)),
         .flops_per_ns = 1,
         .ws = OrderedRows(*d, kForm(*d)).workspace()});
  }
  static opmux_status prepare(const opmux_host_api* host, const opmux_opd* d, void** state, opmux_err* err) {
    return make_state<OrderedRows>(host, state, err, *d, kForm(*d));
  }
  static opmux_status run(const kit_call* call, opmux_err*) {
    static_cast<const OrderedRows*>(call->state)->run(call);
    return OPMUX_OK;
  }
};

template <class Desc, OrderedRows::Form (*kForm)(const opmux_opd&)>
constexpr kit_op ordered_op(uint32_t op) {
  using Op = OrderedOp<kForm>;
  return {op,      "items", Op::query, Op::prepare,  free_state<OrderedRows>,
          Op::run, nullptr, nullptr,   sizeof(Desc), 1};
}

}  // namespace opmux::cpu
#endif
