/* SPDX-License-Identifier: Apache-2.0
 * Kit: writing the caller's error record. Allocates nothing; every function takes a NULL record. */
#ifndef OPMUX_KIT_ERROR_H
#define OPMUX_KIT_ERROR_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "opmux/abi.h"

#if defined(__GNUC__)
#define KIT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define KIT_PRINTF(text, first)
#endif

/* Longer sentences are cut. */
#define KIT_SENTENCE 512

/* Bytes of text[0, size) that fit into cap without cutting a UTF-8 character in two. */
static inline uint32_t kit_fit_utf8(const char* text, uint32_t size, uint32_t cap) {
  if (size <= cap) return size;
  while (cap > 0 && ((unsigned char)text[cap] & 0xc0u) == 0x80u) --cap;
  return cap;
}

static inline void kit_err_write(opmux_err* err, opmux_status status, uint32_t arg, uint32_t domain,
                                 int32_t native, const char* text) {
  if (!err) return;
  if (OPMUX_HAS(err, opmux_err, code)) err->code = status;
  if (OPMUX_HAS(err, opmux_err, native)) err->native = native;
  if (OPMUX_HAS(err, opmux_err, native_domain)) err->native_domain = domain;
  if (OPMUX_HAS(err, opmux_err, arg_index)) err->arg_index = arg;
  if (!OPMUX_HAS(err, opmux_err, msg_len)) return;
  err->msg_len = 0;
  if (!OPMUX_HAS(err, opmux_err, msg) || !err->msg) return;
  err->msg_len = kit_fit_utf8(text, (uint32_t)strlen(text), err->msg_cap);
  memcpy(err->msg, text, err->msg_len);
}

/* Writes the record (status, operand or OPMUX_NO_ARG, one sentence) and returns status. */
KIT_PRINTF(4, 5)
static inline opmux_status kit_fail(opmux_err* err, opmux_status status, uint32_t arg, const char* format,
                                    ...) {
  char text[KIT_SENTENCE];
  va_list list;
  if (!err) return status;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  kit_err_write(err, status, arg, OPMUX_NATIVE_NONE, 0, text);
  return status;
}

/* The same with the code of a driver: domain is OPMUX_NATIVE_*. */
KIT_PRINTF(6, 7)
static inline opmux_status kit_fail_native(opmux_err* err, opmux_status status, uint32_t arg, uint32_t domain,
                                           int32_t native, const char* format, ...) {
  char text[KIT_SENTENCE];
  va_list list;
  if (!err) return status;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  kit_err_write(err, status, arg, domain, native, text);
  return status;
}

#endif
