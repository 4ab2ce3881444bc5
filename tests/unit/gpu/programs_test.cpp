// SPDX-License-Identifier: Apache-2.0
// What of kernels is made once, and what the disk cache spares, with a driver that only counts.
#include "gpu/programs.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/unit/gpu/blob_host.hpp"

namespace opmux::gpu {
namespace {

Bytes bytes_of(const std::string& text) {
  const auto* b = reinterpret_cast<const std::byte*>(text.data());
  return {b, b + text.size()};
}

class Counting : public Device {
 public:
  std::unique_ptr<Memory> allocate(uint32_t, uint64_t, uint64_t) override { return nullptr; }
  std::unique_ptr<Stream> stream() override { return nullptr; }
  void write(const Memory&, uint64_t, std::span<const uint32_t>) override {}
  uint64_t range_align() const override { return 4; }
  uint64_t free_bytes() override { return 0; }
  Language language() const override { return Language::kOpenCl; }
  std::string compiler() const override { return version; }
  std::unique_ptr<Program> build(const Source&, const std::string& text, Binary& binary) override {
    if (fail) throw DriverError(OPMUX_E_OUT_OF_MEMORY, OPMUX_NATIVE_NONE, 0, "no memory");
    if (binary.bytes == bytes_of("binary of " + text)) return std::make_unique<Program>();
    ++compiled;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    binary.compiled = true;
    if (binary.wanted) binary.bytes = bytes_of("binary of " + text);
    return std::make_unique<Program>();
  }
  bool binaries_are_dear() const override { return dear; }
  std::string driver_cache_key() const override { return keeps ? "pipelines" : ""; }
  void take_driver_cache(const Bytes& b) override { taken = b; }
  Bytes driver_cache() override { return kept; }

  std::string version = "driver 1";
  std::atomic<int> compiled{0};
  bool fail = false, keeps = false, dear = false;
  Bytes taken, kept;
};

Source source(uint32_t dtype) {
  Source s;
  s.file = &kernel_file("copy");
  s.types = {{"x", dtype}, {"y", dtype}};
  return s;
}

TEST(Programs, ATextIsCompiledOnceForAllThreadsThatAsk) {
  Counting device;
  test::BlobHost host;
  Programs programs(device, *host.api());
  std::vector<const Program*> got(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < got.size(); ++i)
    threads.emplace_back([&, i] { got[i] = programs.get(source(i % 2 ? OPMUX_U32 : OPMUX_U8)); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(device.compiled, 2);
  EXPECT_NE(got[0], got[1]);
  for (size_t i = 2; i < got.size(); ++i) EXPECT_EQ(got[i], got[i - 2]);
}

TEST(Programs, ASecondStartCompilesNothing) {
  test::BlobHost host;
  for (int start = 0; start < 2; ++start) {
    Counting device;
    Programs programs(device, *host.api());
    programs.get(source(OPMUX_U8));
    programs.get(source(OPMUX_U16));
    EXPECT_EQ(device.compiled, start == 0 ? 2 : 0);
  }
  EXPECT_EQ(host.lines("compiled kernel copy"), 2);
}

TEST(Programs, AnotherDriverTakesNothingOfThis) {
  test::BlobHost host;
  for (const char* version : {"driver 1", "driver 2"}) {
    Counting device;
    device.version = version;
    Programs programs(device, *host.api());
    programs.get(source(OPMUX_U8));
    EXPECT_EQ(device.compiled, 1) << version;
  }
}

TEST(Programs, ABinaryThatTheDriverRefusesIsMadeAnew) {
  test::BlobHost host;
  for (int start = 0; start < 3; ++start) {
    Counting device;
    Programs programs(device, *host.api());
    programs.get(source(OPMUX_U8));
    EXPECT_EQ(device.compiled, start < 2 ? 1 : 0);
    if (start == 0) host.spoil();
  }
}

TEST(Programs, AHostThatKeepsNothingIsNotGivenAnything) {
  test::BlobHost host;
  host.keeps = false;
  Counting device;
  Programs programs(device, *host.api());
  programs.get(source(OPMUX_U8));
  EXPECT_EQ(device.compiled, 1);
  EXPECT_EQ(host.puts, 0);
}

TEST(Programs, DearBinariesAreKeptOnlyWhenTheSettingSaysSo) {
  for (const char* setting : {static_cast<const char*>(nullptr), "off", "on"}) {
    test::BlobHost host;
    host.binaries = setting;
    Counting device;
    device.dear = true;
    Programs programs(device, *host.api());
    programs.get(source(OPMUX_U8));
    EXPECT_EQ(host.puts, setting && std::string_view(setting) == "on" ? 1 : 0);
  }
}

TEST(Programs, WhatFailedIsTriedAgain) {
  test::BlobHost host;
  Counting device;
  Programs programs(device, *host.api());
  device.fail = true;
  EXPECT_THROW(programs.get(source(OPMUX_U8)), DriverError);
  device.fail = false;
  EXPECT_NE(programs.get(source(OPMUX_U8)), nullptr);
}

TEST(Programs, WhatTheDriverKeepsComesBackAndIsSavedOnlyWhenItChanged) {
  test::BlobHost host;
  for (const char* kept : {"first", "first", "second"}) {
    Counting device;
    device.keeps = true;
    const int before = host.puts;
    Bytes had;
    {
      Programs programs(device, *host.api());
      had = device.taken;
      device.kept = bytes_of(kept);
    }
    EXPECT_EQ(host.puts - before, had == bytes_of(kept) ? 0 : 1);
  }
  Counting device;
  device.keeps = true;
  Programs programs(device, *host.api());
  EXPECT_EQ(device.taken, bytes_of("second"));
}

}  // namespace
}  // namespace opmux::gpu
