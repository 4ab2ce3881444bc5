// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace opmux::log {

enum class Level : uint32_t { kError = 0, kWarning = 1, kInfo = 2, kDebug = 3 };

using Sink = std::function<void(Level, std::string_view where, std::string_view text)>;

// Replaces the sink (default: one line to stderr for levels up to OPMUX_LOG, which is `warning` unless set to
// error, warning, info or debug). An empty sink brings the default back. The sink may be called from any
// thread.
void set_sink(Sink sink);

void write(Level level, std::string_view where, std::string_view text);

template <class... A>
void error(std::string_view where, fmt::format_string<A...> format, A&&... args) {
  write(Level::kError, where, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void warning(std::string_view where, fmt::format_string<A...> format, A&&... args) {
  write(Level::kWarning, where, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void info(std::string_view where, fmt::format_string<A...> format, A&&... args) {
  write(Level::kInfo, where, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void debug(std::string_view where, fmt::format_string<A...> format, A&&... args) {
  write(Level::kDebug, where, fmt::format(format, std::forward<A>(args)...));
}

}  // namespace opmux::log
