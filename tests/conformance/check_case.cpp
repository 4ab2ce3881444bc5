// SPDX-License-Identifier: Apache-2.0
// One case through the plugin and against the reference.
#include <algorithm>

#include "tests/conformance/suite.hpp"

namespace opmux::cts {
namespace {

struct Check {
  Suite& suite;
  Lane& lane;
  Case& c;
  const Manner& manner;
  opmux_cap cap{};
  uint32_t layout[64] = {};

  std::string op() const { return c.d.info->name; }

  void ask() {
    opmux_opd* d = c.d.opd();
    d->math |= manner.math;
    cap = {};
    cap.h.size = sizeof cap;
    cap.in_layout = layout;
    cap.layout_cap = std::size(layout);
    kit::RawError err;
    const opmux_devinfo& info = lane.plugin.info;
    if (lane.plugin.op.query(&info, 1, &d, &cap, sizeof cap, err) != OPMUX_OK)
      fail_test("query: %s", err.text().c_str());
  }

  // The kernel's answer on fresh data, after a run on other data.
  void run(Data& data, Random& random, const char* how) {
    const opmux_opd* d = c.d.opd();
    const Kernel kernel(lane.plugin, d, cap.impl_key);
    if (kernel.status != OPMUX_OK)
      fail_test("%squery says YES, but prepare fails: %s: %s", how, schema::status_name(kernel.status),
                kernel.text.c_str());
    if (cap.impl_key == 0) fail_test("%sYES with impl_key 0", how);
    lane.set_workspace(cap.ws_min);
    fill_inputs(*d, c.from->in, Flavour::kOrdinary, data.image, data.params, random);
    lane.upload(data.image);
    launch(kernel, data, how);
    data.image.spoil(random);
    fill(*d, data, random);
    lane.upload(data.image);
    const uint64_t before = Host::allocations_here();
    launch(kernel, data, how);
    if (Host::allocations_here() != before) fail_test("%sa second run of a kernel allocates", how);
    compare(data, how);
  }
  void fill(const opmux_opd& d, Data& data, Random& random) {
    if (manner.fill)
      manner.fill(d, data.image, random);
    else
      fill_inputs(d, c.from->in, manner.flavour, data.image, data.params, random);
  }
  void launch(const Kernel& kernel, const Data& data, const char* how) {
    std::string text;
    const opmux_status s = run_kernel(lane, kernel, data, packed_binds, &text);
    if (OPMUX_CODE(s) == OPMUX_E_FAULT && manner.may_fault) {
      // An axis without elements has no valid index; the reference must find the same.
      Data copy = data;
      if (suite.oracle().faults(plain.opd(), copy)) throw Skip{"no valid value: " + text};
    }
    if (s != OPMUX_OK) fail_test("%srun: %s: %s", how, schema::status_name(s), text.c_str());
  }
  void compare(const Data& sent, const char* how) {
    Data got = sent;
    lane.download(got.image);
    const int64_t changed = got.image.first_change(sent.image.bytes);
    if (changed >= 0) fail_test("%s%s", how, where(got, changed).c_str());
    if (cap.ws_min != 0 && !lane.workspace_intact())
      fail_test("%swrote behind the workspace of %llu bytes", how,
                static_cast<unsigned long long>(cap.ws_min));
    for (uint32_t o = 0; o < c.d.out.size(); ++o) {
      if (c.d.out[o].dtype == OPMUX_NONE || empty(c.d.out[o])) continue;
      if (truths.size() <= o) truths.resize(c.d.out.size());
      const Truth truth = suite.oracle().evaluate(plain.opd(), sent, o);
      const Judgement j = judge(c, got, o, truth, cap.accuracy == OPMUX_ACC_ALGEBRAIC);
      if (!j.wrong.empty()) fail_test("%s%s; inputs%s", how, j.wrong.c_str(), inputs().c_str());
      if (manner.count && j.errors.count != 0)
        suite.report.add_errors(op(), schema::dtype_name(c.dtype), j.errors);
    }
  }
  std::string inputs() const {
    std::string s;
    for (const opmux_tdesc& t : c.d.in) s += " " + text(t);
    return s;
  }
  std::string where(const Data& data, int64_t byte) const {
    for (size_t i = 0; i < data.image.place.size(); ++i) {
      const Place& p = data.image.place[i];
      const auto begin = static_cast<int64_t>(p.begin), end = static_cast<int64_t>(p.end);
      if (byte < begin - 64 || byte >= end + 64) continue;
      const char* what = byte < begin        ? "before"
                         : byte >= end       ? "behind"
                         : i < c.d.in.size() ? "into"
                                             : "between the elements of";
      return std::string("wrote ") + what + " operand " + std::to_string(i) + ", " + text(data.operands[i]);
    }
    return "wrote far from every operand";
  }

  // Inputs that the plugin wants in a layout of its own, packed on the device.
  void run_packed(uint64_t align, Random& random);
  void run_in_place(uint64_t align, Random& random);

