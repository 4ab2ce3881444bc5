// SPDX-License-Identifier: Apache-2.0
#include "reference/oracle.hpp"

#include "kit/queue.h"
#include "reference/op_table.hpp"

namespace opmux::reference {
namespace {

void check(const opmux_opd& d, const opmux_oracle_result& r) {
  if (r.output >= d.n_out || d.out[r.output].dtype == OPMUX_NONE)
    fail(OPMUX_E_INVALID, d.n_in + r.output, "oracle: output %u is not there, the descriptor has %u",
         r.output, d.n_out);
  const int64_t n = count_of(d.out[r.output]);
  if (r.count != uint64_t(n) || (n > 0 && !r.hi))
    fail(OPMUX_E_INVALID, d.n_in + r.output, "oracle: room for %llu values, output %u has %lld",
         static_cast<unsigned long long>(r.hi ? r.count : 0), r.output, static_cast<long long>(n));
}

// Binds inputs as a run would; outputs stay unbound and are not touched.
opmux_status bind_inputs(opmux_kernel k, const opmux_run& run, void** arg, opmux_err* err) {
  if (run.n_arg < k->d->n_in || (k->d->n_in > 0 && !run.arg))
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG,
                    "oracle: %u operands bound, the operator has %u inputs", run.arg ? run.n_arg : 0,
                    k->d->n_in);
  if (run.params_size < k->params_size || (k->params_size > 0 && !run.params))
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "oracle: %u bytes of parameters, it needs %u",
                    run.params ? run.params_size : 0, k->params_size);
  for (uint32_t i = 0; i < k->n_arg; ++i) {
    arg[i] = nullptr;
    if (i >= k->d->n_in) continue;
    const opmux_status s = kit_bind_arg(k, i, &run.arg[i], run.params, &arg[i], err);
    if (s != OPMUX_OK) return s;
  }
  return OPMUX_OK;
}

opmux_status OPMUX_CALL evaluate(opmux_dev dev, const opmux_opd* d, const opmux_run* run,
                                 opmux_oracle_result* result, opmux_err* err) {
  if (!run || !OPMUX_HAS(run, opmux_run, kernel) || !result ||
      !OPMUX_HAS(result, opmux_oracle_result, magnitude))
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "oracle: run or result is missing or too short");
  opmux_kernel k = nullptr;
  opmux_status s = kit_op_prepare(dev, d, 0, &k, err);
  if (s != OPMUX_OK) return s;
  void* arg[KIT_MAX_ARGS];
  s = bind_inputs(k, *run, arg, err);
  if (s == OPMUX_OK) {
    kit_call call{};
    call.d = k->d;
    call.arg = arg;
    call.params = run->params;
    call.host = &dev->plugin->host;
    s = kit::guard(err, [&] {
      check(*k->d, *result);
      Job job(call, result);
      body_of(k->op)(job);
    });
  }
  kit_op_release(k);
  return s;
}

const opmux_oracle_api kOracle = {OPMUX_HDR_TAG(opmux_oracle_api, OPMUX_I_ORACLE), evaluate};

}  // namespace

const opmux_hdr* oracle_interface(uint32_t id) { return id == OPMUX_I_ORACLE ? &kOracle.h : nullptr; }

}  // namespace opmux::reference
