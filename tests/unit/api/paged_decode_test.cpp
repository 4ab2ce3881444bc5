// SPDX-License-Identifier: Apache-2.0
// Text generation over a paged cache decodes what the dense path decodes, and allocates nothing per token.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/allocation_count.hpp"
#include "tests/unit/api/decoder_model.hpp"

namespace opmux::test {
namespace {

uint32_t plain_linear(DecoderBuilder& b, uint32_t x, const Matrix& m) {
  const uint32_t w = b.constant(OPMUX_F32, {m.k, m.n}, m.value.data());
  return b.op<opmux_op_matmul>(OPMUX_OP_MATMUL, {x, w}, [](opmux_op_matmul& d) { d.acc_dtype = OPMUX_F32; });
}

constexpr int64_t kGroup = 32;  // of weights that share a scale

int64_t groups_of(const Matrix& m) { return (m.k + kGroup - 1) / kGroup; }
float scale_of(const Matrix& m, int64_t group, int64_t j) {
  float most = 0;
  for (int64_t i = group * kGroup; i < std::min(m.k, (group + 1) * kGroup); ++i)
    most = std::max(most, std::fabs(m.value[static_cast<size_t>(i * m.n + j)]));
  return most / 7;
}

// Every weight to one of 15 multiples of its group's scale, so that 4 bits hold it.
void round_to_4_bits(Matrix& m) {
  for (int64_t j = 0; j < m.n; ++j)
    for (int64_t g = 0; g < groups_of(m); ++g) {
      const float scale = scale_of(m, g, j);
      for (int64_t i = g * kGroup; i < std::min(m.k, (g + 1) * kGroup); ++i) {
        float& v = m.value[static_cast<size_t>(i * m.n + j)];
        v = std::nearbyint(v / scale) * scale;
      }
    }
}

uint32_t four_bit_linear(DecoderBuilder& b, uint32_t x, const Matrix& m) {
  std::vector<float> scales;
  for (int64_t g = 0; g < groups_of(m); ++g)
    for (int64_t j = 0; j < m.n; ++j) scales.push_back(scale_of(m, g, j));
  std::vector<uint8_t> codes((m.value.size() + 1) / 2);
  for (size_t e = 0; e < m.value.size(); ++e) {
    const auto j = static_cast<int64_t>(e) % m.n, g = static_cast<int64_t>(e) / m.n / kGroup;
    const auto code = static_cast<int>(std::lrint(m.value[e] / scales[static_cast<size_t>(g * m.n + j)]));
    codes[e / 2] |= static_cast<uint8_t>((code & 15) << (e % 2 * 4));
  }
  const uint32_t w = b.constant(OPMUX_I4, {m.k, m.n}, codes.data());
  const uint32_t s = b.constant(OPMUX_F32, {groups_of(m), m.n}, scales.data());
  return b.op<opmux_op_quant_matmul>(OPMUX_OP_QUANT_MATMUL, {x, w, UINT32_MAX, UINT32_MAX, s, UINT32_MAX},
                                     [](opmux_op_quant_matmul& d) {
                                       d.acc_dtype = OPMUX_F32;
                                       d.b_group = kGroup;
                                     });
}

// A run context with its cache: pages that the sequences take in turn, so that none has neighbours.
class PagedDecoder {
 public:
  PagedDecoder(const api::Plan& plan, const DecoderShape& s) : s_(s), run_(plan) {
    const auto n = static_cast<size_t>(s.sequences);
    token_.resize(n);
    position_.resize(n);
    slot_.resize(n);
    k_len_.resize(n);
    table_.resize(n * static_cast<size_t>(s.table));
    for (size_t i = 0; i < table_.size(); ++i) {
      const auto b = static_cast<int32_t>(i) / static_cast<int32_t>(s.table),
                 block = static_cast<int32_t>(i) % static_cast<int32_t>(s.table);
      table_[i] = static_cast<int32_t>(s.pages) - 1 - block * static_cast<int32_t>(s.sequences) - b;
    }
    const int64_t rows[] = {s.sequences}, column[] = {s.sequences, 1}, blocks[] = {s.sequences, s.table},
                  pages[] = {s.pages, s.page, s.kv_heads, s.head};
    run_.bind_input(0, api::tensor(OPMUX_I64, rows, token_.data()));
    run_.bind_input(1, api::tensor(OPMUX_I64, column, position_.data()));
    run_.bind_input(2, api::tensor(OPMUX_I64, rows, slot_.data()));
    run_.bind_input(3, api::tensor(OPMUX_I32, blocks, table_.data()));
    run_.bind_input(4, api::tensor(OPMUX_I32, rows, k_len_.data()));
    for (int64_t i = 0; i < 2 * s.layers; ++i) {
      auto& memory = pages_.emplace_back(static_cast<size_t>(s.pages * s.page * s.kv_heads * s.head * 4));
      // The same memory as input and output: the cache is written in place.
      run_.bind_input(static_cast<uint32_t>(5 + i), api::tensor(s.page_type, pages, memory.data()));
      run_.bind_output(static_cast<uint32_t>(2 + i), api::tensor(s.page_type, pages, memory.data()));
    }
  }
  // tokens[b] at place[b] of sequence b; a place of -1: the sequence rests.
  void step(const std::vector<int64_t>& tokens, const std::vector<int64_t>& place) {
    for (size_t b = 0; b < tokens.size(); ++b) {
      token_[b] = tokens[b];
      position_[b] = std::max<int64_t>(place[b], 0);
      k_len_[b] = static_cast<int32_t>(place[b] + 1);
      const auto block = static_cast<size_t>(position_[b] / s_.page);
      const int64_t page = table_[b * static_cast<size_t>(s_.table) + block];
      slot_[b] = place[b] < 0 ? -1 : page * s_.page + position_[b] % s_.page;
    }
    run_.run();
  }
  int64_t next(size_t b) const { return static_cast<const int64_t*>(run_.output(1).data)[b]; }
  const float* logits(size_t b) const {
    return static_cast<const float*>(run_.output(0).data) + static_cast<int64_t>(b) * s_.vocabulary;
  }

