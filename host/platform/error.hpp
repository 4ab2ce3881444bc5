// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "opmux/abi.h"

namespace opmux {

// What every room of the host throws: a status of the ABI and one sentence that says what, where and the
// numbers.
class Error : public std::exception {
 public:
  Error(opmux_status status, std::string text, int32_t native = 0, uint32_t native_domain = OPMUX_NATIVE_NONE,
        uint32_t arg = OPMUX_NO_ARG)
      : status_(status), native_(native), native_domain_(native_domain), arg_(arg), text_(std::move(text)) {}

  opmux_status status() const noexcept { return status_; }
  uint32_t code() const noexcept { return OPMUX_CODE(status_); }
  int32_t native() const noexcept { return native_; }
  uint32_t native_domain() const noexcept { return native_domain_; }
  uint32_t arg() const noexcept { return arg_; }
  const std::string& text() const noexcept { return text_; }
  const char* what() const noexcept override { return text_.c_str(); }

  // What failed: a route and which life of its device, where a plugin's call did; else null.
  const void* origin() const noexcept { return origin_; }
  uint32_t epoch() const noexcept { return epoch_; }
  Error&& from(const void* origin, uint32_t epoch) && {
    origin_ = origin;
    epoch_ = epoch;
    return std::move(*this);
  }

 private:
  opmux_status status_;
  int32_t native_;
  uint32_t native_domain_;
  uint32_t arg_;
  uint32_t epoch_ = 0;
  const void* origin_ = nullptr;
  std::string text_;
};

// "out of memory" for OPMUX_E_OUT_OF_MEMORY; flags and domain are ignored.
std::string_view status_text(opmux_status status);

template <class... A>
[[noreturn]] void fail(opmux_status status, fmt::format_string<A...> format, A&&... args) {
  throw Error(status, fmt::format(format, std::forward<A>(args)...));
}

// An error record of the ABI with room for its text; neither copied nor moved since it points into itself.
class ErrRecord {
 public:
  ErrRecord() = default;
  ErrRecord(const ErrRecord&) = delete;
  ErrRecord& operator=(const ErrRecord&) = delete;

  // Resets the record and hands it to a callee.
  opmux_err* get();
  // The callee's text, clipped to what was really there; the status in words when it wrote none.
  std::string text(opmux_status status) const;
  // Throws Error "doing: text" unless the status is OPMUX_OK.
  void check(opmux_status status, std::string_view doing) const {
    if (status != OPMUX_OK) raise(status, doing);
  }
  [[noreturn]] void raise(opmux_status status, std::string_view doing) const;
  // The same, not thrown.
  Error error(opmux_status status, std::string_view doing) const;

 private:
  opmux_err err_{};
  std::array<char, 1024> text_;  // filled by callees only: clearing it would cost more than a call
};

// Writes an Error into a caller's record, which may be NULL or smaller than ours.
void store(const Error& error, opmux_err* out) noexcept;

}  // namespace opmux
