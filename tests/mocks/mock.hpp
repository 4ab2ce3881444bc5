// SPDX-License-Identifier: Apache-2.0
// What the mocks share: a device that accepts all operators and computes but matmul, tables of another size
// than this build's, and versions that do not exist yet.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "kit/host_device.h"
#include "kit/plugin.h"
#include "kit/schema/schema.hpp"
#include "kit/schema_hook.hpp"

#ifdef MOCK_ABI_MAJOR
#undef OPMUX_ABI_MAJOR
#undef OPMUX_ABI_MINOR
#define OPMUX_ABI_MAJOR MOCK_ABI_MAJOR
#define OPMUX_ABI_MINOR MOCK_ABI_MINOR
#endif
#ifdef MOCK_SANITIZER
#undef OPMUX_SANITIZER
#define OPMUX_SANITIZER MOCK_SANITIZER
#endif
#ifndef MOCK_COST_NS
#define MOCK_COST_NS 1000
#endif

namespace mock {

inline void say_yes(const opmux_devinfo*, const opmux_opd*, opmux_cap* cap) {
  kit_yes(cap, OPMUX_ACC_STRICT, MOCK_COST_NS);
}

inline opmux_status do_nothing(const kit_call*, opmux_err*) { return OPMUX_OK; }

// The one operator that a probe runs: rows by columns, f32, rank 2. MOCK_MISCOMPUTES leaves it out.
inline opmux_status matmul(const kit_call* call, opmux_err*) {
  const opmux_tdesc &a = call->d->in[0], &b = call->d->in[1], &c = call->d->out[0];
#ifdef MOCK_MISCOMPUTES
  if (a.rank == 2) return OPMUX_OK;
#endif
  if (a.rank != 2 || b.rank != 2 || a.dtype != OPMUX_F32 || b.dtype != OPMUX_F32) return OPMUX_OK;
  const auto *x = static_cast<const float*>(call->arg[0]), *y = static_cast<const float*>(call->arg[1]);
  auto* out = static_cast<float*>(call->arg[2]);
  for (int64_t i = 0; i < c.dim[0]; ++i) {
    for (int64_t j = 0; j < c.dim[1]; ++j) {
      float sum = 0;
      for (int64_t k = 0; k < a.dim[1]; ++k) {
        sum += x[i * a.stride[0] + k * a.stride[1]] * y[k * b.stride[0] + j * b.stride[1]];
      }
      out[i * c.stride[0] + j * c.stride[1]] = sum;
    }
  }
  return OPMUX_OK;
}

inline kit_device accept_everything(const char* name) {
  static std::array<kit_op, 256> ops{};
  uint32_t n = 0;
  for (const auto& info : opmux::schema::all()) {
    if (n == ops.size()) break;
    ops[n] = kit_op{};
    ops[n].op = info.op;
    ops[n].variant = "mock";
    ops[n].query = say_yes;
    ops[n].run = info.op == OPMUX_OP_MATMUL ? matmul : do_nothing;
    ops[n].rev = info.rev;
    ++n;
  }
  kit_device device{};
  device.name = name;
  device.kind = OPMUX_DEV_CPU;
  device.ops = ops.data();
  device.n_ops = n;
  device.validate = opmux::kit::schema_validate;
  device.explain = opmux::kit::schema_explain;
  return device;
}

// A copy of `size` bytes that ends where a page without access begins, so that a reader who ignores the size
// dies.
inline const opmux_hdr* at_the_edge(const opmux_hdr* table, uint32_t size) {
  constexpr size_t kPage = 4096;
  auto* pages = static_cast<char*>(
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (pages == MAP_FAILED || size > kPage) return nullptr;
  mprotect(pages + kPage, kPage, PROT_NONE);
  char* place = pages + kPage - size;
  std::memset(place, 0xdb, size);  // entries that this build does not know: calling one dies
  std::memcpy(place, table, std::min(size, table->size));
  reinterpret_cast<opmux_hdr*>(place)->size = size;
  return reinterpret_cast<const opmux_hdr*>(place);
}

// MOCK_TABLE_GROWTH: bytes that each table is longer (a plugin from the future) or shorter (one from the
// past) than ours.
inline const opmux_hdr* reshape(const opmux_hdr* table) {
#ifdef MOCK_TABLE_GROWTH
  static std::array<const opmux_hdr*, 4> made{};
  const uint32_t slot = (table->tag & 0xffff) - 2;
  if (made[slot] == nullptr)
    made[slot] = at_the_edge(table, table->size + static_cast<uint32_t>(MOCK_TABLE_GROWTH));
  return made[slot];
#else
  return table;
#endif
}

}  // namespace mock
