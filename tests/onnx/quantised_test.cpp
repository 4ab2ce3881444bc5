// SPDX-License-Identifier: Apache-2.0
// Quantised products that ONNX's own node tests do not have. Expected values by plain loops.
#include <gtest/gtest.h>

#include <random>

#include "tests/onnx/evaluate.hpp"

namespace opmux {
namespace {

using onnx::TensorProto;
using test::ModelWriter;

struct NBits {
  int64_t m, k, n, bits, block;
  bool zeros, float_zeros, constant, bias;
};

// Codes in the order of the operator: block after block of a column, the first in the low bits.
std::vector<uint8_t> packed(const std::vector<uint32_t>& codes, int64_t bits, int64_t row) {
  const int64_t rows = static_cast<int64_t>(codes.size()) / row, bytes = (row * bits + 7) / 8;
  std::vector<uint8_t> out(static_cast<size_t>(rows * bytes));
  for (int64_t i = 0; i < rows * row; ++i) {
    const int64_t bit = i % row * bits;
    out[static_cast<size_t>(i / row * bytes + bit / 8)] |=
        static_cast<uint8_t>(codes[static_cast<size_t>(i)] << bit % 8);
  }
  return out;
}

void check(const NBits& t) {
  std::mt19937 rng(static_cast<uint32_t>(t.k * t.n + t.bits));
  const int64_t blocks = (t.k + t.block - 1) / t.block, row = blocks * t.block;
  const auto random = [&](int64_t count, uint32_t below) {
    std::vector<uint32_t> v(static_cast<size_t>(count));
    for (uint32_t& x : v) x = static_cast<uint32_t>(rng() % below);
    return v;
  };
  const auto reals = [&](int64_t count) {
    std::vector<float> v(static_cast<size_t>(count));
    for (float& x : v) x = static_cast<float>(rng() % 2001) / 1000 - 1;
    return v;
  };
  const uint32_t range = 1u << t.bits;
  const std::vector<uint32_t> code = random(t.n * row, range), zero = random(t.n * blocks, range);
  const std::vector<float> a = reals(t.m * t.k), scale = reals(t.n * blocks), bias = reals(t.n);
  std::vector<float> zero_f(zero.begin(), zero.end());
  for (float& z : zero_f) z += 0.25f;

  ModelWriter w;
  std::vector<NamedHostTensor> inputs;
  w.input("a", TensorProto::FLOAT, {"M", "K"}).output("y");
  const int64_t a_dims[] = {t.m, t.k};
  inputs.push_back({"a", HostTensor::of<float>(OPMUX_F32, a_dims, a)});
  const std::vector<uint8_t> bytes = packed(code, t.bits, row);
  const int64_t blob = t.block * t.bits / 8, b_dims[] = {t.n, blocks, blob};
  if (t.constant) {
    w.initializer(test::tensor_proto("b", TensorProto::UINT8, {t.n, blocks, blob}, bytes));
  } else {
    w.input("b", TensorProto::UINT8, {"N", "G", "B"});
    inputs.push_back({"b", HostTensor::of<uint8_t>(OPMUX_U8, b_dims, bytes)});
  }
  w.floats("scale", {t.n * blocks}, scale).floats("bias", {t.n}, bias);
  if (t.float_zeros) {
    w.floats("zero", {t.n * blocks}, zero_f);
  } else {
    const std::vector<uint8_t> z = packed(zero, t.bits, blocks);
    w.initializer(test::tensor_proto("zero", TensorProto::UINT8, {static_cast<int64_t>(z.size())}, z));
  }
  w.node("MatMulNBits", {"a", "b", "scale", t.zeros ? "zero" : "", "", t.bias ? "bias" : ""}, {"y"},
         {{"K", t.k}, {"N", t.n}, {"bits", t.bits}, {"block_size", t.block}}, "com.microsoft");
  const HostTensor y = test::evaluate(*test::read(w), inputs)[0];
  ASSERT_EQ(y.desc().dim[0], t.m);
  ASSERT_EQ(y.desc().dim[1], t.n);
  const std::vector<double> got = y.to_double();
  for (int64_t i = 0; i < t.m * t.n; ++i) {
    const int64_t col = i % t.n;
    double want = t.bias ? double{bias[static_cast<size_t>(col)]} : 0, magnitude = 1;
    for (int64_t k = 0; k < t.k; ++k) {
      const auto g = static_cast<size_t>(col * blocks + k / t.block);
      const double z = !t.zeros ? range / 2 : t.float_zeros ? double{zero_f[g]} : zero[g];
      const double term = (code[static_cast<size_t>(col * row + k)] - z) * double{scale[g]} *
                          double{a[static_cast<size_t>(i / t.n * t.k + k)]};
      want += term;
      magnitude += std::abs(term);
    }
    EXPECT_NEAR(got[static_cast<size_t>(i)], want, 1e-6 * magnitude) << "element " << i;
  }
}

TEST(MatMulNBits, TakesEveryWidthAndKindOfZero) {
  for (int64_t bits : {2, 4, 8})
    for (bool constant : {false, true}) {
      SCOPED_TRACE(testing::Message() << bits << " bits, constant " << constant);
      check({3, 64, 5, bits, 16, false, false, constant, false});
      check({1, 32, 7, bits, 32, true, false, constant, true});
      check({2, 96, 4, bits, 32, true, true, constant, false});
    }
}

TEST(MatMulNBits, LastBlockMayBeShorter) {
  for (int64_t bits : {4, 8}) {
    check({2, 37, 3, bits, 16, true, false, true, false});
    check({2, 37, 3, bits, 16, false, false, true, false});
  }
}

TEST(MatMulNBits, RefusesWhatItDoesNotKnow) {
  const auto refusal = [](std::vector<test::Attr> attrs, int64_t bytes) {
    ModelWriter w;
    w.input("a", TensorProto::FLOAT, {"1", "32"}).output("y").floats("scale", {1}, {1});
    w.initializer(test::tensor_proto("b", TensorProto::UINT8, {1, 1, bytes},
                                     std::vector<uint8_t>(static_cast<size_t>(bytes))));
    w.node("MatMulNBits", {"a", "b", "scale"}, {"y"}, std::move(attrs), "com.microsoft");
    return test::sentence_of([&] {
      test::evaluate(*test::read(w), {{"a", HostTensor(make_desc(OPMUX_F32, std::vector<int64_t>{1, 32}))}});
    });
  };
  EXPECT_NE(refusal({{"K", 32}, {"N", 1}, {"bits", 3}, {"block_size", 32}}, 12).find("weights of 3 bits"),
            std::string::npos);
  EXPECT_NE(refusal({{"K", 32}, {"N", 1}, {"bits", 4}, {"block_size", 32}}, 15)
                .find("a tensor of 15 bytes must hold 1 x 32 elements of 4 bits"),
            std::string::npos);
}

}  // namespace
}  // namespace opmux
