// SPDX-License-Identifier: Apache-2.0
#include "host/kernel/kernel_cache.hpp"

#include "host/loader/quarantine.hpp"
#include "host/loader/watch.hpp"
#include "host/trace/trace.hpp"

namespace opmux {
namespace {

// The failures that remain possible after a YES.
bool promise_allows(opmux_status status) {
  switch (OPMUX_CODE(status)) {
    case OPMUX_E_OUT_OF_MEMORY:
    case OPMUX_E_DEVICE_LOST:
    case OPMUX_E_CANCELLED:
    case OPMUX_E_TIMEOUT:
    case OPMUX_E_FORKED:
      return true;
    default:
      return false;
  }
}

Capability refuse_invalid(const schema::Problem& problem) {
  Capability out;
  out.cap.h = OPMUX_HDR(opmux_cap);
  out.cap.verdict = OPMUX_NO;
  out.cap.why = problem.why == OPMUX_WHY_NONE ? OPMUX_WHY_INVALID : problem.why;
  out.cap.why_arg = problem.arg;
  out.cap.why_axis = problem.axis;
  out.cap.why_have = problem.have;
  out.cap.why_limit = problem.limit;
  out.note = problem.text;
  return out;
}

// Puts right what no reader could use: a YES needs a key, anything but YES is NO.
void normalise(Capability& c) {
  c.cap.h = OPMUX_HDR(opmux_cap);
  c.cap.in_layout = nullptr;
  c.cap.layout_cap = static_cast<uint32_t>(c.in_layout.size());
  if (c.cap.verdict == OPMUX_YES && c.cap.impl_key == 0) {
    c.cap.verdict = OPMUX_NO;
    c.note = "it says YES without a key";
  }
  if (c.cap.verdict != OPMUX_YES) c.cap.verdict = OPMUX_NO;
}

}  // namespace

Kernel::Kernel(Route& route, opmux_kernel handle, Capability capability)
    : route_(route), handle_(handle), capability_(std::move(capability)) {
  route_.plugin().handle_made();
}

Kernel::~Kernel() {
  if (route_.abandoned()) {
    quarantine(handle_);
    return;
  }
  route_.t().op.release(handle_);
  route_.plugin().handle_gone();
}

bool KernelCache::known(const Key& key, Capability& out) {
  std::lock_guard lock(mutex_);
  ++stats_.queries;
  const auto found = answers_.find(key);
  if (found == answers_.end()) return false;
  ++stats_.query_hits;
  out = found->second;
  return true;
}

Capability KernelCache::query(Route& route, const opmux_opd& d) {
  const opmux_opd* one = &d;
  return std::move(query(route, std::span(&one, 1)).front());
}

std::vector<Capability> KernelCache::query(Route& route, std::span<const opmux_opd* const> d) {
  std::vector<Capability> out(d.size());
  std::vector<const opmux_opd*> asked;
  std::vector<opmux_cap> caps;
  std::vector<std::pair<size_t, Key>> places;
  for (size_t i = 0; i < d.size(); ++i) {
    schema::Problem problem;
    if (!schema::validate(*d[i], problem)) {
      out[i] = refuse_invalid(problem);
      continue;
    }
    const Key key{route.id(), schema::digest(*d[i]), 0};
    if (known(key, out[i])) continue;
    out[i].asked = key.digest;
    out[i].in_layout.assign(d[i]->n_in, 0);
    opmux_cap& cap = caps.emplace_back();
    cap.h = OPMUX_HDR(opmux_cap);
    cap.in_layout = out[i].in_layout.data();
    cap.layout_cap = d[i]->n_in;
    asked.push_back(d[i]);
    places.emplace_back(i, key);
  }
  if (asked.empty()) return out;
  const trace::Span span(route.name(), "query", asked.size());
  ErrRecord err;
  const auto n = static_cast<uint32_t>(asked.size());
  const Watch::Inside inside(route);
  err.check(route.t().op.query(&route.info(), n, asked.data(), caps.data(), sizeof(opmux_cap), err.get()),
            route.name() + ": query");
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < places.size(); ++i) {
    Capability& c = out[places[i].first];
    c.cap = caps[i];
    normalise(c);
    answers_.insert_or_assign(places[i].second, c);
  }
  return out;
}

std::shared_ptr<Kernel> KernelCache::prepare(Route& route, const opmux_opd& d, const Capability& capability) {
  if (!capability.yes()) fail(OPMUX_E_UNSUPPORTED, "{}", reason_sentence(route, d, capability));
  std::shared_ptr<Entry> entry;
  {
    std::lock_guard lock(mutex_);
    ++stats_.prepares;
    auto& place = kernels_[Key{route.id(), schema::digest(d), capability.cap.impl_key}];
    if (!place) place = std::make_shared<Entry>();
    entry = place;
  }
  std::lock_guard lock(entry->mutex);
  if (entry->kernel) {
    std::lock_guard count(mutex_);
    ++stats_.prepare_hits;
    return entry->kernel;
  }
  const std::string name = operator_name(d.op);
  const trace::Span span(route.name(), name);
  ErrRecord err;
  opmux_kernel handle = nullptr;
  const uint32_t epoch = route.epoch();
  const opmux_dev dev = route.dev();
  const Watch::Inside inside(route);
  const opmux_status status = route.t().op.prepare(dev, &d, capability.cap.impl_key, &handle, err.get());
  if (status != OPMUX_OK) fail_prepare(route, d, capability, status, err, epoch);
  entry->kernel = std::make_shared<Kernel>(route, handle, capability);
  return entry->kernel;
}

void KernelCache::fail_prepare(Route& route, const opmux_opd& d, const Capability& capability,
                               opmux_status status, const ErrRecord& err, uint32_t epoch) {
  const std::string doing = fmt::format("{}: cannot prepare {}", route.name(), operator_name(d.op));
  if (promise_allows(status)) route.raise(err, status, doing, epoch);
  const std::string why = err.text(status);
  demote(route, capability, why);
  throw Error(OPMUX_E_BROKEN_PROMISE, fmt::format("{}, though it had said that it could: {}", doing, why))
      .from(&route, epoch);
}

void KernelCache::demote(const Route& route, const Capability& capability, const std::string& why) {
  std::lock_guard lock(mutex_);
  // By the identity that was asked: the descriptor itself may carry layouts by now.
  const auto found = answers_.find(Key{route.id(), capability.asked, 0});
  if (found == answers_.end() || found->second.cap.impl_key != capability.cap.impl_key) return;
  found->second.cap.verdict = OPMUX_NO;
  found->second.note = "it broke its promise before: " + why;
}

KernelCache::Stats KernelCache::stats() const {
  std::lock_guard lock(mutex_);
  Stats out = stats_;
  for (const auto& [key, entry] : kernels_) out.kernels += entry->kernel ? 1 : 0;
  return out;
}

void KernelCache::trim() {
  std::lock_guard lock(mutex_);
  std::erase_if(kernels_, [](const auto& item) {
    return item.second.use_count() == 1 && (!item.second->kernel || item.second->kernel.use_count() == 1);
  });
}

void KernelCache::forget(const Route& route) {
  std::lock_guard lock(mutex_);
  std::erase_if(kernels_, [&](const auto& item) { return item.first.route == route.id(); });
}

void KernelCache::clear() {
  std::lock_guard lock(mutex_);
  kernels_.clear();
  answers_.clear();
}

}  // namespace opmux
