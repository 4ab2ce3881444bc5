// SPDX-License-Identifier: Apache-2.0
// The sample models from their files, judged against what onnxruntime gave (tools and files: samples/models).
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <numeric>
#include <thread>

#include "tests/support/allocation_count.hpp"
#include "tests/support/paths.h"
#include "tests/unit/api/small_model.hpp"

namespace opmux::test {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string sample(const std::string& name) { return source_dir() + "/samples/models/" + name; }

// Elements of a .npy file of version 1.
template <class T>
std::vector<T> npy(const std::string& name) {
  const std::string bytes = read_file(sample(name));
  const size_t start =
      10 + static_cast<unsigned char>(bytes.at(8)) + 256u * static_cast<unsigned char>(bytes.at(9));
  std::vector<T> v((bytes.size() - start) / sizeof(T));
  std::memcpy(v.data(), bytes.data() + start, v.size() * sizeof(T));
  return v;
}

void expect_relative(const std::vector<float>& want, const float* have, double bound) {
  double worst = 0, largest = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(want[i]) - have[i]));
    largest = std::max(largest, std::abs(static_cast<double>(want[i])));
  }
  EXPECT_LE(worst, bound * largest);
}

TEST(Digits, EveryRouteReadsTheHeldOutImages) {
  const api::Context context;
  const api::Model model(context, sample("digits.onnx"));
  auto images = npy<float>("digits_input.npy");
  const auto want = npy<float>("digits_expected.npy");
  const auto labels = npy<int64_t>("digits_labels.npy");
  const auto count = static_cast<int64_t>(labels.size());
  for (const std::string& route : routes(context)) {
    SCOPED_TRACE(route);
    const api::Plan plan(model, route);
    api::RunContext run(plan);
    for (int64_t batch : {count, int64_t{1}, int64_t{3}}) {  // three shapes of one plan
      const int64_t dims[] = {batch, 1, 8, 8};
      run.bind_input(0, api::tensor(OPMUX_F32, dims, images.data()));
      run.run();
      const auto* y = static_cast<const float*>(run.output(0).data);
      expect_relative({want.begin(), want.begin() + batch * 10}, y, 1e-3);
      for (int64_t i = 0; i < batch; ++i) {
        EXPECT_EQ(std::max_element(y + i * 10, y + i * 10 + 10) - (y + i * 10),
                  labels[static_cast<size_t>(i)]);
      }
    }
  }
}

TEST(Digits, OnePlanServesManyThreadsAndMoreShapesThanItKeeps) {
  const api::Context context;
  const api::Model model(context, sample("digits.onnx"));
  const auto images = npy<float>("digits_input.npy");
  const auto want = npy<float>("digits_expected.npy");
  const api::Plan plan(model, "cpu");
  std::atomic<int> wrong{0};
  auto work = [&](int64_t first) {
    api::RunContext run(plan);
    for (int64_t i = 0; i < 24; ++i) {
      const int64_t batch = 1 + (first + i) % 12;  // a plan keeps 8
      const int64_t dims[] = {batch, 1, 8, 8};
      run.bind_input(0, api::tensor(OPMUX_F32, dims, images.data()));
      run.run();
      const auto* y = static_cast<const float*>(run.output(0).data);
      for (int64_t k = 0; k < batch * 10; ++k) wrong += std::abs(y[k] - want[static_cast<size_t>(k)]) > 1e-4f;
    }
  };
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 4; ++t) threads.emplace_back(work, t * 3);
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

class Text : public ::testing::Test {
 protected:
  // Greedy continuation by the state of a run context.
  static std::vector<int64_t> continuation(api::RunContext& run, const std::vector<int64_t>& prompt,
                                           size_t count) {
    std::vector<int64_t> step = prompt, positions(prompt.size()), tokens;
    std::iota(positions.begin(), positions.end(), 0);
    while (tokens.size() < count) {
      const int64_t dims[] = {1, static_cast<int64_t>(step.size())};
      run.bind_input(0, api::tensor(OPMUX_I64, dims, step.data()));
      run.bind_input(1, api::tensor(OPMUX_I64, dims, positions.data()));
      run.run();
      const opmux_tensor logits = run.output(0);
      const int64_t vocabulary = logits.desc.dim[2];
      const float* row =
          static_cast<const float*>(logits.data) + api::element_count(logits.desc) - vocabulary;
      tokens.push_back(std::max_element(row, row + vocabulary) - row);
      step.assign(1, tokens.back());
      positions.assign(1, static_cast<int64_t>(prompt.size() + tokens.size()) - 1);
    }
    return tokens;
  }

