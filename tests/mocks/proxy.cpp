// SPDX-License-Identifier: Apache-2.0
// Plugins that compute what the reference computes and differ from it in one way each: they hand every call
// on to MOCK_BASE, the file of that plugin.
//   MOCK_DISCRETE      memory that the host cannot see, on a card of its own; MOCK_DEVICES cards
//   MOCK_REFUSES       answers NO to these operators ("softmax,conv"); config key `refuse` replaces the list
//   MOCK_CLAIM_NS      claims this cost for every operator
//   MOCK_CLOCK_NS      every launch takes this long on the card's own clock, which runs beside the host's;
//   config key
//                      `launch_ns`
//                      config keys `copy_latency_ns` and `copy_ns_per_kib`: so long takes a copy on it;
//                      with `copy_engine` = 1 beside the launches on a clock of its own;
//                      `slow_ops_0` and `slow_ops_1` ("conv,softmax"): on the card of that index these are
//                      said to cost, and take, `slow_factor` times as long
//   MOCK_LAUNCHES      so many launches work, then the device is lost; config key `launches`
//   config key `copies`: so many copies work, then one never comes back
//   MOCK_LIMIT_BYTES   memory of the card; config key `limit_bytes`
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "kit/error.h"
#include "kit/plugin.h"
#include "kit/schema/schema.hpp"

#ifndef MOCK_DEVICES
#define MOCK_DEVICES 1
#endif
#ifndef MOCK_REFUSES
#define MOCK_REFUSES ""
#endif
#ifndef MOCK_CLAIM_NS
#define MOCK_CLAIM_NS 0
#endif
#ifndef MOCK_CLOCK_NS
#define MOCK_CLOCK_NS 0
#endif
#ifndef MOCK_LAUNCHES
#define MOCK_LAUNCHES 0
#endif
#ifndef MOCK_LIMIT_BYTES
#define MOCK_LIMIT_BYTES 0
#endif

struct opmux_queue_s {
  opmux_queue base;
  opmux_dev dev;
  bool copied, launched;
};
struct opmux_commands_s {
  opmux_commands base;
  uint32_t n;
  uint64_t time_ns;
};

