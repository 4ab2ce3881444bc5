// SPDX-License-Identifier: Apache-2.0
#include "host/platform/error.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace opmux {
namespace {

opmux_status callee(opmux_err* err, std::string_view text) {
  err->code = OPMUX_E_INVALID;
  err->native = -5;
  err->native_domain = OPMUX_NATIVE_OPENCL;
  err->arg_index = 2;
  const size_t size = std::min<size_t>(text.size(), err->msg_cap);
  std::memcpy(err->msg, text.data(), size);
  err->msg_len = static_cast<uint32_t>(size);
  return OPMUX_E_INVALID;
}

TEST(ErrRecord, ThrowsWhatTheCalleeWrote) {
  ErrRecord err;
  try {
    err.check(callee(err.get(), "dim 3 is 7, limit 5"), "gpu0/opencl: enqueue");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "gpu0/opencl: enqueue: dim 3 is 7, limit 5");
    EXPECT_EQ(e.status(), OPMUX_E_INVALID);
    EXPECT_EQ(e.native(), -5);
    EXPECT_EQ(e.native_domain(), OPMUX_NATIVE_OPENCL);
    EXPECT_EQ(e.arg(), 2u);
  }
}

TEST(ErrRecord, SaysTheStatusWhenTheCalleeWroteNothing) {
  ErrRecord err;
  err.get();
  EXPECT_EQ(err.text(OPMUX_E_DEVICE_LOST | OPMUX_F_STICKY), "device lost");
}

TEST(ErrRecord, IsEmptyAgainForTheNextCall) {
  ErrRecord err;
  callee(err.get(), "first");
  err.get();
  EXPECT_EQ(err.text(OPMUX_E_BUSY), "busy");
}

TEST(ErrRecord, DoesNotBelieveALengthBeyondItsRoom) {
  ErrRecord err;
  callee(err.get(), std::string(1024, 'x'));
  err.get()->msg_len = 0xffffffffu;
  EXPECT_EQ(err.text(OPMUX_E_INVALID).size(), 1024u);
}

TEST(StoreError, ClipsToTheCallersRoomAndStaysWithinItsSize) {
  char text[4] = {'-', '-', '-', '-'};
  opmux_err out{};
  out.h.size = sizeof(out);
  out.msg = text;
  out.msg_cap = 3;
  store(Error(OPMUX_E_IO, "abcdef"), &out);
  EXPECT_EQ(out.msg_len, 3u);
  EXPECT_EQ(std::string(text, 4), "abc-");

  opmux_err old{};
  old.h.size = offsetof(opmux_err, native);
  old.native = 77;
  store(Error(OPMUX_E_IO, "abcdef", 5), &old);
  EXPECT_EQ(old.code, OPMUX_E_IO);
  EXPECT_EQ(old.native, 77);
  store(Error(OPMUX_E_IO, "nobody listens"), nullptr);
}

}  // namespace
}  // namespace opmux
