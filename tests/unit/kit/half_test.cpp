// SPDX-License-Identifier: Apache-2.0
#include "kit/half.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

extern "C" {
double oracle_f16_to_double(uint16_t bits);
uint16_t oracle_double_to_f16(double x);
}

namespace {

using namespace opmux::kit;

void expect_same(double got, double want, uint32_t code) {
  if (std::isnan(want)) {
    EXPECT_TRUE(std::isnan(got)) << code;
  } else {
    EXPECT_EQ(std::bit_cast<uint64_t>(got), std::bit_cast<uint64_t>(want)) << code;
  }
}

// bf16 by the classic formula on float bits.
uint16_t bf16_by_hand(float x) {
  const uint32_t u = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) return uint16_t((u >> 16 & 0x8000) | 0x7fc0);
  return uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

TEST(Half, DecodesEveryF16CodeAsTheCompilerDoes) {
  for (uint32_t c = 0; c < 65536; ++c)
    expect_same(f16_to_double(uint16_t(c)), oracle_f16_to_double(uint16_t(c)), c);
}
TEST(Half, EncodesEveryF16MidpointAndItsNeighboursAsTheCompilerDoes) {
  for (uint32_t c = 0; c < 0x7c00; ++c) {
    const double low = f16_to_double(uint16_t(c)),
                 high = c == 0x7bff ? 65536 : f16_to_double(uint16_t(c + 1));
    const double middle = low + (high - low) / 2;
    for (double x : {low, middle, std::nextafter(middle, 0.0), std::nextafter(middle, 1e9)})
      for (double s : {x, -x}) ASSERT_EQ(double_to_f16(s), oracle_double_to_f16(s)) << s;
  }
}
TEST(Half, EncodesRandomDoublesAsTheCompilerDoes) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    const int exponent = int(random() % 50) - 30;
    const double x = std::ldexp(double(random()), exponent - 64) * (random() & 1 ? 1 : -1);
    ASSERT_EQ(double_to_f16(x), oracle_double_to_f16(x)) << x;
  }
}
TEST(Half, EncodesSpecialValues) {
  const double inf = INFINITY;
  EXPECT_EQ(double_to_f16(inf), 0x7c00);
  EXPECT_EQ(double_to_f16(-inf), 0xfc00);
  EXPECT_EQ(double_to_f16(-0.0), 0x8000);
  EXPECT_EQ(double_to_f16(1e300), 0x7c00);
  EXPECT_EQ(double_to_f16(5e-324), 0);
  EXPECT_TRUE(std::isnan(f16_to_double(double_to_f16(NAN))));
  EXPECT_EQ(encode(kF16, 1e9, true), 0x7bffu);
  EXPECT_EQ(encode(kF16, -inf, true), 0xfbffu);
}
TEST(Half, DecodesAndEncodesEveryBf16Code) {
  for (uint32_t c = 0; c < 65536; ++c) {
    const double want = double(std::bit_cast<float>(c << 16));
    expect_same(bf16_to_double(uint16_t(c)), want, c);
    expect_same(decode(kBf16, c), want, c);
    if (!std::isnan(want)) {
      ASSERT_EQ(double_to_bf16(want), c);
    }
  }
}
TEST(Half, RoundsFloatsToBf16LikeTheBitFormula) {
  std::mt19937 random(2);
  for (int i = 0; i < 200000; ++i) {
    const uint32_t bits = i < 65536 ? uint32_t(i) << 16 | 0x8000 : uint32_t(random());
    const float x = std::bit_cast<float>(bits);
    if (std::isnan(x)) continue;
    ASSERT_EQ(double_to_bf16(x), bf16_by_hand(x)) << x;
  }
}

struct Small {
  const char* name;
  FloatFormat format;
  std::vector<double> positive;  // every number of the format that is not negative, in order, by hand
};
std::ostream& operator<<(std::ostream& out, const Small& s) { return out << s.name; }

