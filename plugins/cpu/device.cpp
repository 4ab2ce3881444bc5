// SPDX-License-Identifier: Apache-2.0
// The processor as a device: what it can do, and the table of operators.
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "cpu/op_table.hpp"
#include "cpu/simd.hpp"
#include "kit/host_device.h"
#include "kit/schema_hook.hpp"

namespace {

void model_name(char* out, size_t cap) {
  std::snprintf(out, cap, "CPU");
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(':');
    if (line.rfind("model name", 0) != 0 || colon == std::string::npos || colon + 2 > line.size()) continue;
    std::snprintf(out, cap, "%s", line.c_str() + colon + 2);
    return;
  }
}

void describe(opmux_devinfo* info) {
  const unsigned threads = std::thread::hardware_concurrency();
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  info->compute_units = threads ? threads : 1;
  info->features = OPMUX_FEAT_F16 | OPMUX_FEAT_F64 | OPMUX_FEAT_I64;
  info->memory_bytes = pages > 0 && page > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page) : 0;
  info->max_alloc_bytes = info->max_binding_bytes = info->memory_bytes ? info->memory_bytes : UINT64_MAX >> 1;
  info->min_align_bytes = 1;
  info->subgroup_min = info->subgroup_max = 1;
  model_name(info->name, sizeof info->name);
  std::snprintf(info->driver, sizeof info->driver, "opmux cpu, %s", opmux::cpu::simd_name());
}

}  // namespace

extern "C" const kit_device kit_the_device = {"cpu",
                                              OPMUX_DEV_CPU,
                                              OPMUX_DF_HOST_MEMORY | OPMUX_DF_SYNC_QUEUE | OPMUX_DF_UNIFIED,
                                              opmux::cpu::kOps,
                                              opmux::cpu::kOpCount,
                                              opmux::kit::schema_validate,
                                              describe,
                                              opmux::kit::schema_explain};
