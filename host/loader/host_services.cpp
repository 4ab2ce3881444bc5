// SPDX-License-Identifier: Apache-2.0
#include "host/loader/host_services.hpp"

#include <cctype>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include "host/platform/cancel.hpp"
#include "host/platform/environment.hpp"
#include "host/platform/log.hpp"
#include "host/platform/thread_pool.hpp"
#include "host/trace/trace.hpp"

namespace opmux {
namespace {

HostServices& self(opmux_host host) { return *reinterpret_cast<HostServices*>(host); }

std::string_view view(opmux_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

std::span<const std::byte> view(opmux_span bytes) {
  if (bytes.data == nullptr) return {};
  return {static_cast<const std::byte*>(bytes.data), static_cast<size_t>(bytes.size)};
}

bool power_of_two(uint64_t x) { return x != 0 && (x & (x - 1)) == 0; }

// "opencl" and "work.group" make OPMUX_OPENCL_WORK_GROUP.
std::string variable_name(const std::string& plugin, const std::string& key) {
  std::string name = "OPMUX_" + plugin + "_" + key;
  for (char& c : name)
    c = std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(c)) : '_';
  return name;
}

}  // namespace

HostServices::HostServices(std::string plugin, std::string build_id, const Config& config,
                           std::shared_ptr<BlobCache> blobs)
    : plugin_(std::move(plugin)), build_id_(std::move(build_id)), blobs_(std::move(blobs)) {
  const std::string prefix = plugin_ + ".";
  for (const auto& [key, value] : config) {
    if (key.starts_with(prefix)) config_.emplace(key.substr(prefix.size()), value);
  }
  api_.h = OPMUX_HDR_TAG(opmux_host_api, OPMUX_I_HOST);
  api_.self = reinterpret_cast<opmux_host>(this);
  api_.alloc = alloc;
  api_.free_ = release;
  api_.log = log;
  api_.config = HostServices::config;
  api_.parallel = parallel;
  api_.concurrency = concurrency;
  api_.blob_get = blob_get;
  api_.blob_put = blob_put;
  api_.trace = trace;
  api_.cancelled = cancelled;
}

HostServices::Stats HostServices::stats() const {
  return {bytes_.load(std::memory_order_relaxed), allocations_.load(std::memory_order_relaxed)};
}

void* HostServices::alloc(opmux_host host, uint64_t size_bytes, uint64_t align) {
  if (!power_of_two(align)) return nullptr;
  void* p = ::operator new(size_bytes, std::align_val_t(align), std::nothrow);
  if (p == nullptr) return nullptr;
  self(host).bytes_.fetch_add(size_bytes, std::memory_order_relaxed);
  self(host).allocations_.fetch_add(1, std::memory_order_relaxed);
  return p;
}

void HostServices::release(opmux_host host, void* p, uint64_t size_bytes, uint64_t align) {
  if (p == nullptr) return;
  self(host).bytes_.fetch_sub(size_bytes, std::memory_order_relaxed);
  ::operator delete(p, std::align_val_t(align));
}

void HostServices::log(opmux_host host, uint32_t level, opmux_str where, opmux_str text) {
  try {
    log::write(static_cast<log::Level>(level), fmt::format("{}: {}", self(host).plugin_, view(where)),
               view(text));
  } catch (...) {  // a message that cannot be written is dropped: the plugin must not see an exception
  }
}

const std::string* HostServices::look_up(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto found = config_.find(key);
  if (found == config_.end()) {
    const auto value = environment::get(variable_name(plugin_, key).c_str());
    if (!value) return nullptr;
    found = config_.emplace(key, *value).first;
  }
  return &found->second;
}

opmux_status HostServices::config(opmux_host host, opmux_str key, opmux_str* value) {
  if (value == nullptr) return OPMUX_E_INVALID;
  *value = {nullptr, 0};
  try {
    const std::string* found = self(host).look_up(std::string(view(key)));
    if (found == nullptr) return OPMUX_E_NOT_FOUND;
    *value = {found->data(), found->size()};
    return OPMUX_OK;
  } catch (...) {
    return OPMUX_E_OUT_OF_MEMORY;
  }
}

opmux_status HostServices::parallel(opmux_host, uint64_t n, uint64_t grain, opmux_body body, void* ctx) {
  if (body == nullptr) return OPMUX_E_INVALID;
  try {
    threads::parallel(n, grain, body, ctx);
    return OPMUX_OK;
  } catch (...) {
    return OPMUX_E_OUT_OF_MEMORY;
  }
}

uint32_t HostServices::concurrency(opmux_host) {
  try {
    return threads::concurrency();
  } catch (...) {
    return 1;
  }
}

opmux_status HostServices::blob_get(opmux_host host, opmux_span key, opmux_span* out) {
  if (out == nullptr) return OPMUX_E_INVALID;
  *out = {nullptr, 0};
  try {
    thread_local std::vector<std::byte> value;
    HostServices& me = self(host);
    if (!me.blobs_) return OPMUX_E_UNSUPPORTED;
    if (!me.blobs_->get(me.build_id_, view(key), value)) return OPMUX_E_NOT_FOUND;
    *out = {value.data(), value.size()};
    return OPMUX_OK;
  } catch (...) {
    return OPMUX_E_NOT_FOUND;
  }
}

opmux_status HostServices::blob_put(opmux_host host, opmux_span key, opmux_span value) {
  try {
    HostServices& me = self(host);
    if (!me.blobs_) return OPMUX_E_UNSUPPORTED;
    return me.blobs_->put(me.build_id_, view(key), view(value)) ? OPMUX_OK : OPMUX_E_IO;
  } catch (...) {
    return OPMUX_E_IO;
  }
}

void HostServices::trace(opmux_host host, uint32_t phase, uint64_t id, opmux_str name, uint64_t time_ns) {
  if (!trace::enabled()) return;
  try {
    trace::record(static_cast<trace::Phase>(phase), self(host).plugin_, view(name), id, time_ns);
  } catch (...) {  // a lost span is better than a lost run
  }
}

uint32_t HostServices::cancelled(opmux_host, uint64_t token) { return is_cancelled(token) ? 1 : 0; }

}  // namespace opmux
