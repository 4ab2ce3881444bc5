// SPDX-License-Identifier: Apache-2.0
// What the reference plugin says about an operator on the tensors of run_op.hpp, and comparisons with it.
#ifndef OPMUX_TESTS_UNIT_CPU_ORACLE_HPP
#define OPMUX_TESTS_UNIT_CPU_ORACLE_HPP

#include <string>

#include "run_op.hpp"
#include "tests/conformance/oracle_client.hpp"
#include "tests/support/paths.h"

namespace opmux::test {

using Truth = cts::OracleValues;

class Oracle {
 public:
  static Oracle& get() {
    static Oracle oracle;
    return oracle;
  }
  // args: addresses of all operands, inputs then outputs.
  template <class T>
  Truth evaluate(kit::Desc<T>& desc, const std::vector<void*>& args, uint32_t output = 0) {
    opmux_opd* d = desc.opd();
    Truth t(static_cast<size_t>(kit::element_count(d->out[output])));
    std::vector<opmux_bind> binds(args.size());
    for (size_t i = 0; i < args.size(); ++i) binds[i].mem = reinterpret_cast<uintptr_t>(args[i]);
    kit::RawError err;
    EXPECT_EQ(client_.evaluate(d, binds, {}, output, t, err), OPMUX_OK) << err.text();
    return t;
  }

 private:
  Oracle() : path_(plugin_dir() + "/opmux_reference.so"), plugin_(path_), client_(plugin_, path_) {}
  std::string path_;
  kit::RawPlugin plugin_;
  cts::OracleClient client_;
};

// Distance of a float type's neighbours around v.
inline double spacing(uint32_t dtype, double v) {
  const int mantissa = dtype == OPMUX_F64 ? 53 : dtype == OPMUX_F32 ? 24 : dtype == OPMUX_F16 ? 11 : 8;
  const int least = dtype == OPMUX_F64 ? -1021 : dtype == OPMUX_F16 ? -13 : -125;
  int e = least;
  if (v != 0) std::frexp(v, &e);
  return std::ldexp(1.0, std::max(e, least) - mantissa);
}
inline double greatest(uint32_t dtype) {
  return dtype == OPMUX_F64   ? 1.7976931348623157e308
         : dtype == OPMUX_F32 ? 3.4028234663852886e38
         : dtype == OPMUX_F16 ? 65504.0
                              : 3.3895313892515355e38;
}

// Is y right up to `bound`? Infinities and NaN must agree; beyond the range of the type an infinity is right
// too.
inline bool close(uint32_t dtype, double y, double want, double bound) {
  if (y == want) return true;
  if (std::isnan(want) || std::isnan(y)) return std::isnan(want) && std::isnan(y);
  if (OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_FLOAT && std::isinf(y))
    return (y > 0) == (want > 0) && std::fabs(want) + bound >= greatest(dtype);
  return std::fabs(y - want) <= bound;
}

inline bool is_float(uint32_t dtype) { return OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_FLOAT; }

// Every element of y against the truth with bound(index, truth); says the worst.
template <class Bound>
void expect_close(const Tensor& y, const Truth& truth, const std::string& what, const Bound& bound) {
  size_t k = 0, bad = 0;
  std::string first;
  y.each([&](const Index& i) {
    const double got = y.get(i), want = truth[k], allowed = bound(k, want);
    if (!close(y.t.dtype, got, want, allowed) && bad++ == 0)
      first = "element " + text(i) + " is " + std::to_string(got) + ", must be " + std::to_string(want) +
              " +- " + std::to_string(allowed) + " (off by " + std::to_string((got - want) / allowed) +
              " bounds)";
    ++k;
  });
  EXPECT_EQ(bad, 0u) << what << ": " << bad << " of " << k << " elements are wrong; " << first;
  EXPECT_TRUE(y.gaps_untouched()) << what << " wrote outside of its output";
}

// Runs d and compares its outputs (nullptr: absent) with the reference. args: addresses of all operands,
// inputs then outputs. bound(output, index of the element, wanted value, truth of the output) is the error
// allowed.
template <class T, class Bound>
void run_and_compare(Host& host, kit::Desc<T>& d, const std::vector<void*>& args,
                     const std::vector<const Tensor*>& outputs, const std::string& what, const Bound& bound) {
  std::vector<Truth> truth(outputs.size());
  for (uint32_t o = 0; o < outputs.size(); ++o)
    if (outputs[o]) truth[o] = Oracle::get().evaluate(d, args, o);
  ASSERT_TRUE(run_op(host, d, args)) << what;
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (!outputs[o]) continue;
    expect_close(*outputs[o], truth[o], what + ", output " + std::to_string(o),
                 [&](size_t i, double want) { return bound(o, i, want, truth[o]); });
  }
}
// Bound of outputs that must have the reference's values.
inline double exact(size_t, size_t, double, const Truth&) { return 0; }

}  // namespace opmux::test
#endif
