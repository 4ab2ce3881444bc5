// SPDX-License-Identifier: Apache-2.0
#include <numeric>
#include <optional>

#include "every_instruction_set.hpp"
#include "kit/half.hpp"
#include "opmux/ops/attention.gen.h"
#include "oracle.hpp"
#include "run_fault.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

struct Case {
  std::vector<int64_t> queries, keys;  // of each sequence
  int64_t heads, kv_heads, width, value_width, pages, page;
  uint32_t causal = 1;
  int32_t window = -1;
  bool slopes = false;
  Index scale = {-1};  // dims, or no scale
  float soft_cap = 0;
};

const Case kCases[] = {
    {{1, 1, 1}, {5, 17, 1}, 4, 2, 16, 16, 9, 4},
    {{1}, {300}, 8, 2, 64, 64, 40, 16},
    {{7, 0, 60, 3}, {9, 4, 60, 40}, 4, 1, 33, 17, 50, 5},
    {{20, 5}, {50, 5}, 4, 4, 32, 48, 9, 17, 0, 6, true},
    {{1, 1, 1, 1, 1, 1, 1, 1}, {8, 100, 64, 65, 0, 3, 1, 128}, 6, 2, 64, 64, 20, 32, 1, 20},
    {{130}, {200}, 2, 1, 16, 16, 30, 8, 1, -1, false, {}, 3},
    {{4}, {3}, 2, 2, 8, 8, 4, 1},  // the first query stands before all keys
    {{3, 2}, {70, 80}, 4, 2, 16, 24, 40, 4, 1, -1, true, {40, 4, 2}},
    {{1, 2}, {70, 80}, 4, 2, 16, 16, 40, 4, 0, -1, false, {4, 1}},
    {{2}, {90}, 2, 1, 512, 512, 3, 64, 1, -1, false, {1}},
    {{}, {}, 2, 1, 8, 8, 3, 4},
    {{0}, {4}, 2, 1, 8, 8, 3, 4},
    {{2}, {4}, 2, 1, 8, 0, 3, 4},
};

// Random codes that are no NaN.
void fill_codes(Tensor& t, uint32_t type, std::mt19937& rng) {
  if (type != OPMUX_E4M3FN) return (void)t.random(rng);
  t.each([&](const Index& i) {
    const auto code = static_cast<uint8_t>(rng());
    t.set(i, (code & 0x7f) == 0x7f ? 0 : kit::decode(kit::kE4m3fn, code));
  });
}

struct Operands {
  Operands(const Case& c, uint32_t type, uint32_t page_type, bool odd, std::mt19937& rng) {
    const auto make = [&](uint32_t t, const Index& dims) { return test::make(t, dims, odd, rng); };
    const auto n = static_cast<int64_t>(c.queries.size());
    const int64_t rows = std::accumulate(c.queries.begin(), c.queries.end(), int64_t{0});
    const int64_t longest = c.keys.empty() ? 0 : *std::max_element(c.keys.begin(), c.keys.end());
    const uint32_t index = odd ? OPMUX_I64 : OPMUX_I32;
    q.emplace(make(type, {rows, c.heads, c.width})).random(rng);
    fill_codes(k.emplace(make(page_type, {c.pages, c.page, c.kv_heads, c.width})), page_type, rng);
    fill_codes(v.emplace(make(page_type, {c.pages, c.page, c.kv_heads, c.value_width})), page_type, rng);
    table.emplace(make(index, {n, (longest + c.page - 1) / c.page}));
    k_len.emplace(make(index, {n}));
    q_start.emplace(make(index, {n + 1}));
    fill_table(c, rng);
    y.emplace(make(type, {rows, c.heads, c.value_width}));
    lse.emplace(make(OPMUX_F32, {rows, c.heads}));
    d.in(q->t).in(k->t).in(v->t).in(table->t).in(k_len->t).in(q_start->t);
    args = {q->data(), k->data(), v->data(), table->data(), k_len->data(), q_start->data()};
    if (c.slopes) slopes.emplace(make(OPMUX_F32, {c.heads})).random(rng);
    const bool scaled = c.scale != Index{-1};
    for (auto* s : {&k_scale, &v_scale})
      if (scaled) s->emplace(make(OPMUX_F32, c.scale)).random(rng);
    for (auto* o : {&slopes, &k_scale, &v_scale}) {
      d.in(*o ? (*o)->t : kit::absent());
      args.push_back(*o ? (*o)->data() : nullptr);
    }
    d.out(y->t).out(lse->t);
    args.insert(args.end(), {y->data(), lse->data()});
    d->causal = c.causal;
    d->window = c.window;
    d->soft_cap = c.soft_cap;
  }

