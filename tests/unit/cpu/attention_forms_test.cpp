// SPDX-License-Identifier: Apache-2.0
// The optional operands of attention: slopes, lengths, packed sequences, blocks, and its second result.
#include <numeric>
#include <optional>

#include "every_instruction_set.hpp"
#include "opmux/ops/attention.gen.h"
#include "oracle.hpp"
#include "run_fault.hpp"
#include "same_bits.hpp"

namespace opmux::test {
namespace {

struct Form {
  int64_t batch, heads, kv_heads, queries, keys, width, value_width;
  uint32_t causal = 0;
  int32_t window = -1;
  bool slopes = false, q_len = false, k_len = false;
  int64_t sequences = 0;  // 0: not packed
  uint32_t block_q = 0, block_k = 0;
  uint32_t mask = OPMUX_NONE;
  float soft_cap = 0;
};

std::string describe(const Form& f) {
  return "q " + text({f.batch, f.heads, f.queries, f.width}) + " kv heads " + std::to_string(f.kv_heads) +
         " keys " + std::to_string(f.keys) + " causal " + std::to_string(f.causal) + " window " +
         std::to_string(f.window) + " slopes " + std::to_string(f.slopes) + " lengths " +
         std::to_string(f.q_len) + std::to_string(f.k_len) + " sequences " + std::to_string(f.sequences) +
         " blocks " + std::to_string(f.block_q) + "x" + std::to_string(f.block_k);
}

struct Operands {
  Operands(const Form& f, uint32_t type, bool odd, std::mt19937& random) : form(f), is_odd(odd), rng(random) {
    y = make(type, {f.batch, f.heads, f.queries, f.value_width});
    lse = make(OPMUX_F32, {f.batch, f.heads, f.queries});
    add(0, type, {f.batch, f.heads, f.queries, f.width}).random(rng);
    add(1, type, {f.batch, f.kv_heads, f.keys, f.width}).random(rng);
    add(2, type, {f.batch, f.kv_heads, f.keys, f.value_width}).random(rng);
    if (f.mask != OPMUX_NONE) fill_mask(add(3, f.mask == OPMUX_BOOL ? f.mask : type, {f.queries, f.keys}));
    if (f.slopes) add(7, OPMUX_F32, {f.heads}).random(rng);
    const uint32_t index = odd ? OPMUX_I32 : OPMUX_I64;
    if (f.q_len) lengths(add(8, index, {f.batch}), f.queries);
    if (f.k_len) lengths(add(9, index, {f.batch}), f.keys);
    if (f.sequences > 0) {
      starts(add(10, index, {f.sequences + 1}), f.queries);
      starts(add(11, index, {f.sequences + 1}), f.keys);
    }
    if (f.block_q > 0) {
      const auto part = [](int64_t n, uint32_t size) { return (n + size - 1) / size; };
      fill_mask(add(12, OPMUX_BOOL, {f.heads, part(f.queries, f.block_q), part(f.keys, f.block_k)}));
    }
    for (uint32_t i = 0; i <= last; ++i) d.in(in[i] ? in[i]->t : kit::absent());
    d.out(y->t).out(kit::absent()).out(kit::absent()).out(lse->t);
    d->causal = f.causal;
    d->window = f.window;
    d->soft_cap = f.soft_cap;
    d->block_q = f.block_q;
    d->block_k = f.block_k;
  }
  std::vector<void*> args() {
    std::vector<void*> all;
    for (uint32_t i = 0; i <= last; ++i) all.push_back(in[i] ? in[i]->data() : nullptr);
    all.insert(all.end(), {y->data(), nullptr, nullptr, lse->data()});
    return all;
  }

  const Form form;
  const bool is_odd;
  std::mt19937& rng;
  std::optional<Tensor> in[13], y, lse;
  uint32_t last = 2;
  kit::Desc<opmux_op_attention> d{OPMUX_OP_ATTENTION};

