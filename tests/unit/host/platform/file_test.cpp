// SPDX-License-Identifier: Apache-2.0
#include "host/platform/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "host/platform/error.hpp"
#include "tests/support/temp_dir.hpp"

namespace opmux {
namespace {

using test::TempDir;
using testing::HasSubstr;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class F>
std::string failure_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), OPMUX_E_IO);
    return e.text();
  }
  return "no failure";
}

TEST(File, MapsAndReadsTheSameBytes) {
  const TempDir dir;
  const auto path = dir.write("a", "some bytes");
  EXPECT_EQ(text_of(MappedFile(path).bytes()), "some bytes");
  EXPECT_EQ(text_of(read_file(path, 100)), "some bytes");
  EXPECT_TRUE(MappedFile(dir.write("empty", "")).bytes().empty());
}

TEST(File, RefusesWhatIsNoFileInOneSentence) {
  const TempDir dir;
  EXPECT_THAT(failure_of([&] { MappedFile(dir.file("none")); }), HasSubstr("cannot open it: No such file"));
  EXPECT_THAT(failure_of([&] { MappedFile("/dev/zero"); }), HasSubstr("/dev/zero: not a regular file"));
  EXPECT_THAT(failure_of([&] { read_file(dir.path(), 10); }), HasSubstr("not a regular file"));
  mkfifo(dir.file("fifo").c_str(), 0600);
  EXPECT_THAT(failure_of([&] { read_file(dir.file("fifo"), 10); }), HasSubstr("not a regular file"));
  EXPECT_THAT(failure_of([&] { read_file(dir.write("long", "12345"), 4); }), HasSubstr("5 bytes, limit 4"));
}

TEST(File, ReplacesInOneStepAndLeavesNoTemporary) {
  const TempDir dir;
  const std::string text = "new";
  write_file_atomic(dir.write("a", "old and longer"), std::as_bytes(std::span(text.data(), text.size())));
  EXPECT_EQ(text_of(read_file(dir.file("a"), 100)), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
  struct stat st{};
  stat(dir.file("a").c_str(), &st);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST(File, IdentityChangesWithTheFile) {
  const TempDir dir;
  const auto path = dir.write("a", "1");
  const std::string before = file_identity(path);
  EXPECT_EQ(file_identity(path), before);
  write_file_atomic(path, {});
  EXPECT_NE(file_identity(path), before);
  EXPECT_EQ(file_identity(dir.file("none")), "");
}

}  // namespace
}  // namespace opmux