  // Entries that are not in use point nowhere.
  void fill_table(const Case& c, std::mt19937& rng) {
    double start = 0;
    q_start->set({0}, 0);
    for (size_t b = 0; b < c.queries.size(); ++b) {
      const auto s = static_cast<int64_t>(b);
      q_start->set({s + 1}, start += static_cast<double>(c.queries[b]));
      k_len->set({s}, static_cast<double>(c.keys[b]));
      for (int64_t i = 0; i < table->t.dim[1]; ++i) {
        const bool used = i * c.page < c.keys[b];
        table->set({s, i}, used ? static_cast<double>(rng() % static_cast<uint64_t>(c.pages)) : -1e6);
      }
    }
  }

  std::optional<Tensor> q, k, v, table, k_len, q_start, slopes, k_scale, v_scale, y, lse;
  kit::Desc<opmux_op_paged_attention> d{OPMUX_OP_PAGED_ATTENTION};
  std::vector<void*> args;
};

void check(const Case& c, uint32_t type, uint32_t pages, bool odd, Host& host, std::mt19937& rng) {
  Operands o(c, type, pages, odd, rng);
  const std::string what = "heads " + text({c.heads, c.kv_heads, c.width}) + " keys " + text(c.keys) +
                           " page " + std::to_string(c.page) + (odd ? " odd" : "");
  const double u = unit_roundoff(OPMUX_F32);
  const auto n = static_cast<double>(o.table->t.dim[1] * c.page + c.width);
  // Codes without a scale make scores that are far apart, and weights below the least normal number are 0.
  const double lost = n * 512 * std::ldexp(1, -126);
  run_and_compare(host, o.d, o.args, {&*o.y, &*o.lse}, what,
                  [&](size_t output, size_t i, double want, const Truth& truth) {
                    const double sums = (8 + n) * u * truth.magnitude[i];
                    return output == 1 ? sums : sums + lost + (type == OPMUX_F32 ? 0.0 : spacing(type, want));
                  });
}

TEST(PagedAttention, AgreesWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(1);
  Host host(3);
  for (const Case& c : kCases)
    for (uint32_t type : {OPMUX_F32, OPMUX_F16, OPMUX_BF16})
      for (uint32_t pages : {OPMUX_F32, OPMUX_F16, OPMUX_BF16, OPMUX_I8, OPMUX_E4M3FN})
        if (pages == type || type == OPMUX_F32)
          for (bool odd : {false, true}) check(c, type, pages, odd, host, rng);
}

TEST(PagedAttention, AgreesWithTheReferenceOnEveryInstructionSet) {
  std::mt19937 rng(2);
  Host host(1);
  on_every_instruction_set([&] {
    for (const Case& c : kCases)
      for (uint32_t pages : {OPMUX_F32, OPMUX_I8}) check(c, OPMUX_F32, pages, false, host, rng);
  });
}

TEST(PagedAttention, GivesTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(3);
  Operands o({{90, 1, 7}, {200, 30, 100}, 8, 2, 64, 64, 50, 16}, OPMUX_F32, OPMUX_F16, false, rng);
  expect_same_bits({&*o.y}, "paged attention", [&](Host& host) { ASSERT_TRUE(run_op(host, o.d, o.args)); });
}

TEST(PagedAttention, NamesWhatIsOutOfRangeAndWritesNothing) {
  std::mt19937 rng(4);
  Host host(2);
  Operands o({{2, 1}, {9, 3}, 2, 1, 8, 8, 5, 4}, OPMUX_F32, OPMUX_F32, false, rng);
  const std::vector<std::byte> before = o.y->memory();
  o.table->set({1, 0}, 5);
  expect_fault(host, o.d, o.args, 3, "paged_attention: table[3] is 5, outside [0, 4]");
  o.k_len->set({0}, 13);
  expect_fault(host, o.d, o.args, 4, "paged_attention: k_len[0] is 13, outside [0, 12]");
  o.q_start->set({1}, 4);
  expect_fault(host, o.d, o.args, 5, "paged_attention: q_start[1] is 4, outside [0, 3]");
  EXPECT_EQ(o.y->memory(), before);
}

struct Append {
  Append(const Index& dims, int64_t rows, uint32_t page_type, uint32_t type, bool odd, std::mt19937& rng,
         const Index& scale_dims = {-1}, bool find = false) {
    const auto make = [&](uint32_t t, const Index& shape) { return test::make(t, shape, odd, rng); };
    fill_codes(pages.emplace(make(page_type, dims)), page_type, rng);
    x.emplace(make(type, {rows, dims[2], dims[3]})).random(rng);
    slots.emplace(make(odd ? OPMUX_I32 : OPMUX_I64, {rows}));
    const auto limit = static_cast<uint64_t>(dims[0] * dims[1]);
    slots->each([&](const Index& i) { slots->set(i, static_cast<double>(rng() % (limit + 1)) - 1); });
    if (scale_dims != Index{-1}) {
      scale.emplace(make(OPMUX_F32, scale_dims)).random(rng);
      scale->each([&](const Index& i) { scale->set(i, scale->get(i) * 0.01); });
    }
    d.in(pages->t).in(x->t).in(slots->t).in(scale ? scale->t : kit::absent()).out(pages->t);
    args = {pages->data(), x->data(), slots->data(), scale ? scale->data() : nullptr, pages->data()};
    if (find) {
      d.out(scale->t).alias({1, 4});
      args.push_back(scale->data());
    } else {
      d.alias({1});
    }
  }
  std::optional<Tensor> pages, x, slots, scale;
  kit::Desc<opmux_op_kv_append> d{OPMUX_OP_KV_APPEND};
  std::vector<void*> args;
};