namespace {

struct Base {
  opmux_core_api core;
  opmux_dev_api dev;
  opmux_mem_api mem;
  opmux_queue_api queue;
  opmux_op_api op;
};

template <class T>
bool take(const opmux_core_api& core, uint32_t id, T& out) {
  const opmux_hdr* table = core.interface_(id);
  if (table == nullptr || table->size != sizeof(T)) return false;
  out = *reinterpret_cast<const T*>(table);
  return true;
}

bool load_base(Base& b) {
  void* library = dlopen(MOCK_BASE, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
  const auto query = reinterpret_cast<opmux_plugin_query_fn>(dlsym(library, OPMUX_PLUGIN_SYMBOL));
  if (query == nullptr) return false;
  opmux_offer offer = {OPMUX_HDR(opmux_offer), OPMUX_ABI_MAJOR, OPMUX_ABI_MAJOR,
                       OPMUX_ABI_MINOR,        OPMUX_SANITIZER, {}};
  opmux_answer answer{};
  answer.h.size = sizeof(answer);
  query(&offer, &answer);
  if (answer.status != OPMUX_OK || answer.core == nullptr) return false;
  b.core = *answer.core;
  return take(b.core, OPMUX_I_DEV, b.dev) && take(b.core, OPMUX_I_MEM, b.mem) &&
         take(b.core, OPMUX_I_QUEUE, b.queue) && take(b.core, OPMUX_I_OP, b.op);
}

// NULL when the reference is not there.
const Base* base() {
  static Base tables;
  static const bool loaded = load_base(tables);
  return loaded ? &tables : nullptr;
}

// What the last open was told; a query needs no device, so this belongs to the library.
struct State {
  std::mutex mutex;
  std::string refuses = MOCK_REFUSES;
  // Atomic, since a call that hangs may have read them for an open that is long gone.
  std::atomic<uint64_t> launch_ns{MOCK_CLOCK_NS}, limit_bytes{MOCK_LIMIT_BYTES};
  std::atomic<uint64_t> copy_latency_ns{0}, copy_ns_per_kib{0};
  std::atomic<bool> copy_engine{false};
  std::array<std::string, 2> slow_ops;  // per card
  std::atomic<uint64_t> slow_factor{1};
  std::map<opmux_dev, uint32_t> index;         // of the cards that are open
  std::map<opmux_kernel, uint64_t> kernel_ns;  // how long a launch takes
  std::map<opmux_mem, uint64_t> sizes;
  uint64_t in_use = 0;
  std::map<opmux_dev, uint64_t> clock_ns, copy_clock_ns;  // when the device has done what it was given
  std::atomic<int64_t> launches_left{0};
  std::atomic<bool> counts{false};
  std::atomic<int64_t> copies_left{-1};  // negative: no end
} g;

uint64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

std::string config_text(const opmux_host_api* host, std::string_view key, std::string fallback) {
  opmux_str value{};
  if (host->config(host->self, {key.data(), key.size()}, &value) != OPMUX_OK) return fallback;
  return {value.data, value.size};
}
uint64_t config_number(const opmux_host_api* host, std::string_view key, uint64_t fallback) {
  return std::strtoull(config_text(host, key, std::to_string(fallback)).c_str(), nullptr, 10);
}

// Whether the operator is one of "softmax,conv".
bool listed(const std::string& names, uint32_t op) {
  const auto* info = opmux::schema::find(op);
  std::lock_guard lock(g.mutex);
  return info != nullptr &&
         ("," + names + ",").find("," + std::string(info->name) + ",") != std::string::npos;
}
bool refuses(uint32_t op) { return listed(g.refuses, op); }

opmux_status open(const opmux_host_api* host, opmux_plugin* out, opmux_err* err) {
  {
    std::lock_guard lock(g.mutex);
    g.refuses = config_text(host, "refuse", MOCK_REFUSES);
    g.launch_ns = config_number(host, "launch_ns", MOCK_CLOCK_NS);
    g.limit_bytes = config_number(host, "limit_bytes", MOCK_LIMIT_BYTES);
    g.copy_latency_ns = config_number(host, "copy_latency_ns", 0);
    g.copy_ns_per_kib = config_number(host, "copy_ns_per_kib", 0);
    g.copy_engine = config_number(host, "copy_engine", 0) != 0;
    g.slow_ops = {config_text(host, "slow_ops_0", ""), config_text(host, "slow_ops_1", "")};
    g.slow_factor = config_number(host, "slow_factor", 1);
    const uint64_t launches = config_number(host, "launches", MOCK_LAUNCHES);
    g.counts = launches != 0;
    g.launches_left = static_cast<int64_t>(launches);
    const uint64_t copies = config_number(host, "copies", 0);
    g.copies_left = copies == 0 ? -1 : static_cast<int64_t>(copies);
    g.sizes.clear();
    g.clock_ns.clear();
    g.copy_clock_ns.clear();
    g.in_use = 0;
  }
  return base()->core.open(host, out, err);
}

opmux_status enumerate(opmux_plugin p, opmux_devinfo* infos, uint32_t stride, uint32_t cap, uint32_t* count,
                       opmux_err* err) {
  for (uint32_t i = 0; i < MOCK_DEVICES && i < cap; ++i) {
    auto* info = reinterpret_cast<opmux_devinfo*>(reinterpret_cast<char*>(infos) + i * stride);
    uint32_t one = 0;
    const opmux_status status = base()->dev.enumerate(p, info, stride, 1, &one, err);
    if (status != OPMUX_OK) return status;
    info->index = i;
    if (g.launch_ns != 0) info->flags &= ~OPMUX_DF_SYNC_QUEUE;
    if (g.limit_bytes != 0) info->memory_bytes = 0;  // so that the plugin and not the host's budget says no
#ifdef MOCK_DISCRETE
    info->kind = OPMUX_DEV_ACCEL;
    info->flags &= ~(OPMUX_DF_HOST_MEMORY | OPMUX_DF_UNIFIED);
#endif
  }
  *count = MOCK_DEVICES;
  return OPMUX_OK;
}

opmux_status dev_open(opmux_plugin p, uint32_t index, opmux_dev* out, opmux_err* err) {
  const opmux_status status = base()->dev.open(p, 0, out, err);
  std::lock_guard lock(g.mutex);
  if (status == OPMUX_OK) g.index[*out] = index;
  return status;
}

opmux_status lost(opmux_err* err) {
  return kit_fail(err, OPMUX_E_DEVICE_LOST | OPMUX_F_STICKY, OPMUX_NO_ARG, "the device has left the bus");
}

bool is_lost() { return g.counts && g.launches_left.load() < 0; }

opmux_status mem_alloc(opmux_dev dev, uint32_t kind, uint64_t size, uint64_t align, opmux_mem* out,
                       opmux_err* err) {
  std::lock_guard lock(g.mutex);
  if (g.limit_bytes != 0 && g.in_use + size > g.limit_bytes) {
    return kit_fail(err, OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE, OPMUX_NO_ARG,
                    "%llu bytes asked, %llu in use, the card has %llu", static_cast<unsigned long long>(size),
                    static_cast<unsigned long long>(g.in_use),
                    static_cast<unsigned long long>(g.limit_bytes));
  }
  const opmux_status status = base()->mem.alloc(dev, kind, size, align, out, err);
  if (status != OPMUX_OK) return status;
  g.sizes[*out] = size;
  g.in_use += size;
  return OPMUX_OK;
}

void mem_free(opmux_dev dev, opmux_mem mem) {
  std::lock_guard lock(g.mutex);
  if (const auto found = g.sizes.find(mem); found != g.sizes.end()) {
    g.in_use -= found->second;
    g.sizes.erase(found);
  }
  base()->mem.free_(dev, mem);
}

opmux_status mem_map([[maybe_unused]] opmux_dev dev, [[maybe_unused]] opmux_mem mem,
                     [[maybe_unused]] void** out, opmux_err* err) {
#ifdef MOCK_DISCRETE
  return kit_fail(err, OPMUX_E_UNSUPPORTED, OPMUX_NO_ARG, "the host cannot see this memory");
#else
  return base()->mem.map(dev, mem, out, err);
#endif
}

opmux_status queue_create(opmux_dev dev, uint32_t flags, opmux_queue* out, opmux_err* err) {
  opmux_queue inner = nullptr;
  const opmux_status status = base()->queue.create(dev, flags, &inner, err);
  if (status == OPMUX_OK) *out = new opmux_queue_s{inner, dev, false, false};
  return status;
}

void queue_destroy(opmux_queue q) {
  base()->queue.destroy(q->base);
  delete q;
}

// A clock of the device runs on from now or from the end of what it already has to do.
void work(uint64_t& clock, uint64_t not_before_ns, uint64_t time_ns) {
  clock = std::max({clock, not_before_ns, now_ns()}) + time_ns;
}
std::map<opmux_dev, uint64_t>& copy_clocks() { return g.copy_engine ? g.copy_clock_ns : g.clock_ns; }

// In its turn within the queue.
void work_copy(opmux_queue q, uint64_t time_ns) {
  std::lock_guard lock(g.mutex);
  q->copied = true;
  work(copy_clocks()[q->dev], q->launched ? g.clock_ns[q->dev] : 0, time_ns);
}
void work_launch(opmux_queue q, uint64_t time_ns) {
  std::lock_guard lock(g.mutex);
  q->launched = true;
  work(g.clock_ns[q->dev], q->copied ? copy_clocks()[q->dev] : 0, time_ns);
}
uint64_t launch_ns(opmux_kernel kernel) {
  std::lock_guard lock(g.mutex);
  return g.kernel_ns[kernel];
}

void wait_for(std::map<opmux_dev, uint64_t>& clocks, opmux_dev dev) {
  uint64_t until = 0;
  {
    std::lock_guard lock(g.mutex);
    until = clocks[dev];
  }
  for (uint64_t now = now_ns(); now < until; now = now_ns()) {
    const timespec rest = {static_cast<time_t>((until - now) / 1'000'000'000),
                           static_cast<long>((until - now) % 1'000'000'000)};
    nanosleep(&rest, nullptr);
  }
}

// What this queue was given: a queue that only copies does not wait for launches.
void wait_for_clock(opmux_queue q) {
  if (q->copied) wait_for(copy_clocks(), q->dev);
  if (q->launched) wait_for(g.clock_ns, q->dev);
}

opmux_status copy(opmux_queue q, const opmux_copy* copies, uint32_t n, opmux_err* err) {
  if (is_lost()) return lost(err);
  for (uint32_t i = 0; i < n; ++i) {
    if (g.copies_left >= 0 && g.copies_left.fetch_sub(1) == 0) {
      for (;;) pause();
    }
    work_copy(q, g.copy_latency_ns + copies[i].size_bytes * g.copy_ns_per_kib / 1024);
    if (copies[i].dst_host != nullptr) wait_for_clock(q);
  }
  return base()->queue.copy(q->base, copies, n, err);
}

// False when the device is lost before the last of n launches.
bool spend(uint32_t n) { return !g.counts || g.launches_left.fetch_sub(n) >= static_cast<int64_t>(n); }

uint64_t time_ns(const opmux_run* runs, uint32_t stride, uint32_t n) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const auto* run =
        reinterpret_cast<const opmux_run*>(reinterpret_cast<const char*>(runs) + uint64_t{i} * stride);
    sum += launch_ns(run->kernel);
  }
  return sum;
}

opmux_status enqueue(opmux_queue q, const opmux_run* runs, uint32_t stride, uint32_t n, opmux_err* err) {
  if (!spend(n)) {
    g.launches_left = -1;
    return lost(err);
  }
  const opmux_status status = base()->queue.enqueue_many(q->base, runs, stride, n, err);
  work_launch(q, time_ns(runs, stride, n));
  return status;
}

opmux_status finish(opmux_queue q, uint64_t timeout_ns, opmux_err* err) {
  if (is_lost()) return lost(err);
  wait_for_clock(q);
  return base()->queue.finish(q->base, timeout_ns, err);
}

opmux_status record(opmux_queue q, const opmux_run* runs, uint32_t stride, uint32_t n, opmux_commands* out,
                    opmux_err* err) {
  opmux_commands inner = nullptr;
  const opmux_status status = base()->queue.record(q->base, runs, stride, n, &inner, err);
  if (status == OPMUX_OK) *out = new opmux_commands_s{inner, n, time_ns(runs, stride, n)};
  return status;
}

opmux_status replay(opmux_queue q, opmux_commands c, const opmux_rebind* rebinds, uint32_t n,
                    opmux_err* err) {
  if (!spend(c->n)) {
    g.launches_left = -1;
    return lost(err);
  }
  const opmux_status status = base()->queue.replay(q->base, c->base, rebinds, n, err);
  work_launch(q, c->time_ns);
  return status;
}

void release(opmux_commands c) {
  base()->queue.release(c->base);
  delete c;
}

opmux_status signal(opmux_queue q, opmux_tl tl, uint64_t value, opmux_err* err) {
  wait_for_clock(q);
  return base()->queue.signal(q->base, tl, value, err);
}

opmux_status wait(opmux_queue q, opmux_tl tl, uint64_t value, opmux_err* err) {
  return base()->queue.wait(q->base, tl, value, err);
}

uint64_t cost_ns(uint32_t card, uint32_t op) {
  const bool slow = card < g.slow_ops.size() && listed(g.slow_ops[card], op);
  return g.launch_ns * (slow ? g.slow_factor.load() : 1);
}

opmux_status op_query(const opmux_devinfo* info, uint32_t n, const opmux_opd* const* d, opmux_cap* caps,
                      uint32_t stride, opmux_err* err) {
  const opmux_status status = base()->op.query(info, n, d, caps, stride, err);
  for (uint32_t i = 0; i < n && status == OPMUX_OK; ++i) {
    auto& cap = *reinterpret_cast<opmux_cap*>(reinterpret_cast<char*>(caps) + uint64_t{i} * stride);
    if (refuses(d[i]->op)) {  // whatever else is wrong with it
      cap.verdict = OPMUX_NO;
      cap.why = OPMUX_WHY_OP;
      cap.why_have = d[i]->op;
      cap.impl_key = 0;
    }
    if (cap.verdict != OPMUX_YES) continue;
    if (MOCK_CLAIM_NS != 0) cap.cost_ns = MOCK_CLAIM_NS;
    if (g.launch_ns != 0) cap.cost_ns = cost_ns(info->index, d[i]->op);
  }
  return status;
}

opmux_status prepare(opmux_dev dev, const opmux_opd* d, uint64_t key, opmux_kernel* out, opmux_err* err) {
  if (is_lost()) return lost(err);
  if (refuses(d->op))
    return kit_fail(err, OPMUX_E_UNSUPPORTED, OPMUX_NO_ARG, "operator 0x%08x is not here", d->op);
  const opmux_status status = base()->op.prepare(dev, d, key, out, err);
  if (status != OPMUX_OK) return status;
  uint32_t index = 0;
  {
    std::lock_guard lock(g.mutex);
    index = g.index[dev];
  }
  const uint64_t time_ns = cost_ns(index, d->op);
  std::lock_guard lock(g.mutex);
  g.kernel_ns[*out] = time_ns;
  return status;
}

opmux_status pack(opmux_queue q, const opmux_opd* d, uint32_t operand, uint32_t layout, const opmux_bind* src,
                  const opmux_bind* dst, opmux_err* err) {
  return base()->op.pack(q->base, d, operand, layout, src, dst, err);
}

struct Tables {
  opmux_dev_api dev;
  opmux_mem_api mem;
  opmux_queue_api queue;
  opmux_op_api op;

  explicit Tables(const Base& b) : dev(b.dev), mem(b.mem), queue(b.queue), op(b.op) {
    dev.enumerate = enumerate;
    dev.open = dev_open;
    mem.alloc = mem_alloc;
    mem.free_ = mem_free;
    mem.map = mem_map;
#ifdef MOCK_DISCRETE
    mem.import_host = nullptr;
#endif
    queue.create = queue_create;
    queue.destroy = queue_destroy;
    queue.copy = copy;
    queue.enqueue_many = enqueue;
    queue.finish = finish;
    queue.record = record;
    queue.replay = replay;
    queue.release = release;
    queue.signal = signal;
    queue.wait = wait;
    op.query = op_query;
    op.prepare = prepare;
    op.pack = pack;
  }
};

const opmux_hdr* interface(uint32_t id) {
  if (base() == nullptr) return nullptr;
  static const Tables tables(*base());
  for (const opmux_hdr* table : {&tables.dev.h, &tables.mem.h, &tables.queue.h, &tables.op.h}) {
    if (table->tag == id) return table;
  }
  return nullptr;
}

opmux_status quiesce(opmux_plugin p, uint64_t deadline_ns, opmux_err* err) {
  return base()->core.quiesce(p, deadline_ns, err);
}

void close(opmux_plugin p) { base()->core.close(p); }

const opmux_core_api g_core = {OPMUX_HDR_TAG(opmux_core_api, OPMUX_I_CORE), open, quiesce, close, interface};

}  // namespace

OPMUX_PLUGIN(MOCK_NAME, "1", 0, 1, &g_core)
