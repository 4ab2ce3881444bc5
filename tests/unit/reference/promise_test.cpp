// SPDX-License-Identifier: Apache-2.0
// YES and NO are promises: whatever a descriptor says, query answers, prepare agrees, and what was accepted
// runs within its operands. Descriptors are sound ones with a few words spoiled.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include "kit/raw_loader.hpp"
#include "kit/schema/schema.hpp"
#include "tests/support/paths.h"
#include "tests/unit/reference/cases.hpp"

namespace {

using namespace opmux;
using kit::RawError;
using kit::RawPlugin;

RawPlugin& plugin() {
  static RawPlugin p(test::plugin_dir() + "/opmux_reference.so");
  return p;
}

// A private copy of a descriptor and all it points to, whose words can be spoiled.
struct Copy {
  explicit Copy(const opmux_opd* d)
      : head(reinterpret_cast<const uint64_t*>(d),
             reinterpret_cast<const uint64_t*>(d) + (d->h.size + 7) / 8),
        in(d->in, d->in + d->n_in),
        out(d->out, d->out + d->n_out),
        list(d->list, d->list + d->n_list),
        prog(d->prog, d->prog + d->n_prog) {
    if (d->alias) alias.assign(d->alias, d->alias + d->n_out);
    if (d->n_prog) insn.assign(d->prog[0].insn, d->prog[0].insn + d->prog[0].n_insn);
  }
  opmux_opd* opd() {
    auto* o = reinterpret_cast<opmux_opd*>(head.data());
    o->in = in.data();
    o->out = out.data();
    o->list = list.data();
    o->prog = prog.data();
    o->alias = alias.empty() ? nullptr : alias.data();
    if (!prog.empty()) prog[0].insn = insn.data();
    return o;
  }
  std::vector<uint64_t> head;
  std::vector<opmux_tdesc> in, out;
  std::vector<int64_t> list;
  std::vector<opmux_prog> prog;
  std::vector<uint32_t> alias;
  std::vector<opmux_insn> insn;
};

class Spoiler {
 public:
  explicit Spoiler(uint64_t seed) : random_(seed) {}
  void spoil(Copy& c) {
    for (uint64_t n = 1 + random_() % 2; n > 0; --n) one(c);
  }