void check_append(Append& a, Host& host, const std::string& what) {
  const Truth pages = Oracle::get().evaluate(a.d, a.args);
  Truth scale;
  if (a.args.size() > 5) scale = Oracle::get().evaluate(a.d, a.args, 1);
  ASSERT_TRUE(run_op(host, a.d, a.args)) << what;
  size_t k = 0;
  a.pages->each([&](const Index& i) { ASSERT_EQ(a.pages->get(i), pages[k++]) << what << text(i); });
  EXPECT_TRUE(a.pages->gaps_untouched()) << what;
  if (a.args.size() == 5) return;
  k = 0;
  a.scale->each([&](const Index& i) { ASSERT_EQ(a.scale->get(i), scale[k++]) << what << text(i); });
}

TEST(KvAppend, AgreesWithTheReferenceBitForBit) {
  std::mt19937 rng(5);
  Host host(3);
  for (uint32_t page_type : {OPMUX_F32, OPMUX_F16, OPMUX_BF16, OPMUX_I8, OPMUX_E4M3FN})
    for (uint32_t type : {OPMUX_F32, OPMUX_F16, OPMUX_BF16})
      for (bool odd : {false, true}) {
        const std::string what = std::to_string(page_type) + (odd ? " odd " : " ");
        Append plain({5, 4, 2, 33}, 30, page_type, type, odd, rng);
        check_append(plain, host, what);
        Append divided({5, 3, 2, 300}, 7, page_type, type, odd, rng, {3, 1});
        check_append(divided, host, what + "scaled ");
        Append found({2, 9, 3, 17}, 11, page_type, type, odd, rng, {2, 9, 3}, true);
        check_append(found, host, what + "found ");
        Append empty({2, 1, 1, 1}, 0, page_type, type, odd, rng, {});
        check_append(empty, host, what + "empty ");
      }
}

TEST(KvAppend, RoundsEveryFloatNearACodeToIt) {
  std::mt19937 rng(6);
  Host host(1);
  std::vector<double> values = {0.0,      448,     463.9,  464,         465,  1e30,
                                INFINITY, 0x1p-10, 0x1p-9, 3 * 0x1p-10, 1e-30};
  for (unsigned code = 0; code < 0x7e; ++code) {
    const double low = kit::decode(kit::kE4m3fn, code), high = kit::decode(kit::kE4m3fn, code + 1);
    const auto middle = static_cast<float>((low + high) / 2);
    for (float v : {middle, std::nextafterf(middle, 0), std::nextafterf(middle, 999)}) values.push_back(v);
  }
  const auto n = static_cast<int64_t>(2 * values.size());
  for (uint32_t type : {OPMUX_E4M3FN, OPMUX_I8}) {
    Append a({1, 1, 1, n}, 1, type, OPMUX_F32, false, rng);
    a.slots->set({0}, 0);
    for (int64_t i = 0; i < n; ++i)
      a.x->set({0, 0, i}, values[static_cast<size_t>(i / 2)] * (i % 2 ? -1 : 1));
    check_append(a, host, "near codes ");
  }
}

TEST(KvAppend, KeepsTheLastOfSeveralRowsForASlot) {
  std::mt19937 rng(7);
  Host host(7);
  Append a({2, 2, 4, 64}, 40, OPMUX_F32, OPMUX_F32, false, rng);
  a.slots->each([&](const Index& i) { a.slots->set(i, static_cast<double>(i[0] % 3)); });
  check_append(a, host, "repeated ");
}

TEST(KvAppend, NamesTheSlotThatIsNotThereAndWritesNothing) {
  std::mt19937 rng(8);
  Host host(2);
  for (double bad : {-2.0, 20.0}) {
    Append a({5, 4, 2, 8}, 3, OPMUX_F32, OPMUX_F32, false, rng);
    a.slots->set({2}, bad);
    const std::vector<std::byte> before = a.pages->memory();
    expect_fault(host, a.d, a.args, 2,
                 "kv_append: slots[2] is " + std::to_string(static_cast<int>(bad)) + ", outside [-1, 19]");
    EXPECT_EQ(a.pages->memory(), before);
  }
}

}  // namespace
}  // namespace opmux::test
