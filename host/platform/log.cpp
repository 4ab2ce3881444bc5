// SPDX-License-Identifier: Apache-2.0
#include "host/platform/log.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "host/platform/environment.hpp"

namespace opmux::log {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"error", "warning", "info", "debug"};

struct State {
  std::mutex mutex;
  std::shared_ptr<const Sink> sink;
};

// Never destroyed: threads of drivers may log while the process exits.
State& state() {
  static auto* state = new State;
  return *state;
}

Level threshold() {
  static const Level level = [] {
    const auto wanted = environment::get("OPMUX_LOG").value_or("warning");
    for (size_t i = 0; i < kNames.size(); ++i) {
      if (wanted == kNames[i]) return static_cast<Level>(i);
    }
    std::fprintf(
        stderr,
        "opmux warning [log] OPMUX_LOG is '%s', must be error, warning, info or debug; warning it is\n",
        wanted.c_str());
    return Level::kWarning;
  }();
  return level;
}

void to_stderr(Level level, std::string_view where, std::string_view text) {
  if (level > threshold()) return;
  const std::string line =
      fmt::format("opmux {} [{}] {}\n", kNames[static_cast<uint32_t>(level)], where, text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void set_sink(Sink sink) {
  auto next = sink ? std::make_shared<const Sink>(std::move(sink)) : nullptr;
  std::lock_guard lock(state().mutex);
  state().sink = std::move(next);
}

void write(Level level, std::string_view where, std::string_view text) {
  if (level > Level::kDebug) level = Level::kDebug;
  std::shared_ptr<const Sink> sink;
  {
    std::lock_guard lock(state().mutex);
    sink = state().sink;
  }
  if (sink) {
    (*sink)(level, where, text);
  } else {
    to_stderr(level, where, text);
  }
}

}  // namespace opmux::log
