// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "kit/plugin.h"
#include "kit/raw_loader.hpp"

namespace {

using opmux::kit::RawPlugin;

std::string run(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[256];
  while (pipe && fgets(buffer, sizeof buffer, pipe)) out += buffer;
  if (pipe) pclose(pipe);
  return out;
}

opmux_offer offer(uint32_t min, uint32_t max, uint32_t minor) {
  opmux_offer o{};
  o.h.size = sizeof o;
  o.major_min = min;
  o.major_max = max;
  o.minor = minor;
  return o;
}

opmux_answer ask(const opmux_offer& o, uint32_t major, uint32_t minor) {
  opmux_manifest m{};
  m.size = sizeof m;
  m.abi_major = major;
  m.abi_minor = minor;
  m.flags = OPMUX_PF_NEVER_AUTO;
  std::strcpy(m.name, "asked");
  std::strcpy(m.version, "3.1");
  const opmux_core_api core{};
  opmux_answer a{};
  a.h.size = sizeof a;
  kit_answer(&o, &a, &m, &core);
  EXPECT_EQ(a.core != nullptr, a.status == OPMUX_OK);
  EXPECT_EQ(a.need_min, major);
  EXPECT_EQ(a.need_max, major);
  return a;
}

class Toy : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Languages, Toy, testing::Values(TOY_C, TOY_CPP));

TEST(Answer, AcceptsTheSameMajorZeroAndMinor) { EXPECT_EQ(ask(offer(0, 0, 1), 0, 1).status, OPMUX_OK); }
TEST(Answer, RefusesAnotherMinorOfMajorZero) {
  EXPECT_EQ(ask(offer(0, 0, 2), 0, 1).status, OPMUX_E_VERSION);
  EXPECT_EQ(ask(offer(0, 0, 0), 0, 1).status, OPMUX_E_VERSION);
}
TEST(Answer, RefusesMajorZeroWhenTheOfferDoesNotStateItsMinor) {
  EXPECT_EQ(ask(offer(0, 1, 1), 0, 1).status, OPMUX_E_VERSION);
}
TEST(Answer, AcceptsAnyMinorFromMajorOneOn) {
  EXPECT_EQ(ask(offer(1, 1, 0), 1, 7).status, OPMUX_OK);
  EXPECT_EQ(ask(offer(1, 2, 9), 1, 7).status, OPMUX_OK);
  EXPECT_EQ(ask(offer(1, 1, 9), 1, 7).minor, 7u);
}
TEST(Answer, RefusesAMajorOutsideTheRangeAndSaysWhatItNeeds) {
  EXPECT_EQ(ask(offer(7, 7, 0), 1, 0).status, OPMUX_E_VERSION);
  EXPECT_EQ(ask(offer(0, 0, 1), 1, 0).status, OPMUX_E_VERSION);
}
TEST(Answer, WritesNoByteBeyondTheSizeOfTheAnswer) {
  for (uint32_t size = 0; size <= sizeof(opmux_answer); ++size) {
    unsigned char raw[sizeof(opmux_answer) + 8];
    std::memset(raw, 0xab, sizeof raw);
    auto* a = reinterpret_cast<opmux_answer*>(raw);
    a->h.size = size;
    opmux_manifest m{};
    const opmux_offer o = offer(0, 0, 1);
    kit_answer(&o, a, &m, nullptr);
    for (size_t i = size < sizeof(opmux_hdr) ? sizeof(opmux_hdr) : size; i < sizeof raw; ++i)
      ASSERT_EQ(raw[i], 0xab) << "size " << size << " byte " << i;
  }
}
TEST(Answer, ToleratesNullAndShortOffers) {
  opmux_manifest m{};
  opmux_answer a{};
  a.h.size = sizeof a;
  kit_answer(nullptr, &a, &m, nullptr);
  EXPECT_EQ(a.status, OPMUX_E_VERSION);
  opmux_offer o = offer(0, 0, 0);
  o.h.size = sizeof(opmux_hdr);
  kit_answer(&o, &a, &m, nullptr);
  EXPECT_EQ(a.status, OPMUX_E_VERSION);
  kit_answer(&o, nullptr, &m, nullptr);
}

TEST_P(Toy, StatesNameVersionFlagsAndSanitizer) {
  const opmux_offer o = offer(OPMUX_ABI_MAJOR, OPMUX_ABI_MAJOR, OPMUX_ABI_MINOR);
  opmux_answer a{};
  a.h.size = sizeof a;
  RawPlugin::entry(GetParam())(&o, &a);
  EXPECT_EQ(a.status, OPMUX_OK);
  EXPECT_EQ(std::string(a.name.data, a.name.size), "toy");
  EXPECT_EQ(std::string(a.version.data, a.version.size), "0.1");
  EXPECT_EQ(a.flags, OPMUX_PF_UNLOADABLE | OPMUX_PF_FORK_SAFE);
  EXPECT_EQ(a.sanitizer, uint32_t{OPMUX_SANITIZER});
}
TEST_P(Toy, StatesTheBuildIdThatTheLinkerWrote) {
  const opmux_offer o = offer(0, 0, 1);
  opmux_answer a{};
  a.h.size = sizeof a;
  RawPlugin::entry(GetParam())(&o, &a);
  const std::string notes = run(std::string("readelf -n ") + GetParam());
  const size_t at = notes.find("Build ID: ");
  const std::string id(a.build_id.data, a.build_id.size);
  if (at == std::string::npos)
    EXPECT_EQ(id, "0.1");
  else
    EXPECT_EQ(notes.substr(at + 10, id.size() + 1), id + "\n");
}
TEST_P(Toy, ExportsOneSymbol) {
  EXPECT_EQ(run(std::string("nm -D --defined-only -f posix ") + GetParam() +
                " | cut -d' ' -f1 | grep -v asan_globals"),
            "opmux_plugin_query\n");
}
TEST_P(Toy, CarriesItsManifestAsANoteOfTheFile) {
  std::ifstream file(GetParam(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const size_t at = bytes.find(std::string("\6\0\0\0\x58\0\0\0\1\0\0\0Opmux\0\0\0", 20));
  ASSERT_NE(at, std::string::npos);
  opmux_manifest m{};
  std::memcpy(&m, bytes.data() + at + 20, sizeof m);
  EXPECT_EQ(m.size, sizeof m);
  EXPECT_EQ(m.abi_major, OPMUX_ABI_MAJOR);
  EXPECT_EQ(m.abi_minor, OPMUX_ABI_MINOR);
  EXPECT_EQ(m.flags, OPMUX_PF_UNLOADABLE | OPMUX_PF_FORK_SAFE);
  EXPECT_STREQ(m.name, "toy");
  EXPECT_STREQ(m.version, "0.1");
  EXPECT_NE(run(std::string("readelf -n ") + GetParam()).find("Opmux"), std::string::npos);
}

}  // namespace
