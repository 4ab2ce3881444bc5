// SPDX-License-Identifier: Apache-2.0
// Wrong use is answered with a status and one sentence.
#include <gtest/gtest.h>

#include "tests/unit/api/small_model.hpp"

namespace opmux::test {
namespace {

template <class F>
std::string sentence(F&& f) {
  try {
    f();
  } catch (const api::Failure& e) {
    return e.what();
  }
  return "nothing was refused";
}

class Refusal : public ::testing::Test {
 protected:
  api::Context context;
  SmallData data{{4, 6, 3}};
  api::Model model = small_model(context, data, true);
};

TEST_F(Refusal, AnUnknownDeviceIsNamedBesideTheKnownOnes) {
  const std::string text = sentence([&] { const api::Plan plan(model, "gpu7"); });
  EXPECT_NE(text.find("there is no device 'gpu7'; there are: "), std::string::npos) << text;
  EXPECT_NE(text.find("cpu"), std::string::npos) << text;
}

TEST_F(Refusal, AMissingInputIsNamed) {
  const api::Plan plan(model, "cpu");
  api::RunContext run(plan);
  EXPECT_EQ(sentence([&] { run.run(); }), "input 'x' is not bound");
}

TEST_F(Refusal, AWrongTypeRankAndExtentAreNamedWithBothValues) {
  const api::Plan plan(model, "cpu");
  api::RunContext run(plan);
  const int64_t dims[] = {4, 6}, other[] = {4, 5}, flat[] = {24};
  const std::vector<double> d(24);
  EXPECT_EQ(sentence([&] { run.bind_input(0, api::tensor(OPMUX_F64, dims, d.data())); }),
            "input 'x' is f64, the model wants f32");
  EXPECT_EQ(sentence([&] {
              run.bind_input(0, api::tensor(OPMUX_F32, other, data.x.data()));
              run.run();
            }),
            "input 'x': dim 1 is 5, the model wants 6");
  EXPECT_EQ(sentence([&] {
              run.bind_input(0, api::tensor(OPMUX_F32, flat, data.x.data()));
              run.run();
            }),
            "input 'x' has rank 1, the model wants 2");
}

TEST_F(Refusal, AnInputBeyondTheLastAndNullDataAreRefused) {
  const api::Plan plan(model, "cpu");
  api::RunContext run(plan);
  const int64_t dims[] = {4, 6};
  EXPECT_EQ(sentence([&] { run.bind_input(3, api::tensor(OPMUX_F32, dims, data.x.data())); }),
            "input 3 does not exist, the model has 1");
  EXPECT_EQ(sentence([&] { run.bind_input(0, {api::desc(OPMUX_F32, dims), nullptr}); }),
            "input 'x': data is NULL");
}

TEST_F(Refusal, AnOutputOfAnotherShapeIsRefusedAndNothingIsWritten) {
  const api::Plan plan(model, "cpu");
  api::RunContext run(plan);
  const int64_t dims[] = {4, 6}, wrong[] = {3, 4};
  std::vector<float> y(12, 7.0f);
  run.bind_input(0, api::tensor(OPMUX_F32, dims, data.x.data()));
  run.bind_output(0, api::tensor(OPMUX_F32, wrong, y.data()));
  EXPECT_EQ(sentence([&] { run.run(); }), "output 'y' is f32[4,3], the bound memory is f32[3,4]");
  EXPECT_EQ(y, std::vector<float>(12, 7.0f));
}

TEST_F(Refusal, NullHandlesAreInvalidAndNoCrash) {
  EXPECT_EQ(OPMUX_CODE(opmux_model_load(nullptr, "x", nullptr, nullptr)), OPMUX_E_INVALID);
  EXPECT_EQ(OPMUX_CODE(opmux_plan_create(nullptr, nullptr, nullptr, nullptr)), OPMUX_E_INVALID);
  EXPECT_EQ(OPMUX_CODE(opmux_run_now(nullptr, nullptr)), OPMUX_E_INVALID);
  EXPECT_EQ(OPMUX_CODE(opmux_op(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr)), OPMUX_E_INVALID);
  EXPECT_EQ(opmux_context_destroy(nullptr, nullptr), OPMUX_OK);
  opmux_plan_destroy(nullptr);
  opmux_run_context_destroy(nullptr);
}

TEST_F(Refusal, AContextWithLivingObjectsStays) {
  opmux_context c = nullptr;
  api::call(opmux_context_create, static_cast<const opmux_context_desc*>(nullptr), &c);
  opmux_builder b = nullptr;
  api::call(opmux_builder_create, c, &b);
  EXPECT_EQ(OPMUX_CODE(opmux_context_destroy(c, nullptr)), OPMUX_E_BUSY);
  opmux_builder_destroy(b);
  EXPECT_EQ(opmux_context_destroy(c, nullptr), OPMUX_OK);
}

TEST_F(Refusal, AShortErrorRecordGetsAClippedSentence) {
  char text[8];
  opmux_err err{};
  err.h = OPMUX_HDR(opmux_err);
  err.msg = text;
  err.msg_cap = sizeof text;
  opmux_plan plan = nullptr;
  opmux_plan_desc d{};
  d.h = OPMUX_HDR(opmux_plan_desc);
  d.device = "nowhere";
  EXPECT_EQ(OPMUX_CODE(opmux_plan_create(model.get(), &d, &plan, &err)), OPMUX_E_NOT_FOUND);
  EXPECT_LE(err.msg_len, sizeof text);
  EXPECT_EQ(std::string(text, err.msg_len), "there is");
}

TEST_F(Refusal, ADescriptorThatMakesNoSenseNamesOperandAndNumbers) {
  opmux_tdesc in[] = {api::desc(OPMUX_F32, {2, 3}), api::desc(OPMUX_F32, {4, 5})};
  const opmux_tdesc out = api::desc(OPMUX_F32, {2, 5});
  opmux_op_matmul mm{};
  mm.o = head(OPMUX_OP_MATMUL, sizeof mm, 2, 1, in, &out);
  mm.acc_dtype = OPMUX_F32;
  const opmux_tensor t[2] = {};
  const std::string text = sentence([&] { context.op(mm.o, t, t, "cpu"); });
  EXPECT_NE(text.find("3"), std::string::npos) << text;
  EXPECT_NE(text.find("4"), std::string::npos) << text;
  EXPECT_NE(text.find("matmul"), std::string::npos) << text;
}

}  // namespace
}  // namespace opmux::test
