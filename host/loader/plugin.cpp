// SPDX-License-Identifier: Apache-2.0
#include "host/loader/plugin.hpp"

#include <algorithm>
#include <cstring>

#include "host/loader/splice.hpp"
#include "host/platform/fork.hpp"
#include "host/platform/log.hpp"

namespace opmux {
namespace {

constexpr uint32_t kMaxDevices = 256;

std::atomic<Splice> g_splice{nullptr};

std::string without_path(std::string text, const std::string& path) {
  // The dynamic loader repeats the path that our own sentence already names.
  const std::string prefix = path + ": ";
  const size_t at = text.find(prefix);
  if (at != std::string::npos) text.erase(0, at + prefix.size());
  return text;
}

void terminate(char* text, size_t size) {
  text[size - 1] = '\0';
  for (size_t i = 0; text[i] != '\0'; ++i) {
    if (static_cast<unsigned char>(text[i]) < 0x20) text[i] = ' ';
  }
}

void make_sound(opmux_devinfo& info) {
  // A plugin made for a shorter structure says so; what it did not write is zero.
  const uint32_t written = std::min<uint32_t>(info.h.size, sizeof(info));
  if (written < sizeof(info))
    std::memset(reinterpret_cast<char*>(&info) + written, 0, sizeof(info) - written);
  info.h = OPMUX_HDR(opmux_devinfo);
  terminate(info.pci, sizeof(info.pci));
  terminate(info.name, sizeof(info.name));
  terminate(info.driver, sizeof(info.driver));
  info.priv_size = std::min<uint32_t>(info.priv_size, sizeof(info.priv));
}

}  // namespace

void set_splice(Splice splice) { g_splice.store(splice); }

Plugin::Plugin(Origin origin)
    : origin_(std::move(origin)),
      services_(std::make_unique<HostServices>(
          origin_.manifest.name,
          origin_.manifest.name + " " + origin_.manifest.version + " " + origin_.manifest.build_id,
          origin_.config, origin_.blobs)) {}

Plugin::~Plugin() {
  // A plugin that is still open may call its services from its own threads.
  if (is_open()) static_cast<void>(services_.release());
}

void Plugin::load() const {
  std::lock_guard lock(mutex_);
  if (loaded_.load(std::memory_order_relaxed)) return;
  if (failure_) throw *failure_;
  try {
    load_once();
    loaded_.store(true, std::memory_order_release);
  } catch (const Error& e) {
    failure_ = e;
    throw;
  }
}

void Plugin::load_once() const {
  try {
    if (!library_) library_ = std::make_unique<Library>(origin_.path);
  } catch (const std::exception& e) {
    fail(OPMUX_E_INVALID, "{}: cannot be loaded: {}", name(), without_path(e.what(), origin_.path));
  }
  void* symbol = library_->symbol(OPMUX_PLUGIN_SYMBOL);
  if (symbol == nullptr) fail(OPMUX_E_INVALID, "{}: exports no {}", name(), OPMUX_PLUGIN_SYMBOL);
  opmux_plugin_query_fn query = nullptr;
  std::memcpy(&query, &symbol, sizeof(query));  // an object pointer is no function pointer in C++
  try {
    copy_core(negotiate(query, origin_.abi, origin_.manifest), tables_);
    copy_tables(tables_);
    if (const Splice splice = g_splice.load()) splice(name(), tables_);
  } catch (const Error& e) {
    throw Error(e.status(), fmt::format("{}: {}", name(), e.text()));
  }
}

void Plugin::open() const {
  tables();
  std::lock_guard lock(mutex_);
  if (opened_.load(std::memory_order_relaxed)) return;
  if (failure_) throw *failure_;
  ErrRecord err;
  opmux_plugin handle = nullptr;
  const opmux_status status = tables_.core.open(services_->api(), &handle, err.get());
  if (status != OPMUX_OK) {
    failure_ = Error(status, fmt::format("{}: {}", name(), err.text(status)));
    throw *failure_;
  }
  handle_ = handle;
  forks_ = fork_count();
  opened_.store(true, std::memory_order_release);
}

void Plugin::check_process() const {
  if (!is_open() || forks_ == fork_count() || (flags() & OPMUX_PF_FORK_SAFE) != 0) return;
  fail(OPMUX_E_FORKED,
       "{}: the process has forked since the plugin was opened, and the plugin does not survive that",
       name());
}

std::vector<opmux_devinfo> Plugin::enumerate() const {
  const opmux_plugin plugin = handle();
  uint32_t room = 8;
  for (;;) {
    std::vector<opmux_devinfo> infos(room);
    for (auto& info : infos) info.h = OPMUX_HDR(opmux_devinfo);
    uint32_t count = 0;
    ErrRecord err;
    err.check(tables_.dev.enumerate(plugin, infos.data(), sizeof(opmux_devinfo), room, &count, err.get()),
              name());
    if (count > kMaxDevices)
      fail(OPMUX_E_INVALID, "{}: says it has {} devices, limit {}", name(), count, kMaxDevices);
    if (count > room) {
      room = count;
      continue;
    }
    infos.resize(count);
    for (auto& info : infos) make_sound(info);
    return infos;
  }
}

bool Plugin::shutdown(uint64_t deadline_ns, std::string& left) {
  left.clear();
  std::lock_guard lock(mutex_);
  if (is_open()) {
    if (forks_ != fork_count() && (flags() & OPMUX_PF_FORK_SAFE) == 0) {
      left = "the process has forked since it was opened";
      return false;
    }
    if (handles() != 0) {
      left = fmt::format("{} handles are still in use", handles());
      return false;
    }
    ErrRecord err;
    const opmux_status status = tables_.core.quiesce(handle_, deadline_ns, err.get());
    if (status != OPMUX_OK && OPMUX_CODE(status) != OPMUX_E_UNSUPPORTED) {
      left = fmt::format("it did not come to rest: {}", err.text(status));
      return false;
    }
    tables_.core.close(handle_);
    opened_.store(false, std::memory_order_release);
    handle_ = nullptr;
  }
  if (!failure_) failure_ = Error(OPMUX_E_INVALID, fmt::format("{}: was shut down", name()));
  if (loaded_.load(std::memory_order_acquire)) unload(left);
  return true;
}

void Plugin::unload(std::string& left) {
  const auto stats = services_->stats();
  if (stats.bytes != 0) left = fmt::format("{} bytes from the host were not given back", stats.bytes);
  if ((flags() & OPMUX_PF_UNLOADABLE) == 0 || stats.bytes != 0) return;
  loaded_.store(false, std::memory_order_release);
  if (!library_->unmap()) left = "it says that it can be unmapped, but something keeps it mapped";
  library_.reset();
}

}  // namespace opmux
