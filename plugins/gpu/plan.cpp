// SPDX-License-Identifier: Apache-2.0
#include "gpu/plan.hpp"

#include <fmt/format.h>

#include "gpu/backend.hpp"
#include "kit/guard.hpp"

namespace opmux::gpu {

Reach reach_of(const opmux_tdesc& t) {
  const int64_t element = OPMUX_DTYPE_BITS(t.dtype) / 8;
  Reach r{0, element};
  for (uint32_t i = 0; i < t.rank; ++i) {
    if (t.dim[i] == 0) return {};
    (t.stride[i] < 0 ? r.low : r.high) += t.stride[i] * (t.dim[i] - 1) * element;
  }
  return r;
}

namespace {

BoundRange range_of(const OperandUse& use, const opmux_bind& bind, uint64_t align, uint32_t& base) {
  if (bind.mem == 0) {
    throw kit::Failure(OPMUX_E_INVALID, use.arg, fmt::format("operand {} is not bound to memory", use.arg));
  }
  const auto* memory = reinterpret_cast<const Memory*>(static_cast<uintptr_t>(bind.mem));
  const uint64_t before = static_cast<uint64_t>(-use.reach.low),
                 after = static_cast<uint64_t>(use.reach.high);
  if (bind.offset % 4 != 0) {
    throw kit::Failure(
        OPMUX_E_INVALID, use.arg,
        fmt::format("operand {} lies at byte {}, which 4 does not divide", use.arg, bind.offset));
  }
  if (bind.offset < before || bind.offset > memory->size() || after > memory->size() - bind.offset) {
    throw kit::Failure(OPMUX_E_INVALID, use.arg,
                       fmt::format("operand {} at byte {} reaches from {} to {}, its block has {} bytes",
                                   use.arg, bind.offset, use.reach.low, use.reach.high, memory->size()));
  }
  const uint64_t start = (bind.offset - before) / align * align;
  base = static_cast<uint32_t>((bind.offset - start) / 4);
  return {memory, start, bind.offset + after - start};
}

}  // namespace

void launch_run(const KernelPlan& plan, const BoundRange& code, std::span<const opmux_bind> binds,
                uint64_t align, Launcher& launcher) {
  Launch l;
  l.kernel = plan.kernel;
  l.range[GK_BIND_CODE] = code;
  for (const OperandUse& use : plan.uses) {
    l.range[use.binding] = range_of(use, binds[use.arg], align, l.base[use.binding]);
  }
  for (const Dispatch& d : plan.dispatches) {
    l.dispatch = d;
    launcher.launch(l);
  }
}

}  // namespace opmux::gpu
