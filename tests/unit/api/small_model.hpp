// SPDX-License-Identifier: Apache-2.0
// y = relu(x w + bias) as a built model: the thinnest path through every layer.
#pragma once

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "opmux/opmux.hpp"
#include "opmux/ops.h"

namespace opmux::test {

inline std::vector<float> random_values(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> unit(-1, 1);
  std::vector<float> v(n);
  for (float& x : v) x = unit(random);
  return v;
}

// Names of all routes of the context.
inline std::vector<std::string> routes(const api::Context& context) {
  std::vector<std::string> names;
  const auto report = nlohmann::json::parse(context.report(OPMUX_REPORT_DEVICES));
  for (const auto& d : report["devices"]) {
    for (const auto& r : d["routes"]) names.push_back(r["name"]);
  }
  return names;
}

inline opmux_opd head(uint32_t op, uint32_t size, uint32_t n_in, uint32_t n_out, const opmux_tdesc* in,
                      const opmux_tdesc* out) {
  opmux_opd d{};
  d.h.size = size;
  d.op = op;
  d.rev = 1;
  d.n_in = n_in;
  d.n_out = n_out;
  d.in = in;
  d.out = out;
  return d;
}

struct SmallShape {
  int64_t m, k, n;
};

struct SmallData {
  explicit SmallData(SmallShape s)
      : shape(s),
        x(random_values(static_cast<size_t>(s.m * s.k), 1)),
        w(random_values(static_cast<size_t>(s.k * s.n), 2)),
        bias(random_values(static_cast<size_t>(s.n), 3)) {}

  // By a plain loop in double.
  std::vector<double> expected() const {
    std::vector<double> y;
    for (int64_t i = 0; i < shape.m; ++i) {
      for (int64_t j = 0; j < shape.n; ++j) {
        double sum = bias[static_cast<size_t>(j)];
        for (int64_t k = 0; k < shape.k; ++k) {
          sum += static_cast<double>(x[static_cast<size_t>(i * shape.k + k)]) *
                 w[static_cast<size_t>(k * shape.n + j)];
        }
        y.push_back(std::max(sum, 0.0));
      }
    }
    return y;
  }

  SmallShape shape;
  std::vector<float> x, w, bias;
};

// The program of the epilogue: relu(value 0 + value 1).
inline const opmux_insn kBiasRelu[2] = {{OPMUX_FN_ADD, OPMUX_F32, 0, 1, 0, 0, 0},
                                        {OPMUX_FN_RELU, OPMUX_F32, 2, 0, 0, 0, 0}};
inline const uint32_t kBiasReluOut[1] = {3};

// fused: the matmul carries bias and relu as its epilogue; else they are a node of their own.
inline api::Model small_model(const api::Context& context, const SmallData& data, bool fused) {
  const auto [m, k, n] = data.shape;
  opmux_builder b = nullptr;
  api::call(opmux_builder_create, context.get(), &b);
  const api::Handle<opmux_builder, opmux_builder_destroy> held(b);
  const opmux_tdesc xd = api::desc(OPMUX_F32, {m, k}), wd = api::desc(OPMUX_F32, {k, n});
  opmux_tdesc bias_view = api::desc(OPMUX_F32, {m, n});
  bias_view.stride[0] = 0;
  uint32_t x = 0, w = 0, bias = 0, bias_row = 0, y = 0;
  api::call(opmux_builder_input, b, "x", &xd, &x);
  const opmux_tensor wt{wd, const_cast<float*>(data.w.data())};
  const opmux_tensor bt{api::desc(OPMUX_F32, {n}), const_cast<float*>(data.bias.data())};
  api::call(opmux_builder_constant, b, &wt, &w);
  api::call(opmux_builder_constant, b, &bt, &bias);
  api::call(opmux_builder_view, b, bias, &bias_view, int64_t{0}, &bias_row);

  const opmux_prog epilogue{kBiasRelu, kBiasReluOut, 2, 1, OPMUX_SLOT_EPILOGUE(0), 2};
  opmux_op_matmul mm{};
  const opmux_tdesc out = api::desc(OPMUX_F32, {m, n});
  mm.o = head(OPMUX_OP_MATMUL, sizeof mm, fused ? 3 : 2, 1, nullptr, &out);
  mm.acc_dtype = OPMUX_F32;
  if (fused) {
    mm.o.prog = &epilogue;
    mm.o.n_prog = 1;
  }
  const uint32_t mm_in[] = {x, w, bias_row};
  api::call(opmux_builder_op, b, &mm.o, mm_in, &y);
  if (!fused) {
    const opmux_prog main{kBiasRelu, kBiasReluOut, 2, 1, OPMUX_SLOT_MAIN, 2};
    opmux_op_pointwise pw{};
    pw.o = head(OPMUX_OP_POINTWISE, sizeof pw, 2, 1, nullptr, &out);
    pw.o.prog = &main;
    pw.o.n_prog = 1;
    const uint32_t pw_in[] = {y, bias_row};
    api::call(opmux_builder_op, b, &pw.o, pw_in, &y);
  }
  api::call(opmux_builder_output, b, "y", y);
  opmux_model model = nullptr;
  api::call(opmux_builder_finish, b, &model);
  return api::Model(model);
}

// Largest |y - expected| in units of its bound: K roundings of the sum of magnitudes. 1 or less is right, NaN
// counts as infinite.
inline double worst(const SmallData& data, const float* y) {
  const auto want = data.expected();
  const double bound = 1e-6 * static_cast<double>(data.shape.k + 2);
  double most = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double off = std::abs(y[i] - want[i]) / bound;
    most = off <= most ? most : off;
    if (std::isnan(off)) return INFINITY;
  }
  return most;
}

}  // namespace opmux::test
