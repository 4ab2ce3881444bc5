/* SPDX-License-Identifier: Apache-2.0
 * Kit: a whole plugin around a table of kernels that work in host memory: CORE, DEV, MEM, QUEUE and OP.
 * C11, header-only; also compiles as C++20. Include it in one file of the plugin, which defines
 * kit_the_device (see op.h) and passes &kit_core to OPMUX_PLUGIN. */
#ifndef OPMUX_KIT_HOST_DEVICE_H
#define OPMUX_KIT_HOST_DEVICE_H

#include "kit/queue.h"

static inline opmux_status OPMUX_CALL kit_core_open(const opmux_host_api* host, opmux_plugin* out,
                                                    opmux_err* err) {
  opmux_host_api full;
  opmux_plugin p;
  if (!out) return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "open: no place for the plugin");
  kit_host_fill(host, &full);
  p = (opmux_plugin)full.alloc(full.self, sizeof *p, 16);
  if (!p) return kit_fail(err, OPMUX_E_OUT_OF_MEMORY, OPMUX_NO_ARG, "open: no memory for the plugin");
  p->host = full;
  *out = p;
  return OPMUX_OK;
}

/* The queue is synchronous, so nothing can be under way. */
static inline opmux_status OPMUX_CALL kit_core_quiesce(opmux_plugin p, uint64_t deadline_ns, opmux_err* err) {
  (void)p;
  (void)deadline_ns;
  (void)err;
  return OPMUX_OK;
}

static inline void OPMUX_CALL kit_core_close(opmux_plugin p) {
  if (p) p->host.free_(p->host.self, p, sizeof *p, 16);
}

static inline void kit_set_name(char* to, size_t size, const char* from) {
  size_t n = strlen(from);
  if (n > size - 1) n = size - 1;
  memset(to, 0, size);
  memcpy(to, from, n);
}

static inline void kit_describe(opmux_devinfo* info) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  memset(info, 0, sizeof *info);
  info->h.size = (uint32_t)sizeof *info;
  info->kind = kit_the_device.kind;
  info->flags = kit_the_device.flags | OPMUX_DF_HOST_MEMORY | OPMUX_DF_SYNC_QUEUE | OPMUX_DF_UNIFIED;
  info->compute_units = cores > 0 ? (uint32_t)cores : 1;
  info->features = OPMUX_FEAT_F64 | OPMUX_FEAT_I64;
  info->memory_bytes = kit_pages(_SC_PHYS_PAGES);
  info->max_alloc_bytes = info->memory_bytes ? info->memory_bytes : (uint64_t)1 << 46;
  info->max_binding_bytes = info->max_alloc_bytes;
  info->min_align_bytes = 1; /* beside the natural alignment of the elements */
  kit_set_name(info->name, sizeof info->name, kit_the_device.name);
  if (kit_the_device.describe) kit_the_device.describe(info);
}

static inline opmux_status OPMUX_CALL kit_dev_enumerate(opmux_plugin p, opmux_devinfo* infos, uint32_t stride,
                                                        uint32_t cap, uint32_t* count, opmux_err* err) {
  opmux_devinfo info;
  uint32_t size;
  (void)p;
  (void)stride;
  if (!count || (cap > 0 && (!infos || infos->h.size < sizeof(opmux_hdr))))
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "enumerate: no place for the answer");
  *count = 1;
  if (cap == 0) return OPMUX_OK;
  kit_describe(&info);
  size = infos->h.size < sizeof info ? infos->h.size : (uint32_t)sizeof info;
  memcpy((char*)infos + sizeof(opmux_hdr), (char*)&info + sizeof(opmux_hdr), size - sizeof(opmux_hdr));
  return OPMUX_OK;
}

static inline opmux_status OPMUX_CALL kit_dev_open(opmux_plugin p, uint32_t index, opmux_dev* out,
                                                   opmux_err* err) {
  opmux_dev dev;
  if (index != 0 || !out)
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "open: device %u, there is 1", index);
  dev = (opmux_dev)p->host.alloc(p->host.self, sizeof *dev, 16);
  if (!dev) return kit_fail(err, OPMUX_E_OUT_OF_MEMORY, OPMUX_NO_ARG, "open: no memory for the device");
  dev->plugin = p;
  dev->blocks = NULL;
  pthread_mutex_init(&dev->lock, NULL);
  kit_describe(&dev->info);
  *out = dev;
  return OPMUX_OK;
}

static inline void OPMUX_CALL kit_dev_close(opmux_dev dev) {
  if (!dev) return;
  pthread_mutex_destroy(&dev->lock);
  dev->plugin->host.free_(dev->plugin->host.self, dev, sizeof *dev, 16);
}

static inline opmux_status OPMUX_CALL kit_dev_status(opmux_dev dev, uint64_t* free_bytes, opmux_err* err) {
  (void)dev;
  (void)err;
  if (free_bytes) *free_bytes = kit_pages(_SC_AVPHYS_PAGES);
  return OPMUX_OK;
}

static const opmux_dev_api kit_dev = {OPMUX_HDR_TAG(opmux_dev_api, OPMUX_I_DEV), kit_dev_enumerate,
                                      kit_dev_open, kit_dev_close, kit_dev_status};

/* KIT_MORE_INTERFACE(id): an expression that gives further tables of the plugin, or NULL. */
#ifndef KIT_MORE_INTERFACE
#define KIT_MORE_INTERFACE(id) NULL
#endif

static inline const opmux_hdr* OPMUX_CALL kit_core_interface(uint32_t id) {
  const opmux_hdr* const table[] = {&kit_dev.h, &kit_mem.h, &kit_queue.h, &kit_ops.h};
  uint32_t i;
  for (i = 0; i < sizeof table / sizeof table[0]; ++i)
    if (table[i]->tag == id) return table[i];
  return KIT_MORE_INTERFACE(id);
}

static const opmux_core_api kit_core = {OPMUX_HDR_TAG(opmux_core_api, OPMUX_I_CORE), kit_core_open,
                                        kit_core_quiesce, kit_core_close, kit_core_interface};

#endif
