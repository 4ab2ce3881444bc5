// SPDX-License-Identifier: Apache-2.0
#include "host/loader/hardware.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.hpp"

namespace opmux {
namespace {

using test::TempDir;

void add_card(const TempDir& sysfs, const std::string& address, const char* cls, const char* vendor,
              const char* device) {
  const std::string folder = sysfs.path() + "/bus/pci/devices/" + address;
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/class") << cls << "\n";
  std::ofstream(folder + "/vendor") << vendor << "\n";
  std::ofstream(folder + "/device") << device << "\n";
}

opmux_devinfo gpu(const char* pci, uint32_t vendor = 0, uint32_t device = 0) {
  opmux_devinfo info{};
  info.kind = OPMUX_DEV_GPU;
  info.vendor_id = vendor;
  info.device_id = device;
  std::memcpy(info.pci, pci, std::strlen(pci));
  std::memcpy(info.name, "Test Card", 9);
  return info;
}

class Hardware : public testing::Test {
 protected:
  void SetUp() override {
    add_card(sysfs_, "0000:c1:00.0", "0x030000", "0x10de", "0x2684");
    add_card(sysfs_, "0000:01:00.0", "0x038000", "0x1002", "0x744c");
    add_card(sysfs_, "0000:02:00.0", "0x030000", "0x1a03", "0x2000");  // a server's screen
    add_card(sysfs_, "0000:03:00.0", "0x020000", "0x8086", "0x1521");  // a network card
  }
  TempDir sysfs_;
};

TEST_F(Hardware, ListsTheCpuAndTheCardsByAddress) {
  const auto devices = find_hardware(sysfs_.path());
  ASSERT_EQ(devices.size(), 3u);
  EXPECT_EQ(devices[0].name, "cpu0");
  EXPECT_EQ(devices[0].id, "cpu");
  EXPECT_GT(devices[0].memory_bytes, 0u);
  EXPECT_EQ(devices[1].name, "gpu0");
  EXPECT_EQ(devices[1].id, "pci:0000:01:00.0");
  EXPECT_EQ(devices[2].name, "gpu1");
  EXPECT_EQ(devices[2].id, "pci:0000:c1:00.0");
}

TEST_F(Hardware, ManyRoutesMeetInOneCard) {
  auto devices = find_hardware(sysfs_.path());
  EXPECT_EQ(place_device(devices, "cuda", gpu("0000:c1:00.0")), 2u);
  EXPECT_EQ(place_device(devices, "vulkan", gpu("0000:C1:00.0")), 2u);
  EXPECT_EQ(place_device(devices, "opencl", gpu("", 0x10de, 0x2684)), 2u);
  EXPECT_EQ(devices.size(), 3u);
  EXPECT_EQ(devices[2].title, "Test Card");
}

TEST_F(Hardware, TwoAddressesNeverMergeEvenWithOneUuid) {
  auto devices = find_hardware(sysfs_.path());
  opmux_devinfo a = gpu("0000:c1:00.0"), b = gpu("0000:d1:00.0");
  a.uuid[0] = b.uuid[0] = 7;
  EXPECT_NE(place_device(devices, "cuda", a), place_device(devices, "cuda", b));
}

TEST_F(Hardware, ARouteWithoutAnAddressIsFoundByItsUuid) {
  add_card(sysfs_, "0000:d1:00.0", "0x030000", "0x10de", "0x2684");
  auto devices = find_hardware(sysfs_.path());
  opmux_devinfo with = gpu("0000:d1:00.0", 0x10de, 0x2684), without = gpu("", 0x10de, 0x2684);
  with.uuid[5] = without.uuid[5] = 8;
  EXPECT_EQ(place_device(devices, "cuda", with), 3u);
  EXPECT_EQ(place_device(devices, "vulkan", without), 3u);
}

TEST_F(Hardware, TwinsWithoutAddressesStayApart) {
  auto devices = find_hardware(sysfs_.path());
  opmux_devinfo a = gpu("", 0x1234, 1), b = gpu("", 0x1234, 1);
  a.uuid[0] = 1;
  b.uuid[0] = 2;
  const size_t first = place_device(devices, "x", a), second = place_device(devices, "x", b);
  EXPECT_EQ(devices[first].name, "gpu2");
  EXPECT_EQ(devices[second].name, "gpu3");
  EXPECT_EQ(place_device(devices, "x", a), first);
}

TEST_F(Hardware, CpuDriversAreRoutesOfTheCpu) {
  auto devices = find_hardware(sysfs_.path());
  opmux_devinfo pocl = gpu("");
  pocl.kind = OPMUX_DEV_CPU;
  pocl.uuid[3] = 9;
  EXPECT_EQ(place_device(devices, "opencl", pocl), 0u);
  EXPECT_EQ(place_device(devices, "vulkan", pocl), 0u);
  EXPECT_EQ(devices.size(), 3u);
}

}  // namespace
}  // namespace opmux
