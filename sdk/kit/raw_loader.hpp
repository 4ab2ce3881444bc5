// SPDX-License-Identifier: Apache-2.0
// Kit: the shortest honest client of the plugin interface: loads one plugin, reads its tables, runs operators
// on its first device. For tests and the conformance suite; it goes through no part of libopmux. Needs libdl
// only. Failures are std::runtime_error with the plugin's own sentence.
#pragma once

#include <dlfcn.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "opmux/plugin.h"

namespace opmux::kit {

// An error record with its own room for text.
class RawError {
 public:
  RawError() {
    e_.h.size = sizeof e_;
    e_.msg = text_;
    e_.msg_cap = sizeof text_;
    e_.arg_index = OPMUX_NO_ARG;
  }
  RawError(const RawError&) = delete;
  RawError& operator=(const RawError&) = delete;
  operator opmux_err*() { return &e_; }
  const opmux_err* operator->() const { return &e_; }
  std::string text() const { return {text_, e_.msg_len}; }

 private:
  opmux_err e_{};
  char text_[1024] = {};
};

// Host services that count what a plugin takes. parallel is serial, in the documented chunks.
class RawHost {
 public:
  RawHost() {
    api_.h = OPMUX_HDR_TAG(opmux_host_api, OPMUX_I_HOST);
    api_.self = reinterpret_cast<opmux_host>(this);
    api_.alloc = [](opmux_host h, uint64_t size, uint64_t align) -> void* {
      return self(h).take(size, align);
    };
    api_.free_ = [](opmux_host h, void* p, uint64_t size, uint64_t) {
      if (!p) return;
      self(h).bytes_ -= int64_t(size);
      --self(h).blocks_;
      std::free(p);
    };
    api_.log = [](opmux_host, uint32_t, opmux_str, opmux_str) {};
    api_.config = [](opmux_host, opmux_str, opmux_str*) -> opmux_status { return OPMUX_E_NOT_FOUND; };
    api_.parallel = [](opmux_host, uint64_t n, uint64_t grain, opmux_body body, void* ctx) -> opmux_status {
      const uint64_t step = grain ? grain : 1;
      for (uint64_t at = 0; at < n; at += step) body(ctx, at, n - at < step ? n : at + step, 0);
      return OPMUX_OK;
    };
    api_.concurrency = [](opmux_host) -> uint32_t { return 1; };
    api_.blob_get = [](opmux_host, opmux_span, opmux_span*) -> opmux_status { return OPMUX_E_UNSUPPORTED; };
    api_.blob_put = [](opmux_host, opmux_span, opmux_span) -> opmux_status { return OPMUX_E_UNSUPPORTED; };
    api_.trace = [](opmux_host, uint32_t, uint64_t, opmux_str, uint64_t) {};
    api_.cancelled = [](opmux_host h, uint64_t token) -> uint32_t {
      return token == self(h).cancelled_token;
    };
  }
  RawHost(const RawHost&) = delete;
  RawHost& operator=(const RawHost&) = delete;
  opmux_host_api* api() { return &api_; }
  int64_t live_bytes() const { return bytes_; }
  int64_t live_blocks() const { return blocks_; }
  uint64_t allocations() const { return taken_; }

  int64_t fail_after = -1;                // >= 0: that many allocations succeed, later ones fail
  uint64_t cancelled_token = UINT64_MAX;  // the token that counts as cancelled

 private:
  static RawHost& self(opmux_host h) { return *reinterpret_cast<RawHost*>(h); }
  void* take(uint64_t size, uint64_t align) {
    if (fail_after == 0) return nullptr;
    if (fail_after > 0) --fail_after;
    const uint64_t a = align < 16 ? 16 : align;
    void* p = std::aligned_alloc(a, (size + a - 1) / a * a);
    if (!p) return nullptr;
    bytes_ += int64_t(size);
    ++blocks_;
    ++taken_;
    return p;
  }
  opmux_host_api api_{};
  std::atomic<int64_t> bytes_{0}, blocks_{0};
  std::atomic<uint64_t> taken_{0};
};

// One plugin, open, with one device and a queue. Closes everything in order; the library stays mapped, so
// that leak reports keep their symbols.
class RawPlugin {
 public:
  // services: a host other than `host`; it must outlive this. number: of the device, as enumerated.
  explicit RawPlugin(const std::string& path, opmux_host_api* services = nullptr, uint32_t number = 0) {
    try {
      load(path);
      open(services ? services : host.api(), number);
    } catch (...) {
      close();
      throw;
    }
  }
  ~RawPlugin() { close(); }
  RawPlugin(const RawPlugin&) = delete;
  RawPlugin& operator=(const RawPlugin&) = delete;

  // The query function alone, for tests of negotiation.
  static opmux_plugin_query_fn entry(const std::string& path) {
    void* lib = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!lib) throw std::runtime_error(std::string("cannot load: ") + dlerror());
    void* symbol = dlsym(lib, OPMUX_PLUGIN_SYMBOL);
    if (!symbol) throw std::runtime_error(path + " has no symbol " OPMUX_PLUGIN_SYMBOL);
    return reinterpret_cast<opmux_plugin_query_fn>(symbol);
  }

