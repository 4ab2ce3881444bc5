// SPDX-License-Identifier: Apache-2.0
// One simple kernel with its operands on a lane, for tests of queues.
#pragma once

#include "tests/conformance/suite.hpp"

namespace opmux::cts {

inline void finish(Lane& lane) {
  kit::RawError err;
  ok(lane.plugin.queue.finish(lane.queue, UINT64_MAX, err), err, "finish");
}

// A case that every plugin which does anything can do: x + 1 or, where there is no pointwise, a copy of x, or
// a product with the identity matrix.
struct Simple {
  Case c;
  opmux_cap cap{};
};

inline Simple simple_case(Lane& lane) {
  const schema::OpCases* pointwise = cases_of(OPMUX_OP_POINTWISE);
  Case add{
      "object", Descriptor(*schema::find(OPMUX_OP_POINTWISE)), pointwise, nullptr, OPMUX_F32, kContiguous, 1};
  add.d.in.push_back(kit::tensor(OPMUX_F32, {257}));
  add.d.out.push_back(kit::tensor(OPMUX_F32, {257}));
  kit::Program p(OPMUX_SLOT_MAIN, 1);
  p.out(p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 0));
  add.d.program.push_back(p);
  Case move{"object",
            Descriptor(*schema::find(OPMUX_OP_COPY)),
            cases_of(OPMUX_OP_COPY),
            nullptr,
            OPMUX_F32,
            kContiguous,
            1};
  move.d.in.push_back(kit::tensor(OPMUX_F32, {257}));
  move.d.out.push_back(kit::tensor(OPMUX_F32, {257}));
  for (const Case& c : {add, move}) {
    Simple s{c};
    s.cap = lane.plugin.query(s.c.d.opd());
    if (s.cap.verdict == OPMUX_YES) return s;
  }
  throw Skip{"the plugin has neither pointwise nor copy in f32"};
}

struct Prepared {
  explicit Prepared(Suite& suite, Lane& lane, const char* name)
      : simple(simple_case(lane)),
        random(name, suite.seed()),
        data(simple.c, lane.plugin.info.min_align_bytes, random),
        kernel(lane.plugin, simple.c.d.opd(), simple.cap.impl_key) {
    kernel.must_be_prepared();
    fill(suite, lane);
  }
  void fill(Suite& suite, Lane& lane) {
    fill_inputs(*simple.c.d.opd(), simple.c.from->in, Flavour::kOrdinary, data.image, data.params, random);
    truth = suite.oracle().evaluate(simple.c.d.opd(), data, 0);
    lane.set_workspace(simple.cap.ws_min);
    lane.upload(data.image);
    finish(lane);  // other queues may use it
    binds = lane.binds(data.image);
  }
  opmux_run run(const Lane& lane) const { return run_of(lane, kernel, binds, data); }
  void check(Lane& lane) {
    Data got = data;
    lane.download(got.image);
    const Judgement j = judge(simple.c, got, 0, truth, false);
    if (!j.wrong.empty()) fail_test("%s", j.wrong.c_str());
  }
  Simple simple;
  Random random;
  Data data;
  Kernel kernel;
  Truth truth;
  std::vector<opmux_bind> binds;
};

void add_run_tests(Suite& suite);
void add_timeline_tests(Suite& suite);

}  // namespace opmux::cts
