// SPDX-License-Identifier: Apache-2.0
#include "host/loader/blob_cache.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "host/platform/log.hpp"
#include "tests/support/temp_dir.hpp"

namespace opmux {
namespace {

namespace fs = std::filesystem;
using test::TempDir;

std::vector<std::byte> bytes(const std::string& text) {
  const auto* p = reinterpret_cast<const std::byte*>(text.data());
  return {p, p + text.size()};
}

class BlobCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    log::set_sink(
        [this](log::Level, std::string_view, std::string_view text) { said_ += std::string(text) + "\n"; });
  }
  void TearDown() override { log::set_sink({}); }

  static std::string get(BlobCache& cache, const std::string& space, const std::string& key) {
    std::vector<std::byte> value;
    if (!cache.get(space, bytes(key), value)) return "(none)";
    return {reinterpret_cast<const char*>(value.data()), value.size()};
  }
  std::string only_file() const { return fs::directory_iterator(dir_.path())->path().string(); }

  TempDir dir_;
  std::string said_;
};

void flip(const std::string& path, uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int old = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(old ^ 0x40));
}

TEST_F(BlobCacheTest, KeepsWhatWasPutPerSpaceAndKey) {
  BlobCache cache(dir_.path(), 1 << 20);
  EXPECT_TRUE(cache.put("a", bytes("k"), bytes("one")));
  EXPECT_TRUE(cache.put("b", bytes("k"), bytes("two")));
  EXPECT_TRUE(cache.put("a", bytes("k"), bytes("three")));
  EXPECT_EQ(get(cache, "a", "k"), "three");
  EXPECT_EQ(get(cache, "b", "k"), "two");
  EXPECT_EQ(get(cache, "a", "other"), "(none)");
  BlobCache again(dir_.path(), 1 << 20);
  EXPECT_EQ(get(again, "a", "k"), "three");
  EXPECT_EQ(said_, "");
}

TEST_F(BlobCacheTest, EmptyKeysAndValuesAreFine) {
  BlobCache cache(dir_.path(), 1 << 20);
  EXPECT_TRUE(cache.put("a", {}, {}));
  EXPECT_EQ(get(cache, "a", ""), "");
}

TEST_F(BlobCacheTest, ADamagedByteAnywhereIsIgnoredWithALine) {
  BlobCache cache(dir_.path(), 1 << 20);
  ASSERT_TRUE(cache.put("space", bytes("key"), bytes("value")));
  const std::string path = only_file();
  for (uint64_t at = 0; at < fs::file_size(path); ++at) {
    flip(path, at);
    said_.clear();
    EXPECT_EQ(get(cache, "space", "key"), "(none)") << "byte " << at;
    EXPECT_NE(said_, "") << "byte " << at;
    flip(path, at);
  }
  EXPECT_EQ(get(cache, "space", "key"), "value");
}

TEST_F(BlobCacheTest, AFileCutAnywhereIsIgnored) {
  BlobCache cache(dir_.path(), 1 << 20);
  ASSERT_TRUE(cache.put("space", bytes("key"), bytes("value")));
  const std::string path = only_file();
  for (uint64_t keep = fs::file_size(path); keep-- > 0;) {
    fs::resize_file(path, keep);
    EXPECT_EQ(get(cache, "space", "key"), "(none)") << "cut at " << keep;
  }
}

TEST_F(BlobCacheTest, StaysBelowItsLimitAndKeepsWhatWasUsedLast) {
  constexpr uint64_t kLimit = 100'000;
  BlobCache cache(dir_.path(), kLimit);
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(cache.put("s", bytes("key" + std::to_string(i)), bytes(std::string(10'000, 'x'))));
    EXPECT_NE(get(cache, "s", "key0"), "(none)") << i;
  }
  uint64_t total = 0;
  for (const auto& entry : fs::directory_iterator(dir_.path())) total += entry.file_size();
  EXPECT_LE(total, kLimit);
  EXPECT_EQ(get(cache, "s", "key5"), "(none)");
}

TEST_F(BlobCacheTest, RefusesWhatWouldFillIt) {
  BlobCache cache(dir_.path(), 1000);
  EXPECT_FALSE(cache.put("s", bytes("k"), bytes(std::string(900, 'x'))));
}

TEST_F(BlobCacheTest, ManyWritersLeaveOneWholeValue) {
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([this, t] {
      BlobCache cache(dir_.path(), 1 << 20);
      for (int i = 0; i < 50; ++i)
        cache.put("s", bytes("k"), bytes(std::string(5000, static_cast<char>('a' + t))));
    });
  }
  for (auto& writer : writers) writer.join();
  BlobCache cache(dir_.path(), 1 << 20);
  const std::string value = get(cache, "s", "k");
  EXPECT_EQ(value, std::string(5000, value[0]));
}

}  // namespace
}  // namespace opmux
