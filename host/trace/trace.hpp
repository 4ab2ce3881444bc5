// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "host/platform/clock.hpp"

// Spans of host and plugins on one time line, written as the JSON that Chrome's and Perfetto's viewers read.
namespace opmux::trace {

// Same numbers as the phases of host->trace.
enum class Phase : uint32_t { kBegin = 0, kEnd = 1, kInstant = 2, kCounter = 3 };

extern std::atomic<bool> g_enabled;
inline bool enabled() { return g_enabled.load(std::memory_order_relaxed); }

// Recording starts empty with each start; at most limit_events are kept, the rest is counted as dropped.
void start(uint64_t limit_events = 4'000'000);
void stop();

// Thread of the event is the caller's. track: the row group ("host", a plugin's or a route's name). id ties
// the spans of one run together; for a counter it is the value.
void record(Phase phase, std::string_view track, std::string_view name, uint64_t id, uint64_t time_ns);
// A finished span at once.
void complete(std::string_view track, std::string_view name, uint64_t id, uint64_t begin_ns, uint64_t end_ns);

// Writes what was recorded since start; throws Error OPMUX_E_IO.
void write_json(const std::string& path);
std::string to_json();

// A span from construction to destruction; costs one relaxed load while tracing is off. The texts must
// outlive it.
class Span {
 public:
  Span(std::string_view track, std::string_view name, uint64_t id = 0)
      : track_(track), name_(name), id_(id), begin_ns_(enabled() ? now_ns() : 0) {}
  ~Span() {
    if (begin_ns_ != 0) complete(track_, name_, id_, begin_ns_, now_ns());
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

 private:
  std::string_view track_, name_;
  uint64_t id_, begin_ns_;
};

}  // namespace opmux::trace