 private:
  Tensor make(uint32_t type, const Index& dims) const { return test::make(type, dims, is_odd, rng); }
  Tensor& add(uint32_t i, uint32_t type, const Index& dims) {
    last = std::max(last, i);
    return in[i].emplace(make(type, dims));
  }
  void fill_mask(Tensor& t) {
    if (t.t.dtype != OPMUX_BOOL) return (void)t.random(rng);
    t.each([&](const Index& i) { t.set(i, rng() % 3 != 0); });
  }
  void lengths(Tensor& t, int64_t most) {
    t.each([&](const Index& i) { t.set(i, static_cast<double>(rng() % static_cast<uint64_t>(most + 1))); });
  }
  // Some sequences are empty, and rows are left over at both ends.
  void starts(Tensor& t, int64_t most) {
    std::vector<int64_t> cut(static_cast<size_t>(t.t.dim[0]));
    for (int64_t& c : cut) c = static_cast<int64_t>(rng() % static_cast<uint64_t>(most + 1));
    std::sort(cut.begin(), cut.end());
    if (cut.size() > 3) cut[2] = cut[1];
    t.each([&](const Index& i) { t.set(i, static_cast<double>(cut[static_cast<size_t>(i[0])])); });
  }
};

const Form kForms[] = {
    {2, 4, 2, 7, 9, 16, 12, 0, -1, true},
    {1, 6, 2, 60, 60, 32, 32, 1, -1, true},
    {2, 4, 4, 5, 130, 16, 16, 0, 9, true, false, false, 0, 0, 0, OPMUX_F32, 2},
    {3, 4, 2, 17, 67, 16, 16, 0, -1, false, true, true},
    {3, 4, 2, 17, 67, 16, 16, 1, -1, false, true, true},
    {4, 4, 1, 1, 150, 64, 64, 1, 20, false, false, true},
    {4, 2, 2, 70, 70, 24, 40, 1, -1, true, true, false},
    {2, 4, 2, 60, 90, 16, 16, 1, 30, true, false, true, 0, 0, 0, OPMUX_BOOL, 3},
    {1, 4, 2, 100, 120, 16, 16, 1, -1, false, false, false, 5},
    {1, 4, 1, 100, 120, 33, 17, 0, -1, true, false, false, 9, 0, 0, OPMUX_F32},
    {1, 8, 2, 6, 300, 64, 64, 1, -1, false, false, false, 6},
    {1, 2, 2, 40, 50, 16, 16, 0, 6, false, false, false, 3, 0, 0, OPMUX_BOOL},
    {1, 2, 1, 40, 50, 16, 16, 0, -1, false, false, false, 0, 8, 16},
    {1, 4, 2, 70, 200, 16, 16, 1, -1, true, false, false, 0, 13, 70},
    {2, 4, 2, 33, 65, 16, 16, 0, -1, false, true, true, 0, 1, 1, OPMUX_F32},
    {1, 3, 3, 50, 70, 16, 16, 1, -1, false, false, false, 4, 64, 3},
    {1, 2, 1, 5, 0, 8, 8, 0, -1, true, false, true},
    {1, 2, 1, 5, 7, 8, 0},
    {1, 1, 1, 3, 70, 512, 512, 0, -1, true},
};

void check(const Form& f, uint32_t dtype, bool odd, Host& host, std::mt19937& rng) {
  Operands o(f, dtype, odd, rng);
  const std::string what = describe(f) + (odd ? " odd" : "");
  const auto n = static_cast<double>(f.keys + f.width);
  run_and_compare(host, o.d, o.args(), {&*o.y, nullptr, nullptr, &*o.lse}, what,
                  [&](size_t output, size_t i, double want, const Truth& truth) {
                    const uint32_t type = output == 0 ? dtype : OPMUX_F32;
                    return (8 + n) * wide_roundoff(type) * truth.magnitude[i] +
                           (type == OPMUX_F32 ? 0.0 : spacing(type, want));
                  });
}

TEST(AttentionForms, AgreeWithTheReferenceForAllTypesAndStrides) {
  std::mt19937 rng(1);
  Host host(3);
  for (const Form& f : kForms)
    for (uint32_t dtype : {OPMUX_F64, OPMUX_F32, OPMUX_F16, OPMUX_BF16})
      for (bool odd : {false, true}) check(f, dtype, odd, host, rng);
}

TEST(AttentionForms, AgreeWithTheReferenceOnEveryInstructionSet) {
  std::mt19937 rng(2);
  Host host(1);
  on_every_instruction_set([&] {
    for (const Form& f : kForms) check(f, OPMUX_F32, false, host, rng);
  });
}

TEST(AttentionForms, GiveTheSameBitsForAnyNumberOfThreads) {
  std::mt19937 rng(3);
  Operands o({1, 8, 2, 200, 260, 64, 64, 1, -1, true, false, false, 7}, OPMUX_F32, false, rng);
  expect_same_bits({&*o.y}, describe(o.form), [&](Host& host) { ASSERT_TRUE(run_op(host, o.d, o.args())); });
}

TEST(AttentionForms, DoNotFeelWhatLiesBehindTheLengths) {
  std::mt19937 rng(4);
  Host host(1);
  Operands o({2, 4, 2, 5, 90, 16, 16, 0, -1, false, false, true}, OPMUX_F32, false, rng);
  o.in[9]->set({0}, 70);
  o.in[9]->set({1}, 3);
  const Truth truth = Oracle::get().evaluate(o.d, o.args());
  for (uint32_t i : {1u, 2u})
    o.in[i]->each([&](const Index& at) {
      if (at[2] >= (at[0] == 0 ? 70 : 3)) o.in[i]->set(at, NAN);
    });
  ASSERT_TRUE(run_op(host, o.d, o.args()));
  size_t k = 0;
  o.y->each([&](const Index& i) { ASSERT_NEAR(o.y->get(i), truth[k++], 1e-5) << text(i); });
}

TEST(AttentionForms, DoNotFeelKeysThatAreMaskedOut) {
  std::mt19937 rng(5);
  Host host(1);
  for (uint32_t mask : {OPMUX_BOOL, OPMUX_F32}) {
    Operands o({1, 2, 1, 60, 70, 16, 16, 0, -1, false, false, false, 0, 0, 0, mask}, OPMUX_F32, false, rng);
    o.in[3]->each([&](const Index& i) {
      o.in[3]->set(i, mask == OPMUX_BOOL ? i[1] % 5 : i[1] % 5 ? 0 : -INFINITY);
    });
    o.in[1]->each([&](const Index& i) {
      if (i[2] % 5 == 0) o.in[1]->set(i, i[3] % 2 ? NAN : INFINITY);
    });
    const Truth truth = Oracle::get().evaluate(o.d, o.args());
    ASSERT_TRUE(run_op(host, o.d, o.args()));
    size_t k = 0;
    o.y->each([&](const Index& i) { ASSERT_NEAR(o.y->get(i), truth[k++], 1e-5) << text(i); });
  }
}

// Results over halves of the keys, merged by their sums, are those over all keys (FlashDecoding).
TEST(AttentionForms, MergeByTheLogarithmsOfTheirSums) {
  std::mt19937 rng(6);
  Host host(2);
  const Form all{2, 4, 2, 9, 130, 32, 24}, part{2, 4, 2, 9, 50, 32, 24}, rest{2, 4, 2, 9, 80, 32, 24};
  Operands whole(all, OPMUX_F32, false, rng), one(part, OPMUX_F32, false, rng),
      two(rest, OPMUX_F32, false, rng);
  for (Operands* o : {&one, &two}) {
    const int64_t from = o == &one ? 0 : 50;
    o->in[0]->each([&](const Index& i) { o->in[0]->set(i, whole.in[0]->get(i)); });
    for (uint32_t k : {1u, 2u})
      o->in[k]->each(
          [&](const Index& i) { o->in[k]->set(i, whole.in[k]->get({i[0], i[1], i[2] + from, i[3]})); });
    ASSERT_TRUE(run_op(host, o->d, o->args()));
  }
  ASSERT_TRUE(run_op(host, whole.d, whole.args()));
  whole.y->each([&](const Index& i) {
    const Index row(i.begin(), i.end() - 1);
    const double a = one.lse->get(row), b = two.lse->get(row), top = std::max(a, b);
    const double lse = top + std::log(std::exp(a - top) + std::exp(b - top));
    ASSERT_NEAR(whole.lse->get(row), lse, 2e-6);
    const double y = std::exp(a - lse) * one.y->get(i) + std::exp(b - lse) * two.y->get(i);
    ASSERT_NEAR(whole.y->get(i), y, 2e-6);
  });
}

void expect_fault_without_result(Operands& o, uint32_t arg, const std::string& sentence) {
  Host host(2);
  const std::vector<std::byte> before = o.y->memory();
  expect_fault(host, o.d, o.args(), arg, sentence);
  EXPECT_EQ(o.y->memory(), before);
}

TEST(AttentionForms, SayWhichCountIsOutOfRangeAndWriteNothing) {
  std::mt19937 rng(7);
  Operands lengths({2, 2, 1, 5, 7, 8, 8, 0, -1, false, true, true}, OPMUX_F32, false, rng);
  lengths.in[9]->set({1}, 8);
  expect_fault_without_result(lengths, 9, "attention: k_len[1] is 8, outside [0, 7]");
  lengths.in[8]->set({0}, -1);
  expect_fault_without_result(lengths, 8, "attention: q_len[0] is -1, outside [0, 5]");
  Operands starts({1, 2, 1, 5, 7, 8, 8, 0, -1, false, false, false, 2}, OPMUX_F32, false, rng);
  for (int64_t i : {0, 1, 2}) {
    starts.in[10]->set({i}, static_cast<double>(i));
    starts.in[11]->set({i}, static_cast<double>(2 * i));
  }
  starts.in[11]->set({1}, 5);
  expect_fault_without_result(starts, 11, "attention: k_start[2] is 4, outside [5, 7]");
  starts.in[10]->set({2}, 6);
  expect_fault_without_result(starts, 10, "attention: q_start[2] is 6, outside [1, 5]");
}

}  // namespace
}  // namespace opmux::test
