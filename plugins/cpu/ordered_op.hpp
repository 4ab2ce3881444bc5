// SPDX-License-Identifier: Apache-2.0
// What sort and top_k are but for the form in which they want their rows.
#ifndef OPMUX_CPU_ORDERED_OP_HPP
#define OPMUX_CPU_ORDERED_OP_HPP

#include "cpu/answer.hpp"
#include "cpu/ordered_rows.hpp"
#include "cpu/state.hpp"

namespace opmux::cpu {

template <OrderedRows::Form (*kForm)(const opmux_opd&)>
struct OrderedOp {
  static void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
    if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
    yes(cap, info, schema_cost(*d, 1, OrderedRows(*d, kForm(*d)).workspace()));
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
