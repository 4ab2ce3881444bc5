// SPDX-License-Identifier: Apache-2.0
// A small language model with grouped-query attention, twice: as a built model that decodes one token of each
// sequence a run, over pages of keys and values; and by plain loops in double over whole sequences.
#pragma once

#include <cmath>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "opmux/opmux.hpp"
#include "opmux/ops.h"
#include "tests/unit/api/small_model.hpp"

namespace opmux::test {

struct DecoderShape {
  int64_t vocabulary = 67, width = 64, heads = 4, kv_heads = 2, head = 16, hidden = 96, layers = 2;
  int64_t sequences = 2, pages = 16, page = 4, table = 6, places = 32;
  uint32_t page_type = OPMUX_F32;
};

// A weight matrix [k, n], row-major; what the values were rounded to, if they were, is theirs.
struct Matrix {
  int64_t k, n;
  std::vector<float> value;
  double at(int64_t i, int64_t j) const { return value[static_cast<size_t>(i * n + j)]; }
};

struct DecoderWeights {
  explicit DecoderWeights(const DecoderShape& s, uint64_t seed) {
    const auto matrix = [&](int64_t k, int64_t n, float size) {
      Matrix m{k, n, random_values(static_cast<size_t>(k * n), ++seed)};
      for (float& v : m.value) v *= size;
      return m;
    };
    const auto around = [&](int64_t k) { return 2 / std::sqrt(static_cast<float>(k)); };
    token = matrix(s.vocabulary, s.width, 1);
    for (int64_t l = 0; l < s.layers; ++l) {
      const int64_t q = s.heads * s.head, kv = s.kv_heads * s.head;
      q_proj.push_back(matrix(s.width, q, around(s.width)));
      k_proj.push_back(matrix(s.width, kv, around(s.width)));
      v_proj.push_back(matrix(s.width, kv, around(s.width)));
      o_proj.push_back(matrix(q, s.width, around(q)));
      up.push_back(matrix(s.width, s.hidden, around(s.width)));
      down.push_back(matrix(s.hidden, s.width, around(s.hidden)));
    }
    logits = matrix(s.width, s.vocabulary, around(s.width));
    for (int64_t p = 0; p < s.places; ++p)
      for (int64_t i = 0; i < s.head / 2; ++i) {
        const double angle = static_cast<double>(p) /
                             std::pow(10000, 2 * static_cast<double>(i) / static_cast<double>(s.head));
        cosine.push_back(static_cast<float>(std::cos(angle)));
        sine.push_back(static_cast<float>(std::sin(angle)));
      }
  }
  Matrix token, logits;
  std::vector<Matrix> q_proj, k_proj, v_proj, o_proj, up, down;
  std::vector<float> cosine, sine;
};

// Logits of the last token, by the dense path: every token attends to all tokens before it, no cache.
class DenseDecoder {
 public:
  using Row = std::vector<double>;
  DenseDecoder(const DecoderShape& s, const DecoderWeights& w) : s_(s), w_(w) {}

  Row logits(const std::vector<int64_t>& tokens) const {
    std::vector<Row> x;
    for (int64_t t : tokens) {
      x.emplace_back();
      for (int64_t i = 0; i < s_.width; ++i) x.back().push_back(w_.token.at(t, i));
    }
    for (size_t l = 0; l < w_.q_proj.size(); ++l) layer(x, l);
    return times(normal(x.back()), w_.logits);
  }

 private:
  static Row times(const Row& x, const Matrix& m) {
    Row y(static_cast<size_t>(m.n));
    for (int64_t j = 0; j < m.n; ++j)
      for (int64_t i = 0; i < m.k; ++i) y[static_cast<size_t>(j)] += x[static_cast<size_t>(i)] * m.at(i, j);
    return y;
  }
  static Row normal(const Row& x) {
    double square = 0;
    for (double v : x) square += v * v;
    Row y = x;
    for (double& v : y) v /= std::sqrt(square / static_cast<double>(x.size()) + 1e-6f);
    return y;
  }
  static void add(Row& x, const Row& y) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }
  void turn(Row& x, size_t place) const {
    const auto head = static_cast<size_t>(s_.head), half = head / 2;
    for (size_t from = 0; from < x.size(); from += head)
      for (size_t i = 0; i < half; ++i) {
        const double c = w_.cosine[place * half + i], s = w_.sine[place * half + i];
        const double a = x[from + i], b = x[from + half + i];
        x[from + i] = c * a - s * b;
        x[from + half + i] = s * a + c * b;
      }
  }
  Row attend(const Row& q, const std::vector<Row>& k, const std::vector<Row>& v, size_t last) const {
    Row y(q.size());
    const auto head = static_cast<size_t>(s_.head), group = static_cast<size_t>(s_.heads / s_.kv_heads);
    for (size_t h = 0; h < static_cast<size_t>(s_.heads); ++h) {
      Row p;
      double sum = 0;
      for (size_t j = 0; j <= last; ++j) {
        double score = 0;
        for (size_t i = 0; i < head; ++i) score += q[h * head + i] * k[j][h / group * head + i];
        sum += p.emplace_back(std::exp(score / std::sqrt(static_cast<double>(head))));
      }
      for (size_t j = 0; j <= last; ++j)
        for (size_t i = 0; i < head; ++i) y[h * head + i] += p[j] / sum * v[j][h / group * head + i];
    }
    return y;
  }
  void layer(std::vector<Row>& x, size_t l) const {
    std::vector<Row> q, k, v;
    for (size_t t = 0; t < x.size(); ++t) {
      const Row n = normal(x[t]);
      turn(q.emplace_back(times(n, w_.q_proj[l])), t);
      turn(k.emplace_back(times(n, w_.k_proj[l])), t);
      v.push_back(times(n, w_.v_proj[l]));
    }
    for (size_t t = 0; t < x.size(); ++t) {
      add(x[t], times(attend(q[t], k, v, t), w_.o_proj[l]));
      Row h = times(normal(x[t]), w_.up[l]);
      for (double& e : h) e /= 1 + std::exp(-e);
      add(x[t], times(h, w_.down[l]));
    }
  }
  const DecoderShape& s_;
  const DecoderWeights& w_;
};

