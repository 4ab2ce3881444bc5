/* SPDX-License-Identifier: Apache-2.0
 * Kit: objects of a host-memory device, and its MEM table. A memory handle is the address of the block. */
#ifndef OPMUX_KIT_DEVICE_MEM_H
#define OPMUX_KIT_DEVICE_MEM_H

#include <pthread.h>
#include <unistd.h>

#include "kit/host_api.h"
#include "kit/op.h"

/* Stands before each block that we allocated; `refs` counts the allocation and imports of its very address.
 */
typedef struct kit_block {
  struct kit_block *prev, *next;
  void* start;
  uint64_t refs;
} kit_block;

struct opmux_plugin_s {
  opmux_host_api host;
};

struct opmux_dev_s {
  opmux_plugin plugin;
  opmux_devinfo info;
  pthread_mutex_t lock; /* guards blocks */
  kit_block* blocks;    /* few: pooling is the host's */
};

static inline opmux_mem kit_to_mem(const void* p) { return (opmux_mem)(uintptr_t)p; }
static inline void* kit_to_ptr(opmux_mem mem, uint64_t offset) { return (void*)(uintptr_t)(mem + offset); }

static inline uint64_t kit_pages(int name) {
  long n = sysconf(name), page = sysconf(_SC_PAGESIZE);
  return n > 0 && page > 0 ? (uint64_t)n * (uint64_t)page : 0;
}

/* Our header of the block at this address, or NULL for imported memory. The lock is held. */
static inline kit_block* kit_find_block(opmux_dev dev, opmux_mem mem) {
  kit_block* b = dev->blocks;
  while (b && kit_to_mem(b + 1) != mem) b = b->next;
  return b;
}

static inline opmux_status OPMUX_CALL kit_mem_alloc(opmux_dev dev, uint32_t kind, uint64_t size_bytes,
                                                    uint64_t align, opmux_mem* out, opmux_err* err) {
  uint64_t limit = dev->info.max_alloc_bytes, a = align < 64 ? 64 : align;
  kit_block* b;
  char* start;
  if (!out) return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "alloc: no place for the handle");
  *out = 0;
  if (kind != OPMUX_MEM_DEVICE && kind != OPMUX_MEM_HOST)
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "alloc: memory kind %u is not 1 or 2", kind);
  if (align & (align - 1) || align > (1u << 30))
    return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG,
                    "alloc: alignment %llu is not a power of two up to 2^30", (unsigned long long)align);
  if (size_bytes > limit)
    return kit_fail(err, OPMUX_E_OUT_OF_MEMORY, OPMUX_NO_ARG, "alloc: %llu bytes, the device has %llu in all",
                    (unsigned long long)size_bytes, (unsigned long long)limit);
  start = (char*)aligned_alloc((size_t)a, (size_t)(a + kit_round_up(size_bytes ? size_bytes : 1, a)));
  if (!start)
    return kit_fail(err, OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE, OPMUX_NO_ARG,
                    "alloc: no memory for %llu bytes", (unsigned long long)size_bytes);
  b = (kit_block*)(void*)(start + a) - 1;
  b->start = start;
  b->refs = 1;
  b->prev = NULL;
  pthread_mutex_lock(&dev->lock);
  b->next = dev->blocks;
  if (b->next) b->next->prev = b;
  dev->blocks = b;
  pthread_mutex_unlock(&dev->lock);
  *out = kit_to_mem(b + 1);
  return OPMUX_OK;
}

static inline void OPMUX_CALL kit_mem_free(opmux_dev dev, opmux_mem mem) {
  kit_block* b;
  pthread_mutex_lock(&dev->lock);
  b = kit_find_block(dev, mem);
  if (b && --b->refs == 0) {
    if (b->next) b->next->prev = b->prev;
    if (b->prev)
      b->prev->next = b->next;
    else
      dev->blocks = b->next;
    free(b->start);
  }
  pthread_mutex_unlock(&dev->lock);
}

static inline opmux_status OPMUX_CALL kit_mem_map(opmux_dev dev, opmux_mem mem, void** out, opmux_err* err) {
  (void)dev;
  if (!mem || !out) return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "map: no memory or no place for it");
  *out = kit_to_ptr(mem, 0);
  return OPMUX_OK;
}

static inline opmux_status OPMUX_CALL kit_mem_import(opmux_dev dev, void* p, uint64_t size_bytes,
                                                     opmux_mem* out, opmux_err* err) {
  kit_block* b;
  (void)size_bytes;
  if (!p || !out) return kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "import_host: no address to import");
  pthread_mutex_lock(&dev->lock);
  b = kit_find_block(dev, kit_to_mem(p));
  if (b) ++b->refs; /* one of ours comes back: it lives until both handles are freed */
  pthread_mutex_unlock(&dev->lock);
  *out = kit_to_mem(p);
  return OPMUX_OK;
}

static const opmux_mem_api kit_mem = {OPMUX_HDR_TAG(opmux_mem_api, OPMUX_I_MEM), kit_mem_alloc, kit_mem_free,
                                      kit_mem_map, kit_mem_import};

#endif
