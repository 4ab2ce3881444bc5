// SPDX-License-Identifier: Apache-2.0
#include "host/loader/probe_protocol.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace opmux::probe {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

std::string to_hex(const opmux_devinfo& info) {
  std::array<unsigned char, sizeof(info)> bytes{};
  std::memcpy(bytes.data(), &info, sizeof(info));
  std::string out;
  out.reserve(2 * bytes.size());
  for (const unsigned char b : bytes) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

std::optional<opmux_devinfo> from_hex(std::string_view text) {
  std::array<unsigned char, sizeof(opmux_devinfo)> bytes{};
  if (text.size() != 2 * bytes.size()) return std::nullopt;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const size_t high = kDigits.find(text[2 * i]), low = kDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes[i] = static_cast<unsigned char>(high << 4 | low);
  }
  opmux_devinfo info{};
  std::memcpy(&info, bytes.data(), sizeof(info));
  info.h = OPMUX_HDR(opmux_devinfo);
  // The sender made these sound; a damaged file may not be.
  info.pci[sizeof(info.pci) - 1] = info.name[sizeof(info.name) - 1] = info.driver[sizeof(info.driver) - 1] =
      '\0';
  info.priv_size = std::min<uint32_t>(info.priv_size, sizeof(info.priv));
  return info;
}

std::string one_line(std::string_view text) {
  std::string out(text.substr(0, kMaxLine - 64));
  std::ranges::replace_if(out, [](unsigned char c) { return c < 0x20; }, ' ');
  return out;
}

}  // namespace opmux::probe