// Builds the model. Inputs: token [B], position [B, 1], slot [B], table, k_len [B], then for each layer its
// pages of keys and of values. Outputs: logits [B, vocabulary], next [B, 1], and the pages again.
class DecoderBuilder {
 public:
  // linear: y [B, n] = x [B, k] times a matrix; how it is stored is the caller's matter.
  using Linear = std::function<uint32_t(DecoderBuilder&, uint32_t x, const Matrix&)>;

  DecoderBuilder(const api::Context& context, const DecoderShape& s, const DecoderWeights& w, Linear linear)
      : s_(s), w_(w), linear_(std::move(linear)) {
    opmux_builder b = nullptr;
    api::call(opmux_builder_create, context.get(), &b);
    b_ = api::Handle<opmux_builder, opmux_builder_destroy>(b);
  }

  api::Model build() {
    const int64_t n = s_.sequences;
    const uint32_t token = input("token", OPMUX_I64, {n});
    position_ = input("position", OPMUX_I64, {n, 1});
    slot_ = input("slot", OPMUX_I64, {n});
    table_ = input("table", OPMUX_I32, {n, s_.table});
    k_len_ = input("k_len", OPMUX_I32, {n});
    std::vector<int32_t> starts(static_cast<size_t>(n + 1));
    for (size_t i = 0; i < starts.size(); ++i) starts[i] = static_cast<int32_t>(i);
    q_start_ = constant(OPMUX_I32, {n + 1}, starts.data());
    cosine_ = constant(OPMUX_F32, {s_.places, s_.head / 2}, w_.cosine.data());
    sine_ = constant(OPMUX_F32, {s_.places, s_.head / 2}, w_.sine.data());
    for (int64_t l = 0; l < 2 * s_.layers; ++l)
      pages_.push_back(
          input("pages" + std::to_string(l), s_.page_type, {s_.pages, s_.page, s_.kv_heads, s_.head}));
    const uint32_t rows = constant(OPMUX_F32, {s_.vocabulary, s_.width}, w_.token.value.data());
    uint32_t x = op<opmux_op_gather>(OPMUX_OP_GATHER, {rows, token});
    for (size_t l = 0; l < w_.q_proj.size(); ++l) x = layer(x, l);
    const uint32_t logits = linear_(*this, normal(x), w_.logits);
    const uint32_t next = op<opmux_op_reduce>(OPMUX_OP_REDUCE, {logits}, [&](opmux_op_reduce& d) {
      d.kind = OPMUX_REDUCE_ARGMAX;
      d.axes = list(d.o, {1});
    });
    output("logits", logits);
    output("next", next);
    for (size_t i = 0; i < pages_.size(); ++i) output("new_pages" + std::to_string(i), pages_[i]);
    opmux_model model = nullptr;
    api::call(opmux_builder_finish, b_.get(), &model);
    return api::Model(model);
  }

  template <class D>
  uint32_t op(uint32_t id, std::vector<uint32_t> in, const std::function<void(D&)>& fill = {}) {
    D d{};
    d.o = head(id, sizeof d, static_cast<uint32_t>(in.size()), 1, nullptr, nullptr);
    if (fill) fill(d);
    uint32_t y = 0;
    api::call(opmux_builder_op, b_.get(), static_cast<const opmux_opd*>(&d.o),
              static_cast<const uint32_t*>(in.data()), &y);
    return y;
  }
  template <class T>
  uint32_t constant(uint32_t dtype, std::initializer_list<int64_t> dims, const T* data) {
    const opmux_tensor t = api::tensor(dtype, std::span(dims.begin(), dims.size()), data);
    uint32_t v = 0;
    api::call(opmux_builder_constant, b_.get(), &t, &v);
    return v;
  }
  int64_t batch() const { return s_.sequences; }

