/* SPDX-License-Identifier: Apache-2.0
 * Kit: the linker's build id of this shared library, as hex text: two builds of one version differ in it, and
 * host caches are keyed by it. Read from the library's own program headers, so nothing is passed through the
 * build. */
#ifndef OPMUX_KIT_BUILD_ID_H
#define OPMUX_KIT_BUILD_ID_H

#include <elf.h>
#include <string.h>

#include "opmux/abi.h"

/* The linker defines it at the start of the image; weak, because some linkers leave it out. */
#ifdef __cplusplus
extern "C" {
#endif
extern const Elf64_Ehdr kit_ehdr __asm__("__ehdr_start") __attribute__((weak, visibility("hidden")));
#ifdef __cplusplus
}
#endif

#define KIT_BUILD_ID_BYTES 32u

/* The NT_GNU_BUILD_ID note within [note, end): its bytes and their number, or NULL. */
static inline const unsigned char* kit_find_build_note(const unsigned char* note, const unsigned char* end,
                                                       uint32_t* size) {
  while (note < end && (size_t)(end - note) >= sizeof(Elf64_Nhdr)) {
    const Elf64_Nhdr* head = (const Elf64_Nhdr*)(const void*)note;
    const unsigned char* owner = note + sizeof *head;
    const unsigned char* desc = owner + ((head->n_namesz + 3u) & ~3u);
    if (head->n_type == NT_GNU_BUILD_ID && head->n_namesz == 4 && memcmp(owner, "GNU", 4) == 0) {
      *size = head->n_descsz < KIT_BUILD_ID_BYTES ? head->n_descsz : KIT_BUILD_ID_BYTES;
      return desc;
    }
    note = desc + ((head->n_descsz + 3u) & ~3u);
  }
  return NULL;
}

static inline const unsigned char* kit_find_build_id(uint32_t* size) {
  const Elf64_Ehdr* head = &kit_ehdr;
  const unsigned char* base = (const unsigned char*)head;
  uint32_t i;
  __asm__("" : "+r"(head)); /* else the compiler takes the address of an object for never NULL */
  if (!head) return NULL;
  for (i = 0; i < head->e_phnum; ++i) {
    const Elf64_Phdr* p = (const Elf64_Phdr*)(const void*)(base + head->e_phoff) + i;
    const unsigned char* found;
    if (p->p_type != PT_NOTE) continue;
    found = kit_find_build_note(base + p->p_vaddr, base + p->p_vaddr + p->p_memsz, size);
    if (found) return found;
  }
  return NULL;
}

/* Text valid as long as the plugin is mapped; `fallback` where the linker wrote no id. */
static inline opmux_str kit_build_id(opmux_str fallback) {
  static char text[2 * KIT_BUILD_ID_BYTES];
  static int state; /* 0 empty, 1 being written, 2 there */
  uint32_t size = 0, i;
  int expected = 0;
  const unsigned char* id = kit_find_build_id(&size);
  opmux_str out = fallback;
  if (!id || size == 0) return out;
  if (__atomic_compare_exchange_n(&state, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
    for (i = 0; i < size; ++i) {
      text[2 * i] = "0123456789abcdef"[id[i] >> 4];
      text[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
    }
    __atomic_store_n(&state, 2, __ATOMIC_RELEASE);
  }
  while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != 2) {
  }
  out.data = text;
  out.size = 2 * size;
  return out;
}

#endif