 private:
  int64_t number() {
    static constexpr int64_t kInteresting[] = {0,
                                               1,
                                               2,
                                               3,
                                               7,
                                               8,
                                               9,
                                               -1,
                                               -2,
                                               64,
                                               65536,
                                               INT32_MAX,
                                               INT64_MAX,
                                               INT64_MIN,
                                               int64_t(1) << 40,
                                               int64_t(1) << 61,
                                               UINT32_MAX};
    return kInteresting[random_() % std::size(kInteresting)];
  }
  template <class V>
  auto& any(V& v) {
    return v[random_() % v.size()];
  }
  void tensor(opmux_tdesc& t) {
    static constexpr uint32_t kTypes[] = {OPMUX_F64,  OPMUX_F16, OPMUX_BF16, OPMUX_I64,  OPMUX_I32,
                                          OPMUX_I8,   OPMUX_U8,  OPMUX_I4,   OPMUX_BOOL, OPMUX_E4M3FN,
                                          OPMUX_NONE, 0x1234567, OPMUX_C64};
    switch (random_() % 8) {
      case 0:
        t.rank = uint32_t(number());
        break;
      case 1:
        t.dtype = kTypes[random_() % std::size(kTypes)];
        break;
      case 2:
        t.stride[random_() % 8] = number();
        break;
      case 3:
        t.flags = uint32_t(number());
        break;
      case 4:
        t.layout = uint32_t(number());
        break;
      case 5:
        t.quant = uint64_t(number());
        break;
      default:
        t.dim[random_() % 8] = number();
    }
  }
  void one(Copy& c) {
    opmux_opd* o = c.opd();
    auto* words = reinterpret_cast<uint32_t*>(c.head.data());
    const uint32_t own = uint32_t(o->h.size / 4 - sizeof(opmux_opd) / 4);
    switch (random_() % 8) {
      case 0:
      case 1:
        tensor(random_() % 2 || c.in.empty() ? any(c.out) : any(c.in));
        break;
      case 2:
        if (own) words[sizeof(opmux_opd) / 4 + random_() % own] = uint32_t(number());
        break;
      case 3:
        if (!c.list.empty()) any(c.list) = number();
        break;
      case 4:
        if (!c.insn.empty()) reinterpret_cast<uint32_t*>(&any(c.insn))[random_() % 8] = uint32_t(number());
        break;
      case 5:
        if (!c.prog.empty()) (random_() % 2 ? c.prog[0].slot : c.prog[0].n_in) = uint32_t(number());
        break;
      case 6:
        (random_() % 2 ? o->rev : o->math) = uint32_t(number());
        break;
      // Counts only shrink: a larger one would promise memory that is not there, which nobody can check.
      default:
        (random_() % 2 ? o->n_in : o->n_list) = 0;
    }
  }
  std::mt19937_64 random_;
};

// Bytes before and behind element 0 that a view reaches, or false if that is too much to try.
bool reach(const opmux_tdesc& t, int64_t& low, int64_t& high) {
  low = high = 0;
  for (uint32_t i = 0; i < t.rank; ++i)
    if (t.dim[i] == 0) return true;
  for (uint32_t i = 0; i < t.rank; ++i) {
    int64_t span = 0;
    if (t.dim[i] > 4096 || __builtin_mul_overflow(t.dim[i] - 1, t.stride[i], &span)) return false;
    if (span > 4096 || span < -4096) return false;
    (span < 0 ? low : high) += span;
  }
  int64_t count = 1;
  for (uint32_t i = 0; i < t.rank && count <= 4096; ++i) count *= t.dim[i];
  return count <= 4096 && high - low <= 65536;
}

// Runs d on operands of exactly the bytes that its views reach; AddressSanitizer watches the edges.
void run_within_bounds(const opmux_opd* d) {
  std::vector<std::vector<unsigned char>> memory;
  std::vector<void*> args;
  std::vector<uint64_t> scalars;
  for (uint32_t i = 0; i < d->n_in + d->n_out; ++i) {
    const opmux_tdesc& t = i < d->n_in ? d->in[i] : d->out[i - d->n_in];
    int64_t low = 0, high = 0;
    if (!reach(t, low, high)) return;
    const int64_t bits = OPMUX_DTYPE_BITS(t.dtype), before = (-low * bits + 63) / 64 * 8;
    memory.emplace_back(size_t(before + (high * bits + bits + 7) / 8), static_cast<unsigned char>(0));
    const uint32_t alias = i >= d->n_in && d->alias ? d->alias[i - d->n_in] : 0;
    args.push_back(t.dtype == OPMUX_NONE ? nullptr : alias ? args[alias - 1] : memory.back().data() + before);
    if (t.flags & OPMUX_T_HOST_SCALAR) scalars.push_back(0);
  }
  RawError err;
  const opmux_status s = plugin().run(d, args, err, scalars);
  EXPECT_TRUE(s == OPMUX_OK || s == OPMUX_E_FAULT) << err.text();
}

// The promise for one descriptor. Returns the verdict.
uint32_t keep_promise(const opmux_opd* d) {
  const opmux_cap cap = plugin().query(d);
  opmux_kernel k = nullptr;
  RawError err;
  const opmux_status s = plugin().op.prepare(plugin().device, d, cap.impl_key, &k, err);
  if (cap.verdict == OPMUX_YES) {
    EXPECT_EQ(s, OPMUX_OK) << err.text();
    if (k) plugin().op.release(k);
    run_within_bounds(d);
  } else {
    EXPECT_NE(cap.why, OPMUX_WHY_NONE);
    EXPECT_TRUE(s == OPMUX_E_UNSUPPORTED || s == OPMUX_E_INVALID) << s;
    EXPECT_GT(err.text().size(), 10u);
    EXPECT_EQ(k, nullptr);
  }
  return cap.verdict;
}

TEST(ReferencePromise, CoversEveryOperatorOfTheSchemas) {
  for (const schema::OpInfo& op : schema::all()) {
    int yes = 0;
    for (const test::Case& c : test::all_cases())
      c.with([&](opmux_opd* d) { yes += d->op == op.op && plugin().query(d).verdict == OPMUX_YES; });
    EXPECT_GT(yes, 0) << op.name;
  }
}

TEST(ReferencePromise, HoldsForSoundDescriptors) {
  for (const test::Case& c : test::all_cases()) {
    SCOPED_TRACE(c.name);
    c.with([&](opmux_opd* d) { EXPECT_EQ(keep_promise(d), OPMUX_YES); });
  }
}

TEST(ReferencePromise, HoldsForSpoiledDescriptors) {
  int yes = 0, no = 0;
  for (const test::Case& c : test::all_cases())
    c.with([&](opmux_opd* d) {
      for (uint64_t seed = 0; seed < 1500; ++seed) {
        SCOPED_TRACE(c.name + " seed " + std::to_string(seed));
        Copy copy(d);
        Spoiler(seed).spoil(copy);
        (keep_promise(copy.opd()) == OPMUX_YES ? yes : no)++;
      }
    });
  EXPECT_GT(yes, 1000);
  EXPECT_GT(no, 10000);
}

TEST(ReferencePromise, PreparesWithTheSchemasSentence) {
  kit::Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
  d.in(kit::tensor(OPMUX_F32, {2, 3})).out(kit::tensor(OPMUX_F32, {2, 3}));
  d->kind = OPMUX_SOFTMAX_PLAIN;
  d->axis = 3;
  opmux_kernel k = nullptr;
  RawError err;
  EXPECT_EQ(plugin().op.prepare(plugin().device, d.opd(), 0, &k, err), OPMUX_E_UNSUPPORTED);
  EXPECT_EQ(err.text(), "softmax: axis 3 is outside [0, 1] for rank 2");
}

TEST(ReferencePlugin, IsNeverChosenByItself) { EXPECT_TRUE(plugin().answer.flags & OPMUX_PF_NEVER_AUTO); }

}  // namespace
