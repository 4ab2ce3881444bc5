// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "host/loader/route.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {

// A route's answer for one descriptor. cap.in_layout is NULL: the layouts, one per input, are in the vector.
struct Capability {
  opmux_cap cap{};
  std::vector<uint32_t> in_layout;
  schema::Digest asked;  // identity of the descriptor that was asked
  std::string note;      // why the host turned a YES into a NO; empty otherwise

  bool yes() const { return cap.verdict == OPMUX_YES; }
};

// A prepared kernel; immutable, usable from any queue of its device. Must go before Registry::shutdown.
class Kernel {
 public:
  Kernel(Route& route, opmux_kernel handle, Capability capability);
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  opmux_kernel get() const { return handle_; }
  Route& route() const { return route_; }
  const Capability& capability() const { return capability_; }

 private:
  Route& route_;
  opmux_kernel handle_;
  Capability capability_;
};

// Answers and prepared kernels of one process, by (route, identity of the descriptor, variant). Thread-safe;
// kernels of different identity are prepared side by side, one of the same identity once.
class KernelCache {
 public:
  struct Stats {
    uint64_t queries = 0, query_hits = 0;
    uint64_t prepares = 0, prepare_hits = 0;
    uint64_t kernels = 0;  // held now
  };

  // What the route says; a descriptor that makes no sense is refused here without asking. Throws when the
  // plugin cannot answer at all.
  Capability query(Route& route, const opmux_opd& d);
  // All at once, in one call of the plugin for those not known yet.
  std::vector<Capability> query(Route& route, std::span<const opmux_opd* const> d);

  // capability: a YES of query for the same descriptor (layouts of constant operands may have been filled in
  // since). A failure that the YES excludes becomes OPMUX_E_BROKEN_PROMISE, and the answer NO from then on.
  std::shared_ptr<Kernel> prepare(Route& route, const opmux_opd& d, const Capability& capability);

  Stats stats() const;
  void forget(const Route& route);  // its kernels: they are of a device that is lost
  void trim();                      // forgets the kernels that nobody else holds
  void clear();                     // forgets everything

 private:
  struct Key {
    uint32_t route;
    schema::Digest digest;
    uint64_t impl_key;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::mutex mutex;
    std::shared_ptr<Kernel> kernel;  // under mutex
  };

  bool known(const Key& key, Capability& out);
  void demote(const Route& route, const Capability& capability, const std::string& why);
  [[noreturn]] void fail_prepare(Route& route, const opmux_opd& d, const Capability& capability,
                                 opmux_status status, const ErrRecord& err, uint32_t epoch);

  mutable std::mutex mutex_;
  std::map<Key, Capability> answers_;  // impl_key 0
  std::map<Key, std::shared_ptr<Entry>> kernels_;
  Stats stats_;
};

// "vulkan:0 refused MATMUL: operand 1 dim 0 is 70000, limit 65535".
std::string reason_sentence(const Route& route, const opmux_opd& d, const opmux_cap& cap);
std::string reason_sentence(const Route& route, const opmux_opd& d, const Capability& capability);

// "MATMUL", or "operator 0x00990001".
std::string operator_name(uint32_t op);

}  // namespace opmux