std::vector<double> by_definition(int exponents, int mantissas, int bias, int drop) {
  std::vector<double> v;
  for (int e = 0; e < exponents; ++e)
    for (int m = 0; m < mantissas; ++m)
      v.push_back(e == 0 ? std::pow(2.0, 1 - bias) * m / mantissas
                         : std::pow(2.0, e - bias) * (1 + double(m) / mantissas));
  v.resize(v.size() - size_t(drop));
  return v;
}

class SmallFloat : public testing::TestWithParam<Small> {};
INSTANTIATE_TEST_SUITE_P(Formats, SmallFloat,
                         testing::Values(Small{"e4m3fn", kE4m3fn, by_definition(16, 8, 7, 1)},
                                         Small{"e5m2", kE5m2, by_definition(31, 4, 15, 0)},
                                         Small{"e2m1", kE2m1, {0, .5, 1, 1.5, 2, 3, 4, 6}}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(SmallFloat, DecodesEveryCode) {
  const Small& s = GetParam();
  const int bits = s.format.exponent + s.format.mantissa;
  for (uint32_t c = 0; c < s.positive.size(); ++c) {
    expect_same(decode(s.format, c), s.positive[c], c);
    expect_same(decode(s.format, c | 1u << bits), -s.positive[c], c);
  }
  EXPECT_EQ(max_code(s.format), s.positive.size() - 1);
}
TEST_P(SmallFloat, EncodesTheNearestNumberWithTiesToEven) {
  const Small& s = GetParam();
  const int bits = s.format.exponent + s.format.mantissa;
  for (uint32_t c = 0; c + 1 < s.positive.size(); ++c) {
    const double middle = (s.positive[c] + s.positive[c + 1]) / 2;
    EXPECT_EQ(encode(s.format, s.positive[c]), c);
    EXPECT_EQ(encode(s.format, -s.positive[c]), c | 1u << bits);
    EXPECT_EQ(encode(s.format, middle), c & 1 ? c + 1 : c);
    EXPECT_EQ(encode(s.format, std::nextafter(middle, 0.0)), c);
    EXPECT_EQ(encode(s.format, std::nextafter(middle, 1e9)), c + 1);
  }
}
TEST(SmallFloats, TreatWhatIsOutOfRangeAsTheirFormatSays) {
  EXPECT_EQ(encode(kE4m3fn, 464.0), 0x7eu);  // the tie between 448 and the absent 480 goes to even
  EXPECT_TRUE(std::isnan(decode(kE4m3fn, encode(kE4m3fn, 465.0))));
  EXPECT_EQ(encode(kE4m3fn, 1e9, true), 0x7eu);
  EXPECT_EQ(encode(kE4m3fn, -INFINITY, true), 0xfeu);
  EXPECT_TRUE(std::isnan(decode(kE4m3fn, encode(kE4m3fn, INFINITY))));
  EXPECT_EQ(decode(kE5m2, encode(kE5m2, 1e9)), INFINITY);
  EXPECT_EQ(decode(kE5m2, encode(kE5m2, 1e9, true)), 57344);
  EXPECT_TRUE(std::isnan(decode(kE5m2, encode(kE5m2, NAN))));
  EXPECT_EQ(decode(kE2m1, encode(kE2m1, 100)), 6);
  EXPECT_EQ(decode(kE2m1, encode(kE2m1, -INFINITY)), -6);
}
TEST(SmallFloats, BarePowersOfTwo) {
  for (uint32_t c = 0; c < 255; ++c) {
    EXPECT_EQ(e8m0_to_double(uint8_t(c)), std::pow(2.0, int(c) - 127));
    EXPECT_EQ(double_to_e8m0(std::pow(2.0, int(c) - 127)), c);
    if (c < 254) {
      EXPECT_EQ(double_to_e8m0(std::pow(2.0, int(c) - 127) * 1.5), c + 1);
    }
  }
  EXPECT_TRUE(std::isnan(e8m0_to_double(255)));
  EXPECT_EQ(double_to_e8m0(-1), 255);
  EXPECT_EQ(double_to_e8m0(0), 0);
  EXPECT_EQ(double_to_e8m0(1e300, true), 254);
}

}  // namespace
