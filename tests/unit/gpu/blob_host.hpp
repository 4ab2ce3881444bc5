// SPDX-License-Identifier: Apache-2.0
// A host whose disk cache is a map, and which keeps the lines of its log.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "kit/raw_loader.hpp"

namespace opmux::test {

class BlobHost {
 public:
  BlobHost() {
    api_ = *plain_.api();
    api_.self = reinterpret_cast<opmux_host>(this);
    api_.alloc = [](opmux_host h, uint64_t size, uint64_t align) {
      return self(h).plain_.api()->alloc(self(h).plain_.api()->self, size, align);
    };
    api_.free_ = [](opmux_host h, void* p, uint64_t size, uint64_t align) {
      self(h).plain_.api()->free_(self(h).plain_.api()->self, p, size, align);
    };
    api_.cancelled = [](opmux_host, uint64_t) -> uint32_t { return 0; };
    api_.config = [](opmux_host h, opmux_str key, opmux_str* value) -> opmux_status {
      if (std::string_view(key.data, key.size) != "binaries" || !self(h).binaries) return OPMUX_E_NOT_FOUND;
      *value = {self(h).binaries, std::strlen(self(h).binaries)};
      return OPMUX_OK;
    };
    api_.log = [](opmux_host h, uint32_t, opmux_str, opmux_str text) {
      const std::lock_guard lock(self(h).lock_);
      self(h).log_.emplace_back(text.data, text.size);
    };
    api_.blob_get = [](opmux_host h, opmux_span key, opmux_span* out) -> opmux_status {
      BlobHost& me = self(h);
      const std::lock_guard lock(me.lock_);
      if (!me.keeps) return OPMUX_E_UNSUPPORTED;
      const auto found = me.blobs.find(text(key));
      if (found == me.blobs.end()) return OPMUX_E_NOT_FOUND;
      thread_local std::string value;
      value = found->second;
      *out = {value.data(), value.size()};
      return OPMUX_OK;
    };
    api_.blob_put = [](opmux_host h, opmux_span key, opmux_span value) -> opmux_status {
      const std::lock_guard lock(self(h).lock_);
      ++self(h).puts;
      self(h).blobs[text(key)] = text(value);
      return OPMUX_OK;
    };
  }
  opmux_host_api* api() { return &api_; }

  // Every value becomes another of the same length.
  void spoil() {
    for (auto& [key, value] : blobs)
      for (char& c : value) c = static_cast<char>(c ^ 0x55);
  }
  // How many lines of the log have this text.
  int lines(const std::string& part) const {
    return static_cast<int>(
        std::ranges::count_if(log_, [&](const std::string& l) { return l.find(part) != std::string::npos; }));
  }
  void clear_log() { log_.clear(); }

  std::map<std::string, std::string> blobs;
  bool keeps = true;
  const char* binaries = nullptr;  // the setting
  int puts = 0;

 private:
  static BlobHost& self(opmux_host h) { return *reinterpret_cast<BlobHost*>(h); }
  static std::string text(opmux_span s) { return {static_cast<const char*>(s.data), s.size}; }
  kit::RawHost plain_;
  opmux_host_api api_{};
  std::mutex lock_;
  std::vector<std::string> log_;
};

}  // namespace opmux::test
