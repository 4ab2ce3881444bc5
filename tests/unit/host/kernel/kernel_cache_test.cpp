// SPDX-License-Identifier: Apache-2.0
#include "host/kernel/kernel_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "kit/desc.hpp"
#include "tests/support/mocks.hpp"

namespace opmux {
namespace {

using test::mock;
using test::only;

using Matmul = kit::Desc<opmux_op_matmul>;

Matmul matmul(int64_t m, int64_t k, int64_t n) {
  Matmul d(OPMUX_OP_MATMUL);
  d.in(kit::tensor(OPMUX_F32, {m, k})).in(kit::tensor(OPMUX_F32, {k, n})).out(kit::tensor(OPMUX_F32, {m, n}));
  d->acc_dtype = OPMUX_F32;
  return d;
}

kit::Desc<opmux_op_softmax> softmax() {
  kit::Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
  d.in(kit::tensor(OPMUX_F32, {4, 5})).out(kit::tensor(OPMUX_F32, {4, 5}));
  d->axis = 1;
  d->kind = OPMUX_SOFTMAX_PLAIN;
  return d;
}

class KernelCacheTest : public testing::Test {
 protected:
  Registry registry_{only({mock("null"), mock("picky")})};
  Route& null_ = *registry_.find("null");
  Route& picky_ = *registry_.find("picky");
  KernelCache cache_;  // goes before the registry
};

TEST_F(KernelCacheTest, AsksOncePerMeaningAndRoute) {
  Matmul a = matmul(2, 3, 4), same = matmul(2, 3, 4), other = matmul(2, 3, 5);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(cache_.query(null_, *a.opd()).yes());
  EXPECT_TRUE(cache_.query(null_, *same.opd()).yes());
  EXPECT_EQ(cache_.stats().query_hits, 3u);
  EXPECT_TRUE(cache_.query(null_, *other.opd()).yes());
  EXPECT_TRUE(cache_.query(picky_, *a.opd()).yes());
  EXPECT_EQ(cache_.stats().query_hits, 3u);
  EXPECT_EQ(cache_.stats().queries, 6u);
}

TEST_F(KernelCacheTest, AnswersABatchInOrder) {
  Matmul a = matmul(2, 3, 4), bad = matmul(2, 3, 4);
  bad.inputs()[1].dim[0] = 7;
  auto s = softmax();
  const std::vector<const opmux_opd*> all = {a.opd(), s.opd(), bad.opd(), a.opd()};
  const auto answers = cache_.query(picky_, all);
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_TRUE(answers[0].yes());
  EXPECT_FALSE(answers[1].yes());
  EXPECT_FALSE(answers[2].yes());
  EXPECT_TRUE(answers[3].yes());
}

TEST_F(KernelCacheTest, PreparesOncePerMeaning) {
  Matmul a = matmul(2, 3, 4), same = matmul(2, 3, 4), other = matmul(8, 3, 4);
  const auto first = cache_.prepare(null_, *a.opd(), cache_.query(null_, *a.opd()));
  EXPECT_EQ(cache_.prepare(null_, *same.opd(), cache_.query(null_, *same.opd())), first);
  EXPECT_NE(cache_.prepare(null_, *other.opd(), cache_.query(null_, *other.opd())), first);
  EXPECT_EQ(cache_.stats().prepares, 3u);
  EXPECT_EQ(cache_.stats().prepare_hits, 1u);
  EXPECT_EQ(cache_.stats().kernels, 2u);
}

TEST_F(KernelCacheTest, ThreadsGetTheSameKernel) {
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<Kernel>> kernels(8);
  for (auto& kernel : kernels) {
    threads.emplace_back([this, &kernel] {
      Matmul d = matmul(2, 3, 4);
      kernel = cache_.prepare(null_, *d.opd(), cache_.query(null_, *d.opd()));
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& kernel : kernels) EXPECT_EQ(kernel, kernels[0]);
  kernels.clear();
}

TEST_F(KernelCacheTest, TrimKeepsWhatIsInUse) {
  Matmul a = matmul(2, 3, 4), b = matmul(8, 3, 4);
  const auto held = cache_.prepare(null_, *a.opd(), cache_.query(null_, *a.opd()));
  cache_.prepare(null_, *b.opd(), cache_.query(null_, *b.opd()));
  EXPECT_EQ(null_.plugin().handles(), 2);
  cache_.trim();
  EXPECT_EQ(null_.plugin().handles(), 1);
  EXPECT_EQ(cache_.prepare(null_, *a.opd(), cache_.query(null_, *a.opd())), held);
}

TEST_F(KernelCacheTest, NoIsAnErrorWithItsReason) {
  auto s = softmax();
  const Capability no = cache_.query(picky_, *s.opd());
  EXPECT_EQ(reason_sentence(picky_, *s.opd(), no), "picky:0 refused SOFTMAX: it has no such operator");
  try {
    cache_.prepare(picky_, *s.opd(), no);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), OPMUX_E_UNSUPPORTED);
    EXPECT_EQ(e.text(), "picky:0 refused SOFTMAX: it has no such operator");
  }
}

TEST_F(KernelCacheTest, SenselessDescriptorIsRefusedInTheSchemasWords) {
  Matmul bad = matmul(2, 3, 4);
  bad.inputs()[1].dim[0] = 7;
  const Capability no = cache_.query(null_, *bad.opd());
  EXPECT_FALSE(no.yes());
  schema::Problem problem;
  ASSERT_FALSE(schema::validate(*bad.opd(), problem));
  EXPECT_EQ(reason_sentence(null_, *bad.opd(), no), std::string("null refused MATMUL: ") + problem.text);
}

struct Case {
  uint32_t why, arg, axis;
  int64_t have, limit;
  const char* text;
};
class Reason : public KernelCacheTest, public testing::WithParamInterface<Case> {};
INSTANTIATE_TEST_SUITE_P(
    All, Reason,
    testing::Values(Case{OPMUX_WHY_DIM, 1, 0, 70000, 65535, "operand 1 dim 0 is 70000, limit 65535"},
                    Case{OPMUX_WHY_RANK, 0, 0, 6, 4, "operand 0 has rank 6, limit 4"},
                    Case{OPMUX_WHY_DTYPE, 2, 0, OPMUX_F64, 0, "operand 2 has type f64"},
                    Case{OPMUX_WHY_STRIDE, 1, 2, -4, 0, "operand 1 has stride -4 at axis 2"},
                    Case{OPMUX_WHY_MEMORY, 0, 0, 1 << 30, 1 << 27,
                         "operand 0 takes 1073741824 bytes, limit 134217728"},
                    Case{OPMUX_WHY_FEATURE, 0, 0, OPMUX_FEAT_F16, 0, "the device has no 16-bit floats"},
                    Case{OPMUX_WHY_PROGRAM, 0, 0, 3, 0, "program 0 cannot be run from instruction 3"},
                    Case{OPMUX_WHY_REVISION, 0, 0, 1, 0, "revision 1 is asked, limit 0"},
                    Case{999, 0, 0, 0, 0, "it gave no reason"}));

TEST_P(Reason, IsASentenceWithItsNumbers) {
  Matmul d = matmul(2, 3, 4);
  opmux_cap cap{};
  cap.why = GetParam().why;
  cap.why_arg = GetParam().arg;
  cap.why_axis = GetParam().axis;
  cap.why_have = GetParam().have;
  cap.why_limit = GetParam().limit;
  EXPECT_EQ(reason_sentence(null_, *d.opd(), cap), std::string("null refused MATMUL: ") + GetParam().text);
}

}  // namespace
}  // namespace opmux
