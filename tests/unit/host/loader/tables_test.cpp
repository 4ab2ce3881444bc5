// SPDX-License-Identifier: Apache-2.0
// Tables of every size, each ending where the next page is not mapped: the loader's copy reads nothing beyond
// the stated size, and every entry that the table lacks is a stub that says so.
#include "host/loader/tables.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "host/platform/error.hpp"
#include "tests/support/edge.hpp"

namespace opmux {
namespace {

struct Sizes : testing::Test {
  Sizes() {
    core.h = {sizeof(core), OPMUX_I_CORE, nullptr};
    core.open = [](const opmux_host_api*, opmux_plugin*, opmux_err*) -> opmux_status { return OPMUX_OK; };
    core.quiesce = [](opmux_plugin, uint64_t, opmux_err*) -> opmux_status { return OPMUX_OK; };
    core.close = [](opmux_plugin) {};
    core.interface_ = [](uint32_t id) -> const opmux_hdr* {
      switch (id) {
        case OPMUX_I_DEV:
          return &dev->h;
        case OPMUX_I_MEM:
          return &mem->h;
        case OPMUX_I_QUEUE:
          return &queue->h;
        case OPMUX_I_OP:
          return &op->h;
        default:
          return nullptr;
      }
    };
    dev = &whole_dev;
    mem = &whole_mem;
    queue = &whole_queue;
    op = &whole_op;
    copy_core(&core, t);
  }

  opmux_dev_api whole_dev{{sizeof(opmux_dev_api), OPMUX_I_DEV, nullptr}, {}, {}, {}, {}};
  opmux_mem_api whole_mem{{sizeof(opmux_mem_api), OPMUX_I_MEM, nullptr}, {}, {}, {}, {}};
  opmux_queue_api whole_queue = tagged<opmux_queue_api>(OPMUX_I_QUEUE);
  opmux_op_api whole_op = tagged<opmux_op_api>(OPMUX_I_OP);
  opmux_core_api core{};
  Tables t{};
  static inline const opmux_dev_api* dev;
  static inline const opmux_mem_api* mem;
  static inline const opmux_queue_api* queue;
  static inline const opmux_op_api* op;

  template <class T>
  static T tagged(uint32_t id) {
    T table{};
    table.h = {sizeof(T), id, nullptr};
    return table;
  }
};

TEST_F(Sizes, CoreIsReadWithinItsSize) {
  test::every_size(core, [&](const opmux_core_api* cut, uint32_t size) {
    Tables got{};
    copy_core(cut, got);
    EXPECT_EQ(got.core.open == core.open, size >= offsetof(opmux_core_api, open) + sizeof(void*));
    EXPECT_NE(got.core.interface_, nullptr);
  });
}

TEST_F(Sizes, OtherTablesAreReadWithinTheirSizes) {
  test::every_size(whole_dev, [&](const opmux_dev_api* cut, uint32_t) {
    dev = cut;
    copy_tables(t);
    EXPECT_EQ(t.dev.status(nullptr, nullptr, nullptr), OPMUX_E_UNSUPPORTED);
  });
  dev = &whole_dev;
  test::every_size(whole_mem, [&](const opmux_mem_api* cut, uint32_t) {
    mem = cut;
    copy_tables(t);
    EXPECT_FALSE(t.present.map);
  });
  mem = &whole_mem;
  test::every_size(whole_queue, [&](const opmux_queue_api* cut, uint32_t) {
    queue = cut;
    copy_tables(t);
    EXPECT_FALSE(t.present.record);
    EXPECT_FALSE(t.present.timelines);
  });
  queue = &whole_queue;
  whole_op.pack = t.op.pack;
  whole_op.packed_size = t.op.packed_size;
  test::every_size(whole_op, [&](const opmux_op_api* cut, uint32_t size) {
    op = cut;
    copy_tables(t);
    const size_t needed =
        std::max(offsetof(opmux_op_api, pack), offsetof(opmux_op_api, packed_size)) + sizeof(void*);
    EXPECT_EQ(t.present.pack, size >= needed);
  });
}

TEST_F(Sizes, ATableShorterThanItsHeadIsRefused) {
  opmux_op_api bad = whole_op;
  bad.h.size = sizeof(opmux_hdr) - 8;
  op = &bad;
  try {
    copy_tables(t);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "the plugin's OP table says 8 bytes, its head alone has 16");
  }
}

TEST_F(Sizes, AStubNamesTheEntryThatIsMissing) {
  copy_tables(t);
  char text[128] = "";
  opmux_err err{};
  err.h.size = sizeof(err);
  err.msg = text;
  err.msg_cap = sizeof(text);
  EXPECT_EQ(t.op.prepare(nullptr, nullptr, 0, nullptr, &err), OPMUX_E_UNSUPPORTED);
  EXPECT_STREQ(text, "the plugin has no op.prepare");
}

}  // namespace
}  // namespace opmux
