// SPDX-License-Identifier: Apache-2.0
#include "host/router/router.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "host/platform/error.hpp"
#include "opmux/opmux.h"

namespace opmux {
namespace {

// Order of `auto`: real GPUs and accelerators, the CPU's own route, then drivers that only emulate a GPU on
// the CPU.
int rank_of(const Route& r) {
  if (r.info().kind != OPMUX_DEV_CPU) return 0;
  return r.host_memory() ? 1 : 2;
}

[[noreturn]] void refuse_device(const Registry& registry, const std::string& wanted) {
  const std::string plugin = wanted.substr(0, wanted.find(':'));
  for (const Refusal& r : registry.refusals()) {
    if (r.plugin == plugin) {
      fail(OPMUX_E_NOT_FOUND, "device '{}' cannot be used: plugin {} ({}): {}", wanted, r.plugin, r.stage,
           r.reason);
    }
  }
  std::string known;
  for (const auto& r : registry.routes()) known += (known.empty() ? "" : ", ") + r->alias();
  fail(OPMUX_E_NOT_FOUND, "there is no device '{}'; there are: {}", wanted, known.empty() ? "none" : known);
}

}  // namespace

const std::string* Choice::refused_by(const Route* wanted) const {
  for (const Refused& r : refused) {
    if (r.route == wanted) return &r.reason;
  }
  return nullptr;
}

Router::Router(Registry& registry, KernelCache& kernels, Policy policy, Links* links,
               const std::vector<const Route*>& without)
    : kernels_(kernels), links_(links), policy_(std::move(policy)) {
  if (policy_.device.empty()) policy_.device = "auto";
  for (int rank : {0, 1, 2}) {
    for (const auto& r : registry.routes()) {
      const bool out = r->disabled() || std::find(without.begin(), without.end(), r.get()) != without.end();
      if (!out && !r->never_auto() && rank_of(*r) == rank) candidates_.push_back(r.get());
    }
  }
  if (policy_.device != "auto") {
    Route* wanted = registry.find(policy_.device);
    if (!wanted) refuse_device(registry, policy_.device);
    const bool out = std::find(without.begin(), without.end(), wanted) != without.end();
    if (wanted->disabled() && (!out || policy_.fallback == OPMUX_FALLBACK_FORBID)) {
      fail(OPMUX_E_DEVICE_LOST, "device '{}' cannot be used any more: {}", policy_.device, wanted->reason());
    }
    // Others serve what it refuses, the CPU's own route first: operators of one model stay together.
    const std::vector<Route*> others = std::exchange(candidates_, {});
    if (!out) candidates_.push_back(wanted);
    for (bool host : {true, false}) {
      for (Route* r : others) {
        if (r != wanted && r->host_memory() == host) candidates_.push_back(r);
      }
    }
    if (policy_.fallback == OPMUX_FALLBACK_FORBID) candidates_.resize(out ? 0 : 1);
  }
  if (candidates_.empty() && !without.empty()) fail(OPMUX_E_NOT_FOUND, "no other device can be used");
  if (candidates_.empty()) {
    fail(OPMUX_E_NOT_FOUND, "no device can be used: {} plugin(s) were refused; `opmux devices` tells why",
         registry.refusals().size());
  }
  if (!links_ || policy_.device != "auto") return;
  std::set<std::string> cards;
  for (const Route* r : candidates_) cards.insert(r->info().kind == OPMUX_DEV_CPU ? "" : r->device());
  by_price_ = cards.size() > 1;
}

Choice Router::choose(const opmux_opd& d, const Route* only) const {
  Choice choice;
  for (Route* r : candidates_) {
    if (only && r != only) continue;
    Capability c = kernels_.query(*r, d);
    if (c.cap.verdict == OPMUX_YES) {
      choice.route = r;
      choice.capability = std::move(c);
      return choice;
    }
    choice.refused.push_back({r, reason_sentence(*r, d, c)});
  }
  return choice;
}

}  // namespace opmux
