// SPDX-License-Identifier: Apache-2.0
#include "host/platform/error.hpp"

#include <algorithm>
#include <cstring>

namespace opmux {
namespace {

constexpr std::array<std::string_view, 15> kStatusText = {"success",
                                                          "invalid argument",
                                                          "not supported",
                                                          "out of memory",
                                                          "device lost",
                                                          "timed out",
                                                          "cancelled",
                                                          "broken promise of a capability answer",
                                                          "not found",
                                                          "input or output failed",
                                                          "version does not match",
                                                          "the process has forked",
                                                          "fault in the data",
                                                          "internal error",
                                                          "busy"};

}  // namespace

std::string_view status_text(opmux_status status) {
  const uint32_t code = OPMUX_CODE(status);
  return code < kStatusText.size() ? kStatusText[code] : "unknown status";
}

opmux_err* ErrRecord::get() {
  err_ = opmux_err{};
  err_.h.size = sizeof(opmux_err);
  err_.arg_index = OPMUX_NO_ARG;
  err_.msg = text_.data();
  err_.msg_cap = static_cast<uint32_t>(text_.size());
  return &err_;
}

std::string ErrRecord::text(opmux_status status) const {
  const size_t length = std::min<size_t>(err_.msg_len, text_.size());
  if (length == 0) return std::string(status_text(status));
  return std::string(text_.data(), length);
}

void ErrRecord::raise(opmux_status status, std::string_view doing) const { throw error(status, doing); }

Error ErrRecord::error(opmux_status status, std::string_view doing) const {
  return {status, fmt::format("{}: {}", doing, text(status)), err_.native, err_.native_domain,
          err_.arg_index};
}

void store(const Error& error, opmux_err* out) noexcept {
  if (out == nullptr) return;
  if (OPMUX_HAS(out, opmux_err, code)) out->code = error.status();
  if (OPMUX_HAS(out, opmux_err, native)) out->native = error.native();
  if (OPMUX_HAS(out, opmux_err, native_domain)) out->native_domain = error.native_domain();
  if (OPMUX_HAS(out, opmux_err, arg_index)) out->arg_index = error.arg();
  if (!OPMUX_HAS(out, opmux_err, msg)) return;
  const size_t length = out->msg == nullptr ? 0 : std::min<size_t>(error.text().size(), out->msg_cap);
  if (length > 0) std::memcpy(out->msg, error.text().data(), length);
  out->msg_len = static_cast<uint32_t>(length);
}

}  // namespace opmux
