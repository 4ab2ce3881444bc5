// SPDX-License-Identifier: Apache-2.0
// Group fault: what makes no sense is refused with a reason and a sentence, and writes nothing; what is out
// of range in the data is reported and stays within the operands.
#include <algorithm>

#include "tests/conformance/suite.hpp"

namespace opmux::cts {
namespace {

using Change = std::function<bool(Descriptor&, Random&)>;  // false: does not apply

struct Bad {
  const char* name;
  Change change;
};

opmux_tdesc* first_present(std::vector<opmux_tdesc>& all) {
  for (opmux_tdesc& t : all)
    if (t.dtype != OPMUX_NONE && t.rank > 0) return &t;
  return nullptr;
}

// Applies f to the first operand with dims, of the inputs or the outputs.
Change on(bool output, const std::function<void(opmux_tdesc&)>& f) {
  return [=](Descriptor& d, Random&) {
    opmux_tdesc* t = first_present(output ? d.out : d.in);
    if (t) f(*t);
    return t != nullptr;
  };
}

std::vector<Bad> bad_tensors(bool output) {
  const auto add = [output](const char* in, const char* out, const std::function<void(opmux_tdesc&)>& f) {
    return Bad{output ? out : in, on(output, f)};
  };
  return {
      add("input rank 9", "output rank 9", [](opmux_tdesc& t) { t.rank = 9; }),
      add("input rank 2^32 - 1", "output rank 2^32 - 1", [](opmux_tdesc& t) { t.rank = UINT32_MAX; }),
      add("input dim -1", "output dim -1", [](opmux_tdesc& t) { t.dim[0] = -1; }),
      add("input dim 2^62", "output dim 2^62", [](opmux_tdesc& t) { t.dim[0] = int64_t{1} << 62; }),
      add("input dim INT64_MIN", "output dim INT64_MIN",
          [](opmux_tdesc& t) { t.dim[t.rank - 1] = INT64_MIN; }),
      add("input dim beyond rank", "output dim beyond rank",
          [](opmux_tdesc& t) { t.rank < 8 ? t.dim[t.rank] = 3 : t.dim[0] = -3; }),
      add("input stride 2^62", "output stride 2^62",
          [](opmux_tdesc& t) {
            t.dim[0] = std::max<int64_t>(t.dim[0], 3);
            t.stride[0] = int64_t{1} << 62;
          }),
      add("input stride INT64_MIN", "output stride INT64_MIN",
          [](opmux_tdesc& t) {
            t.dim[0] = std::max<int64_t>(t.dim[0], 3);
            t.stride[0] = INT64_MIN;
          }),
      add("input of unknown type", "output of unknown type", [](opmux_tdesc& t) { t.dtype = 0x00051234; }),
      add("complex input", "complex output", [](opmux_tdesc& t) { t.dtype = OPMUX_C64; }),
      add("input with unknown flags", "output with unknown flags",
          [](opmux_tdesc& t) { t.flags |= 0x00100000; }),
      add("input with a quantisation scheme", "output with a quantisation scheme",
          [](opmux_tdesc& t) { t.quant = 77; }),
      add("layout_arg without layout of an input", "layout_arg without layout of an output",
          [](opmux_tdesc& t) { t.layout_arg = 5; }),
      add("host scalar with dims", "host scalar as output",
          [](opmux_tdesc& t) { t.flags |= OPMUX_T_HOST_SCALAR; }),
  };
}

std::vector<Bad> bad_heads() {
  const auto word = [](uint32_t offset, auto value) {
    return Change([=](Descriptor& d, Random&) { return d.set(offset, value), true; });
  };
  return {
      {"revision 0", word(offsetof(opmux_opd, rev), 0u)},
      {"revision 1000", word(offsetof(opmux_opd, rev), 1000u)},
      {"unknown math bits", word(offsetof(opmux_opd, math), 0x80000000u)},
      {"reserved word", word(offsetof(opmux_opd, reserved), 1u)},
      {"second reserved word", word(offsetof(opmux_opd, reserved2), uint64_t{1} << 40)},
      {"unknown operator", word(offsetof(opmux_opd, op), 0x7fff0001u)},
      {"tail beyond the known size",
       [](Descriptor& d, Random&) {
         const uint32_t size = d.size();
         d.grow(size + 16);
         d.set(size + 8, 3u);
         return true;
       }},
      {"no inputs", [](Descriptor& d, Random&) { return d.info->n_in_min > 0 ? d.in.clear(), true : false; }},
      {"no outputs", [](Descriptor& d, Random&) { return d.out.clear(), true; }},
      {"one input too many",
       [](Descriptor& d, Random&) {
         d.in.resize(d.info->n_in_max + 1, kit::tensor(OPMUX_F32, {2}));
         return d.program.empty();
       }},
      {"an output of another shape",
       [](Descriptor& d, Random&) {
         opmux_tdesc* t = first_present(d.out);
         const bool open = d.info->op == OPMUX_OP_FILL || d.info->op == OPMUX_OP_IOTA;
         if (!t || open || t->rank > 6) return false;
         // Dims that are open stay inside one axis, so a whole axis more is wrong for every operator.
         t->rank += 2;
         t->dim[t->rank - 1] = t->dim[t->rank - 2] = 2;
         t->stride[t->rank - 1] = 1;
         t->stride[t->rank - 2] = 2;
         return true;
       }},
  };
}

std::vector<Bad> bad_links() {
  return {
      {"an absent required input",
       [](Descriptor& d, Random&) {
         if (d.in.empty() || d.info->n_in_min == 0) return false;
         d.in[0] = {};
         return true;
       }},
      {"an alias of an input that is not there",
       [](Descriptor& d, Random&) {
         d.alias.assign(d.out.size(), 0);
         if (d.out.empty()) return false;
         d.alias[0] = 1000;
         return true;
       }},
      {"a program in an unknown slot",
       [](Descriptor& d, Random&) {
         kit::Program p(0x777, 1);
         p.out(0);
         d.program.push_back(p);
         return true;
       }},
      {"a program that uses a value before it exists",
       [](Descriptor& d, Random&) {
         if (d.program.empty()) return false;
         d.program[0].insn().back().a = 60;
         return true;
       }},
      {"a program with an unknown function",
       [](Descriptor& d, Random&) {
         if (d.program.empty()) return false;
         d.program[0].insn().back().op = 9999;
         return true;
       }},
  };
}

// Every integer attribute and list out of its range, where the schema has one.
std::vector<Bad> bad_attributes(const schema::OpDef& def) {
  std::vector<Bad> all;
  for (const schema::Attr& a : def.attr) {
    const auto put = [&](auto value) {
      all.push_back({a.name, [offset = a.offset, value](Descriptor& d, Random&) {
                       return d.set(offset, value), true;
                     }});
    };
    const bool bounded = a.check == schema::AttrCheck::kReserved || a.check == schema::AttrCheck::kEnum ||
                         a.check == schema::AttrCheck::kAxis || a.check == schema::AttrCheck::kDtype;
    if (a.type == schema::AttrType::kSlice)
      put(opmux_slice{7, 0x7fffffff});
    else if (a.type == schema::AttrType::kF32 && a.check != schema::AttrCheck::kNone)
      put(__builtin_nanf(""));
    else if (bounded)
      put(0x7fffffffu);
  }
  return all;
}

// A bad descriptor: NO with a reason, refused by prepare with a sentence.
void check_refused(Lane& lane, Descriptor d, const char* what) {
  const opmux_opd* o = d.opd();
  schema::Problem problem;
  if (schema::validate(*o, problem)) throw Skip{std::string(what) + " is possible here"};
  const opmux_cap cap = lane.plugin.query(o);
  if (cap.verdict != OPMUX_NO) fail_test("%s: query says YES, but %s", what, problem.text);
  if (cap.why == OPMUX_WHY_NONE) fail_test("%s: refused without a reason", what);
  const Kernel kernel(lane.plugin, o, 0);
  if (kernel.status == OPMUX_OK) fail_test("%s: prepare accepts, but %s", what, problem.text);
  if (OPMUX_CODE(kernel.status) != OPMUX_E_UNSUPPORTED && OPMUX_CODE(kernel.status) != OPMUX_E_INVALID)
    fail_test("%s: prepare fails with %s", what, schema::status_name(kernel.status));
  if (kernel.text.empty()) fail_test("%s: prepare refuses without a sentence", what);
  if (kernel.handle) fail_test("%s: prepare refuses, but gives a kernel", what);
}

// A layout that the plugin has not asked for, on each operand in turn: sound for the schema, but not for a
// plugin.
void check_layouts(Lane& lane, const Descriptor& base) {
  constexpr uint32_t kForeign = 0x00777777;
  const size_t n_in = base.in.size();
  Descriptor plain = base;
  if (const opmux_cap cap = lane.plugin.query(plain.opd()); cap.verdict != OPMUX_YES)
    throw Skip{refusal(cap)};
  for (size_t i = 0; i < n_in + base.out.size(); ++i) {
    Descriptor d = base;
    opmux_tdesc& t = i < n_in ? d.in[i] : d.out[i - n_in];
    if (t.dtype == OPMUX_NONE) continue;
    t.layout = kForeign;
    const opmux_opd* o = d.opd();
    const opmux_cap cap = lane.plugin.query(o);
    if (cap.verdict != OPMUX_NO) fail_test("query says YES to operand %zu in a foreign layout", i);
    const Kernel kernel(lane.plugin, o, 0);
    if (kernel.status == OPMUX_OK) fail_test("prepare accepts operand %zu in a foreign layout", i);
    schema::Problem problem;
    if (schema::validate(*o, problem) && (cap.why != OPMUX_WHY_LAYOUT || cap.why_arg != i))
      fail_test("operand %zu in a foreign layout is refused by %s", i, refusal(cap).c_str());
  }
}

void add_bad_descriptors(Suite& suite, const Case& base, const std::string& op) {
  suite.add("fault/" + op + "/descriptor/foreign layouts",
            [base](Lane& lane) { check_layouts(lane, base.d); });
  std::vector<Bad> all = bad_heads();
  for (Bad& b : bad_links()) all.push_back(std::move(b));
  for (const bool output : {false, true})
    for (Bad& b : bad_tensors(output)) all.push_back(std::move(b));
  for (Bad& b : bad_attributes(*schema::find_def(base.from->op))) all.push_back(std::move(b));
  for (const Bad& b : all) {
    const std::string name = "fault/" + op + "/descriptor/" + b.name;
    suite.add(name, [&suite, base, b, name](Lane& lane) {
      Random random(name, suite.seed());
      Descriptor d = base.d;
      if (!b.change(d, random)) throw Skip{"does not apply to this operator"};
      check_refused(lane, std::move(d), b.name);
    });
  }
}

// A value out of range must be reported, and nothing outside the outputs be written.
void check_fault(Suite& suite, Lane& lane, Case c, uint32_t input) {
  const opmux_opd* d = c.d.opd();
  const opmux_cap cap = accepted(lane, d);
  Random random(c.name, suite.seed());
  Data data(c, lane.plugin.info.min_align_bytes, random);
  const Kernel kernel(lane.plugin, d, cap.impl_key);
  kernel.must_be_prepared();
  lane.set_workspace(cap.ws_min);
  for (int round = 0; round < 6; ++round) {
    fill_inputs(*d, c.from->in, Flavour::kOrdinary, data.image, data.params, random);
    const schema::Values& v = c.from->in[std::min<size_t>(input, c.from->in.size() - 1)];
    if (!put_outside(*d, v, input, data.image, data.params, random)) throw Skip{"no element to spoil"};
    lane.upload(data.image);
    std::string text;
    const opmux_status s = run_kernel(lane, kernel, data, {}, &text);
    Data got = data;
    lane.download(got.image);
    if (got.image.first_change(data.image.bytes) >= 0)
      fail_test("operand %u has a value out of range, and memory outside the outputs was written", input);
    if (OPMUX_CODE(s) != OPMUX_E_FAULT)
      fail_test("operand %u has a value out of range: the run gives %s, must be E_FAULT", input,
                s == OPMUX_OK ? "OK" : schema::status_name(s));
    if (text.empty()) fail_test("operand %u has a value out of range: reported without a sentence", input);
  }
  // After a fault the queue works on.
  fill_inputs(*d, c.from->in, Flavour::kOrdinary, data.image, data.params, random);
  lane.upload(data.image);
  std::string text;
  const opmux_status s = run_kernel(lane, kernel, data, {}, &text);
  if (s != OPMUX_OK) fail_test("after a fault a sound run fails: %s", text.c_str());
}

void add_range_faults(Suite& suite, const Case& base) {
  for (uint32_t i = 0; i < base.d.in.size() && i < base.from->in.size(); ++i) {
    const opmux_tdesc& t = base.d.in[i];
    bool something = base.from->in[i].fault && t.dtype != OPMUX_NONE && !empty(t);
    for (const opmux_tdesc& o : base.d.out) something &= !empty(o);
    if (!something) continue;
    for (const View view : {kContiguous, kReversed}) {
      Case c = base;
      c.name = "fault/" + base.name + ".range" + std::to_string(i);
      Random random(c.name, suite.seed());
      if (!apply_view(c, view, random)) continue;
      const std::string name = c.name;
      suite.add(name, [&suite, c = std::move(c), i](Lane& lane) { check_fault(suite, lane, c, i); });
    }
  }
}

// Runs that are bound wrongly: refused, nothing written.
void check_binding(Suite& suite, Lane& lane, Case c, int kind) {
  const opmux_opd* d = c.d.opd();
  const opmux_cap cap = accepted(lane, d);
  Random random(c.name, suite.seed());
  Data data(c, lane.plugin.info.min_align_bytes, random);
  fill_inputs(*d, c.from->in, Flavour::kOrdinary, data.image, data.params, random);
  lane.upload(data.image);
  lane.set_workspace(cap.ws_min);
  const Kernel kernel(lane.plugin, d, cap.impl_key);
  kernel.must_be_prepared();
  std::vector<opmux_bind> binds = lane.binds(data.image);
  opmux_run r = run_of(lane, kernel, binds, data);
  if (kind == 0) binds.back() = {};
  if (kind == 1) --r.n_arg;
  if (kind == 2) r.kernel = nullptr;
  if (kind == 3) binds.back().offset += 1;
  if (kind == 3 && OPMUX_DTYPE_BITS(c.d.out.back().dtype) <= 8)
    throw Skip{"elements of one byte lie anywhere"};
  if (kind == 4 && cap.ws_min == 0) throw Skip{"needs no workspace"};
  if (kind == 4) r.ws.size = cap.ws_min - 1;
  kit::RawError err;
  opmux_status s = lane.plugin.queue.enqueue_many(lane.queue, &r, sizeof r, 1, err);
  if (s == OPMUX_OK) s = lane.plugin.queue.finish(lane.queue, UINT64_MAX, err);
  Data got = data;
  lane.download(got.image);
  if (s == OPMUX_OK) fail_test("the run is accepted");
  if (err.text().empty()) fail_test("refused without a sentence");
  if (got.image.bytes != data.image.bytes) fail_test("refused, but memory was written");
}

void add_bindings(Suite& suite, const Case& base, const std::string& op) {
  constexpr const char* kKinds[] = {"an output is unbound", "an operand is missing", "the kernel is missing",
                                    "an output is misaligned", "the workspace is too small"};
  if (base.d.out.empty() || base.d.out.back().dtype == OPMUX_NONE || empty(base.d.out.back())) return;
  for (int kind = 0; kind < 5; ++kind) {
    Case c = base;
    c.name = "fault/" + op + "/run/" + kKinds[kind];
    const std::string name = c.name;
    suite.add(name, [&suite, c = std::move(c), kind](Lane& lane) { check_binding(suite, lane, c, kind); });
  }
}

}  // namespace

void add_fault_tests(Suite& suite) {
  for (const schema::OpCases& from : schema::all_cases()) {
    const std::string op = schema::find(from.op)->name;
    bool first = true;
    const auto take = [&](Case&& c) {
      if (first && !empty(c.d.out[0])) {
        add_bad_descriptors(suite, c, op);
        add_bindings(suite, c, op);
        first = false;
      }
      add_range_faults(suite, c);
    };
    for (size_t line = 0; line < from.lines.size() && from.op != OPMUX_OP_POINTWISE; ++line)
      expand_line(from, line, take);
    if (from.op != OPMUX_OP_POINTWISE) continue;
    std::vector<Case> cases = pointwise_cases(false, suite.seed(), "operator/pointwise/chain*");
    for (Case& c : cases)
      if (first && c.view == kContiguous) take(std::move(c));
  }
}

}  // namespace opmux::cts
