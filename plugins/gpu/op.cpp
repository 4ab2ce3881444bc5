// SPDX-License-Identifier: Apache-2.0
// OP of every GPU plugin: the kit's choice among the operators of op_table.cpp, and kernels.
#include <fmt/format.h>

#include <algorithm>

#include "gpu/objects.hpp"
#include "gpu/op_table.hpp"
#include "kit/schema_hook.hpp"

namespace opmux::gpu {
namespace {

// Puts the code of a step on the device, and its kernel.
void make_ready(Kernel& k, Step& step) {
  if (step.dispatches.empty()) {
    k.ready.emplace_back();
    return;
  }
  if (step.source.file->faults) {
    const uint32_t arg = step.faulty_arg == OPMUX_NO_ARG ? k.plan.faulty_arg : step.faulty_arg;
    step.words.back() = k.dev->fault_number(
        fmt::format("{}: a value of operand {} is out of range", schema::find(k.op)->name, arg));
  }
  ReadyStep r;
  r.program = k.dev->program(step.source);
  const CodePlace place = k.dev->place(step.words);
  r.code = place.range;
  k.slabs.push_back(place.slab);
  k.ready.push_back(r);
}

opmux_status prepare(opmux_dev dev, const opmux_opd* d, uint64_t impl_key, opmux_kernel* out,
                     opmux_err* err) {
  return guarded(err, [&]() -> opmux_status {
    opmux_cap cap{};
    cap.h.size = sizeof cap;
    kit_wide wide;
    const opmux_opd* full = d;
    const kit_op* op = kit_choose(&dev->info, d, impl_key, &cap, &wide, &full);
    if (!op) return kit_refuse(err, d, &cap);
    auto k = std::make_unique<Kernel>();
    k->dev = of(dev);
    k->op = d->op;
    plan_at(static_cast<size_t>(op - kit_the_device.ops))(dev->info, *full, cap, &k->plan);
    k->operands.assign(full->in, full->in + full->n_in);
    k->operands.insert(k->operands.end(), full->out, full->out + full->n_out);
    k->scalars = static_cast<uint32_t>(std::ranges::count_if(
        k->operands, [](const opmux_tdesc& t) { return (t.flags & OPMUX_T_HOST_SCALAR) != 0; }));
    for (Step& step : k->plan.steps) make_ready(*k, step);
    *out = reinterpret_cast<opmux_kernel>(k.release());
    return OPMUX_OK;
  });
}

void release(opmux_kernel k) { delete of(k); }

}  // namespace

const opmux_op_api kOpTable = {
    OPMUX_HDR_TAG(opmux_op_api, OPMUX_I_OP), kit_op_query, prepare, release, nullptr, nullptr};

}  // namespace opmux::gpu

extern "C" const kit_device kit_the_device = {"gpu",
                                              OPMUX_DEV_GPU,
                                              0,
                                              opmux::gpu::kOps,
                                              opmux::gpu::kOpCount,
                                              opmux::kit::schema_validate,
                                              nullptr,
                                              opmux::kit::schema_explain};
