// SPDX-License-Identifier: Apache-2.0
#include "gpu/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gpu/backend.hpp"
#include "kit/guard.hpp"

namespace opmux::gpu {

Reach reach_of(const opmux_tdesc& t) {
  const int64_t bits = OPMUX_DTYPE_BITS(t.dtype);
  Reach r{0, bits};
  for (uint32_t i = 0; i < t.rank; ++i) {
    if (t.dim[i] == 0) return {};
    (t.stride[i] < 0 ? r.low : r.high) += t.stride[i] * (t.dim[i] - 1) * bits;
  }
  return {r.low >> 3, (r.high + 7) >> 3};
}

namespace {

[[noreturn]] void refuse(uint32_t arg, const std::string& why) {
  throw kit::Failure(OPMUX_E_INVALID, arg, why);
}

// Elements below a byte lie in words, of which ranges hold whole ones; so do blocks.
BoundRange cut(const Memory* memory, uint64_t begin, uint64_t end, uint64_t zero, uint32_t bits,
               uint64_t align, uint32_t& base) {
  const bool words = bits < 8;
  if (words && align != 0) align = std::max<uint64_t>(align, 4);
  const uint64_t start = align == 0 ? 0 : begin / align * align;
  if (words) end = std::min((end + 3) / 4 * 4, memory->size());
  base = static_cast<uint32_t>((zero - start) * 8 / bits);
  return {memory, start, end - start};
}

BoundRange range_of(const BindingUse& use, const opmux_bind& bind, uint64_t align, uint32_t& base) {
  const uint32_t arg = use.arg >= kScalars ? OPMUX_NO_ARG : use.arg;
  const std::string name = use.arg == kWorkspace ? "the workspace" : fmt::format("operand {}", use.arg);
  const uint32_t element = std::max(use.bits / 8, 1u);
  if (bind.mem == 0) refuse(arg, fmt::format("{} is not bound to memory", name));
  const auto* memory = reinterpret_cast<const Memory*>(static_cast<uintptr_t>(bind.mem));
  const uint64_t zero = bind.offset + static_cast<uint64_t>(use.shift);
  if (zero % element != 0)
    refuse(arg, fmt::format("{} lies at byte {}, which {} does not divide", name, zero, element));
  const uint64_t before = use.reach.low < 0 ? static_cast<uint64_t>(-use.reach.low) : 0;
  const uint64_t after = static_cast<uint64_t>(use.reach.high);
  if (zero < before || zero > memory->size() || after > memory->size() - zero) {
    refuse(arg, fmt::format("{} at byte {} reaches from {} to {}, its block has {} bytes", name, zero,
                            use.reach.low, use.reach.high, memory->size()));
  }
  const uint64_t begin = zero - before + (use.reach.low > 0 ? static_cast<uint64_t>(use.reach.low) : 0);
  return cut(memory, begin, zero + after, use.arg == kWorkspace ? begin : zero, use.bits, align, base);
}

opmux_bind scalar_bind(const BoundRange& all, uint32_t number) {
  opmux_bind b{};
  b.mem = reinterpret_cast<uintptr_t>(all.memory);
  b.offset = all.offset + uint64_t{number} * kScalarBytes;
  return b;
}

// The ranges of a step in one run.
Launch launch_of(const Step& step, const ReadyStep& ready, const RunBinds& binds, uint64_t align) {
  Launch l;
  l.program = ready.program;
  const BoundRange& code = ready.code;
  l.bindings = static_cast<uint32_t>(step.source.bindings().size()) + 1;
  l.range[0] = cut(code.memory, code.offset, code.offset + code.size, code.offset, 32, align, l.base[0]);
  for (const BindingUse& use : step.uses) {
    if (use.arg == kFaultWord) {
      const BoundRange& f = binds.fault;
      l.range[use.binding] =
          cut(f.memory, f.offset, f.offset + f.size, f.offset, 32, align, l.base[use.binding]);
    } else {
      const opmux_bind bind = use.arg == kWorkspace ? binds.workspace
                              : use.arg >= kScalars ? scalar_bind(binds.scalars, use.arg - kScalars)
                                                    : binds.operands[use.arg];
      l.range[use.binding] = range_of(use, bind, align, l.base[use.binding]);
    }
    if (use.written) l.written |= 1u << use.binding;
  }
  return l;
}

}  // namespace

void launch_run(const KernelPlan& plan, std::span<const ReadyStep> ready, const RunBinds& binds,
                uint64_t align, Launcher& launcher) {
  if (plan.workspace > 0 && binds.workspace.size < plan.workspace)
    refuse(OPMUX_NO_ARG,
           fmt::format("the workspace has {} bytes, {} are needed", binds.workspace.size, plan.workspace));
  // A bind that is refused by a later step must be refused before the first is launched.
  for (size_t i = 1; i < plan.steps.size(); ++i)
    if (!plan.steps[i].dispatches.empty()) launch_of(plan.steps[i], ready[i], binds, align);
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.dispatches.empty()) continue;
    Launch l = launch_of(step, ready[i], binds, align);
    const auto& [a, b] = step.unless_same;
    const bool same = a != OPMUX_NO_ARG && binds.operands[a].mem == binds.operands[b].mem &&
                      binds.operands[a].offset == binds.operands[b].offset;
    for (const Dispatch& d : step.dispatches) {
      l.dispatch = d;
      if (same) l.dispatch.groups[0] = 0;
      launcher.launch(l);
    }
  }
}

}  // namespace opmux::gpu