 private:
  uint32_t input(const std::string& name, uint32_t dtype, std::initializer_list<int64_t> dims) {
    const opmux_tdesc d = api::desc(dtype, dims);
    uint32_t v = 0;
    api::call(opmux_builder_input, b_.get(), name.c_str(), &d, &v);
    return v;
  }
  void output(const std::string& name, uint32_t v) {
    api::call(opmux_builder_output, b_.get(), name.c_str(), v);
  }
  uint32_t view(uint32_t v, std::initializer_list<int64_t> dims) {
    const opmux_tdesc d = api::desc(OPMUX_F32, dims);
    uint32_t y = 0;
    api::call(opmux_builder_view, b_.get(), v, &d, int64_t{0}, &y);
    return y;
  }
  opmux_slice list(opmux_opd& o, std::initializer_list<int64_t> values) {
    lists_.emplace_back(values);
    o.list = lists_.back().data();
    o.n_list = static_cast<uint32_t>(values.size());
    return {0, o.n_list};
  }
  uint32_t pointwise(std::vector<uint32_t> in, std::initializer_list<opmux_insn> insns) {
    return op<opmux_op_pointwise>(OPMUX_OP_POINTWISE, in, [&](opmux_op_pointwise& d) {
      codes_.emplace_back(insns);
      outs_.push_back(static_cast<uint32_t>(in.size() + insns.size() - 1));
      const auto n = static_cast<uint32_t>(insns.size()), n_in = static_cast<uint32_t>(in.size());
      progs_.push_back({codes_.back().data(), &outs_.back(), n, 1, OPMUX_SLOT_MAIN, n_in});
      d.o.prog = &progs_.back();
      d.o.n_prog = 1;
    });
  }
  uint32_t normal(uint32_t x) {
    return op<opmux_op_layer_norm>(OPMUX_OP_LAYER_NORM, {x}, [](opmux_op_layer_norm& d) {
      d.kind = OPMUX_NORM_RMS;
      d.axis = 1;
      d.epsilon = 1e-6f;
    });
  }
  uint32_t turned(uint32_t x, int64_t heads) {
    const uint32_t y = op<opmux_op_rotary>(
        OPMUX_OP_ROTARY, {view(x, {batch(), heads, 1, s_.head}), cosine_, sine_, position_});
    return view(y, {batch(), heads, s_.head});
  }
  uint32_t append(size_t i, uint32_t x) {
    static constexpr uint32_t kAlias[] = {1};
    return pages_[i] = op<opmux_op_kv_append>(OPMUX_OP_KV_APPEND, {pages_[i], x, slot_},
                                              [](opmux_op_kv_append& d) { d.o.alias = kAlias; });
  }
  uint32_t layer(uint32_t x, size_t l) {
    const opmux_insn add{OPMUX_FN_ADD, OPMUX_F32, 0, 1, 0, 0, 0},
        silu{OPMUX_FN_SILU, OPMUX_F32, 0, 0, 0, 0, 0};
    const uint32_t n = normal(x);
    const uint32_t q = turned(linear_(*this, n, w_.q_proj[l]), s_.heads);
    const uint32_t k = append(2 * l, turned(linear_(*this, n, w_.k_proj[l]), s_.kv_heads));
    const uint32_t v =
        append(2 * l + 1, view(linear_(*this, n, w_.v_proj[l]), {batch(), s_.kv_heads, s_.head}));
    const uint32_t y = op<opmux_op_paged_attention>(
        OPMUX_OP_PAGED_ATTENTION, {q, k, v, table_, k_len_, q_start_}, [](opmux_op_paged_attention& d) {
          d.causal = 1;
          d.window = -1;
        });
    x = pointwise({x, linear_(*this, view(y, {batch(), s_.heads * s_.head}), w_.o_proj[l])}, {add});
    const uint32_t h = pointwise({linear_(*this, normal(x), w_.up[l])}, {silu});
    return pointwise({x, linear_(*this, h, w_.down[l])}, {add});
  }

  const DecoderShape& s_;
  const DecoderWeights& w_;
  Linear linear_;
  api::Handle<opmux_builder, opmux_builder_destroy> b_;
  uint32_t position_ = 0, slot_ = 0, table_ = 0, k_len_ = 0, q_start_ = 0, cosine_ = 0, sine_ = 0;
  std::vector<uint32_t> pages_;
  std::deque<std::vector<int64_t>> lists_;
  std::deque<std::vector<opmux_insn>> codes_;
  std::deque<uint32_t> outs_;
  std::deque<opmux_prog> progs_;
};

}  // namespace opmux::test
