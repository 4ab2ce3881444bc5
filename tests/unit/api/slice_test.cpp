// SPDX-License-Identifier: Apache-2.0
// One operator with its epilogue through every layer, on every route that this machine has.
#include <gtest/gtest.h>

#include "tests/unit/api/small_model.hpp"

namespace opmux::test {
namespace {

const SmallShape kShapes[] = {{1, 1, 1}, {3, 5, 7}, {17, 33, 19}, {64, 64, 64}, {5, 0, 4}};

TEST(Slice, EveryRouteGivesMatmulWithBiasAndRelu) {
  const api::Context context;
  const auto names = routes(context);
  ASSERT_FALSE(names.empty());
  for (const std::string& route : names) {
    for (const SmallShape& s : kShapes) {
      for (bool fused : {true, false}) {
        SCOPED_TRACE(route + " " + std::to_string(s.m) + "x" + std::to_string(s.k) + "x" +
                     std::to_string(s.n) + (fused ? " fused" : ""));
        const SmallData data(s);
        const api::Plan plan(small_model(context, data, fused), route);
        api::RunContext run(plan);
        const int64_t dims[] = {s.m, s.k};
        run.bind_input(0, api::tensor(OPMUX_F32, dims, data.x.data()));
        run.run();
        EXPECT_LE(worst(data, static_cast<const float*>(run.output(0).data)), 1.0);
      }
    }
  }
}

TEST(Slice, ASeparateBiasAndReluBecomeTheEpilogue) {
  const api::Context context;
  const SmallData data({8, 8, 8});
  const api::Plan plan(small_model(context, data, false), "cpu");
  const opmux_tdesc in = api::desc(OPMUX_F32, {8, 8});
  const auto report = nlohmann::json::parse(plan.report({&in, 1}));
  ASSERT_EQ(report["nodes"].size(), 1u) << report.dump(1);
  EXPECT_EQ(report["nodes"][0]["op"], "matmul");
  EXPECT_EQ(report["nodes"][0]["fused_instructions"], 2);
}

TEST(Slice, ReplayTakesNewInputsAndOutputs) {
  const api::Context context;
  const SmallData first({9, 4, 6});
  SmallData second = first;
  second.x = random_values(second.x.size(), 77);
  for (const std::string& route : routes(context)) {
    SCOPED_TRACE(route);
    const api::Plan plan(small_model(context, first, true), route);
    api::RunContext run(plan);
    const int64_t in_dims[] = {9, 4}, out_dims[] = {9, 6};
    std::vector<float> own(54, -1.0f);
    run.bind_input(0, api::tensor(OPMUX_F32, in_dims, first.x.data()));
    run.run();
    EXPECT_LE(worst(first, static_cast<const float*>(run.output(0).data)), 1.0);
    run.bind_input(0, api::tensor(OPMUX_F32, in_dims, second.x.data()));
    run.bind_output(0, api::tensor(OPMUX_F32, out_dims, own.data()));
    run.run();
    EXPECT_LE(worst(second, own.data()), 1.0);
    run.run();
    EXPECT_LE(worst(second, own.data()), 1.0);
  }
}

TEST(Slice, AStridedInputIsReadAsItsView) {
  const api::Context context;
  SmallData data({4, 6, 3});
  std::vector<float> transposed(data.x.size());
  for (size_t i = 0; i < 4; ++i) {
    for (size_t k = 0; k < 6; ++k) transposed[k * 4 + i] = data.x[i * 6 + k];
  }
  const api::Plan plan(small_model(context, data, true), "cpu");
  api::RunContext run(plan);
  opmux_tensor t{api::desc(OPMUX_F32, {4, 6}), transposed.data()};
  t.desc.stride[0] = 1;
  t.desc.stride[1] = 4;
  run.bind_input(0, t);
  run.run();
  EXPECT_LE(worst(data, static_cast<const float*>(run.output(0).data)), 1.0);
}

TEST(Slice, AnEagerCallGivesTheSame) {
  const api::Context context;
  const SmallData data({6, 11, 5});
  opmux_tdesc in[] = {api::desc(OPMUX_F32, {6, 11}), api::desc(OPMUX_F32, {11, 5}),
                      api::desc(OPMUX_F32, {6, 5})};
  in[2].stride[0] = 0;
  const opmux_tdesc out = api::desc(OPMUX_F32, {6, 5});
  const opmux_prog epilogue{kBiasRelu, kBiasReluOut, 2, 1, OPMUX_SLOT_EPILOGUE(0), 2};
  opmux_op_matmul mm{};
  mm.o = head(OPMUX_OP_MATMUL, sizeof mm, 3, 1, in, &out);
  mm.o.prog = &epilogue;
  mm.o.n_prog = 1;
  mm.acc_dtype = OPMUX_F32;
  for (const std::string& route : routes(context)) {
    SCOPED_TRACE(route);
    std::vector<float> y(30);
    const opmux_tensor ins[] = {{in[0], const_cast<float*>(data.x.data())},
                                {in[1], const_cast<float*>(data.w.data())},
                                {in[2], const_cast<float*>(data.bias.data())}};
    const opmux_tensor result{out, y.data()};
    context.op(mm.o, ins, {&result, 1}, route);
    EXPECT_LE(worst(data, y.data()), 1.0);
  }
}

TEST(Slice, AnAsynchronousRunEndsWithTheSame) {
  const api::Context context;
  const SmallData data({32, 32, 32});
  const api::Plan plan(small_model(context, data, true), "cpu");
  api::RunContext run(plan);
  const int64_t dims[] = {32, 32};
  run.bind_input(0, api::tensor(OPMUX_F32, dims, data.x.data()));
  opmux_execution e = nullptr;
  api::call(opmux_run_start, run.get(), &e);
  const api::Handle<opmux_execution, opmux_execution_destroy> held(e);
  api::call(opmux_execution_wait, e, uint64_t{60'000'000'000});
  EXPECT_LE(worst(data, static_cast<const float*>(run.output(0).data)), 1.0);
}

}  // namespace
}  // namespace opmux::test
