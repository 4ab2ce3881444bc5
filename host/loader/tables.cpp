// SPDX-License-Identifier: Apache-2.0
#include "host/loader/tables.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "host/platform/error.hpp"

namespace opmux {
namespace {

template <size_t N>
struct EntryName {
  char text[N];
  consteval EntryName(const char (&from)[N]) { std::copy_n(from, N, text); }  // NOLINT: a literal converts
};

void say_missing(opmux_err* err, const char* entry) noexcept {
  if (err == nullptr) return;
  store(Error(OPMUX_E_UNSUPPORTED, fmt::format("the plugin has no {}", entry)), err);
}

template <EntryName kName, class F>
struct Stub;

// Stands in for a missing entry; the error record is always the last argument where there is one.
template <EntryName kName, class R, class... A>
struct Stub<kName, R (*)(A...)> {
  static R OPMUX_CALL call(A... args) noexcept {
    if constexpr (std::is_same_v<R, opmux_status>) {
      auto& last = std::get<sizeof...(A) - 1>(std::tie(args...));
      if constexpr (std::is_same_v<std::remove_reference_t<decltype(last)>, opmux_err*>)
        say_missing(last, kName.text);
      return OPMUX_E_UNSUPPORTED;
    } else if constexpr (!std::is_void_v<R>) {
      ((void)args, ...);
      return R{};
    } else {
      ((void)args, ...);
    }
  }
};

// Returns whether the plugin had the entry.
template <EntryName kName, class F>
bool fill(F& entry) {
  if (entry != nullptr) return true;
  entry = &Stub<kName, F>::call;
  return false;
}

template <class T>
void copy_table(const opmux_hdr* source, uint32_t id, std::string_view name, T& out) {
  if (source == nullptr) fail(OPMUX_E_INVALID, "the plugin has no {} table", name);
  if (source->size < sizeof(opmux_hdr)) {
    fail(OPMUX_E_INVALID, "the plugin's {} table says {} bytes, its head alone has {}", name, source->size,
         sizeof(opmux_hdr));
  }
  if (source->tag != id) {
    fail(OPMUX_E_INVALID, "the plugin's {} table has the tag {:#x}, expected {:#x}", name, source->tag, id);
  }
  // Whole entries only: a size that cuts one in two leaves it out.
  const size_t size = std::min<size_t>(source->size, sizeof(T)) / sizeof(void*) * sizeof(void*);
  std::memset(&out, 0, sizeof(T));
  std::memcpy(&out, source, size);
  out.h = opmux_hdr{sizeof(T), id, nullptr};
}

const opmux_hdr* fetch(const Tables& t, uint32_t id) { return t.core.interface_(id); }

void copy_dev(Tables& out) {
  copy_table(fetch(out, OPMUX_I_DEV), OPMUX_I_DEV, "DEV", out.dev);
  fill<"dev.enumerate">(out.dev.enumerate);
  fill<"dev.open">(out.dev.open);
  fill<"dev.close">(out.dev.close);
  fill<"dev.status">(out.dev.status);
}

void copy_mem(Tables& out) {
  copy_table(fetch(out, OPMUX_I_MEM), OPMUX_I_MEM, "MEM", out.mem);
  fill<"mem.alloc">(out.mem.alloc);
  fill<"mem.free_">(out.mem.free_);
  out.present.map = fill<"mem.map">(out.mem.map);
  out.present.import_host = fill<"mem.import_host">(out.mem.import_host);
}

void copy_queue(Tables& out) {
  opmux_queue_api& q = out.queue;
  copy_table(fetch(out, OPMUX_I_QUEUE), OPMUX_I_QUEUE, "QUEUE", q);
  fill<"queue.create">(q.create);
  fill<"queue.destroy">(q.destroy);
  fill<"queue.copy">(q.copy);
  fill<"queue.enqueue_many">(q.enqueue_many);
  fill<"queue.finish">(q.finish);
  const bool record = fill<"queue.record">(q.record), replay = fill<"queue.replay">(q.replay);
  const bool release = fill<"queue.release">(q.release);
  out.present.record = record && replay && release;
  const bool create = fill<"queue.tl_create">(q.tl_create), destroy = fill<"queue.tl_destroy">(q.tl_destroy);
  const bool host_wait = fill<"queue.tl_wait">(q.tl_wait), host_signal = fill<"queue.tl_signal">(q.tl_signal);
  const bool signal = fill<"queue.signal">(q.signal), wait = fill<"queue.wait">(q.wait);
  out.present.timelines = create && destroy && host_wait && host_signal && signal && wait;
}

void copy_op(Tables& out) {
  copy_table(fetch(out, OPMUX_I_OP), OPMUX_I_OP, "OP", out.op);
  fill<"op.query">(out.op.query);
  fill<"op.prepare">(out.op.prepare);
  fill<"op.release">(out.op.release);
  const bool size = fill<"op.packed_size">(out.op.packed_size), pack = fill<"op.pack">(out.op.pack);
  out.present.pack = size && pack;
}

}  // namespace

void copy_core(const opmux_core_api* source, Tables& out) {
  copy_table(&source->h, OPMUX_I_CORE, "CORE", out.core);
  fill<"core.open">(out.core.open);
  fill<"core.quiesce">(out.core.quiesce);
  fill<"core.close">(out.core.close);
  fill<"core.interface_">(out.core.interface_);
}

void copy_tables(Tables& out) {
  copy_dev(out);
  copy_mem(out);
  copy_queue(out);
  copy_op(out);
}

}  // namespace opmux
