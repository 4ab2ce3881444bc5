/* SPDX-License-Identifier: Apache-2.0
 * Kit: a full table of host services from whatever the host gave, so that kernels never look for a missing
 * entry. The stand-ins are plain: libc memory, serial loops, no cache, no log. */
#ifndef OPMUX_KIT_HOST_API_H
#define OPMUX_KIT_HOST_API_H

#include <stdlib.h>
#include <string.h>

#include "opmux/plugin.h"

static inline uint64_t kit_round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

static inline void* OPMUX_CALL kit_std_alloc(opmux_host host, uint64_t size_bytes, uint64_t align) {
  uint64_t a = align < 16 ? 16 : align;
  (void)host;
  if (size_bytes > (uint64_t)INT64_MAX - a) return NULL;
  return aligned_alloc((size_t)a, (size_t)kit_round_up(size_bytes ? size_bytes : 1, a));
}

static inline void OPMUX_CALL kit_std_free(opmux_host host, void* p, uint64_t size_bytes, uint64_t align) {
  (void)host;
  (void)size_bytes;
  (void)align;
  free(p);
}

static inline void OPMUX_CALL kit_std_log(opmux_host host, uint32_t level, opmux_str where, opmux_str text) {
  (void)host;
  (void)level;
  (void)where;
  (void)text;
}

static inline opmux_status OPMUX_CALL kit_std_config(opmux_host host, opmux_str key, opmux_str* value) {
  (void)host;
  (void)key;
  (void)value;
  return OPMUX_E_NOT_FOUND;
}

static inline opmux_status OPMUX_CALL kit_std_parallel(opmux_host host, uint64_t n, uint64_t grain,
                                                       opmux_body body, void* ctx) {
  uint64_t step = grain ? grain : 1, begin = 0;
  (void)host;
  while (begin < n) {
    uint64_t end = n - begin > step ? begin + step : n;
    body(ctx, begin, end, 0);
    begin = end;
  }
  return OPMUX_OK;
}

static inline uint32_t OPMUX_CALL kit_std_concurrency(opmux_host host) {
  (void)host;
  return 1;
}

static inline opmux_status OPMUX_CALL kit_std_blob_get(opmux_host host, opmux_span key, opmux_span* out) {
  (void)host;
  (void)key;
  (void)out;
  return OPMUX_E_UNSUPPORTED;
}

static inline opmux_status OPMUX_CALL kit_std_blob_put(opmux_host host, opmux_span key, opmux_span value) {
  (void)host;
  (void)key;
  (void)value;
  return OPMUX_E_UNSUPPORTED;
}

static inline void OPMUX_CALL kit_std_trace(opmux_host host, uint32_t phase, uint64_t id, opmux_str name,
                                            uint64_t time_ns) {
  (void)host;
  (void)phase;
  (void)id;
  (void)name;
  (void)time_ns;
}

static inline uint32_t OPMUX_CALL kit_std_cancelled(opmux_host host, uint64_t token) {
  (void)host;
  (void)token;
  return 0;
}

/* Copies *host, which may be shorter or longer than ours or NULL, and fills the gaps. */
static inline void kit_host_fill(const opmux_host_api* host, opmux_host_api* out) {
  memset(out, 0, sizeof *out);
  /* Whole entries only: half a pointer is no pointer. */
  if (host) memcpy(out, host, host->h.size < sizeof *out ? host->h.size / 8 * 8 : sizeof *out);
  out->h.size = (uint32_t)sizeof *out;
  out->h.tag = OPMUX_I_HOST;
  out->h.next = NULL;
  if (!out->alloc || !out->free_) { /* only as a pair */
    out->alloc = kit_std_alloc;
    out->free_ = kit_std_free;
  }
  if (!out->log) out->log = kit_std_log;
  if (!out->config) out->config = kit_std_config;
  if (!out->parallel) out->parallel = kit_std_parallel;
  if (!out->concurrency) out->concurrency = kit_std_concurrency;
  if (!out->blob_get) out->blob_get = kit_std_blob_get;
  if (!out->blob_put) out->blob_put = kit_std_blob_put;
  if (!out->trace) out->trace = kit_std_trace;
  if (!out->cancelled) out->cancelled = kit_std_cancelled;
}

#endif
