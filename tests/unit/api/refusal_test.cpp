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

// A matmul of 2x2 by 2x2 with all that an eager call needs.
struct Product {
  opmux_tdesc in[2] = {api::desc(OPMUX_F32, {2, 2}), api::desc(OPMUX_F32, {2, 2})};
  opmux_tdesc out = in[0];
  float a[4] = {}, b[4] = {}, y[4] = {};
  opmux_tensor tensors[2] = {{in[0], a}, {in[1], b}}, result = {out, y};
  opmux_op_matmul d{};
  Product() {
    d.o = head(OPMUX_OP_MATMUL, sizeof d, 2, 1, in, &out);
    d.acc_dtype = OPMUX_F32;
  }
};

TEST_F(Refusal, AnEagerCallWantsTheTensorsOfItsDescriptor) {
  Product p;
  const auto run = [&](const opmux_tensor* in, const opmux_tensor* out) {
    return sentence([&] { api::call(opmux_op, context.get(), "reference", &p.d.o, in, out); });
  };
  EXPECT_EQ(run(nullptr, &p.result), "input is NULL, but 2 are announced");
  EXPECT_EQ(run(p.tensors, nullptr), "output is NULL, but 1 are announced");
  opmux_tensor small = p.result;
  small.desc = api::desc(OPMUX_F32, {1, 2});
  EXPECT_EQ(run(p.tensors, &small),
            "output 0: the tensor is f32[1,2], the descriptor says f32[2,2], or their strides differ");
  small = {p.out, nullptr};
  EXPECT_EQ(run(p.tensors, &small), "output 0: data is NULL");
  p.tensors[1].desc.rank = 99;
  EXPECT_EQ(run(p.tensors, &p.result), "input: rank 99 is beyond the limit of 8");
}

class BuilderRefusal : public Refusal {
 protected:
  BuilderRefusal() {
    api::call(opmux_builder_create, context.get(), &b);
    api::call(opmux_builder_input, b, "x", &p.in[0], &x);
  }
  ~BuilderRefusal() override { opmux_builder_destroy(b); }
  std::string op() {
    const uint32_t in[] = {x, x};
    uint32_t out = 0;
    return sentence([&] { api::call(opmux_builder_op, b, &p.d.o, in, &out); });
  }
  std::string view(const opmux_tdesc& d, int64_t offset) {
    uint32_t out = 0;
    return sentence([&] { api::call(opmux_builder_view, b, x, &d, offset, &out); });
  }
  Product p;
  opmux_builder b = nullptr;
  uint32_t x = 0;
};

TEST_F(BuilderRefusal, ListsBehindNullPointers) {
  const uint32_t in[] = {x, x};
  uint32_t out = 0;
  EXPECT_EQ(sentence([&] { api::call(opmux_builder_op, b, &p.d.o, static_cast<uint32_t*>(nullptr), &out); }),
            "in is NULL, but 2 are announced");
  EXPECT_EQ(sentence([&] { api::call(opmux_builder_op, b, &p.d.o, in, static_cast<uint32_t*>(nullptr)); }),
            "out is NULL");
  p.d.o.n_prog = 1;
  EXPECT_EQ(op(), "prog is NULL, but 1 are announced");
  opmux_prog program{nullptr, nullptr, 3, 1, OPMUX_SLOT_EPILOGUE(0), 1};
  p.d.o.prog = &program;
  EXPECT_EQ(op(), "insn is NULL, but 3 are announced");
  p.d.o.n_prog = 0;
  p.d.o.n_list = 2;
  EXPECT_EQ(op(), "list is NULL, but 2 are announced");
  opmux_model made = nullptr;
  EXPECT_EQ(
      sentence([&] { api::call(opmux_model_load_bytes, context.get(), opmux_span{nullptr, 9}, &made); }),
      "bytes.data is NULL, but 9 are announced");
}

TEST_F(BuilderRefusal, MoreOutputsThanTheOperatorHas) {
  p.d.o.n_out = 1'000'000'000;
  EXPECT_EQ(op(), "matmul: 1000000000 outputs and 0 programs are announced, more than it can have");
}

TEST_F(BuilderRefusal, ViewsThatLeaveTheirValueHoweverFar) {
  opmux_tdesc d = p.in[0];
  EXPECT_EQ(view(d, 4), "the view touches bytes 4 to 20 of a value of 16 bytes");
  EXPECT_EQ(view(d, INT64_MAX - 3), "the view begins at byte 9223372036854775804 of a value of 16 bytes");
  d.stride[0] = INT64_MAX / 2;
  EXPECT_EQ(view(d, 0), "the view's stride 4611686018427387903 on axis 0 leaves a value of 16 bytes");
  d.stride[0] = INT64_MIN;
  EXPECT_EQ(view(d, 0), "the view's stride -9223372036854775808 on axis 0 leaves a value of 16 bytes");
  d.rank = 50;
  EXPECT_EQ(view(d, 0), "view: rank 50 is beyond the limit of 8");
}

TEST_F(BuilderRefusal, NamesGivenTwiceAndUnknownTypes) {
  uint32_t value = 0;
  EXPECT_EQ(sentence([&] { api::call(opmux_builder_input, b, "x", &p.in[0], &value); }),
            "there is an input 'x' already");
  api::call(opmux_builder_output, b, "y", x);
  EXPECT_EQ(sentence([&] { api::call(opmux_builder_output, b, "y", x); }), "there is an output 'y' already");
  opmux_tdesc odd = p.in[0];
  odd.dtype = 12345;
  EXPECT_EQ(sentence([&] { api::call(opmux_builder_input, b, "z", &odd, &value); }),
            "z: element type 0x3039 is unknown");
}

TEST_F(Refusal, BindingsThatNoDescriptorMayHave) {
  const api::Plan plan(model, "reference");
  api::RunContext run(plan);
  opmux_tensor t{api::desc(OPMUX_F32, {4, 6}), data.x.data()};
  t.desc.layout = 5;
  EXPECT_EQ(sentence([&] { run.bind_input(0, t); }), "input 'x' has layout 5, which is a plugin's own");
  t.desc.rank = 77;
  EXPECT_EQ(sentence([&] { run.bind_output(0, t); }), "output 'y': rank 77 is beyond the limit of 8");
  opmux_port port{};
  port.h = OPMUX_HDR(opmux_port);
  EXPECT_EQ(sentence([&] { api::call(opmux_model_port, model.get(), 7u, 0u, &port); }),
            "there is no kind of port 7");
  EXPECT_EQ(opmux_model_port_count(model.get(), 7), 0u);
}

}  // namespace
}  // namespace opmux::test