  Descriptor plain{c.d};  // with operands as the reference knows them
  std::vector<opmux_bind> packed_binds{};
  std::vector<Truth> truths{};
};

void Check::run_packed(uint64_t align, Random& random) {
  const kit::RawPlugin& p = lane.plugin;
  Descriptor before = c.d;
  for (opmux_tdesc& t : c.d.in)
    if (t.dtype != OPMUX_NONE && !(t.flags & OPMUX_T_HOST_SCALAR)) t.flags |= OPMUX_T_CONST;
  ask();
  std::vector<uint32_t> wanted(layout, layout + c.d.in.size());
  if (cap.verdict != OPMUX_YES || !p.op.pack || !p.op.packed_size ||
      std::all_of(wanted.begin(), wanted.end(), [](uint32_t l) { return l == 0; })) {
    c.d = before;
    return;
  }
  Data data(c, align, random);
  fill_inputs(*c.d.opd(), c.from->in, manner.flavour, data.image, data.params, random);
  lane.upload(data.image);
  packed_binds.assign(c.d.in.size(), {});
  Descriptor constants = c.d;
  for (uint32_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0) continue;
    kit::RawError err;
    uint64_t size = 0, arg = 0;
    if (p.op.packed_size(&p.info, constants.opd(), i, wanted[i], &size, &arg, err) != OPMUX_OK)
      fail_test("packed: packed_size of operand %u: %s", i, err.text().c_str());
    opmux_bind to{0, 0, size, nullptr};
    if (p.mem.alloc(p.device, OPMUX_MEM_DEVICE, std::max<uint64_t>(size, 1), 64, &to.mem, err) != OPMUX_OK)
      fail_test("packed: %s", err.text().c_str());
    packed_binds[i] = to;
    const opmux_bind from = lane.bind(data.image, i);
    if (p.op.pack(lane.queue, constants.opd(), i, wanted[i], &from, &to, err) != OPMUX_OK)
      fail_test("packed: pack of operand %u: %s", i, err.text().c_str());
    c.d.in[i].layout = wanted[i];
    c.d.in[i].layout_arg = arg;
  }
  ask();
  if (cap.verdict != OPMUX_YES)
    fail_test("packed: refuses the layout that it asked for: %s", refusal(cap).c_str());
  {
    const opmux_opd* d = c.d.opd();
    const Kernel kernel(p, d, cap.impl_key);
    if (kernel.status != OPMUX_OK) fail_test("packed: prepare: %s", kernel.text.c_str());
    lane.set_workspace(cap.ws_min);
    launch(kernel, data, "packed: ");
    compare(data, "packed: ");
  }
  for (const opmux_bind& b : packed_binds)
    if (b.mem) p.mem.free_(p.device, b.mem);
  packed_binds.clear();
  c.d = before;
}

// Output 0 in the memory of each input that the plugin allows.
void Check::run_in_place(uint64_t align, Random& random) {
  const uint32_t mask = cap.inplace_mask;
  const Descriptor before = c.d;
  for (uint32_t i = 0; i < 32 && i < c.d.in.size(); ++i) {
    if (((mask >> i) & 1) == 0 || !c.d.alias.empty()) continue;
    if ((c.d.in[i].flags & OPMUX_T_HOST_SCALAR) != 0) continue;
    c.d.alias.assign(c.d.out.size(), 0);
    c.d.alias[0] = i + 1;
    schema::Problem problem;
    bool once = true;  // an input that repeats elements cannot be written
    for (uint32_t a = 0; a < c.d.in[i].rank; ++a) once &= c.d.in[i].dim[a] < 2 || c.d.in[i].stride[a] != 0;
    const opmux_tdesc &x = c.d.in[i], &y = c.d.out[0];
    bool same = x.rank == y.rank && OPMUX_DTYPE_BITS(x.dtype) == OPMUX_DTYPE_BITS(y.dtype);
    for (uint32_t a = 0; same && a < x.rank; ++a)
      same = x.dim[a] == y.dim[a] && (x.dim[a] < 2 || x.stride[a] == y.stride[a]);
    if (!same && !empty(y))
      fail_test(
          "in place: inplace_mask names input %u, %s, whose elements lie elsewhere than those of the output, "
          "%s",
          i, text(x).c_str(), text(y).c_str());
    if (once && schema::validate(*c.d.opd(), problem)) {
      ask();
      if (cap.verdict != OPMUX_YES)
        fail_test("in place: refuses to share memory with input %u, though inplace_mask says so: %s", i,
                  refusal(cap).c_str());
      Data data(c, align, random);
      run(data, random, "in place: ");
    }
    c.d = before;
  }
}

}  // namespace

void check_case(Suite& suite, Lane& lane, Case c, const Manner& manner) {
  Check check{suite, lane, c, manner};
  c.d.set(offsetof(opmux_opd, math), manner.math);
  check.plain = c.d;
  check.ask();
  const bool yes = check.cap.verdict == OPMUX_YES;
  const std::string reason = yes ? "" : refusal(check.cap);
  if (manner.count) suite.report.add_support(check.op(), schema::dtype_name(c.dtype), yes, reason);
  if (!yes) {
    const opmux_opd* d = c.d.opd();
    const Kernel kernel(lane.plugin, d, 0);
    if (kernel.status == OPMUX_OK) fail_test("query says NO (%s), but prepare accepts", reason.c_str());
    if (lane.plugin.answer.opset >= 1) fail_test("claims op-set 1, but refuses: %s", reason.c_str());
    throw Skip{"refused: " + reason};
  }
  Random random(c.name, suite.seed());
  const uint64_t align = lane.plugin.info.min_align_bytes;
  Data data(c, align, random);
  check.run(data, random, "");
  if (!manner.extras) return;
  check.run_in_place(align, random);
  check.run_packed(align, random);
}

}  // namespace opmux::cts
