// SPDX-License-Identifier: Apache-2.0
// Drivers that crash, hang or leave: in a child, within the limits, with a reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "host/platform/log.hpp"
#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

using test::mock;
using test::only;
using test::only_mock;
using test::TempDir;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

// Short limits: a mock needs microseconds, and what a busy machine takes is not counted.
LoaderOptions quick(LoaderOptions options) {
  options.limits.load_ns = 500'000'000;
  options.limits.device_ns = 500'000'000;
  options.limits.compile_ns = 500'000'000;
  return options;
}

std::string reason_of(const LoaderOptions& options) {
  const Registry registry(options);
  EXPECT_THAT(registry.routes(), SizeIs(0));
  EXPECT_THAT(registry.refusals(), SizeIs(1));
  return registry.refusals().empty() ? "" : registry.refusals()[0].reason;
}

class Crash : public testing::TestWithParam<std::pair<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Stages, Crash,
                         testing::Values(std::pair("crash_load", "loading the library"),
                                         std::pair("crash_open", "opening the plugin"),
                                         std::pair("crash", "enumerating devices")),
                         [](const auto& info) { return std::string(info.param.first); });

TEST_P(Crash, IsAReasonWithSignalLibraryAndStage) {
  const auto [name, stage] = GetParam();
  EXPECT_THAT(reason_of(quick(only_mock(name))), StartsWith("probe crashed (signal 11, SIGSEGV) in opmux_" +
                                                            std::string(name) + ".so while " + stage));
}

TEST(ProbeAbort, NamesTheLibraryAndItsLastWords) {
  EXPECT_EQ(reason_of(quick(only_mock("abort"))),
            "probe crashed (signal 6, SIGABRT) in opmux_abort.so while enumerating devices; it said: the "
            "driver found "
            "its own state broken");
}

TEST(ProbeExit, IsAReasonWithTheStatus) {
  EXPECT_EQ(reason_of(quick(only_mock("exit"))), "probe ended with status 7 while opening the plugin");
}

class Hang : public testing::TestWithParam<std::pair<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(Stages, Hang,
                         testing::Values(std::pair("hang_load", "loading the library"),
                                         std::pair("hang_open", "opening the plugin"),
                                         std::pair("hang", "enumerating devices"),
                                         std::pair("spin", "enumerating devices")),
                         [](const auto& info) { return std::string(info.param.first); });

TEST_P(Hang, IsAReasonWithLimitAndStage) {
  const auto [name, stage] = GetParam();
  EXPECT_EQ(reason_of(quick(only_mock(name))), "probe hung: no end within 0.5 s while " + std::string(stage));
}

TEST(ProbeHang, EndsWithinTheStatedThreeSeconds) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(reason_of(only_mock("hang")), "probe hung: no end within 3 s while enumerating devices");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took.count(), 2.9);
  // Start of the child and a busy machine come on top; the sleeping child itself is charged in full.
  EXPECT_LE(took.count(), 10.0);
}

TEST(ProbeDevice, CrashOfOneLeavesTheOther) {
  const Registry registry(quick(only_mock("crash_second")));
  ASSERT_THAT(registry.routes(), SizeIs(1));
  EXPECT_EQ(registry.routes()[0]->alias(), "crash_second:0");
  ASSERT_THAT(registry.refusals(), SizeIs(1));
  EXPECT_EQ(registry.refusals()[0].stage, "device");
  EXPECT_THAT(registry.refusals()[0].reason, StartsWith("device 1: probe crashed (signal 11, SIGSEGV) in "
                                                        "opmux_crash_second.so while opening device 1"));
}

TEST(ProbeDevice, HangOfOneLeavesTheOther) {
  const Registry registry(quick(only_mock("hang_second")));
  ASSERT_THAT(registry.routes(), SizeIs(1));
  ASSERT_THAT(registry.refusals(), SizeIs(1));
  EXPECT_EQ(registry.refusals()[0].reason,
            "device 1: probe hung: no end within 0.5 s while opening device 1");
}

TEST(ProbeDevice, CrashInTheCompilerIsADeviceReason) {
  const Registry registry(quick(only_mock("crash_prepare")));
  EXPECT_THAT(registry.routes(), IsEmpty());
  ASSERT_THAT(registry.refusals(), SizeIs(1));
  EXPECT_THAT(registry.refusals()[0].reason, HasSubstr("while preparing a matmul on device 0"));
}

TEST(ProbeDevice, WrongBytesAreFound) {
  const Registry registry(quick(only_mock("garbles")));
  EXPECT_THAT(registry.routes(), IsEmpty());
  ASSERT_THAT(registry.refusals(), SizeIs(1));
  EXPECT_THAT(
      registry.refusals()[0].reason,
      ContainsRegex(
          "device 0: wrong result of a copy to the device and back: element 0 is .*, expected -?[0-2]"));
}

TEST(ProbeDevice, WrongMatmulIsFound) {
  const Registry registry(quick(only_mock("miscomputes")));
  EXPECT_THAT(registry.routes(), IsEmpty());
  ASSERT_THAT(registry.refusals(), SizeIs(1));
  EXPECT_THAT(registry.refusals()[0].reason,
              ContainsRegex("device 0: wrong result of a 64x64 matmul: element [0-9]+ is .*, expected "));
}

TEST(Probe, SeveralBadPluginsAtOnceLeaveTheGoodOnes) {
  const Registry registry(quick(only({mock("hang"), mock("crash"), mock("hang_open"), mock("null"),
                                      mock("abort"), mock("broken_promise")})));
  EXPECT_THAT(registry.refusals(), SizeIs(4));
  ASSERT_THAT(registry.routes(), SizeIs(2));
  EXPECT_EQ(registry.routes()[0]->name(), "cpu0/broken_promise");
  EXPECT_EQ(registry.routes()[1]->name(), "cpu0/null");
}

TEST(Probe, WithoutTheProgramThePluginIsOpenedHere) {
  LoaderOptions options = only_mock("probed");
  options.probe_program = "/nowhere/opmux-probe";
  std::vector<std::string> said;
  log::set_sink([&](log::Level, std::string_view, std::string_view text) { said.emplace_back(text); });
  const Registry registry(options);
  log::set_sink({});
  EXPECT_THAT(registry.routes(), SizeIs(2));
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(
      said[0],
      "/nowhere/opmux-probe cannot be started: No such file or directory; probed is opened in this process, "
      "unprotected from its drivers");
}

TEST(Probe, AProgramThatCannotRunIsNoVerdictOnThePlugin) {
  LoaderOptions options = only_mock("probed");
  options.probe_program = "/bin/false";
  log::set_sink([](log::Level, std::string_view, std::string_view) {});
  const Registry registry(options);
  log::set_sink({});
  EXPECT_THAT(registry.routes(), SizeIs(2));
}

TEST(Probe, WorksWhereTheApplicationIgnoresChildren) {
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGCHLD, &ignore, &before);
  const std::string reason = reason_of(quick(only_mock("crash")));
  sigaction(SIGCHLD, &before, nullptr);
  EXPECT_THAT(reason,
              StartsWith("probe crashed (signal 11, SIGSEGV) in opmux_crash.so while enumerating devices"));
}

TEST(Probe, LeavesNoChildBehind) {
  {
    const Registry registry(quick(only({mock("hang"), mock("crash"), mock("probed")})));
  }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace opmux
