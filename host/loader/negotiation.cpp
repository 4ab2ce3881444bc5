// SPDX-License-Identifier: Apache-2.0
#include "host/loader/negotiation.hpp"

#include <string_view>

#include "host/platform/error.hpp"

namespace opmux {
namespace {

std::string range_text(uint32_t low, uint32_t high) {
  return low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high);
}

std::string host_text(const AbiRange& host) {
  if (host.major_max == 0) return fmt::format("0.{} exactly", host.minor);
  return fmt::format("majors {} (newest {}.{})", range_text(host.major_min, host.major_max), host.major_max,
                     host.minor);
}

std::string_view kind_name(uint32_t kind) {
  switch (kind) {
    case OPMUX_SAN_NONE:
      return "no sanitizer";
    case OPMUX_SAN_ADDRESS:
      return "AddressSanitizer";
    case OPMUX_SAN_THREAD:
      return "ThreadSanitizer";
    default:
      return "an unknown sanitizer";
  }
}

std::string view(const opmux_str& text) {
  return text.data == nullptr ? std::string() : std::string(text.data, text.size);
}

// Within major 0 nothing is promised, so the minor must match too; later any two minors of one major work
// together.
bool speaks(const AbiRange& host, uint32_t major, uint32_t minor) {
  if (major < host.major_min || major > host.major_max) return false;
  return major != 0 || minor == host.minor;
}

}  // namespace

uint32_t sanitizer_kind(uint32_t sanitizer) { return sanitizer == 2 ? OPMUX_SAN_NONE : sanitizer; }

uint32_t host_sanitizer() { return sanitizer_kind(OPMUX_SANITIZER); }

void check_version(const AbiRange& host, const Manifest& manifest) {
  if (speaks(host, manifest.abi_major, manifest.abi_minor)) return;
  fail(OPMUX_E_VERSION,
       "wrong version of the plugin interface: the plugin is made for {}.{}, this host speaks {}",
       manifest.abi_major, manifest.abi_minor, host_text(host));
}

void check_sanitizer(const Manifest& manifest) {
  const uint32_t theirs = sanitizer_kind(manifest.sanitizer);
  if (theirs == host_sanitizer()) return;
  fail(OPMUX_E_UNSUPPORTED, "wrong sanitizer: the plugin is built with {}, this host with {}",
       kind_name(theirs), kind_name(host_sanitizer()));
}

const opmux_core_api* negotiate(opmux_plugin_query_fn query, const AbiRange& host, const Manifest& manifest) {
  opmux_offer offer = {OPMUX_HDR(opmux_offer), host.major_min,
                       host.major_max,         host.minor,
                       host_sanitizer(),       {OPMUX_VERSION_TEXT, sizeof(OPMUX_VERSION_TEXT) - 1}};
  opmux_answer answer{};
  answer.h.size = sizeof(answer);
  answer.status = OPMUX_E_INTERNAL;
  query(&offer, &answer);
  if (answer.status != OPMUX_OK) {
    fail(OPMUX_E_VERSION, "refused by the plugin ({}): it needs majors {}, this host speaks {}",
         status_text(answer.status), range_text(answer.need_min, answer.need_max), host_text(host));
  }
  if (!speaks(host, answer.major, answer.minor)) {
    fail(OPMUX_E_VERSION, "wrong answer of the plugin: it chose {}.{}, this host speaks {}", answer.major,
         answer.minor, host_text(host));
  }
  if (view(answer.name) != manifest.name || answer.flags != manifest.flags) {
    fail(OPMUX_E_INVALID,
         "the plugin contradicts its manifest: it answers name '{}' and flags {}, the note says '{}' and {}",
         view(answer.name), answer.flags, manifest.name, manifest.flags);
  }
  if (answer.core == nullptr) fail(OPMUX_E_INVALID, "the plugin gave no CORE table");
  return answer.core;
}

}  // namespace opmux
