// SPDX-License-Identifier: Apache-2.0
#include "host/loader/inventory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "host/platform/log.hpp"
#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

namespace fs = std::filesystem;
using test::mock;
using test::only_mock;
using test::TempDir;
using testing::HasSubstr;

class InventoryTest : public testing::Test {
 protected:
  void SetUp() override {
    candidate_.path = mock("probed");
    candidate_.manifest.name = "probed";
    outcome_.infos.resize(1);
    outcome_.infos[0].h = OPMUX_HDR(opmux_devinfo);
    outcome_.infos[0].index = 3;
    std::memcpy(outcome_.infos[0].name, "Card", 5);
    log::set_sink([this](log::Level level, std::string_view, std::string_view text) {
      if (level <= log::Level::kWarning) said_ += text;
    });
  }
  void TearDown() override { log::set_sink({}); }
  std::string file() const { return fs::directory_iterator(dir_.file("inventory"))->path().string(); }
  LoaderOptions cached(const char* name) const {
    LoaderOptions options = only_mock(name);
    options.use_cache = true;
    options.cache_dir = dir_.path();
    return options;
  }

  TempDir dir_;
  Candidate candidate_;
  ProbeOutcome outcome_;
  std::string said_;
};

TEST_F(InventoryTest, GivesBackWhatWasStored) {
  outcome_.bad_devices[1] = "broken \"quote\"";
  Inventory(dir_.path()).store(candidate_, {}, outcome_);
  const auto found = Inventory(dir_.path()).find(candidate_, {});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->cached);
  ASSERT_EQ(found->infos.size(), 1u);
  EXPECT_EQ(std::memcmp(&found->infos[0], &outcome_.infos[0], sizeof(opmux_devinfo)), 0);
  EXPECT_EQ(found->bad_devices, outcome_.bad_devices);
}

TEST_F(InventoryTest, IsForgottenWhenPluginDriversOrConfigChange) {
  Inventory(dir_.path()).store(candidate_, {}, outcome_);
  Candidate other = candidate_;
  other.manifest.build_id = "77";
  EXPECT_FALSE(Inventory(dir_.path()).find(other, {}));
  EXPECT_FALSE(Inventory(dir_.path()).find(candidate_, {{"probed.key", "1"}}));
  EXPECT_TRUE(Inventory(dir_.path()).find(candidate_, {{"another.key", "1"}}));
  setenv("VK_ICD_FILENAMES", "/some/other/driver.json", 1);
  EXPECT_FALSE(Inventory(dir_.path()).find(candidate_, {}));
  unsetenv("VK_ICD_FILENAMES");
  EXPECT_TRUE(Inventory(dir_.path()).find(candidate_, {}));
  EXPECT_EQ(said_, "");
}

TEST_F(InventoryTest, DamageIsIgnoredWithALine) {
  Inventory(dir_.path()).store(candidate_, {}, outcome_);
  std::ostringstream whole;
  whole << std::ifstream(file()).rdbuf();
  const std::string text = whole.str();
  for (const size_t at : {size_t{0}, text.size() / 3, text.size() / 2, text.size() - 3}) {
    std::string bad = text;
    bad[at] = bad[at] == 'a' ? 'b' : 'a';
    std::ofstream(file()) << bad;
    said_.clear();
    EXPECT_FALSE(Inventory(dir_.path()).find(candidate_, {})) << "byte " << at;
    EXPECT_THAT(said_, HasSubstr("is ignored")) << "byte " << at;
  }
  std::ofstream(file()) << text.substr(0, text.size() / 2);
  EXPECT_FALSE(Inventory(dir_.path()).find(candidate_, {}));
  std::ofstream(file()) << "[1, 2]";
  EXPECT_FALSE(Inventory(dir_.path()).find(candidate_, {}));
}

TEST_F(InventoryTest, ARegistryProbesOnceAndThenReads) {
  EXPECT_EQ(Registry(cached("probed")).routes().size(), 2u);
  LoaderOptions again = cached("probed");
  again.probe_program = "/bin/false";  // would say a word if it were asked
  const Registry second(again);
  ASSERT_EQ(second.routes().size(), 2u);
  EXPECT_EQ(second.routes()[1]->name(), "accel1/probed");
  EXPECT_FALSE(second.plugins()[0]->is_open());
  EXPECT_EQ(said_, "");
}

TEST_F(InventoryTest, ARefusalIsRememberedToo) {
  EXPECT_EQ(Registry(cached("crash")).refusals().size(), 1u);
  LoaderOptions again = cached("crash");
  again.probe_program = "/bin/false";
  const Registry second(again);
  ASSERT_EQ(second.refusals().size(), 1u);
  EXPECT_THAT(second.refusals()[0].reason, HasSubstr("probe crashed"));
  EXPECT_EQ(said_, "");
}

TEST_F(InventoryTest, ADirectoryOpenToOthersIsNotUsed) {
  chmod(dir_.path().c_str(), 0755);
  const Registry registry(cached("probed"));
  EXPECT_EQ(registry.routes().size(), 2u);
  EXPECT_THAT(said_, HasSubstr("mode is 755, it must be 700"));
  EXPECT_TRUE(fs::is_empty(dir_.path()));
}

}  // namespace
}  // namespace opmux
