// SPDX-License-Identifier: Apache-2.0
// An operator of the CPU plugin beside the reference, on all outputs and several numbers of threads.
#ifndef OPMUX_TESTS_UNIT_CPU_AGAINST_REFERENCE_HPP
#define OPMUX_TESTS_UNIT_CPU_AGAINST_REFERENCE_HPP

#include "kit/schema/schema.hpp"
#include "oracle.hpp"

namespace opmux::test {

// Bound of an output that must have the reference's value.
inline double exactly(const Tensor&, double, double) { return 0; }

// Operands may be nullptr: absent. bound(output, wanted value, magnitude). Bits must be the same for 1, 2 and
// 7 threads.
template <class T, class Bound>
void expect_reference(kit::Desc<T>& d, const std::vector<Tensor*>& in, const std::vector<Tensor*>& out,
                      const std::string& what, const Bound& bound) {
  std::vector<void*> args;
  for (Tensor* x : in) {
    d.in(x ? x->t : kit::absent());
    args.push_back(x ? x->data() : nullptr);
  }
  for (Tensor* y : out) {
    d.out(y ? y->t : kit::absent());
    args.push_back(y ? y->data() : nullptr);
  }
  schema::Problem problem;
  ASSERT_TRUE(schema::validate(*d.opd(), problem)) << problem.text;
  std::vector<Truth> truth;
  for (uint32_t o = 0; o < out.size(); ++o)
    truth.push_back(out[o] ? Oracle::get().evaluate(d, args, o) : Truth{});
  std::vector<std::vector<std::byte>> first;
  for (uint32_t threads : {1u, 2u, 7u}) {
    Host host(threads);
    ASSERT_NE(run_op(host, d, args), nullptr) << what;
    for (size_t o = 0; o < out.size(); ++o) {
      if (!out[o]) continue;
      const std::string which = what + " output " + std::to_string(o);
      if (threads == 1) first.resize(o + 1), first[o] = out[o]->memory();
      EXPECT_EQ(first[o], out[o]->memory()) << which << ": other bits with " << threads << " threads";
      expect_close(*out[o], truth[o], which,
                   [&](size_t k, double want) { return bound(*out[o], want, truth[o].magnitude[k]); });
    }
  }
}

// Half a unit in the last place of the result, and c u K times the magnitude: the schemas' `sum`.
inline auto sum_bound(double c, double length) {
  return [=](const Tensor& y, double want, double magnitude) {
    if (!is_float(y.t.dtype)) return 0.0;
    const double u = y.t.dtype == OPMUX_F64 ? 0x1p-53 : 0x1p-24;
    return spacing(y.t.dtype, want) / 2 * (1 + 1e-9) + c * u * length * magnitude;
  };
}

inline Tensor make(uint32_t type, const Index& dims, bool odd, std::mt19937& rng) {
  return odd ? Tensor(type, dims, rng) : Tensor(type, dims);
}

}  // namespace opmux::test
#endif
