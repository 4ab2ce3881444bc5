// SPDX-License-Identifier: Apache-2.0
// A model without a file: two layers, y = tanh(relu(x w1) w2), built operator by operator and then run as
// any other model. The weights compute the exclusive or of two bits.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "opmux/opmux.hpp"
#include "opmux/ops.h"

namespace {

using opmux::api::call;
using opmux::api::desc;
constexpr int64_t kRows = 4;

// The builder takes an operator's attributes and programs; it infers the shapes.
opmux_opd head(uint32_t op, uint32_t size, uint32_t n_in, const opmux_prog* program = nullptr) {
  opmux_opd o{};
  o.h.size = size;
  o.op = op;
  o.rev = 1;
  o.n_in = n_in;
  o.n_out = 1;
  o.prog = program;
  o.n_prog = program ? 1 : 0;
  return o;
}

uint32_t add_matmul(opmux_builder b, uint32_t left, uint32_t right) {
  // The type of a product is open (f32 sums may be stored as something else), so it is stated.
  const opmux_tdesc out = desc(OPMUX_F32, {kRows, 1});
  opmux_op_matmul d{};
  d.o = head(OPMUX_OP_MATMUL, sizeof d, 2);
  d.o.out = &out;
  d.acc_dtype = OPMUX_F32;
  const uint32_t in[] = {left, right};
  uint32_t result = 0;
  call(opmux_builder_op, b, &d.o, in, &result);
  return result;
}

// A node of its own here; the runtime makes it the epilogue of the product before it.
uint32_t add_activation(opmux_builder b, uint32_t value, uint32_t function) {
  const opmux_insn insn{function, OPMUX_F32, 0, 0, 0, 0, 0};
  const uint32_t result_of_insn = 1;
  const opmux_prog program{&insn, &result_of_insn, 1, 1, OPMUX_SLOT_MAIN, 1};
  opmux_op_pointwise d{};
  d.o = head(OPMUX_OP_POINTWISE, sizeof d, 1, &program);
  uint32_t result = 0;
  call(opmux_builder_op, b, &d.o, &value, &result);
  return result;
}

opmux::api::Model build(const opmux::api::Context& context) {
  float w1[] = {1, -1, -1, 1}, w2[] = {5, 5};  // hidden units x0 - x1 and x1 - x0
  const int64_t w1_dims[] = {2, 2}, w2_dims[] = {2, 1};
  opmux_builder b = nullptr;
  call(opmux_builder_create, context.get(), &b);
  const opmux::api::Handle<opmux_builder, opmux_builder_destroy> held(b);
  const opmux_tdesc x_desc = desc(OPMUX_F32, {kRows, 2});
  const opmux_tensor w1_tensor = opmux::api::tensor(OPMUX_F32, w1_dims, w1);
  const opmux_tensor w2_tensor = opmux::api::tensor(OPMUX_F32, w2_dims, w2);
  uint32_t x = 0, first = 0, second = 0;
  call(opmux_builder_input, b, "x", &x_desc, &x);
  call(opmux_builder_constant, b, &w1_tensor, &first);  // copies the bytes
  call(opmux_builder_constant, b, &w2_tensor, &second);
  const uint32_t hidden = add_activation(b, add_matmul(b, x, first), OPMUX_FN_RELU);
  const uint32_t y = add_activation(b, add_matmul(b, hidden, second), OPMUX_FN_TANH);
  call(opmux_builder_output, b, "y", y);
  opmux_model model = nullptr;
  call(opmux_builder_finish, b, &model);
  return opmux::api::Model(model);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const opmux::api::Context context;
    const opmux::api::Model model = build(context);
    const opmux::api::Plan plan(model, argc > 1 ? argv[1] : "auto");
    opmux::api::RunContext runs(plan);
    std::vector<float> x = {0, 0, 0, 1, 1, 0, 1, 1}, y(kRows);
    const int64_t x_dims[] = {kRows, 2}, y_dims[] = {kRows, 1};
    runs.bind_input(0, opmux::api::tensor(OPMUX_F32, x_dims, x.data()));
    runs.bind_output(0, opmux::api::tensor(OPMUX_F32, y_dims, y.data()));  // else the context's own memory
    runs.run();
    for (size_t i = 0; i < y.size(); ++i) std::printf("%g xor %g = %.3f\n", x[2 * i], x[2 * i + 1], y[i]);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "build_model: %s\n", e.what());
    return 1;
  }
}
