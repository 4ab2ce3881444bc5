// SPDX-License-Identifier: Apache-2.0
// Every plugin that cannot be used gives one clear sentence, and the application goes on.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "host/kernel/kernel_cache.hpp"
#include "kit/desc.hpp"
#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

using test::mock;
using test::only;
using test::only_mock;
using test::TempDir;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

// The one refusal that the plugin causes.
Refusal refusal_of(const LoaderOptions& options) {
  const Registry registry(options);
  EXPECT_THAT(registry.refusals(), SizeIs(1));
  EXPECT_THAT(registry.routes(), SizeIs(0));
  return registry.refusals().empty() ? Refusal{} : registry.refusals()[0];
}

std::string content_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

TEST(RefusedFile, MissingIsNamed) {
  const Refusal r = refusal_of(only({"/nowhere/opmux_x.so"}));
  EXPECT_EQ(r.stage, "file");
  EXPECT_EQ(r.plugin, "opmux_x.so");
  EXPECT_EQ(r.reason, "no such file or directory");
}

TEST(RefusedFile, RelativePathIsNeverSearched) {
  EXPECT_EQ(refusal_of(only({"opmux_null.so"})).reason, "not an absolute path");
}

TEST(RefusedFile, TextIsNoLibrary) {
  const TempDir dir;
  const Refusal r = refusal_of(only({dir.write("opmux_text.so", "#!/bin/sh\necho I am no library\n")}));
  EXPECT_EQ(r.stage, "manifest");
  EXPECT_EQ(r.reason, "not a shared library: no ELF header");
}

TEST(RefusedFile, EmptyIsNoLibrary) {
  const TempDir dir;
  EXPECT_EQ(refusal_of(only({dir.write("opmux_empty.so", "")})).reason,
            "not a shared library: no ELF header");
}

TEST(RefusedFile, ForAnotherArchitectureSaysBoth) {
  const TempDir dir;
  std::string bytes = content_of(mock("null"));
  reinterpret_cast<Elf64_Ehdr*>(bytes.data())->e_machine = EM_S390;
  const Refusal r = refusal_of(only({dir.write("opmux_alien.so", bytes)}));
  EXPECT_THAT(r.reason, ContainsRegex("^wrong architecture: the library is for machine 22, this host is "));
}

TEST(RefusedFile, LibraryWithoutANoteIsNoPlugin) {
  EXPECT_EQ(refusal_of(only({"/proc/self/exe"})).stage, "manifest");
}

// Mapping a truncated library and touching the missing part would end in SIGBUS.
TEST(RefusedFile, TruncatedAnywhereNeverReachesTheLoader) {
  const TempDir dir;
  const std::string whole = content_of(mock("null"));
  for (size_t size = 4; size < whole.size(); size += std::max<size_t>(64, whole.size() / 97)) {
    const Refusal r = refusal_of(only({dir.write("opmux_short.so", whole.substr(0, size))}));
    EXPECT_EQ(r.stage, "manifest") << "at " << size;
    EXPECT_THAT(r.reason, StartsWith("truncated library: ")) << "at " << size;
  }
}

TEST(RefusedVersion, WrongMajorNamesBothRanges) {
  const Refusal r = refusal_of(only_mock("wrong_major"));
  EXPECT_EQ(r.plugin, "wrong_major");
  EXPECT_EQ(r.stage, "version");
  EXPECT_EQ(
      r.reason,
      "wrong version of the plugin interface: the plugin is made for 7.3, this host speaks 0.1 exactly");
}

TEST(RefusedVersion, WrongSanitizerIsSaid) {
  const Refusal r = refusal_of(only_mock("wrong_sanitizer"));
  EXPECT_EQ(r.stage, "sanitizer");
  EXPECT_THAT(r.reason,
              ContainsRegex("^wrong sanitizer: the plugin is built with .*Sanitizer, this host with "));
}

TEST(RefusedAnswer, ContradictionOfTheNoteIsNotBelieved) {
  const Refusal r = refusal_of(only_mock("contradicts"));
  EXPECT_EQ(r.stage, "load");
  EXPECT_EQ(r.reason,
            "contradicts: the plugin contradicts its manifest: it answers name 'somebody_else' and flags 0, "
            "the note "
            "says 'contradicts' and 0");
}

TEST(RefusedAnswer, MissingTableIsNamed) {
  EXPECT_EQ(refusal_of(only_mock("missing_table")).reason, "missing_table: the plugin has no QUEUE table");
}

TEST(RefusedDriver, MissingDriverKeepsThePluginsOwnWords) {
  const Refusal r = refusal_of(only_mock("no_driver"));
  EXPECT_EQ(r.stage, "open");
  EXPECT_EQ(r.reason, "no_driver: libnodriver.so.1 is not installed");
}

TEST(RefusedDriver, NoDeviceIsSaid) {
  EXPECT_EQ(refusal_of(only_mock("no_device")).reason, "it found no device");
}

TEST(MissingEntries, AreStubsAndTheRestWorks) {
  Registry registry(only_mock("missing_entries"));
  ASSERT_THAT(registry.routes(), SizeIs(1));
  Route& route = *registry.routes()[0];
  ErrRecord err;
  uint64_t free_bytes = 0;
  EXPECT_EQ(route.t().dev.status(route.dev(), &free_bytes, err.get()), OPMUX_E_UNSUPPORTED);
  EXPECT_EQ(err.text(OPMUX_E_UNSUPPORTED), "the plugin has no dev.status");
  EXPECT_FALSE(route.t().present.record);
  EXPECT_FALSE(route.t().present.map);
  EXPECT_FALSE(route.t().present.timelines);
  EXPECT_FALSE(route.t().present.pack);
}

TEST(BrokenPromise, IsAnErrorOnceAndARefusalAfterwards) {
  Registry registry(only_mock("broken_promise"));
  ASSERT_THAT(registry.routes(), SizeIs(1));
  Route& route = *registry.routes()[0];
  kit::Desc<opmux_op_matmul> d(OPMUX_OP_MATMUL);
  d.in(kit::tensor(OPMUX_F32, {2, 3})).in(kit::tensor(OPMUX_F32, {3, 4})).out(kit::tensor(OPMUX_F32, {2, 4}));
  d->acc_dtype = OPMUX_F32;
  KernelCache cache;
  const Capability said = cache.query(route, *d.opd());
  ASSERT_TRUE(said.yes()) << reason_sentence(route, *d.opd(), said);
  try {
    cache.prepare(route, *d.opd(), said);
    FAIL() << "prepare must fail";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), OPMUX_E_BROKEN_PROMISE);
    EXPECT_EQ(
        e.text(),
        "cpu0/broken_promise: cannot prepare MATMUL, though it had said that it could: the compiler of this "
        "device refuses the kernel");
  }
  const Capability now = cache.query(route, *d.opd());
  EXPECT_FALSE(now.yes());
  EXPECT_EQ(reason_sentence(route, *d.opd(), now),
            "broken_promise refused MATMUL: it broke its promise before: the compiler of this device refuses "
            "the kernel");
}

}  // namespace
}  // namespace opmux
