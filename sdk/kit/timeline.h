/* SPDX-License-Identifier: Apache-2.0
 * Kit: timelines in host memory. A failure stays in the timeline and reaches every waiter with its sentence.
 */
#ifndef OPMUX_KIT_TIMELINE_H
#define OPMUX_KIT_TIMELINE_H

#include <time.h>

#include "kit/device_mem.h"

struct opmux_tl_s {
  const opmux_host_api* host;
  pthread_mutex_t lock; /* guards the rest */
  pthread_cond_t changed;
  uint64_t value;
  opmux_status failed;
  char text[KIT_SENTENCE];
};

static inline opmux_status OPMUX_CALL kit_tl_create(opmux_dev dev, uint64_t value, opmux_tl* out,
                                                    opmux_err* err) {
  const opmux_host_api* host = &dev->plugin->host;
  opmux_tl tl = (opmux_tl)host->alloc(host->self, sizeof *tl, 16);
  if (!tl)
    return kit_fail(err, OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE, OPMUX_NO_ARG, "no memory for a timeline");
  tl->host = host;
  tl->value = value;
  tl->failed = OPMUX_OK;
  tl->text[0] = 0;
  pthread_mutex_init(&tl->lock, NULL);
  pthread_cond_init(&tl->changed, NULL);
  *out = tl;
  return OPMUX_OK;
}

static inline void OPMUX_CALL kit_tl_destroy(opmux_tl tl) {
  const opmux_host_api* host;
  if (!tl) return;
  host = tl->host;
  pthread_cond_destroy(&tl->changed);
  pthread_mutex_destroy(&tl->lock);
  host->free_(host->self, tl, sizeof *tl, 16);
}

/* timeout_ns UINT64_MAX waits for ever. */
static inline opmux_status OPMUX_CALL kit_tl_wait(opmux_tl tl, uint64_t value, uint64_t timeout_ns,
                                                  opmux_err* err) {
  struct timespec until;
  opmux_status s = OPMUX_OK;
  int late = 0;
  if (timeout_ns != UINT64_MAX) {
    uint64_t ns;
    timespec_get(&until, TIME_UTC);
    ns = (uint64_t)until.tv_nsec + timeout_ns % 1000000000u;
    until.tv_sec += (time_t)(timeout_ns / 1000000000u + ns / 1000000000u);
    until.tv_nsec = (long)(ns % 1000000000u);
  }
  pthread_mutex_lock(&tl->lock);
  while (tl->value < value && tl->failed == OPMUX_OK && !late) {
    if (timeout_ns == UINT64_MAX)
      pthread_cond_wait(&tl->changed, &tl->lock);
    else
      late = pthread_cond_timedwait(&tl->changed, &tl->lock, &until) != 0;
  }
  if (tl->failed != OPMUX_OK)
    s = kit_fail(err, tl->failed, OPMUX_NO_ARG, "%s", tl->text);
  else if (tl->value < value)
    s = kit_fail(err, OPMUX_E_TIMEOUT, OPMUX_NO_ARG, "timeline is at %llu, waited for %llu during %llu ns",
                 (unsigned long long)tl->value, (unsigned long long)value, (unsigned long long)timeout_ns);
  pthread_mutex_unlock(&tl->lock);
  return s;
}

static inline opmux_status OPMUX_CALL kit_tl_signal(opmux_tl tl, uint64_t value, opmux_err* err) {
  opmux_status s = OPMUX_OK;
  pthread_mutex_lock(&tl->lock);
  if (tl->failed != OPMUX_OK)
    s = kit_fail(err, tl->failed, OPMUX_NO_ARG, "%s", tl->text);
  else if (value <= tl->value)
    s = kit_fail(err, OPMUX_E_INVALID, OPMUX_NO_ARG, "timeline is at %llu and cannot go to %llu",
                 (unsigned long long)tl->value, (unsigned long long)value);
  else
    tl->value = value;
  pthread_cond_broadcast(&tl->changed);
  pthread_mutex_unlock(&tl->lock);
  return s;
}

/* The first failure stays. */
static inline void kit_tl_fail(opmux_tl tl, opmux_status status, const char* text, uint32_t size) {
  uint32_t n = size < KIT_SENTENCE - 1 ? size : KIT_SENTENCE - 1;
  pthread_mutex_lock(&tl->lock);
  if (tl->failed == OPMUX_OK) {
    tl->failed = status;
    memcpy(tl->text, text, n);
    tl->text[n] = 0;
  }
  pthread_cond_broadcast(&tl->changed);
  pthread_mutex_unlock(&tl->lock);
}

#endif
