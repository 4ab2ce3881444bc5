// SPDX-License-Identifier: Apache-2.0
// Versions that do not exist yet: a host 1.x made by options, plugins 1.0 and 1.999 with tables of other
// sizes, each ending where a page without access begins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/memory/pool.hpp"
#include "host/queue/queue.hpp"
#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

using test::only_mock;
using testing::SizeIs;

LoaderOptions host_of(uint32_t major_min, uint32_t major_max, uint32_t minor, const char* plugin) {
  LoaderOptions options = only_mock(plugin);
  options.abi = {major_min, major_max, minor};
  return options;
}

// Uses the plugin from end to end.
void use(Registry& registry) {
  ASSERT_THAT(registry.routes(), SizeIs(1)) << registry.refusals()[0].reason;
  Route& route = *registry.routes()[0];
  Pool pool(route);
  Queue queue(route);
  const Block block = pool.allocate(64);
  const char text[] = "there and back";
  char back[sizeof(text)] = {};
  queue.upload(block, 0, text, sizeof(text));
  queue.download(block, 0, back, sizeof(back));
  queue.finish();
  EXPECT_STREQ(back, text);
}

TEST(OldPlugin, WorksInANewerHostWithStubsForWhatItLacks) {
  Registry registry(host_of(1, 1, 1, "old"));
  use(registry);
  const Tables& t = registry.routes()[0]->t();
  ErrRecord err;
  EXPECT_EQ(t.mem.import_host(registry.routes()[0]->dev(), nullptr, 0, nullptr, err.get()),
            OPMUX_E_UNSUPPORTED);
  EXPECT_EQ(err.text(OPMUX_E_UNSUPPORTED), "the plugin has no mem.import_host");
  EXPECT_FALSE(t.present.pack);
  EXPECT_TRUE(t.present.record);
  EXPECT_EQ(t.queue.h.size, sizeof(opmux_queue_api));
}

TEST(FuturePlugin, WorksInAnOlderHost) {
  Registry registry(host_of(1, 1, 0, "future"));
  use(registry);
  EXPECT_TRUE(registry.routes()[0]->t().present.timelines);
}

TEST(FutureHost, OfTwoMajorsTakesPluginsOfTheOlder) {
  Registry registry(host_of(1, 2, 0, "old"));
  use(registry);
}

TEST(Version, HostOfAnotherMajorNamesBothRanges) {
  const Registry registry(host_of(2, 4, 7, "future"));
  ASSERT_THAT(registry.refusals(), SizeIs(1));
  EXPECT_EQ(registry.refusals()[0].reason,
            "wrong version of the plugin interface: the plugin is made for 1.999, this host speaks majors 2 "
            "to 4 (newest "
            "4.7)");
}

TEST(Version, WithinMajorZeroTheMinorMustMatch) {
  const Registry registry(host_of(0, 0, OPMUX_ABI_MINOR + 1, "null"));
  ASSERT_THAT(registry.refusals(), SizeIs(1));
  EXPECT_EQ(registry.refusals()[0].stage, "version");
}

}  // namespace
}  // namespace opmux
