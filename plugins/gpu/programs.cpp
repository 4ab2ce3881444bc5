// SPDX-License-Identifier: Apache-2.0
#include "gpu/programs.hpp"

#include <fmt/format.h>

#include <chrono>

namespace opmux::gpu {
namespace {

opmux_span span_of(const void* data, size_t size) { return {data, size}; }

}  // namespace

Programs::Programs(Device& device, const opmux_host_api& host)
    : device_(device),
      host_(host),
      compiler_(device.compiler()),
      driver_key_(device.driver_cache_key()),
      wanted_(wants_binaries()) {
  if (driver_key_.empty()) return;
  driver_cache_ = load(driver_key_);
  if (!driver_cache_.empty()) device_.take_driver_cache(driver_cache_);
}

Programs::~Programs() {
  if (driver_key_.empty()) return;
  try {
    const Bytes now = device_.driver_cache();
    if (!now.empty() && now != driver_cache_) save(driver_key_, now);
  } catch (const std::exception& e) {  // of a lost device, say; the next start compiles again
    log(fmt::format("what the driver keeps of kernels is not saved: {}", e.what()));
  }
}

const Program* Programs::get(const Source& source) {
  const std::string text = source.text(device_.language());
  std::promise<Made> promise;
  std::shared_future<Made> made;
  bool first = false;
  {
    const std::lock_guard lock(lock_);
    auto [place, added] = made_.try_emplace(text);
    if (added) place->second = promise.get_future().share();
    made = place->second;
    first = added;
  }
  if (!first) return made.get().get();
  try {
    promise.set_value(make(source, text));
  } catch (...) {
    {
      const std::lock_guard lock(lock_);
      made_.erase(text);
    }
    promise.set_exception(std::current_exception());
  }
  return made.get().get();
}

Programs::Made Programs::make(const Source& source, const std::string& text) {
  const std::string key = compiler_ + '\n' + text;
  Binary binary;
  binary.wanted = wanted_;
  if (wanted_) binary.bytes = load(key);
  const auto start = std::chrono::steady_clock::now();
  Made made = device_.build(source, text, binary);
  if (!binary.compiled) return made;
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  log(fmt::format("compiled kernel {} in {:.1f} ms", source.file->name, took.count()));
  if (wanted_ && !binary.bytes.empty()) save(key, binary.bytes);
  return made;
}

// The setting `binaries` is on, off, or else what the driver makes worth while.
bool Programs::wants_binaries() const {
  opmux_span found{};
  const opmux_status kept = host_.blob_get(host_.self, span_of(compiler_.data(), compiler_.size()), &found);
  if (OPMUX_CODE(kept) == OPMUX_E_UNSUPPORTED) return false;
  opmux_str value{};
  std::string_view setting;
  if (host_.config(host_.self, {"binaries", 8}, &value) == OPMUX_OK) setting = {value.data, value.size};
  return setting == "on" || (setting != "off" && !device_.binaries_are_dear());
}

Bytes Programs::load(const std::string& key) const {
  opmux_span found{};
  if (host_.blob_get(host_.self, span_of(key.data(), key.size()), &found) != OPMUX_OK) return {};
  const auto* bytes = static_cast<const std::byte*>(found.data);
  return {bytes, bytes + found.size};
}

void Programs::save(const std::string& key, const Bytes& value) const {
  host_.blob_put(host_.self, span_of(key.data(), key.size()), span_of(value.data(), value.size()));
}

void Programs::log(const std::string& text) const {
  host_.log(host_.self, 3, {"kernels", 7}, {text.data(), text.size()});
}

}  // namespace opmux::gpu
