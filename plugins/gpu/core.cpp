// SPDX-License-Identifier: Apache-2.0
// CORE, DEV and MEM of every GPU plugin.
#include <algorithm>
#include <cstring>

#include "gpu/objects.hpp"

namespace opmux::gpu {
namespace {

opmux_status core_open(const opmux_host_api* host, opmux_plugin* out, opmux_err* err) {
  return guarded(err, [&] {
    auto p = std::make_unique<Plugin>();
    kit_host_fill(host, &p->host);
    p->backend = open_backend();
    p->devices = p->backend->devices();
    *out = p.release();
  });
}

// Queues wait for their work when they are destroyed, and the host destroys them before this.
opmux_status core_quiesce(opmux_plugin, uint64_t, opmux_err*) { return OPMUX_OK; }

void core_close(opmux_plugin p) { delete of(p); }

opmux_status dev_enumerate(opmux_plugin plugin, opmux_devinfo* infos, uint32_t stride, uint32_t cap,
                           uint32_t* count, opmux_err* err) {
  const auto& devices = of(plugin)->devices;
  if (!count || (cap > 0 && (!infos || stride < sizeof(opmux_hdr)))) {
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "enumerate: no place for the answer");
  }
  *count = static_cast<uint32_t>(devices.size());
  for (uint32_t i = 0; i < cap && i < devices.size(); ++i) {
    auto* to = reinterpret_cast<opmux_devinfo*>(reinterpret_cast<char*>(infos) + uint64_t{i} * stride);
    const uint64_t size = std::min<uint64_t>(to->h.size, sizeof *to);
    if (size <= sizeof(opmux_hdr)) continue;
    std::memcpy(reinterpret_cast<char*>(to) + sizeof(opmux_hdr),
                reinterpret_cast<const char*>(&devices[i]) + sizeof(opmux_hdr), size - sizeof(opmux_hdr));
  }
  return OPMUX_OK;
}

opmux_status dev_open(opmux_plugin plugin, uint32_t index, opmux_dev* out, opmux_err* err) {
  return guarded(err, [&]() -> opmux_status {
    const auto& devices = of(plugin)->devices;
    if (index >= devices.size()) {
      return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "open: device %u, there are %zu", index,
                      devices.size());
    }
    *out = std::make_unique<Dev>(plugin, devices[index], of(plugin)->backend->open(index)).release();
    return OPMUX_OK;
  });
}

void dev_close(opmux_dev d) { delete of(d); }

opmux_status dev_status(opmux_dev d, uint64_t* free_bytes, opmux_err* err) {
  return guarded(err, [&] {
    const uint64_t bytes = of(d)->device->free_bytes();
    if (free_bytes) *free_bytes = bytes;
  });
}

opmux_status mem_alloc(opmux_dev d, uint32_t kind, uint64_t size, uint64_t align, opmux_mem* out,
                       opmux_err* err) {
  return guarded(err, [&]() -> opmux_status {
    if (kind != OPMUX_MEM_DEVICE && kind != OPMUX_MEM_HOST) {
      return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "alloc: memory kind %u is not 1 or 2", kind);
    }
    if (align & (align - 1)) {
      return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "alloc: alignment %llu is not a power of two",
                      static_cast<unsigned long long>(align));
    }
    const uint64_t limit = of(d)->info.max_alloc_bytes;
    if (size > limit) {
      return kit_fail(err, OPMUX_E_OUT_OF_MEMORY, OPMUX_NO_ARG, "alloc: %llu bytes, a block has at most %llu",
                      static_cast<unsigned long long>(size), static_cast<unsigned long long>(limit));
    }
    // Whole words, so that no kernel meets the end of a block inside of one.
    const uint64_t rounded = kit_round_up(std::max<uint64_t>(size, 4), 4);
    *out = reinterpret_cast<uintptr_t>(of(d)->device->allocate(kind, rounded, align).release());
    return OPMUX_OK;
  });
}

void mem_free(opmux_dev, opmux_mem m) { delete memory_of(m); }

opmux_status mem_map(opmux_dev, opmux_mem m, void** out, opmux_err* err) {
  *out = memory_of(m)->host();
  if (*out) return OPMUX_OK;
  return kit_fail(err, OPMUX_E_UNSUPPORTED, OPMUX_NO_ARG,
                  "map: this block has no address for its whole life");
}

const opmux_dev_api kDevTable = {OPMUX_HDR_TAG(opmux_dev_api, OPMUX_I_DEV), dev_enumerate, dev_open,
                                 dev_close, dev_status};
const opmux_mem_api kMemTable = {OPMUX_HDR_TAG(opmux_mem_api, OPMUX_I_MEM), mem_alloc, mem_free, mem_map,
                                 nullptr};

const opmux_hdr* core_interface(uint32_t id) {
  for (const opmux_hdr* t : {&kDevTable.h, &kMemTable.h, &kQueueTable.h, &kOpTable.h}) {
    if (t->tag == id) return t;
  }
  return nullptr;
}

const opmux_core_api kCoreTable = {OPMUX_HDR_TAG(opmux_core_api, OPMUX_I_CORE), core_open, core_quiesce,
                                   core_close, core_interface};

}  // namespace

const opmux_core_api* core_table() { return &kCoreTable; }

Dev::Dev(opmux_plugin p, const opmux_devinfo& i, std::unique_ptr<Device> d)
    : opmux_dev_s{p, i, {}, nullptr}, device(std::move(d)), programs_(*device, p->host) {}

Dev::~Dev() = default;

CodePlace Dev::place(const std::vector<uint32_t>& words) {
  const uint64_t size = words.size() * sizeof(uint32_t), step = std::max<uint64_t>(device->range_align(), 4);
  CodePlace place;
  {
    const std::lock_guard lock(slab_lock_);
    if (!slab_ || slab_used_ + size > slab_->size()) {
      slab_ = device->allocate(OPMUX_MEM_HOST, std::max(kSlabBytes, size), step);
      slab_used_ = 0;
    }
    place = {slab_, {slab_.get(), slab_used_, size}};
    slab_used_ = kit_round_up(slab_used_ + size, step);
  }
  device->write(*place.slab, place.range.offset, words);
  return place;
}

uint32_t Dev::fault_number(const std::string& sentence) {
  const std::lock_guard lock(fault_lock_);
  const auto found = std::ranges::find(faults_, sentence);
  if (found == faults_.end()) return faults_.push_back(sentence), static_cast<uint32_t>(faults_.size());
  return static_cast<uint32_t>(found - faults_.begin()) + 1;
}

std::string Dev::fault_sentence(uint32_t number) {
  const std::lock_guard lock(fault_lock_);
  return number <= faults_.size() ? faults_[number - 1] : "a kernel reports a fault";
}

}  // namespace opmux::gpu
