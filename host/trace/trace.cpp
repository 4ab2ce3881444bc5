// SPDX-License-Identifier: Apache-2.0
#include "host/trace/trace.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "host/platform/error.hpp"
#include "host/platform/file.hpp"

namespace opmux::trace {

std::atomic<bool> g_enabled{false};

namespace {

struct Event {
  char phase;  // Chrome's letter
  uint32_t track, name;
  uint64_t thread, id, time_ns, duration_ns;
};

// One buffer behind a mutex: a traced run pays about 100 ns an event, and an untraced one nothing.
struct State {
  std::mutex mutex;
  std::vector<Event> events;
  std::map<std::string, uint32_t, std::less<>> number;
  std::vector<std::string> texts;
  uint64_t limit = 0, dropped = 0;

  uint32_t intern(std::string_view text) {
    if (const auto found = number.find(text); found != number.end()) return found->second;
    const auto fresh = static_cast<uint32_t>(texts.size());
    texts.emplace_back(text);
    number.emplace(text, fresh);
    return fresh;
  }
};

State& state() {
  static auto* state = new State;  // drivers' threads may trace while the process exits
  return *state;
}

uint64_t thread_number() {
  thread_local const auto number = static_cast<uint64_t>(syscall(SYS_gettid));
  return number;
}

void add(char phase, std::string_view track, std::string_view name, uint64_t id, uint64_t time_ns,
         uint64_t duration_ns) {
  State& s = state();
  std::lock_guard lock(s.mutex);
  if (s.events.size() >= s.limit) {
    ++s.dropped;
    return;
  }
  s.events.push_back({phase, s.intern(track), s.intern(name), thread_number(), id, time_ns, duration_ns});
}

nlohmann::json to_object(const Event& e, const std::vector<std::string>& texts) {
  nlohmann::json out = {{"ph", std::string(1, e.phase)},
                        {"name", texts[e.name]},
                        {"cat", texts[e.track]},
                        {"pid", e.track + 1},
                        {"tid", e.thread},
                        {"ts", static_cast<double>(e.time_ns) / 1e3}};
  if (e.phase == 'X') out["dur"] = static_cast<double>(e.duration_ns) / 1e3;
  if (e.phase == 'i') out["s"] = "t";
  if (e.phase == 'C') {
    out["args"] = {{"value", e.id}};
  } else if (e.id != 0) {
    out["args"] = {{"id", e.id}};
  }
  return out;
}

}  // namespace

void start(uint64_t limit_events) {
  State& s = state();
  std::lock_guard lock(s.mutex);
  s.events.clear();
  s.number.clear();
  s.texts.clear();
  s.dropped = 0;
  s.limit = limit_events;
  g_enabled.store(true, std::memory_order_relaxed);
}

void stop() { g_enabled.store(false, std::memory_order_relaxed); }

void record(Phase phase, std::string_view track, std::string_view name, uint64_t id, uint64_t time_ns) {
  constexpr std::string_view kLetters = "BEiC";
  const auto index = static_cast<uint32_t>(phase);
  if (!enabled() || index >= kLetters.size()) return;
  add(kLetters[index], track, name, id, time_ns, 0);
}

void complete(std::string_view track, std::string_view name, uint64_t id, uint64_t begin_ns,
              uint64_t end_ns) {
  if (!enabled()) return;
  add('X', track, name, id, begin_ns, end_ns < begin_ns ? 0 : end_ns - begin_ns);
}

std::string to_json() {
  State& s = state();
  std::lock_guard lock(s.mutex);
  nlohmann::json events = nlohmann::json::array();
  std::map<uint32_t, bool> tracks;
  for (const Event& e : s.events) {
    if (tracks.emplace(e.track, true).second) {
      events.push_back({{"ph", "M"},
                        {"name", "process_name"},
                        {"pid", e.track + 1},
                        {"args", {{"name", s.texts[e.track]}}}});
    }
    events.push_back(to_object(e, s.texts));
  }
  const nlohmann::json all = {{"traceEvents", std::move(events)},
                              {"displayTimeUnit", "ns"},
                              {"otherData", {{"dropped_events", s.dropped}}}};
  // Names come from models and plugins: what is no UTF-8 must not stop the trace.
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_json(const std::string& path) {
  const std::string text = to_json();
  write_file_atomic(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace opmux::trace
