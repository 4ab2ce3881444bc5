/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/abi/abi.h.yaml by tools/codegen; do not edit.
 *
 * Opmux: the ground of both binary interfaces. Rules are in docs/abi.md. Every open structure starts with
 * opmux_hdr; its size is set by whoever writes the structure. A field exists for the reader iff OPMUX_HAS
 * says so; an absent field means zero. Structures grow at the tail only. 64-bit targets only. */
#ifndef OPMUX_ABI_H
#define OPMUX_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define OPMUX_CALL __cdecl
#define OPMUX_EXPORT __declspec(dllexport)
#else
#define OPMUX_CALL
#define OPMUX_EXPORT __attribute__((visibility("default")))
#endif

#if defined(__cplusplus)
#define OPMUX_STATIC_ASSERT(c, m) static_assert(c, m)
#else
#define OPMUX_STATIC_ASSERT(c, m) _Static_assert(c, m)
#endif
OPMUX_STATIC_ASSERT(sizeof(void*) == 8, "Opmux is for 64-bit targets");

/* Version of the plugin interface. Major 0: exact match of major and minor, no promise. */
#define OPMUX_ABI_MAJOR 0u
#define OPMUX_ABI_MINOR 1u

/* Link of the extension chain, and the head of every open structure. tag: 0 in a plain structure, an
 * interface id in a table, vendor16 << 16 | id16 in an extension. An extension whose tag has
 * OPMUX_EXT_CRITICAL set must be refused by a reader that does not know it; others are skipped. */
typedef struct opmux_ext {
  uint32_t size;
  uint32_t tag;
  const struct opmux_ext* next;
} opmux_ext;

typedef opmux_ext opmux_hdr;

#define OPMUX_EXT_CRITICAL 0x80000000u

/* Does *p, as sized by its writer, hold field f of T? */
#define OPMUX_HAS(p, T, f) ((p)->h.size >= (uint32_t)(offsetof(T, f) + sizeof(((T*)0)->f)))

/* Initialiser of an open structure. */
#define OPMUX_HDR(T) {(uint32_t)sizeof(T), 0u, 0}
#define OPMUX_HDR_TAG(T, id) {(uint32_t)sizeof(T), (id), 0}

/* Text, UTF-8, not terminated; owned by whoever returned it, valid as long as the object that returned it. */
typedef struct opmux_str {
  const char* data;
  uint64_t size;
} opmux_str;

/* Bytes; same ownership. */
typedef struct opmux_span {
  const void* data;
  uint64_t size;
} opmux_span;

/* Status: flags:8 | domain:8 | code:16. Zero is success; compare codes with OPMUX_CODE. */
typedef uint32_t opmux_status;
#define OPMUX_CODE(s) ((s) & 0xffffu)

#define OPMUX_F_RETRYABLE 0x01000000u /* may work after memory is freed or the device is idle */
#define OPMUX_F_STICKY 0x02000000u    /* device lost or plugin dead: route elsewhere */

#define OPMUX_OK 0u

#define OPMUX_E_INVALID 1u     /* an argument makes no sense */
#define OPMUX_E_UNSUPPORTED 2u /* sound, but this plugin or build cannot do it */
#define OPMUX_E_OUT_OF_MEMORY 3u
#define OPMUX_E_DEVICE_LOST 4u
#define OPMUX_E_TIMEOUT 5u
#define OPMUX_E_CANCELLED 6u
#define OPMUX_E_BROKEN_PROMISE 7u /* a capability YES that could not be kept */
#define OPMUX_E_NOT_FOUND 8u
#define OPMUX_E_IO 9u
#define OPMUX_E_VERSION 10u
#define OPMUX_E_FORKED 11u /* the process has forked since the plugin was opened */
#define OPMUX_E_FAULT 12u  /* the data were at fault: an index out of range */
#define OPMUX_E_INTERNAL 13u
#define OPMUX_E_BUSY 14u

/* Native error domains. */
#define OPMUX_NATIVE_NONE 0u
#define OPMUX_NATIVE_ERRNO 1u
#define OPMUX_NATIVE_CUDA 2u
#define OPMUX_NATIVE_OPENCL 3u
#define OPMUX_NATIVE_VULKAN 4u
#define OPMUX_NATIVE_SIGNAL 5u

/* Caller-owned error record; every function takes NULL too. The caller sets h, msg and msg_cap; the callee
 * writes the rest, at most msg_cap bytes of text without a terminator, and allocates nothing. */
typedef struct opmux_err {
  opmux_hdr h;
  opmux_status code;
  int32_t native;         /* CUresult, VkResult, cl_int, errno, signal ... */
  uint32_t native_domain; /* OPMUX_NATIVE_* */
  uint32_t msg_cap;
  uint32_t msg_len;
  uint32_t arg_index; /* offending operand (inputs, then outputs) or OPMUX_NO_ARG */
  char* msg;
} opmux_err;

#define OPMUX_NO_ARG 0xffffffffu

OPMUX_STATIC_ASSERT(sizeof(opmux_ext) == 16, "frozen");
OPMUX_STATIC_ASSERT(sizeof(opmux_str) == 16, "frozen");
OPMUX_STATIC_ASSERT(sizeof(opmux_span) == 16, "frozen");

#ifdef __cplusplus
}
#endif
#endif
