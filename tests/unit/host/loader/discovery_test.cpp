// SPDX-License-Identifier: Apache-2.0
#include "host/loader/discovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

namespace fs = std::filesystem;
using test::mock;
using test::only;
using test::TempDir;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> names(const std::vector<Candidate>& candidates) {
  std::vector<std::string> out;
  for (const auto& c : candidates) out.push_back(c.manifest.name);
  return out;
}

// A folder with copies of mocks.
void fill(const TempDir& dir, std::initializer_list<const char*> mocks) {
  for (const char* name : mocks) fs::copy_file(mock(name), dir.file("opmux_" + std::string(name) + ".so"));
}

TEST(Discovery, OrdersByNameWhateverTheDirectorySays) {
  const TempDir dir;
  fill(dir, {"null", "broken_promise", "missing_entries"});
  std::vector<Refusal> refusals;
  EXPECT_THAT(names(discover(only({dir.path()}), refusals)),
              ElementsAre("broken_promise", "missing_entries", "null"));
  EXPECT_THAT(refusals, IsEmpty());
}

TEST(Discovery, LooksOnlyAtFilesOfItsNamePattern) {
  const TempDir dir;
  fs::copy_file(mock("null"), dir.file("libnull.so"));
  dir.write("opmux_readme.txt", "text");
  std::vector<Refusal> refusals;
  EXPECT_THAT(discover(only({dir.path()}), refusals), IsEmpty());
  EXPECT_THAT(refusals, IsEmpty());
}

TEST(Discovery, FirstOfANameWinsAndTheOtherIsNamed) {
  const TempDir first, second;
  fill(first, {"null"});
  fill(second, {"null"});
  std::vector<Refusal> refusals;
  const auto found = discover(only({first.path(), second.path()}), refusals);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].path, first.file("opmux_null.so"));
  ASSERT_THAT(refusals, SizeIs(1));
  EXPECT_EQ(refusals[0].stage, "duplicate");
  EXPECT_EQ(refusals[0].reason,
            "another plugin of this name was found first: " + first.file("opmux_null.so"));
}

TEST(Discovery, TheSameFileTwiceIsOnePlugin) {
  const TempDir dir;
  fill(dir, {"null"});
  std::vector<Refusal> refusals;
  EXPECT_THAT(discover(only({dir.path(), dir.file("opmux_null.so")}), refusals), SizeIs(1));
  EXPECT_THAT(refusals, IsEmpty());
}

TEST(Discovery, ReadsThePathVariableAfterTheOptions) {
  const TempDir named, listed;
  fill(named, {"null"});
  fill(listed, {"null", "broken_promise"});
  setenv("OPMUX_PLUGIN_PATH", (listed.path() + ":relative:" + listed.file("none")).c_str(), 1);
  LoaderOptions options = only({named.path()});
  options.search = true;
  options.plugin_filter = "null,broken_promise";
  std::vector<Refusal> refusals;
  const auto found = discover(options, refusals);
  unsetenv("OPMUX_PLUGIN_PATH");
  ASSERT_THAT(names(found), ElementsAre("broken_promise", "null"));
  EXPECT_EQ(found[0].path, listed.file("opmux_broken_promise.so"));
  EXPECT_EQ(found[1].path, named.file("opmux_null.so"));
  std::vector<std::string> reasons;
  for (const auto& r : refusals) reasons.push_back(r.reason);
  EXPECT_THAT(reasons, testing::IsSupersetOf({"not an absolute path", "no such file or directory"}));
}

TEST(Discovery, SideFileGivesPriorityAndPlace) {
  const TempDir dir, elsewhere;
  fill(dir, {"broken_promise"});
  fill(elsewhere, {"null"});
  dir.write("null.opmux.json", R"({"library": ")" + elsewhere.file("opmux_null.so") + R"(", "priority": 5})");
  std::vector<Refusal> refusals;
  EXPECT_THAT(names(discover(only({dir.path()}), refusals)), ElementsAre("null", "broken_promise"));
}

TEST(Discovery, BrokenSideFileIsARefusal) {
  const TempDir dir;
  dir.write("x.opmux.json", "{\"library\": 5}");
  std::vector<Refusal> refusals;
  EXPECT_THAT(discover(only({dir.path()}), refusals), IsEmpty());
  ASSERT_THAT(refusals, SizeIs(1));
  EXPECT_THAT(refusals[0].reason, HasSubstr("not a sound side file: "));
}

TEST(Discovery, FilterNamesWhatItLeavesOut) {
  const TempDir dir;
  fill(dir, {"null", "broken_promise"});
  LoaderOptions options = only({dir.path()});
  options.plugin_filter = "n*";
  std::vector<Refusal> refusals;
  EXPECT_THAT(names(discover(options, refusals)), ElementsAre("null"));
  ASSERT_THAT(refusals, SizeIs(1));
  EXPECT_EQ(refusals[0].stage, "filter");
  EXPECT_EQ(refusals[0].reason, "excluded by the filter 'n*'");
}

TEST(Filter, TakesGlobsAndExclusions) {
  EXPECT_TRUE(matches_filter("", {"cpu"}));
  EXPECT_TRUE(matches_filter("cuda*,cpu,!vulkan", {"cpu"}));
  EXPECT_TRUE(matches_filter("cuda*,cpu,!vulkan", {"cuda12"}));
  EXPECT_FALSE(matches_filter("cuda*,cpu,!vulkan", {"opencl"}));
  EXPECT_FALSE(matches_filter("cuda*,cpu,!vulkan", {"vulkan"}));
  EXPECT_TRUE(matches_filter("!vulkan", {"opencl"}));
  EXPECT_FALSE(matches_filter("!vulkan", {"vulkan"}));
  EXPECT_TRUE(matches_filter("pci:0000:c1:00.0,cpu", {"gpu0", "pci:0000:c1:00.0"}));
}

TEST(DeviceFilter, LeavesOutRoutesAndSaysSo) {
  LoaderOptions options = only({mock("null"), mock("broken_promise")});
  options.device_filter = "cpu0/null";
  const Registry registry(options);
  ASSERT_THAT(registry.routes(), SizeIs(1));
  EXPECT_EQ(registry.routes()[0]->name(), "cpu0/null");
  ASSERT_THAT(registry.refusals(), SizeIs(1));
  EXPECT_EQ(registry.refusals()[0].reason,
            "device 0: cpu0/broken_promise is excluded by the filter 'cpu0/null'");
}

}  // namespace
}  // namespace opmux
