// SPDX-License-Identifier: Apache-2.0
// The structures of single calls to a plugin, filled in.
#pragma once

#include <cstdint>
#include <span>

#include "opmux/plugin.h"

namespace opmux::cts {

// A run of `kernel` without workspace; binds and params (the 8-byte values of HOST_SCALAR operands) must
// outlive it.
inline opmux_run run_of(opmux_kernel kernel, std::span<const opmux_bind> binds,
                        std::span<const uint64_t> params = {}) {
  opmux_run r{};
  r.h.size = sizeof r;
  r.arg = binds.data();
  r.n_arg = static_cast<uint32_t>(binds.size());
  r.params = params.data();
  r.params_size = static_cast<uint32_t>(params.size_bytes());
  r.kernel = kernel;
  return r;
}

// An end of a copy: in the plugin's memory, or at `host` where mem is 0.
template <class Pointer>
struct CopyEnd {
  opmux_mem mem = 0;
  Pointer host = nullptr;
  uint64_t offset = 0;
};
using CopySource = CopyEnd<const void*>;
using CopyTarget = CopyEnd<void*>;

inline opmux_copy copy_of(const CopySource& from, const CopyTarget& to, uint64_t size_bytes) {
  opmux_copy c{};
  c.h.size = sizeof c;
  c.src = from.mem;
  c.src_host = from.mem ? nullptr : static_cast<const char*>(from.host) + from.offset;
  c.src_offset = from.mem ? from.offset : 0;
  c.dst = to.mem;
  c.dst_host = to.mem ? nullptr : static_cast<char*>(to.host) + to.offset;
  c.dst_offset = to.mem ? to.offset : 0;
  c.size_bytes = size_bytes;
  return c;
}

}  // namespace opmux::cts
