// SPDX-License-Identifier: Apache-2.0
// OP of every GPU plugin: the kit's choice among the operators below, and kernels.
#include "gpu/objects.hpp"
#include "kit/schema_hook.hpp"

namespace opmux::gpu {
namespace {

template <auto Plan>
void query_by(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  kit::guard(nullptr, [&] { Plan(*info, *d, *cap, nullptr); });
}

using PlanFn = bool (*)(const opmux_devinfo&, const opmux_opd&, opmux_cap&, KernelPlan*);

constexpr kit_op kOps[] = {{OPMUX_OP_MATMUL, "tiled", query_by<plan_matmul>, nullptr, nullptr, nullptr,
                            nullptr, nullptr, sizeof(opmux_op_matmul), 1},
                           {OPMUX_OP_POINTWISE, "interpreted", query_by<plan_pointwise>, nullptr, nullptr,
                            nullptr, nullptr, nullptr, sizeof(opmux_op_pointwise), 1}};
constexpr PlanFn kPlans[] = {plan_matmul, plan_pointwise};

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
    kPlans[op - kOps](dev->info, *full, cap, &k->plan);
    k->operands.assign(full->in, full->in + full->n_in);
    k->operands.insert(k->operands.end(), full->out, full->out + full->n_out);
    if (!k->plan.dispatches.empty()) {
      k->dev->device->prepare(k->plan.kernel);
      k->code = k->dev->place(k->plan.code);
    }
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
                                              sizeof opmux::gpu::kOps / sizeof opmux::gpu::kOps[0],
                                              opmux::kit::schema_validate,
                                              nullptr,
                                              opmux::kit::schema_explain};
