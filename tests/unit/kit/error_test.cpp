// SPDX-License-Identifier: Apache-2.0
#include "kit/error.h"

#include <gtest/gtest.h>

#include <string>

#include "kit/raw_loader.hpp"

namespace {

using opmux::kit::RawError;

TEST(KitError, WritesStatusOperandAndSentence) {
  RawError err;
  EXPECT_EQ(kit_fail(err, OPMUX_E_INVALID, 3, "softmax: axis %d is outside [%d, %d]", 3, -2, 1),
            OPMUX_E_INVALID);
  EXPECT_EQ(err.text(), "softmax: axis 3 is outside [-2, 1]");
  EXPECT_EQ(err->code, OPMUX_E_INVALID);
  EXPECT_EQ(err->arg_index, 3u);
  EXPECT_EQ(err->native_domain, OPMUX_NATIVE_NONE);
}
TEST(KitError, KeepsTheCodeOfADriver) {
  RawError err;
  kit_fail_native(err, OPMUX_E_DEVICE_LOST, OPMUX_NO_ARG, OPMUX_NATIVE_CUDA, -7, "lost");
  EXPECT_EQ(err->native, -7);
  EXPECT_EQ(err->native_domain, OPMUX_NATIVE_CUDA);
}
TEST(KitError, TakesNoRecord) { EXPECT_EQ(kit_fail(nullptr, OPMUX_E_IO, 0, "%d", 1), OPMUX_E_IO); }
TEST(KitError, CutsTextBetweenCharactersAndNeverBeyondItsRoom) {
  char room[8];
  for (uint32_t cap = 0; cap <= sizeof room; ++cap) {
    std::memset(room, '#', sizeof room);
    opmux_err e{};
    e.h.size = sizeof e;
    e.msg = room;
    e.msg_cap = cap;
    kit_fail(&e, OPMUX_E_IO, 0, "aä€b%s", "cccccccc");  // 1 + 2 + 3 + 1 bytes, then more
    const uint32_t want[] = {0, 1, 1, 3, 3, 3, 6, 7, 8};
    EXPECT_EQ(e.msg_len, want[cap]) << cap;
    for (uint32_t i = e.msg_len; i < sizeof room; ++i) EXPECT_EQ(room[i], '#') << cap;
  }
}
TEST(KitError, LeavesFieldsAloneThatAnOlderCallerLacks) {
  char room[8] = {};
  opmux_err e{};
  e.h.size = offsetof(opmux_err, native_domain);
  e.native_domain = 99;
  e.msg = room;
  e.msg_cap = sizeof room;
  e.msg_len = 55;
  kit_fail(&e, OPMUX_E_IO, 0, "text");
  EXPECT_EQ(e.code, OPMUX_E_IO);
  EXPECT_EQ(e.native_domain, 99u);
  EXPECT_EQ(e.msg_len, 55u);
  EXPECT_EQ(room[0], 0);
}

}  // namespace
