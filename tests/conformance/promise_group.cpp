// SPDX-License-Identifier: Apache-2.0
// Group promise: YES and NO are promises. Random descriptors, some of them sound ones with a few words
// spoiled: query answers each, the same from sixteen threads; prepare agrees; what was accepted runs and is
// accurate.
#include <algorithm>
#include <thread>

#include "tests/conformance/suite.hpp"

namespace opmux::cts {
namespace {

constexpr int64_t kNumbers[] = {0,
                                1,
                                2,
                                3,
                                4,
                                5,
                                7,
                                8,
                                9,
                                -1,
                                -2,
                                64,
                                127,
                                65536,
                                INT32_MAX,
                                INT64_MAX,
                                int64_t{1} << 40,
                                int64_t{1} << 61};

class Maker {
 public:
  Maker(const schema::OpCases& from, Random& random) : from_(from), random_(random) {
    if (from.op == OPMUX_OP_POINTWISE) {
      bases_ = pointwise_cases(false, random.bits(), "operator/pointwise/*.matrix.*");
      std::vector<Case> chains = pointwise_cases(false, random.bits(), "operator/pointwise/chain*");
      bases_.insert(bases_.end(), chains.begin(), chains.end());
    }
    for (size_t i = 0; i < from.lines.size() && from.op != OPMUX_OP_POINTWISE; ++i)
      expand_line(from, i, [&](Case&& c) { bases_.push_back(std::move(c)); });
  }
  bool has_base() const { return !bases_.empty(); }

  // The kinds take turns, so that each has its share.
  Case make(uint64_t turn) {
    Case c = random_.any(bases_);
    switch (turn % 8) {
      case 0:
        break;
      case 1:
        new_dims(c);
        break;
      case 2:
        new_dims(c);
        apply_view(c, static_cast<View>(random_.below(kViews)), random_);
        break;
      case 3:
        new_types(c);
        break;
      case 4:
        new_attribute(c);
        break;
      case 5:
        new_strides(c);
        break;
      case 6:
        new_dims(c);
        new_attribute(c);
        break;
      default:
        for (uint64_t n = 1 + random_.below(2); n > 0; --n) spoil(c);
    }
    return c;
  }

