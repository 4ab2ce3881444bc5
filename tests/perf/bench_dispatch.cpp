// SPDX-License-Identifier: Apache-2.0
// What the runtime adds to a kernel: a plan of many tiny nodes, per node, and one eager call. Items are
// nodes.
#include <benchmark/benchmark.h>

#include <numeric>

#include "tests/unit/api/small_model.hpp"

namespace opmux::test {
namespace {

constexpr int64_t kNodes = 200;

// A chain of transposing copies of 2 x 2 elements: nothing fuses, and the kernel does next to nothing.
api::Model chain(const api::Context& context) {
  opmux_builder b = nullptr;
  api::call(opmux_builder_create, context.get(), &b);
  const api::Handle<opmux_builder, opmux_builder_destroy> held(b);
  const opmux_tdesc d = api::desc(OPMUX_F32, {2, 2});
  opmux_tdesc turned = d;
  std::swap(turned.stride[0], turned.stride[1]);
  uint32_t v = 0;
  api::call(opmux_builder_input, b, "x", &d, &v);
  for (int64_t i = 0; i < kNodes; ++i) {
    uint32_t view = 0;
    api::call(opmux_builder_view, b, v, &turned, int64_t{0}, &view);
    opmux_op_copy copy{};
    copy.o = head(OPMUX_OP_COPY, sizeof copy, 1, 1, nullptr, &d);
    api::call(opmux_builder_op, b, &copy.o, &view, &v);
  }
  api::call(opmux_builder_output, b, "y", v);
  opmux_model model = nullptr;
  api::call(opmux_builder_finish, b, &model);
  return api::Model(model);
}

void plan_node(benchmark::State& state) {
  const api::Context context;
  const api::Plan plan(chain(context), "cpu");
  api::RunContext run(plan);
  const std::vector<float> x{1, 2, 3, 4};
  const int64_t dims[] = {2, 2};
  run.bind_input(0, api::tensor(OPMUX_F32, dims, x.data()));
  run.run();
  for (auto _ : state) run.run();
  const auto* y = static_cast<const float*>(run.output(0).data);
  if (y[1] != 2 || y[2] != 3) state.SkipWithError("the chain gives a wrong result");
  state.SetItemsProcessed(state.iterations() * kNodes);
}
BENCHMARK(plan_node);

void eager_call(benchmark::State& state) {
  const api::Context context;
  const opmux_tdesc d = api::desc(OPMUX_F32, {2, 2});
  std::vector<float> x{1, 2, 3, 4}, y(4);
  opmux_op_copy copy{};
  copy.o = head(OPMUX_OP_COPY, sizeof copy, 1, 1, &d, &d);
  const opmux_tensor in{d, x.data()}, out{d, y.data()};
  for (auto _ : state) context.op(copy.o, {&in, 1}, {&out, 1}, "cpu");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(eager_call);

}  // namespace
}  // namespace opmux::test