 private:
  const DecoderShape& s_;
  api::RunContext run_;
  std::vector<int64_t> token_, position_, slot_;
  std::vector<int32_t> k_len_, table_;
  std::vector<std::vector<std::byte>> pages_;
};

size_t best_of(const std::vector<double>& logits) {
  return static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}
double margin(std::vector<double> logits) {
  std::nth_element(logits.begin(), logits.begin() + 1, logits.end(), std::greater<>());
  return logits[0] - logits[1];
}

// Feeds the prompts, the second one three steps later, and lets both go on by themselves. Tokens must be
// those of the dense path, and logits within `bound`.
void expect_same_tokens(const api::Plan& plan, const DecoderShape& s, const DecoderWeights& w, double bound) {
  const DenseDecoder dense(s, w);
  PagedDecoder paged(plan, s);
  std::vector<std::vector<int64_t>> text = {{5, 60, 17, 3, 44}, {29, 8}};
  const std::vector<int64_t> delay = {0, 3};
  double worst = 0, narrowest = 1e9;
  for (int64_t t = 0; t < 20; ++t) {
    std::vector<int64_t> token, place;
    for (size_t b = 0; b < text.size(); ++b) {
      place.push_back(std::max<int64_t>(t - delay[b], -1));
      token.push_back(text[b][static_cast<size_t>(std::max<int64_t>(place[b], 0))]);
    }
    const uint64_t before = allocations();
    paged.step(token, place);
    if (t > 1 && counting()) {
      EXPECT_EQ(allocations() - before, 0u) << "token " << t;
    }
    for (size_t b = 0; b < text.size(); ++b) {
      if (place[b] < 0) continue;
      const auto known = static_cast<size_t>(place[b] + 1);
      const std::vector<double> want = dense.logits({text[b].begin(), text[b].begin() + place[b] + 1});
      for (size_t i = 0; i < want.size(); ++i)
        worst = std::max(worst, std::fabs(paged.logits(b)[i] - want[i]));
      narrowest = std::min(narrowest, margin(want));
      ASSERT_EQ(static_cast<size_t>(paged.next(b)), best_of(want)) << "token " << t << " of sequence " << b;
      if (known == text[b].size()) text[b].push_back(paged.next(b));
    }
  }
  EXPECT_LT(worst, bound);
  EXPECT_GT(narrowest, 2 * bound) << "the tokens of this model say nothing";
  EXPECT_GT(text[0].size(), 18u);
}

void check(const DecoderShape& s, const char* device, double bound) {
  const api::Context context;
  const DecoderWeights w(s, 40);
  DecoderBuilder builder(context, s, w, plain_linear);
  const api::Plan plan(builder.build(), device);
  expect_same_tokens(plan, s, w, bound);
}

TEST(PagedDecoding, GivesTheTokensOfTheDensePath) { check({}, "cpu", 1e-4); }

TEST(PagedDecoding, GivesTheSameTokensFromPagesOfHalfTheSize) {
  DecoderShape s;
  s.page_type = OPMUX_F16;
  check(s, "cpu", 2e-2);
}

TEST(PagedDecoding, GivesTheTokensOfTheDensePathFromWeightsOf4Bits) {
  const DecoderShape s;
  DecoderWeights w(s, 40);
  for (auto* all : {&w.q_proj, &w.k_proj, &w.v_proj, &w.o_proj, &w.up, &w.down})
    for (Matrix& m : *all) round_to_4_bits(m);
  round_to_4_bits(w.logits);
  const api::Context context;
  DecoderBuilder builder(context, s, w, four_bit_linear);
  const api::Plan plan(builder.build(), "cpu");
  expect_same_tokens(plan, s, w, 1e-4);
}

}  // namespace
}  // namespace opmux::test
