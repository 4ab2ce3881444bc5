// SPDX-License-Identifier: Apache-2.0
// One program per element over broadcast inputs. Every value is rounded to its type; kit/insn.hpp says what
// each function means.
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

// |value|; of a * b + c, which may be rounded twice, the size of both terms.
double size_of(const opmux_prog& prog, const Scalar* value, uint32_t v, long double wide) {
  if (v < prog.n_in || prog.insn[v - prog.n_in].op != OPMUX_FN_FMA) return double(std::fabs(wide));
  const opmux_insn& x = prog.insn[v - prog.n_in];
  return std::fabs(value[x.a].f * value[x.b].f) + std::fabs(value[x.c].f);
}

}  // namespace

void pointwise(Job& job) {
  const opmux_opd& d = *job.call().d;
  const opmux_prog& prog = d.prog[0];
  uint32_t dtype[OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN] = {};
  Scalar value[OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN] = {};
  kit::Walk walk(d.out[0]);
  for (uint32_t i = 0; i < d.n_in; ++i) {
    dtype[i] = d.in[i].dtype;
    walk.add(d.in[i]);
  }
  for (uint32_t o = 0; o < d.n_out; ++o) walk.add(d.out[o]);
  kit::value_types(prog, dtype);
  int64_t k = 0;
  walk.each([&](const int64_t* offset) {
    for (uint32_t i = 0; i < d.n_in; ++i) value[i] = kit::load(dtype[i], job.in_data(i), offset[i]);
    kit::run_program(prog, dtype, value);
    for (uint32_t o = 0; o < d.n_out; ++o) {
      const uint32_t v = prog.out[o];
      if (!job.oracle()) {
        kit::store(d.out[o].dtype, job.out_data(o), offset[d.n_in + o], value[v]);
      } else if (job.wants(o)) {
        const long double wide = kit::is_float(dtype[v]) ? unrounded_value(prog, dtype, value, v)
                                                         : to_wide<long double>(dtype[v], value[v]);
        job.put_unrounded(k, wide,
                          kit::is_float(dtype[v]) ? size_of(prog, value, v, wide) : double(std::fabs(wide)));
      }
    }
    ++k;
  });
}

}  // namespace opmux::reference
