// SPDX-License-Identifier: Apache-2.0
#include "host/platform/cache_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

namespace opmux {
namespace {

using test::TempDir;
using testing::EndsWith;

TEST(CacheDir, IsMadePrivate) {
  const TempDir dir;
  std::string why;
  const auto made = cache_dir(dir.file("a/b/c"), why);
  ASSERT_TRUE(made) << why;
  struct stat st{};
  ASSERT_EQ(stat(made->c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0700u);
}

TEST(CacheDir, RefusesOneThatOthersMayEnter) {
  const TempDir dir;
  std::string why;
  mkdir(dir.file("open").c_str(), 0755);
  chmod(dir.file("open").c_str(), 0755);
  EXPECT_FALSE(cache_dir(dir.file("open"), why));
  EXPECT_THAT(why, EndsWith("/open: mode is 755, it must be 700"));
}

TEST(CacheDir, RefusesAFileALinkAndARelativePath) {
  const TempDir dir;
  std::string why;
  EXPECT_FALSE(cache_dir(dir.write("file", ""), why));
  EXPECT_THAT(why, EndsWith("/file: not a directory"));
  std::filesystem::create_directory_symlink(dir.path(), dir.file("link"));
  EXPECT_FALSE(cache_dir(dir.file("link"), why));
  EXPECT_THAT(why, EndsWith("/link: not a directory"));
  EXPECT_FALSE(cache_dir("relative/path", why));
  EXPECT_EQ(why, "relative/path: not an absolute path");
}

TEST(CacheDir, FollowsTheVariablesInOrder) {
  const TempDir dir;
  std::string why;
  setenv("XDG_CACHE_HOME", dir.path().c_str(), 1);
  unsetenv("OPMUX_CACHE_DIR");
  EXPECT_EQ(cache_dir("", why), dir.file("opmux"));
  setenv("OPMUX_CACHE_DIR", dir.file("own").c_str(), 1);
  EXPECT_EQ(cache_dir("", why), dir.file("own"));
  EXPECT_EQ(cache_dir(dir.file("asked"), why), dir.file("asked"));
  unsetenv("OPMUX_CACHE_DIR");
  unsetenv("XDG_CACHE_HOME");
}

}  // namespace
}  // namespace opmux
