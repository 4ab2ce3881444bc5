// SPDX-License-Identifier: Apache-2.0
#include "host/layers/fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "host/loader/splice.hpp"
#include "host/platform/error.hpp"
#include "host/platform/log.hpp"

namespace opmux::fault {
namespace {

constexpr std::array<const char*, kKinds> kNames = {"alloc", "launch", "lost", "corrupt", "hang"};

// Functions of the ABI have no room for a pointer to a layer's own, so each plugin has a set of them.
constexpr size_t kSlots = 16;

struct Slot {
  std::string plugin;  // empty: free
  Tables next{};
  std::array<uint64_t, kKinds> calls{};
  std::map<opmux_queue, opmux_dev> queues;
  std::set<opmux_dev> lost;
};

struct State {
  std::mutex mutex;
  std::condition_variable changed;
  std::array<Slot, kSlots> slots;
  std::optional<Point> armed;
  uint64_t struck = 0, releases = 0;
  uint32_t hanging = 0;
};

// Calls may hang in here when the process ends.
State& state() {
  static auto* s = new State;
  return *s;
}

opmux_status say(opmux_err* err, opmux_status status, const char* text) {
  store(Error(status, fmt::format("{} (injected)", text)), err);
  return status;
}

opmux_status say_lost(opmux_err* err) {
  return say(err, OPMUX_E_DEVICE_LOST | OPMUX_F_STICKY, "the device has left the bus");
}

enum class Strike : uint8_t { kNone, kFail, kCorrupt };

// Counts a call, and says what becomes of it; status is set with kFail.
Strike call(Slot& slot, opmux_dev dev, std::optional<Kind> own, opmux_status& status, opmux_err* err) {
  State& s = state();
  std::unique_lock lock(s.mutex);
  std::optional<Kind> hit;
  const auto count = [&](Kind k) {
    const uint64_t n = ++slot.calls[static_cast<size_t>(k)];
    if (!s.armed || s.armed->plugin != slot.plugin || s.armed->kind != k) return;
    if (n >= s.armed->nth && n - s.armed->nth < s.armed->times) hit = k;
  };
  count(Kind::kLost);
  count(Kind::kHang);
  if (own) count(*own);
  if (hit) ++s.struck;
  if (hit == Kind::kLost) slot.lost.insert(dev);
  if (hit == Kind::kHang) {
    ++s.hanging;
    const uint64_t before = s.releases;
    s.changed.wait(lock, [&] { return s.releases != before; });
    slot.lost.insert(dev);
    --s.hanging;
    s.changed.notify_all();
  }
  if (slot.lost.contains(dev)) {
    status = say_lost(err);
    return Strike::kFail;
  }
  if (hit == Kind::kAlloc) status = say(err, OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE, "no memory is left");
  if (hit == Kind::kLaunch) status = say(err, OPMUX_E_INTERNAL, "the launch failed");
  if (hit == Kind::kCorrupt) return Strike::kCorrupt;
  return hit ? Strike::kFail : Strike::kNone;
}

opmux_dev dev_of(Slot& slot, opmux_queue q) {
  const std::lock_guard lock(state().mutex);
  const auto at = slot.queues.find(q);
  return at == slot.queues.end() ? nullptr : at->second;
}

// Wrong bytes where the copy went.
void spoil(const Slot& slot, opmux_queue q, const opmux_copy& c) {
  static const std::array<unsigned char, 64> kWrong = {0xa5, 0x5a, 0xff, 0x13};
  const uint64_t size = std::min<uint64_t>(c.size_bytes, kWrong.size());
  if (c.dst_host != nullptr) {
    std::copy_n(kWrong.data(), size, static_cast<unsigned char*>(c.dst_host));
    return;
  }
  opmux_copy wrong = c;
  wrong.src = 0;
  wrong.src_offset = 0;
  wrong.src_host = kWrong.data();
  wrong.size_bytes = size;
  static_cast<void>(slot.next.queue.copy(q, &wrong, 1, nullptr));
}

template <size_t kSlot>
struct Layer {
  static Slot& slot() { return state().slots[kSlot]; }