  api::Context context;
  api::Model model{context, sample("text.onnx")};
  nlohmann::json cases = nlohmann::json::parse(read_file(sample("text_expected.json")));
};

TEST_F(Text, EveryRouteContinuesAsOnnxruntimeDoes) {
  for (const std::string& route : routes(context)) {
    SCOPED_TRACE(route);
    const api::Plan plan(model, route);
    for (const auto& c : cases) {
      api::RunContext run(plan);
      const auto want = c["tokens"].get<std::vector<int64_t>>();
      EXPECT_EQ(continuation(run, c["prompt_tokens"], want.size()), want) << c["prompt"];
      EXPECT_EQ(run.state_length(), static_cast<int64_t>(c["prompt_tokens"].size() + want.size()) - 1);
    }
  }
}

TEST_F(Text, TheStateIsPerRunContextAndCanBeCut) {
  const api::Plan plan(model, "cpu");
  api::RunContext a(plan), b(plan);
  const auto want0 = cases[0]["tokens"].get<std::vector<int64_t>>(),
             want1 = cases[1]["tokens"].get<std::vector<int64_t>>();
  EXPECT_EQ(continuation(a, cases[0]["prompt_tokens"], 8),
            std::vector<int64_t>(want0.begin(), want0.begin() + 8));
  EXPECT_EQ(continuation(b, cases[1]["prompt_tokens"], 8),
            std::vector<int64_t>(want1.begin(), want1.begin() + 8));
  a.truncate_state(0);
  EXPECT_EQ(continuation(a, cases[1]["prompt_tokens"], 8),
            std::vector<int64_t>(want1.begin(), want1.begin() + 8));
}

TEST_F(Text, TheStateRefusesMoreThanItsCapacity) {
  const api::Plan plan(model, "cpu");
  api::RunContext run(plan);
  std::vector<int64_t> tokens(200, 1), positions(200);
  std::iota(positions.begin(), positions.end(), 0);
  const int64_t dims[] = {1, 200};
  run.bind_input(0, api::tensor(OPMUX_I64, dims, tokens.data()));
  run.bind_input(1, api::tensor(OPMUX_I64, dims, positions.data()));
  run.run();
  try {
    run.run();
    FAIL() << "400 rows fitted into 256";
  } catch (const api::Failure& e) {
    EXPECT_STREQ(e.what(), "the state holds 200 of 256 rows, 200 more do not fit; truncate it first");
  }
  EXPECT_EQ(run.state_length(), 200);
}

TEST_F(Text, ATokenAfterWarmUpMakesNoAllocation) {
  if (!counting()) return;  // the sanitizer's allocator cannot be counted
  const api::Plan plan(model, "cpu");
  api::RunContext run(plan);
  int64_t token = 5, position = 0;
  const int64_t dims[] = {1, 1};
  run.bind_input(0, api::tensor(OPMUX_I64, dims, &token));
  run.bind_input(1, api::tensor(OPMUX_I64, dims, &position));
  run.run();
  run.run();
  const uint64_t before = allocations();
  for (position = 2; position < 30; ++position) run.run();
  EXPECT_EQ(allocations() - before, 0u);
}

TEST_F(Text, AnIndexOutsideTheVocabularyIsAnErrorOfTheRun) {
  for (const char* route : {"cpu", "reference"}) {
    const api::Plan plan(model, route);
    api::RunContext run(plan);
    int64_t token = 100000, position = 0;
    const int64_t dims[] = {1, 1};
    run.bind_input(0, api::tensor(OPMUX_I64, dims, &token));
    run.bind_input(1, api::tensor(OPMUX_I64, dims, &position));
    try {
      run.run();
      FAIL() << route;
    } catch (const api::Failure& e) {
      EXPECT_EQ(e.code(), OPMUX_E_FAULT) << e.what();
      EXPECT_NE(std::string(e.what()).find("100000"), std::string::npos) << e.what();
    }
    EXPECT_EQ(run.state_length(), 0);
  }
}

}  // namespace
}  // namespace opmux::test
