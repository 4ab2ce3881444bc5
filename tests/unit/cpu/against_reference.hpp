// SPDX-License-Identifier: Apache-2.0
// An operator of the CPU plugin beside the reference, on all outputs and several numbers of threads.
#ifndef OPMUX_TESTS_UNIT_CPU_AGAINST_REFERENCE_HPP
#define OPMUX_TESTS_UNIT_CPU_AGAINST_REFERENCE_HPP

#include "kit/schema/schema.hpp"
#include "oracle.hpp"
#include "same_bits.hpp"

namespace opmux::test {

// Bound of an output that must have the reference's value.
inline double exactly(const Tensor&, double, double) { return 0; }

// d has all its operands, args are their addresses, inputs then outputs; outputs may be nullptr: absent.
// bound(output, wanted value, magnitude). Bits must be the same for 1, 2 and 7 threads.
template <class T, class Bound>
void expect_reference_bound(kit::Desc<T>& d, const std::vector<void*>& args, const std::vector<Tensor*>& out,
                            const std::string& what, const Bound& bound) {
  schema::Problem problem;
  ASSERT_TRUE(schema::validate(*d.opd(), problem)) << what << ": " << problem.text;
  std::vector<Truth> truth;
  for (uint32_t o = 0; o < out.size(); ++o)
    truth.push_back(out[o] ? Oracle::get().evaluate(d, args, o) : Truth{});
  expect_same_bits(out, what, [&](Host& host) {
    ASSERT_NE(run_op(host, d, args), nullptr) << what;
    for (size_t o = 0; o < out.size(); ++o)
      if (out[o])
        expect_close(*out[o], truth[o], what + " output " + std::to_string(o),
                     [&](size_t k, double want) { return bound(*out[o], want, truth[o].magnitude[k]); });
  });
}

// The same for operands that are yet to be stated in d; inputs may be nullptr: absent, too.
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
  expect_reference_bound(d, args, out, what, bound);
}

// Half a unit in the last place of the result, and c u K times the magnitude: the schemas' `sum`.
inline auto sum_bound(double c, double length) {
  return [=](const Tensor& y, double want, double magnitude) {
    if (!is_float(y.t.dtype)) return 0.0;
    const double u = y.t.dtype == OPMUX_F64 ? 0x1p-53 : 0x1p-24;
    return spacing(y.t.dtype, want) / 2 * (1 + 1e-9) + c * u * length * magnitude;
  };
}

// Numbers to be combined in long rows: real ones in [-1, 1), or near 1 for a product; whole ones in
// [-100, 100), u8 in [0, 200). strange: some are NaN or infinite.
inline void fill_terms(Tensor& t, bool product, bool strange, std::mt19937& rng) {
  std::uniform_real_distribution<double> real(-1, 1);
  const bool is_real = is_float(t.t.dtype);
  t.each([&](const Index& i) {
    double v = is_real ? (product ? 1 + real(rng) / 16 : real(rng)) : double(rng() % 200);
    if (!is_real && t.t.dtype != OPMUX_U8) v -= 100;
    if (is_real && strange && rng() % 30 == 0) v = rng() % 2 ? NAN : INFINITY;
    t.set(i, v);
  });
}

}  // namespace opmux::test
#endif
