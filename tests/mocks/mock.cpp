// SPDX-License-Identifier: Apache-2.0
// Plugins that misbehave in one way each. MOCK_NAME names the plugin, MOCK_<WAY> chooses the way; without any
// it accepts every operator and computes nothing.
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "kit/schema/schema.hpp"
#include "mocks/mock.hpp"

#ifndef MOCK_FLAGS
#define MOCK_FLAGS 0
#endif

namespace {

[[maybe_unused]] void crash() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

[[maybe_unused]] void hang() {
  for (;;) pause();
}

[[maybe_unused]] void spin() {
  for (std::atomic<unsigned> i = 0;; ++i) {
  }
}

[[maybe_unused]] void say_and_abort() {
  std::fputs("the driver found its own state broken\n", stderr);
  std::abort();
}

[[maybe_unused]] void leave() { std::_Exit(7); }

#ifdef MOCK_IN_CONSTRUCTOR
__attribute__((constructor)) void on_load() { MOCK_IN_CONSTRUCTOR(); }
#endif

opmux_status open(const opmux_host_api* host, opmux_plugin* out, opmux_err* err) {
#ifdef MOCK_IN_OPEN
  MOCK_IN_OPEN();
#endif
#ifdef MOCK_NO_DRIVER
  return kit_fail(err, OPMUX_E_UNSUPPORTED, OPMUX_NO_ARG, "libnodriver.so.1 is not installed");
#endif
  return kit_core_open(host, out, err);
}

// MOCK_DEVICES devices, all alike.
#ifndef MOCK_DEVICES
#define MOCK_DEVICES 1
#endif
opmux_status enumerate(opmux_plugin p, opmux_devinfo* infos, uint32_t stride, uint32_t cap, uint32_t* count,
                       opmux_err* err) {
#ifdef MOCK_IN_ENUMERATE
  MOCK_IN_ENUMERATE();
#endif
  constexpr uint32_t kDevices = MOCK_DEVICES;
  for (uint32_t i = 0; i != kDevices && i < cap; ++i) {
    auto* info = reinterpret_cast<opmux_devinfo*>(reinterpret_cast<char*>(infos) + i * stride);
    uint32_t one = 0;
    const opmux_status status = kit_dev_enumerate(p, info, stride, 1, &one, err);
    if (status != OPMUX_OK) return status;
    info->index = i;
#ifdef MOCK_KIND
    info->kind = MOCK_KIND;
#endif
  }
  *count = kDevices;
  return OPMUX_OK;
}

opmux_status dev_open(opmux_plugin p, uint32_t index, opmux_dev* out, opmux_err* err) {
#ifdef MOCK_IN_DEVICE_1
  if (index == 1) MOCK_IN_DEVICE_1();
#endif
  const opmux_status status = kit_dev_open(p, 0, out, err);
  if (status == OPMUX_OK) (*out)->info.index = index;
  return status;
}

opmux_status prepare(opmux_dev dev, const opmux_opd* d, uint64_t key, opmux_kernel* out, opmux_err* err) {
#ifdef MOCK_IN_PREPARE
  MOCK_IN_PREPARE();
#endif
#ifdef MOCK_BREAKS_PROMISE
  return kit_fail(err, OPMUX_E_UNSUPPORTED, 0, "the compiler of this device refuses the kernel");
#endif
  return kit_op_prepare(dev, d, key, out, err);
}

opmux_status copy([[maybe_unused]] opmux_queue q, [[maybe_unused]] const opmux_copy* c,
                  [[maybe_unused]] uint32_t n, [[maybe_unused]] opmux_err* err) {
#ifdef MOCK_LOSES_COPIES
  return OPMUX_OK;
#else
  return kit_queue_copy(q, c, n, err);
#endif
}

opmux_dev_api make_dev() {
  opmux_dev_api t = kit_dev;
  t.enumerate = enumerate;
  t.open = dev_open;
  return t;
}
opmux_queue_api make_queue() {
  opmux_queue_api t = kit_queue;
  t.copy = copy;
  return t;
}
opmux_op_api make_op() {
  opmux_op_api t = kit_ops;
  t.prepare = prepare;
  return t;
}

opmux_dev_api g_dev = make_dev();
opmux_mem_api g_mem = kit_mem;
opmux_queue_api g_queue = make_queue();
opmux_op_api g_op = make_op();

#ifdef MOCK_MISSING_ENTRIES
const bool g_removed = [] {
  g_dev.status = nullptr;
  g_mem.map = nullptr;
  g_mem.import_host = nullptr;
  g_queue.record = nullptr;
  g_queue.replay = nullptr;
  g_queue.tl_wait = nullptr;
  g_op.packed_size = nullptr;
  g_op.pack = nullptr;
  return true;
}();
#endif

const opmux_hdr* interface(uint32_t id) {
#ifdef MOCK_MISSING_TABLE
  if (id == MOCK_MISSING_TABLE) return nullptr;
#endif
  const std::array<const opmux_hdr*, 4> tables = {&g_dev.h, &g_mem.h, &g_queue.h, &g_op.h};
  for (const opmux_hdr* table : tables) {
    if (table->tag == id) return mock::reshape(table);
  }
  return nullptr;
}

const opmux_core_api g_core = {OPMUX_HDR_TAG(opmux_core_api, OPMUX_I_CORE), open, kit_core_quiesce,
                               kit_core_close, interface};

}  // namespace

extern "C" const kit_device kit_the_device = mock::accept_everything(MOCK_NAME);

#ifdef MOCK_ANSWER_NAME
// The note says one thing and the code another.
KIT_NOTE_SECTION static const kit_note g_note = {sizeof(OPMUX_NOTE_OWNER),
                                                 sizeof(opmux_manifest),
                                                 OPMUX_NOTE_MANIFEST,
                                                 OPMUX_NOTE_OWNER,
                                                 {sizeof(opmux_manifest), OPMUX_ABI_MAJOR, OPMUX_ABI_MINOR,
                                                  MOCK_FLAGS, OPMUX_SANITIZER, 1, MOCK_NAME, "1"}};
extern "C" OPMUX_EXPORT void opmux_plugin_query(const opmux_offer* offer, opmux_answer* answer) {
  opmux_manifest other = g_note.manifest;
  std::snprintf(other.name, sizeof(other.name), "%s", MOCK_ANSWER_NAME);
  static opmux_manifest kept;
  kept = other;
  kit_answer(offer, answer, &kept, &g_core);
}
#else
OPMUX_PLUGIN(MOCK_NAME, "1", MOCK_FLAGS, 1, &g_core)
#endif
