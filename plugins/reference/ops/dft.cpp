// SPDX-License-Identifier: Apache-2.0
// The discrete Fourier transform by its definition. Exponents are taken modulo the length, so that every
// angle is within one turn.
#include <algorithm>
#include <limits>
#include <numbers>

#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

template <class R>
struct Complex {
  R re = 0, im = 0;
};

// exp(2 pi i j / n) for all j.
template <class R>
std::vector<Complex<R>> turns(int64_t n) {
  std::vector<Complex<R>> out;
  for (int64_t j = 0; j < n; ++j) {
    const R angle = 2 * std::numbers::pi_v<R> * R(j) / R(n);
    out.push_back({std::cos(angle), std::sin(angle)});
  }
  return out;
}

template <class R>
class Transform {
 public:
  Transform(const opmux_op_dft& d) : d_(d), n_(d.length), turn_(turns<R>(d.length)) {}

  // All n inputs of a transform from those that are given.
  std::vector<Complex<R>> complete(std::vector<Complex<R>> x) const {
    x.resize(size_t(n_));
    if (d_.onesided == 0 || d_.inverse == 0) return x;
    x[0].im = 0;
    for (int64_t k = 1; 2 * k <= n_; ++k) {
      Complex<R>&low = x[size_t(k)], &high = x[size_t(n_ - k)];
      if (2 * k == n_) low.im = 0;
      high = {low.re, 2 * k == n_ ? R(0) : -low.im};
    }
    return x;
  }

  Complex<R> at(const std::vector<Complex<R>>& x, int64_t k) const {
    Complex<R> sum;
    int64_t exponent = 0;
    for (const Complex<R>& v : x) {
      const Complex<R>& w = turn_[size_t(exponent)];
      const R sine = d_.inverse != 0 ? w.im : -w.im;
      sum.re += v.re * w.re - v.im * sine;
      sum.im += v.re * sine + v.im * w.re;
      exponent = (exponent + k) % n_;
    }
    const R scale = d_.inverse != 0 ? R(n_) : R(1);
    return {sum.re / scale, sum.im / scale};
  }

  double magnitude(const std::vector<Complex<R>>& x) const {
    double sum = 0;
    for (const Complex<R>& v : x) sum += double(std::fabs(v.re)) + double(std::fabs(v.im));
    return d_.inverse != 0 ? sum / double(n_) : sum;
  }

 private:
  const opmux_op_dft& d_;
  int64_t n_;
  std::vector<Complex<R>> turn_;
};

template <class R>
void transform(Job& job) {
  const auto& d = job.desc<opmux_op_dft>();
  const opmux_tdesc &x = job.in(0), &y = job.out(0);
  const uint32_t last = x.rank - 1;
  const Transform<R> of(d);
  const std::vector<R> in = job.read<R>(0);
  std::vector<R> out(size_t(count_of(y)));
  std::vector<double> magnitude(out.size());
  // Both are [outer, along the axis, inner, parts].
  int64_t outer = 1, inner = 1;
  for (uint32_t i = 0; i < last; ++i) (i < d.axis ? outer : inner) *= i == d.axis ? 1 : x.dim[i];
  const int64_t given = x.dim[d.axis], made = y.dim[d.axis], in_parts = x.dim[last], out_parts = y.dim[last];
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      std::vector<Complex<R>> signal;
      for (int64_t j = 0; j < std::min<int64_t>(given, d.length); ++j) {
        const R* v = in.data() + ((o * given + j) * inner + i) * in_parts;
        signal.push_back({v[0], in_parts == 2 ? v[1] : R(0)});
      }
      signal = of.complete(std::move(signal));
      const double size = of.magnitude(signal);
      const bool finite = std::all_of(signal.begin(), signal.end(), [](const Complex<R>& v) {
        return std::isfinite(v.re) && std::isfinite(v.im);
      });
      for (int64_t k = 0; k < made; ++k) {
        constexpr R kNan = std::numeric_limits<R>::quiet_NaN();
        const Complex<R> v = finite ? of.at(signal, k) : Complex<R>{kNan, kNan};
        for (int64_t part = 0; part < out_parts; ++part) {
          const auto at = size_t(((o * made + k) * inner + i) * out_parts + part);
          out[at] = part == 0 ? v.re : v.im;
          magnitude[at] = size;
        }
      }
    }
  job.write(0, out, magnitude);
}

}  // namespace

void dft(Job& job) {
  if (job.in(0).dtype == OPMUX_F64)
    transform<long double>(job);
  else
    transform<double>(job);
}

}  // namespace opmux::reference