 private:
  int64_t number() { return kNumbers[random_.below(std::size(kNumbers))]; }
  // Equal extents stay equal, so that most shapes still fit together.
  void new_dims(Case& c) {
    constexpr int64_t kExtents[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33};
    std::vector<std::pair<int64_t, int64_t>> map;
    const auto to = [&](int64_t from) {
      for (const auto& [a, b] : map)
        if (a == from) return b;
      const int64_t fresh =
          random_.one_in(3) && from < 40 ? from : kExtents[random_.below(std::size(kExtents))];
      map.emplace_back(from, fresh);
      return fresh;
    };
    for (opmux_tdesc& t : c.d.in) {
      for (uint32_t i = 0; i < t.rank; ++i) t.dim[i] = to(t.dim[i]);
      t = restride(t);
    }
    for (opmux_tdesc& t : c.d.out)
      for (uint32_t i = 0; i < t.rank; ++i) t.dim[i] = to(t.dim[i]);
    infer_again(c);
  }
  static opmux_tdesc restride(const opmux_tdesc& t) {
    opmux_tdesc n = kit::tensor(t.dtype, {t.dim, std::min(t.rank, 8u)});
    n.flags = t.flags;
    return n;
  }
  // Outputs as the inputs want them, where that can be said.
  void infer_again(Case& c) {
    std::vector<opmux_tdesc> made(c.d.out.size());
    schema::Problem p;
    if (c.d.out.size() > OPMUX_MAX_PROG_OUT || !schema::infer(*c.d.opd(), made.data(), p)) {
      for (opmux_tdesc& t : c.d.out) t = restride(t);
      return;
    }
    for (size_t o = 0; o < made.size(); ++o)
      if (c.d.out[o].dtype != OPMUX_NONE) c.d.out[o] = made[o];
  }
  void new_types(Case& c) {
    const uint32_t to = schema::kDtypes[random_.below(schema::kDtypes.size())].dtype;
    const bool all = random_.one_in(2);
    for (opmux_tdesc& t : c.d.in)
      if (t.dtype != OPMUX_NONE && (t.dtype == c.dtype ? all || random_.one_in(2) : random_.one_in(8)))
        t.dtype = to;
    for (opmux_tdesc& t : c.d.out)
      if (t.dtype == c.dtype && (all || random_.one_in(2))) t.dtype = to;
    infer_again(c);
  }
  void new_attribute(Case& c) {
    const schema::OpDef& def = *schema::find_def(from_.op);
    if (!def.attr.empty()) {
      const schema::Attr& a = def.attr[random_.below(def.attr.size())];
      if (a.type == schema::AttrType::kF32)
        c.d.set(a.offset, static_cast<float>(random_.normal()));
      else if (a.type != schema::AttrType::kSlice)
        c.d.set(a.offset, static_cast<uint32_t>(random_.one_in(4) ? number() : random_.between(0, 4)));
    }
    if (!c.d.list.empty()) random_.any(c.d.list) = random_.one_in(4) ? number() : random_.between(0, 4);
    infer_again(c);
  }
  void new_strides(Case& c) {
    std::vector<opmux_tdesc>& some = random_.one_in(2) && !c.d.in.empty() ? c.d.in : c.d.out;
    opmux_tdesc& t = random_.any(some);
    // One factor for all, so that elements stay apart; now and then an axis is repeated.
    const int64_t factor = random_.between(1, 3);
    for (uint32_t i = 0; i < std::min(t.rank, 8u); ++i)
      t.stride[i] = random_.one_in(8) ? 0 : t.stride[i] * factor * (random_.one_in(3) ? -1 : 1);
  }
  void spoil(Case& c) {
    std::vector<opmux_tdesc>& some = random_.one_in(2) && !c.d.in.empty() ? c.d.in : c.d.out;
    opmux_tdesc& t = random_.any(some);
    switch (random_.below(10)) {
      case 0:
        t.rank = static_cast<uint32_t>(number());
        break;
      case 1:
        t.dtype =
            random_.one_in(3) ? OPMUX_NONE : schema::kDtypes[random_.below(schema::kDtypes.size())].dtype;
        break;
      case 2:
        t.stride[random_.below(8)] = number();
        break;
      case 3:
        t.flags = static_cast<uint32_t>(random_.one_in(2) ? random_.below(8) : random_.bits());
        break;
      case 4:
        t.layout = static_cast<uint32_t>(number());
        break;
      case 5:
        t.quant = static_cast<uint64_t>(number());
        break;
      case 6:
        c.d.alias.assign(c.d.out.size(), static_cast<uint32_t>(random_.below(4)));
        break;
      case 7:
        if (!c.d.program.empty() && !c.d.program[0].insn().empty())
          reinterpret_cast<uint32_t*>(&random_.any(c.d.program[0].insn()))[random_.below(6)] =
              static_cast<uint32_t>(random_.one_in(2) ? random_.below(300) : number());
        break;
      case 8:
        c.d.set(random_.one_in(2) ? offsetof(opmux_opd, rev) : offsetof(opmux_opd, math),
                static_cast<uint32_t>(number()));
        break;
      default:
        t.dim[random_.below(8)] = number();
    }
  }
  const schema::OpCases& from_;
  Random& random_;
  std::vector<Case> bases_;
};

bool same_answer(const opmux_cap& a, const opmux_cap& b) {
  return a.verdict == b.verdict && a.why == b.why && a.why_arg == b.why_arg && a.why_have == b.why_have &&
         a.why_limit == b.why_limit && a.ws_min == b.ws_min && a.impl_key == b.impl_key &&
         a.accuracy == b.accuracy;
}

std::string words(Case& c) {
  std::string s = c.name + ":";
  for (const opmux_tdesc& t : c.d.in) s += " " + text(t);
  s += " ->";
  for (const opmux_tdesc& t : c.d.out) s += " " + text(t);
  const opmux_opd& d = *c.d.opd();
  for (uint32_t i = 0; i < d.n_prog; ++i)
    for (uint32_t k = 0; k < d.prog[i].n_insn; ++k)
      s += std::string(k == 0 ? "; program: " : " ") + schema::fn_name(d.prog[i].insn[k].op);
  return s;
}

std::vector<opmux_cap> ask_all(const kit::RawPlugin& p, std::vector<Case>& cases) {
  std::vector<const opmux_opd*> d;
  for (Case& c : cases) d.push_back(c.d.opd());
  std::vector<opmux_cap> caps(cases.size());
  for (opmux_cap& cap : caps) cap.h.size = sizeof cap;
  kit::RawError err;
  if (p.op.query(&p.info, static_cast<uint32_t>(d.size()), d.data(), caps.data(), sizeof(opmux_cap), err) !=
      OPMUX_OK)
    fail_test("query: %s", err.text().c_str());
  // The same question from many threads, in pieces.
  std::vector<std::thread> threads;
  std::atomic<size_t> different{SIZE_MAX};
  for (size_t t = 0; t < 16; ++t)
    threads.emplace_back([&, t] {
      for (size_t i = t; i < d.size(); i += 16) {
        opmux_cap cap{};
        cap.h.size = sizeof cap;
        const bool ok = p.op.query(&p.info, 1, &d[i], &cap, sizeof cap, nullptr) == OPMUX_OK;
        if (!ok || !same_answer(cap, caps[i])) different = i;
      }
    });
  for (std::thread& t : threads) t.join();
  if (different != SIZE_MAX)
    fail_test("query answers otherwise on another thread: %s", words(cases[different]).c_str());
  return caps;
}

void check_prepare(const kit::RawPlugin& p, Case& c, const opmux_cap& cap) {
  kit::RawError err;
  opmux_kernel k = nullptr;
  const opmux_status s = p.op.prepare(p.device, c.d.opd(), cap.impl_key, &k, err);
  if (cap.verdict == OPMUX_YES) {
    if (OPMUX_CODE(s) == OPMUX_E_OUT_OF_MEMORY) return;
    if (s != OPMUX_OK) fail_test("YES, but prepare fails: %s: %s", err.text().c_str(), words(c).c_str());
    p.op.release(k);
    return;
  }
  if (s == OPMUX_OK) {
    p.op.release(k);
    fail_test("NO (%s), but prepare accepts: %s", refusal(cap).c_str(), words(c).c_str());
  }
  if (OPMUX_CODE(s) != OPMUX_E_UNSUPPORTED && OPMUX_CODE(s) != OPMUX_E_INVALID)
    fail_test("NO, and prepare fails with %s: %s", schema::status_name(s), words(c).c_str());
  if (err.text().empty()) fail_test("prepare refuses without a sentence: %s", words(c).c_str());
  const bool operand = cap.why != OPMUX_WHY_ATTR && cap.why != OPMUX_WHY_PROGRAM;
  if (operand && err->arg_index != cap.why_arg)
    fail_test("query blames operand %d, prepare operand %d: %s", static_cast<int>(cap.why_arg),
              static_cast<int>(err->arg_index), words(c).c_str());
}

bool holdable(const Case& c) {
  for (const auto* side : {&c.d.in, &c.d.out})
    for (const opmux_tdesc& t : *side) {
      if (t.rank > OPMUX_MAX_RANK) return false;
      double count = 1;
      for (uint32_t i = 0; i < t.rank; ++i) count *= static_cast<double>(t.dim[i]);
      if (count > 1e8) return false;
    }
  return true;
}

bool small(const Case& c) {
  for (const auto* side : {&c.d.in, &c.d.out})
    for (const opmux_tdesc& t : *side) {
      if (t.rank > OPMUX_MAX_RANK) return false;
      double count = 1, reach = 1;
      for (uint32_t i = 0; i < t.rank; ++i) {
        count *= static_cast<double>(t.dim[i]);
        reach += std::fabs(static_cast<double>(t.stride[i])) *
                 static_cast<double>(std::max<int64_t>(t.dim[i] - 1, 0));
      }
      if (count > 8192 || reach > 1e6) return false;
    }
  return true;
}

// Sharing is for outputs of other operators than those that ask for it; a shared input must not repeat.
void check_operator(Suite& suite, Lane& lane, const schema::OpCases& from, const std::string& name) {
  Random random(name, suite.seed());
  Maker maker(from, random);
  if (!maker.has_base()) fail_test("the schema has no case to begin with");
  const uint64_t n = suite.options.full ? 10000 : 2000, n_prepare = suite.options.full ? 300 : 120,
                 n_run = suite.options.full ? 100 : 40;
  std::vector<Case> cases;
  for (uint64_t i = 0; i < n; ++i) cases.push_back(maker.make(i));
  const std::vector<opmux_cap> caps = ask_all(lane.plugin, cases);
  uint64_t prepared[2] = {}, ran = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    Case& c = cases[i];
    const bool yes = caps[i].verdict == OPMUX_YES;
    schema::Problem problem;
    const bool sound = schema::validate(*c.d.opd(), problem);
    if (yes && !sound) fail_test("YES, but %s: %s", problem.text, words(c).c_str());
    if (!yes && caps[i].why == OPMUX_WHY_NONE) fail_test("NO without a reason: %s", words(c).c_str());
    // What no memory can hold is only asked about.
    if ((!yes || holdable(c)) && prepared[yes]++ < n_prepare) check_prepare(lane.plugin, c, caps[i]);
    if (!yes || ran >= n_run || !small(c) || caps[i].ws_min > uint64_t{1} << 30) continue;
    ++ran;
    c.name = name + "#" + std::to_string(i);
    Manner manner{Flavour::kOrdinary, c.d.get<uint32_t>(offsetof(opmux_opd, math)), false, false};
    manner.may_fault = true;
    try {
      check_case(suite, lane, c, manner);
    } catch (const Skip&) {
      --ran;
    } catch (const Failure& f) {
      fail_test("descriptor %zu, %s: %s", i, words(c).c_str(), f.what.c_str());
    }
  }
}

}  // namespace

void add_promise_tests(Suite& suite) {
  for (const schema::OpCases& from : schema::all_cases()) {
    const std::string name = std::string("promise/") + schema::find(from.op)->name;
    suite.add(name, [&suite, &from, name](Lane& lane) { check_operator(suite, lane, from, name); });
  }
}

}  // namespace opmux::cts
