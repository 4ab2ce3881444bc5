// SPDX-License-Identifier: Apache-2.0
#include "host/router/eager.hpp"

#include <algorithm>

#include "host/memory/pool.hpp"
#include "host/platform/error.hpp"
#include "host/queue/queue.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {
namespace {

constexpr uint64_t kAlign = 256;

// Bytes that a view touches, as a range of host memory.
struct Range {
  uint64_t address = 0, size = 0, element0 = 0;  // element0: offset of element 0 within the range
};

Range range_of(const opmux_tdesc& d, const void* element0) {
  const Reach r = reach_of(d);
  return {reinterpret_cast<uint64_t>(element0) + static_cast<uint64_t>(r.begin),
          static_cast<uint64_t>(r.end - r.begin), static_cast<uint64_t>(-r.begin)};
}

class Staging {
 public:
  Staging(Route& route, Queue& queue) : pool_(route), queue_(queue), direct_(route.host_memory()) {}

  // Bind for an operand; outputs are uploaded too, since a strided output leaves gaps that must survive.
  opmux_bind bind(const opmux_tdesc& d, const void* element0) {
    if (d.dtype == OPMUX_NONE || !element0) return {};
    const Range r = range_of(d, element0);
    if (direct_) return {reinterpret_cast<uint64_t>(element0), 0, r.size - r.element0, nullptr};
    blocks_.push_back(pool_.allocate(std::max<uint64_t>(r.size, 1), kAlign));
    const Block& b = blocks_.back();
    if (r.size) queue_.upload(b, 0, reinterpret_cast<const void*>(r.address), r.size);
    return {b.mem(), b.offset() + r.element0, r.size - r.element0, nullptr};
  }

  void download(const opmux_tdesc& d, void* element0, const opmux_bind& bind) {
    const Range r = range_of(d, element0);
    if (direct_ || !r.size) return;
    queue_.download(bind.mem, bind.offset - r.element0, reinterpret_cast<void*>(r.address), r.size);
  }

  opmux_bind workspace(uint64_t size) {
    if (!size) return {};
    blocks_.push_back(pool_.allocate(size, kAlign));
    return {blocks_.back().mem(), blocks_.back().offset(), size, nullptr};
  }

 private:
  Pool pool_;
  Queue& queue_;
  bool direct_;
  std::vector<Block> blocks_;
};

}  // namespace

void run_eager(Route& route, KernelCache& kernels, const opmux_opd& d, const Capability& capability,
               std::span<const void* const> in, std::span<void* const> out) {
  const auto kernel = kernels.prepare(route, d, capability);
  Queue queue(route);
  Staging staging(route, queue);
  std::vector<opmux_bind> binds;
  for (uint32_t i = 0; i < d.n_in; ++i) binds.push_back(staging.bind(d.in[i], in[i]));
  for (uint32_t i = 0; i < d.n_out; ++i) binds.push_back(staging.bind(d.out[i], out[i]));
  opmux_run run{};
  run.h.size = sizeof run;
  run.arg = binds.data();
  run.n_arg = static_cast<uint32_t>(binds.size());
  run.ws = staging.workspace(capability.cap.ws_min);
  run.kernel = kernel->get();
  queue.enqueue({&run, 1});
  if (!route.sync()) queue.finish();
  for (uint32_t i = 0; i < d.n_out; ++i) {
    if (out[i]) staging.download(d.out[i], out[i], binds[d.n_in + i]);
  }
  queue.finish();
}

HostEvaluator::HostEvaluator(Registry& registry, KernelCache& kernels) : kernels_(kernels) {
  for (bool last : {false, true}) {
    for (const auto& r : registry.routes()) {
      if (r->host_memory() && r->never_auto() == last) routes_.push_back(r.get());
    }
  }
}

std::vector<HostTensor> HostEvaluator::evaluate(const Node& node, std::span<const HostTensor> in,
                                                std::span<const opmux_tdesc> out) {
  std::vector<opmux_tdesc> in_desc;
  std::vector<const void*> in_data;
  for (const HostTensor& t : in) {
    in_desc.push_back(t ? t.desc() : opmux_tdesc{});
    in_data.push_back(t ? t.data() : nullptr);
  }
  const Descriptor d(node, in_desc, out);
  std::vector<HostTensor> results;
  std::vector<void*> out_data;
  for (const opmux_tdesc& o : out) {
    results.push_back(o.dtype == OPMUX_NONE ? HostTensor() : HostTensor(o));
    out_data.push_back(results.back() ? results.back().mutable_data() : nullptr);
  }
  std::string reasons;
  for (Route* r : routes_) {
    const Capability c = kernels_.query(*r, d.get());
    std::string reason;
    if (c.yes()) {
      try {
        run_eager(*r, kernels_, d.get(), c, in_data, out_data);
        return results;
      } catch (const Error& e) {
        if (e.code() == OPMUX_E_FAULT) throw;  // the data are at fault, everywhere
        reason = e.text();
      }
    } else {
      reason = reason_sentence(*r, d.get(), c);
    }
    reasons += (reasons.empty() ? "" : "; ") + reason;
  }
  fail(OPMUX_E_UNSUPPORTED, "'{}' cannot be evaluated ahead of the run: {}", node.name,
       reasons.empty() ? "no device works on host memory" : reasons);
}

}  // namespace opmux