  opmux_cap query(const opmux_opd* d, std::span<uint32_t> layouts = {}) const {
    opmux_cap cap{};
    cap.h.size = sizeof cap;
    cap.in_layout = layouts.empty() ? nullptr : layouts.data();
    cap.layout_cap = uint32_t(layouts.size());
    RawError err;
    check(op.query(&info, 1, &d, &cap, sizeof cap, err), err);
    return cap;
  }
  opmux_kernel prepare(const opmux_opd* d, uint64_t key = 0) const {
    RawError err;
    opmux_kernel k = nullptr;
    check(op.prepare(device, d, key, &k, err), err);
    return k;
  }
  // Query, prepare, run once, release. args: addresses of element 0, inputs then outputs; scalars: the 8-byte
  // values of HOST_SCALAR operands. Workspace is allocated here.
  opmux_status run(const opmux_opd* d, std::span<void* const> args, opmux_err* err,
                   std::span<const uint64_t> scalars = {}) const {
    const opmux_cap cap = query(d);
    opmux_kernel k = nullptr;
    opmux_status s = op.prepare(device, d, cap.impl_key, &k, err);
    if (s != OPMUX_OK) return s;
    std::vector<opmux_bind> binds(args.size());
    for (size_t i = 0; i < args.size(); ++i) binds[i].mem = opmux_mem(reinterpret_cast<uintptr_t>(args[i]));
    void* ws = cap.ws_min ? std::aligned_alloc(64, (cap.ws_min + 63) / 64 * 64) : nullptr;
    opmux_run r{};
    r.h.size = sizeof r;
    r.arg = binds.data();
    r.n_arg = uint32_t(binds.size());
    r.params = scalars.data();
    r.params_size = uint32_t(scalars.size_bytes());
    r.ws = {opmux_mem(reinterpret_cast<uintptr_t>(ws)), 0, cap.ws_min, nullptr};
    r.kernel = k;
    s = queue.enqueue_many(line, &r, sizeof r, 1, err);
    const opmux_status finished = queue.finish(line, UINT64_MAX, s == OPMUX_OK ? err : nullptr);
    op.release(k);
    std::free(ws);
    return s == OPMUX_OK ? finished : s;
  }
  static void check(opmux_status s, const RawError& err) {
    if (s != OPMUX_OK) throw std::runtime_error("status " + std::to_string(s) + ": " + err.text());
  }

  RawHost host;
  opmux_answer answer{};
  opmux_core_api core{};
  opmux_dev_api dev{};
  opmux_mem_api mem{};
  opmux_queue_api queue{};
  opmux_op_api op{};
  opmux_devinfo info{};
  opmux_plugin plugin = nullptr;
  opmux_dev device = nullptr;
  opmux_queue line = nullptr;

 private:
  void load(const std::string& path) {
    opmux_offer offer{};
    offer.h.size = sizeof offer;
    offer.major_min = offer.major_max = OPMUX_ABI_MAJOR;
    offer.minor = OPMUX_ABI_MINOR;
    offer.host_version = {"raw", 3};
    answer.h.size = sizeof answer;
    entry(path)(&offer, &answer);
    if (answer.status != OPMUX_OK || !answer.core)
      throw std::runtime_error(path + " refuses: it needs major " + std::to_string(answer.need_min) + ".." +
                               std::to_string(answer.need_max));
    fetch(&answer.core->h, core);
  }
  void open(opmux_host_api* services, uint32_t number) {
    RawError err;
    check(core.open(services, &plugin, err), err);
    fetch(core.interface_(OPMUX_I_DEV), dev);
    fetch(core.interface_(OPMUX_I_MEM), mem);
    fetch(core.interface_(OPMUX_I_QUEUE), queue);
    fetch(core.interface_(OPMUX_I_OP), op);
    std::vector<opmux_devinfo> infos(size_t{number} + 1);
    for (opmux_devinfo& i : infos) i.h.size = sizeof i;
    uint32_t count = 0;
    check(dev.enumerate(plugin, infos.data(), sizeof info, number + 1, &count, err), err);
    if (count <= number)
      throw std::runtime_error(count == 0 ? "the plugin has no device"
                                          : "the plugin has " + std::to_string(count) +
                                                " devices, not one of number " + std::to_string(number));
    info = infos[number];
    check(dev.open(plugin, info.index, &device, err), err);
    check(queue.create(device, 0, &line, err), err);
  }
  void close() {
    if (line) queue.destroy(line);
    if (device) dev.close(device);
    if (!plugin) return;
    core.quiesce(plugin, UINT64_MAX, nullptr);
    core.close(plugin);
  }
  template <class T>
  static void fetch(const opmux_hdr* table, T& out) {
    if (!table) throw std::runtime_error("the plugin lacks a mandatory table");
    std::memcpy(&out, table, table->size < sizeof out ? table->size : sizeof out);
  }
};

}  // namespace opmux::kit
