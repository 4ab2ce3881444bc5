// SPDX-License-Identifier: Apache-2.0
// Models over several memories: mock plugins that compute what the reference does, in memory of their own,
// and refuse or fail.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/paths.h"
#include "tests/unit/api/small_model.hpp"

namespace opmux::test {
namespace {

class Mocks {
 public:
  explicit Mocks(const std::string& name) : path_(mock_dir() + "/opmux_" + name + ".so") {
    desc_.h = OPMUX_HDR(opmux_context_desc);
    desc_.plugin_path = path_.c_str();
    context_ = std::make_unique<api::Context>(&desc_);
  }
  const api::Context& context() const { return *context_; }

 private:
  std::string path_;
  opmux_context_desc desc_{};
  std::unique_ptr<api::Context> context_;
};

// Probabilities of four images of zeros and ones on a device.
std::vector<float> digits_on(const api::Context& context, const std::string& device,
                             uint32_t fallback = OPMUX_FALLBACK_REPORT, nlohmann::json* report = nullptr) {
  const api::Model model(context, source_dir() + "/samples/models/digits.onnx");
  const api::Plan plan(model, device, fallback);
  api::RunContext run(plan);
  const auto images = random_values(4 * 64, 9);
  const int64_t dims[] = {4, 1, 8, 8};
  run.bind_input(0, api::tensor(OPMUX_F32, dims, images.data()));
  std::vector<float> first;
  for (int i = 0; i < 3; ++i) {  // the second and third replay
    run.run();
    const opmux_tensor y = run.output(0);
    const auto* p = static_cast<const float*>(y.data);
    const std::vector<float> now(p, p + api::element_count(y.desc));
    if (i == 0) first = now;
    EXPECT_EQ(now, first) << "run " << i;
  }
  if (report) {
    const opmux_tdesc d = api::desc(OPMUX_F32, dims);
    *report = nlohmann::json::parse(plan.report({&d, 1}));
  }
  return first;
}

TEST(Partition, WhatADeviceRefusesRunsOnTheCpuWithCopiesBetween) {
  const Mocks mocks("picky");
  nlohmann::json report;
  const auto have = digits_on(mocks.context(), "picky", OPMUX_FALLBACK_REPORT, &report);
  const auto want = digits_on(mocks.context(), "reference");
  ASSERT_EQ(have.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(have[i], want[i], 1e-5);

  EXPECT_EQ(report["fallback"]["nodes"], 1);
  EXPECT_GE(report["copies"]["count"].get<int>(), 2) << "input in, logits out";
  for (const auto& n : report["nodes"]) {
    if (n["op"] != "softmax") continue;
    EXPECT_EQ(n["alias"], "cpu");
    EXPECT_NE(n["reason"].get<std::string>().find("refused SOFTMAX"), std::string::npos) << n["reason"];
  }
}

TEST(Partition, ForbiddenFallbackNamesNodeOperatorRouteAndReason) {
  const Mocks mocks("picky");
  try {
    digits_on(mocks.context(), "picky", OPMUX_FALLBACK_FORBID);
    FAIL() << "softmax was not refused";
  } catch (const api::Failure& e) {
    const std::string text = e.what();
    EXPECT_EQ(e.code(), OPMUX_E_UNSUPPORTED);
    for (const char* part : {"1 of ", "node 'probabilities'", "softmax", "refused SOFTMAX"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
    }
  }
}

TEST(Partition, TheOperatorReportKnowsWhatARouteLacks) {
  const Mocks mocks("picky");
  const auto report = nlohmann::json::parse(mocks.context().report(OPMUX_REPORT_OPS));
  for (const auto& op : report["ops"]) {
    EXPECT_EQ(op["routes"]["picky:0"].get<bool>(), op["name"] != "softmax") << op["name"];
    EXPECT_TRUE(op["routes"]["reference"].get<bool>()) << op["name"];
  }
}

TEST(Partition, ADeviceWithAClockOfItsOwnGivesTheSame) {
  const Mocks mocks("slow");
  const auto want = digits_on(mocks.context(), "reference");
  for (const char* device : {"slow:0", "slow:1"})
    EXPECT_EQ(digits_on(mocks.context(), device), want) << device;
}

TEST(Partition, ALostDeviceAndFullMemoryAreErrorsWithFallbackForbiddenAndTheRestLives) {
  {
    const Mocks mocks("lost");
    try {
      digits_on(mocks.context(), "lost", OPMUX_FALLBACK_FORBID);
      FAIL() << "the device was not lost";
    } catch (const api::Failure& e) {
      EXPECT_EQ(e.code(), OPMUX_E_DEVICE_LOST) << e.what();
      EXPECT_TRUE(e.status() & OPMUX_F_STICKY);
    }
    EXPECT_EQ(digits_on(mocks.context(), "reference").size(), 40u);
    const auto want = digits_on(mocks.context(), "cpu");
    EXPECT_EQ(digits_on(mocks.context(), "lost"), want) << "others serve where that is allowed";
  }
  const Mocks mocks("oom");
  const SmallData data({600, 600, 600});
  const api::Plan plan(small_model(mocks.context(), data, true), "oom", OPMUX_FALLBACK_FORBID);
  api::RunContext run(plan);
  const int64_t dims[] = {600, 600};
  run.bind_input(0, api::tensor(OPMUX_F32, dims, data.x.data()));
  try {
    run.run();
    FAIL() << "4 MB fitted into 1 MiB";
  } catch (const api::Failure& e) {
    EXPECT_EQ(e.code(), OPMUX_E_OUT_OF_MEMORY) << e.what();
  }
}

}  // namespace
}  // namespace opmux::test
