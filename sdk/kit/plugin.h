/* SPDX-License-Identifier: Apache-2.0
 * Kit: the entry of a plugin. C11, header-only; also compiles as C++20.
 *
 *   #include <math.h>                 // every other include first
 *   #include "kit/host_device.h"
 *   #include "kit/plugin.h"
 *   OPMUX_PLUGIN("mine", "1.0", OPMUX_PF_UNLOADABLE, 0, &kit_core)
 *
 * stands in one file of the plugin. It makes the manifest note, defines the one exported symbol, and hides
 * whatever the rest of that file defines, so that plain `cc -shared -fPIC` exports nothing else. Code in
 * other files of the plugin needs -fvisibility=hidden. */
#ifndef OPMUX_KIT_PLUGIN_H
#define OPMUX_KIT_PLUGIN_H

#include <string.h>

#include "kit/build_id.h"
#include "opmux/plugin.h"

/* OPMUX_SANITIZER: which run-time library of a sanitizer this file needs; the build may say it. */
#ifndef OPMUX_SANITIZER
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OPMUX_SANITIZER OPMUX_SAN_ADDRESS
#elif __has_feature(thread_sanitizer)
#define OPMUX_SANITIZER OPMUX_SAN_THREAD
#endif
#endif
#endif
#ifndef OPMUX_SANITIZER
#if defined(__SANITIZE_ADDRESS__)
#define OPMUX_SANITIZER OPMUX_SAN_ADDRESS
#elif defined(__SANITIZE_THREAD__)
#define OPMUX_SANITIZER OPMUX_SAN_THREAD
#else
#define OPMUX_SANITIZER OPMUX_SAN_NONE
#endif
#endif

/* An ELF note holds its sizes, its owner padded to 4 bytes, and the descriptor. */
typedef struct kit_note {
  uint32_t owner_size, desc_size, type;
  char owner[8];
  opmux_manifest manifest;
} kit_note;

/* `retain` keeps the note through --gc-sections; ".note" makes it a PT_NOTE that readelf -n lists. */
#if defined(__has_attribute)
#if __has_attribute(retain)
#define KIT_RETAIN retain,
#endif
#endif
#ifndef KIT_RETAIN
#define KIT_RETAIN
#endif
/* A red zone of AddressSanitizer would stand between the notes; gcc leaves named sections alone. */
#if defined(__clang__)
#define KIT_NO_RED_ZONE no_sanitize("address"),
#else
#define KIT_NO_RED_ZONE
#endif
#define KIT_NOTE_SECTION __attribute__((section(".note.opmux"), KIT_RETAIN KIT_NO_RED_ZONE used, aligned(4)))

#ifdef __cplusplus
#define KIT_EXTERN_C extern "C"
#else
#define KIT_EXTERN_C
#endif

static inline opmux_str kit_str(const char* text) {
  opmux_str s;
  s.data = text;
  s.size = strlen(text);
  return s;
}

/* May a plugin of version major.minor serve this offer? Major 0 makes no promise, so both numbers must be
 * equal there, and the offer states the minor of its highest major only. From major 1 on minors never matter.
 */
static inline int kit_offer_fits(const opmux_offer* offer, uint32_t major, uint32_t minor) {
  if (!offer || !OPMUX_HAS(offer, opmux_offer, minor)) return 0;
  if (offer->major_min > major || offer->major_max < major) return 0;
  return major > 0 || (offer->major_max == 0 && offer->minor == minor);
}

/* Answers an offer for a plugin with manifest m; touches only what the size of the answer covers. */
static inline void kit_answer(const opmux_offer* offer, opmux_answer* answer, const opmux_manifest* m,
                              const opmux_core_api* core) {
  opmux_answer a;
  uint32_t size;
  if (!answer || answer->h.size < sizeof(opmux_hdr)) return;
  memset(&a, 0, sizeof a);
  a.status = kit_offer_fits(offer, m->abi_major, m->abi_minor) ? OPMUX_OK : OPMUX_E_VERSION;
  a.major = m->abi_major;
  a.minor = m->abi_minor;
  a.need_min = a.need_max = m->abi_major;
  a.flags = m->flags;
  a.sanitizer = m->sanitizer;
  a.opset = m->opset;
  a.name = kit_str(m->name);
  a.version = kit_str(m->version);
  a.build_id = kit_build_id(a.version);
  if (a.status == OPMUX_OK) a.core = core;
  size = answer->h.size < sizeof a ? answer->h.size : (uint32_t)sizeof a;
  memcpy((char*)answer + sizeof(opmux_hdr), (char*)&a + sizeof(opmux_hdr), size - sizeof(opmux_hdr));
}

/* name: [a-z0-9_-]+, at most 31 characters; version: at most 31; flags: OPMUX_PF_*; opset: highest complete
 * op-set, 0 none; core: address of the plugin's opmux_core_api. */
#define OPMUX_PLUGIN(name_, version_, flags_, opset_, core_)                                          \
  OPMUX_STATIC_ASSERT(sizeof(name_) <= 32 && sizeof(version_) <= 32, "31 characters at most");        \
  KIT_NOTE_SECTION static const kit_note kit_manifest_note = {                                        \
      sizeof(OPMUX_NOTE_OWNER),                                                                       \
      (uint32_t)sizeof(opmux_manifest),                                                               \
      OPMUX_NOTE_MANIFEST,                                                                            \
      OPMUX_NOTE_OWNER,                                                                               \
      {(uint32_t)sizeof(opmux_manifest), OPMUX_ABI_MAJOR, OPMUX_ABI_MINOR, (flags_), OPMUX_SANITIZER, \
       (opset_), name_, version_}};                                                                   \
  KIT_EXTERN_C OPMUX_EXPORT void OPMUX_CALL opmux_plugin_query(const opmux_offer*, opmux_answer*);    \
  KIT_EXTERN_C OPMUX_EXPORT void OPMUX_CALL opmux_plugin_query(const opmux_offer* offer,              \
                                                               opmux_answer* answer) {                \
    kit_answer(offer, answer, &kit_manifest_note.manifest, (core_));                                  \
  }                                                                                                   \
  _Pragma("GCC visibility push(hidden)") typedef kit_note kit_the_rest_of_this_file_is_hidden;

#endif