  static opmux_status OPMUX_CALL open(opmux_plugin p, uint32_t index, opmux_dev* out, opmux_err* err) {
    const opmux_status status = slot().next.dev.open(p, index, out, err);
    const std::lock_guard lock(state().mutex);
    if (status == OPMUX_OK) slot().lost.erase(*out);
    return status;
  }
  static opmux_status OPMUX_CALL alloc(opmux_dev dev, uint32_t kind, uint64_t size, uint64_t align,
                                       opmux_mem* out, opmux_err* err) {
    opmux_status status = OPMUX_OK;
    if (call(slot(), dev, Kind::kAlloc, status, err) == Strike::kFail) return status;
    return slot().next.mem.alloc(dev, kind, size, align, out, err);
  }
  static opmux_status OPMUX_CALL create(opmux_dev dev, uint32_t flags, opmux_queue* out, opmux_err* err) {
    const opmux_status status = slot().next.queue.create(dev, flags, out, err);
    const std::lock_guard lock(state().mutex);
    if (status == OPMUX_OK) slot().queues[*out] = dev;
    return status;
  }
  static void OPMUX_CALL destroy(opmux_queue q) {
    {
      const std::lock_guard lock(state().mutex);
      slot().queues.erase(q);
    }
    slot().next.queue.destroy(q);
  }
  static opmux_status OPMUX_CALL copy(opmux_queue q, const opmux_copy* copies, uint32_t n, opmux_err* err) {
    opmux_status status = OPMUX_OK;
    const Strike strike = call(slot(), dev_of(slot(), q), Kind::kCorrupt, status, err);
    if (strike == Strike::kFail) return status;
    status = slot().next.queue.copy(q, copies, n, err);
    if (status != OPMUX_OK || strike == Strike::kNone || n == 0) return status;
    spoil(slot(), q, copies[0]);
    return say(err, OPMUX_E_IO | OPMUX_F_RETRYABLE, "the checksum of a copy is wrong");
  }
  static opmux_status OPMUX_CALL enqueue(opmux_queue q, const opmux_run* runs, uint32_t stride, uint32_t n,
                                         opmux_err* err) {
    opmux_status status = OPMUX_OK;
    if (call(slot(), dev_of(slot(), q), Kind::kLaunch, status, err) == Strike::kFail) return status;
    return slot().next.queue.enqueue_many(q, runs, stride, n, err);
  }
  static opmux_status OPMUX_CALL replay(opmux_queue q, opmux_commands c, const opmux_rebind* rebinds,
                                        uint32_t n, opmux_err* err) {
    opmux_status status = OPMUX_OK;
    if (call(slot(), dev_of(slot(), q), Kind::kLaunch, status, err) == Strike::kFail) return status;
    return slot().next.queue.replay(q, c, rebinds, n, err);
  }
  static opmux_status OPMUX_CALL finish(opmux_queue q, uint64_t timeout_ns, opmux_err* err) {
    opmux_status status = OPMUX_OK;
    if (call(slot(), dev_of(slot(), q), std::nullopt, status, err) == Strike::kFail) return status;
    return slot().next.queue.finish(q, timeout_ns, err);
  }
  static opmux_status OPMUX_CALL prepare(opmux_dev dev, const opmux_opd* d, uint64_t key, opmux_kernel* out,
                                         opmux_err* err) {
    opmux_status status = OPMUX_OK;
    if (call(slot(), dev, std::nullopt, status, err) == Strike::kFail) return status;
    return slot().next.op.prepare(dev, d, key, out, err);
  }

  static void install(Tables& t) {
    t.dev.open = open;
    t.mem.alloc = alloc;
    t.queue.create = create;
    t.queue.destroy = destroy;
    t.queue.copy = copy;
    t.queue.enqueue_many = enqueue;
    t.queue.replay = replay;
    t.queue.finish = finish;
    t.op.prepare = prepare;
  }
};

template <size_t... kI>
void install(size_t slot, Tables& tables, std::index_sequence<kI...>) {
  static constexpr std::array<void (*)(Tables&), sizeof...(kI)> kInstall = {Layer<kI>::install...};
  kInstall[slot](tables);
}

void wrap(std::string_view plugin, Tables& tables) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  // A plugin that is loaded again, or by two registries, has the same functions.
  auto at = std::find_if(s.slots.begin(), s.slots.end(), [&](const Slot& x) {
    return x.plugin == plugin && x.next.queue.copy == tables.queue.copy;
  });
  if (at == s.slots.end())
    at = std::find_if(s.slots.begin(), s.slots.end(), [](const Slot& x) { return x.plugin.empty(); });
  if (at == s.slots.end()) {
    log::warning("layers", "fault: {} is not under it: there is room for {} plugins", plugin, kSlots);
    return;
  }
  at->plugin = plugin;
  at->next = tables;
  install(static_cast<size_t>(at - s.slots.begin()), tables, std::make_index_sequence<kSlots>());
}

uint64_t number(std::string_view text, std::string_view whole) {
  uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out == 0)
    fail(OPMUX_E_INVALID, "fault '{}': '{}' is no positive number", whole, text);
  return out;
}

void begin(std::optional<Point> point) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.armed = std::move(point);
  s.struck = 0;
  for (Slot& slot : s.slots) slot.calls = {};
}

}  // namespace

const char* name(Kind kind) { return kNames[static_cast<size_t>(kind)]; }

Point parse(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = text;;) {
    const size_t colon = rest.find(':');
    parts.push_back(rest.substr(0, colon));
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  if (parts.size() < 3 || parts.size() > 4)
    fail(OPMUX_E_INVALID, "fault '{}' is not PLUGIN:KIND:NTH or PLUGIN:KIND:NTH:TIMES", text);
  const auto kind = std::find(kNames.begin(), kNames.end(), parts[1]);
  if (kind == kNames.end())
    fail(OPMUX_E_INVALID, "fault '{}': there is no kind '{}', but alloc, launch, lost, corrupt and hang",
         text, parts[1]);
  return {std::string(parts[0]), static_cast<Kind>(kind - kNames.begin()), number(parts[2], text),
          parts.size() == 4 ? number(parts[3], text) : 1};
}

void enable() { set_splice(wrap); }
void arm(const Point& point) { begin(point); }
void disarm() { begin(std::nullopt); }

uint64_t calls(std::string_view plugin, Kind kind) {
  const std::lock_guard lock(state().mutex);
  uint64_t out = 0;
  for (const Slot& s : state().slots) out += s.plugin == plugin ? s.calls[static_cast<size_t>(kind)] : 0;
  return out;
}

uint64_t struck() {
  const std::lock_guard lock(state().mutex);
  return state().struck;
}

uint32_t hanging() {
  const std::lock_guard lock(state().mutex);
  return state().hanging;
}

void release() {
  State& s = state();
  std::unique_lock lock(s.mutex);
  ++s.releases;
  s.changed.notify_all();
  s.changed.wait(lock, [&] { return s.hanging == 0; });
}

}  // namespace opmux::fault
