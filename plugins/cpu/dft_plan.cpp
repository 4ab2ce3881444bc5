// SPDX-License-Identifier: Apache-2.0
#include "cpu/dft_plan.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace opmux::cpu {
namespace {

// exp(-2 pi i a / b), the angle within an eighth of a turn before it is multiplied.
struct Turn {
  Turn(int64_t a, int64_t b) {
    a %= b;
    const auto quarter =
        static_cast<int64_t>(std::llround(4 * static_cast<long double>(a) / static_cast<long double>(b)));
    const long double rest = static_cast<long double>(4 * a - quarter * b) / static_cast<long double>(4 * b);
    const long double angle = 2 * std::numbers::pi_v<long double> * rest;
    const long double c = std::cos(angle), s = std::sin(angle);
    const long double cosines[] = {c, -s, -c, s}, sines[] = {s, c, -s, -c};
    cosine = cosines[quarter % 4];
    sine = sines[quarter % 4];
  }
  long double cosine, sine;
};

int64_t rest_of(int64_t n) {
  for (int64_t r : kDftRadices)
    while (n % r == 0) n /= r;
  return n;
}

}  // namespace

int64_t dft_work_length(int64_t n) {
  if (rest_of(n) == 1) return n;
  int64_t m = 1;
  while (m < 2 * n - 1) m *= 2;
  return m;
}

template <class T>
DftPlan<T>::DftPlan(int64_t n) : n_(n), work_(dft_work_length(n)) {
  make_stages(work_);
  if (work_ != n_) make_chirp();
}

template <class T>
void DftPlan<T>::make_stages(int64_t n) {
  int64_t length = n;
  for (int64_t r : kDftRadices) {
    const auto table = static_cast<int64_t>(roots_.size());
    if (length % r == 0) {
      for (int part = 0; part < 2; ++part)
        for (int64_t j = 0; j < r; ++j)
          roots_.push_back(static_cast<T>(part == 0 ? Turn(j, r).cosine : Turn(j, r).sine));
    }
    for (; length % r == 0; length /= r) {
      stages_.push_back({r, length, table, static_cast<int64_t>(twiddle_.size()), dft_stage<T>(r)});
      for (int64_t p = 0; p < length / r; ++p)
        for (int64_t j = 1; j < r; ++j) {
          const Turn t(j * p, length);
          twiddle_.push_back(static_cast<T>(t.cosine));
          twiddle_.push_back(static_cast<T>(-t.sine));
        }
    }
  }
}

template <class T>
void DftPlan<T>::make_chirp() {
  const auto rows = static_cast<size_t>(work_);
  std::vector<double> re(rows), im(rows), to_re(rows), to_im(rows);
  for (int64_t k = 0; k < n_; ++k) {
    __extension__ using Wide = unsigned __int128;
    const auto square = static_cast<int64_t>(Wide(static_cast<uint64_t>(k)) * static_cast<uint64_t>(k) %
                                             static_cast<uint64_t>(2 * n_));
    const Turn t(square, 2 * n_);
    chirp_re_.push_back(static_cast<T>(t.cosine));
    chirp_im_.push_back(static_cast<T>(-t.sine));
    for (const int64_t at : {k, (work_ - k) % work_}) {
      re[static_cast<size_t>(at)] = static_cast<double>(t.cosine);
      im[static_cast<size_t>(at)] = static_cast<double>(t.sine);
    }
  }
  const DftPlan<double> plan(work_);
  const auto kernel = plan.run({re.data(), im.data()}, {to_re.data(), to_im.data()}, 1);
  // The inverse transform's factor goes in here.
  for (int64_t i = 0; i < work_; ++i) {
    kernel_re_.push_back(static_cast<T>(kernel.re[i] / static_cast<double>(work_)));
    kernel_im_.push_back(static_cast<T>(kernel.im[i] / static_cast<double>(work_)));
  }
}

template <class T>
typename DftPlan<T>::Buffer DftPlan<T>::stages(Buffer a, Buffer b, int64_t columns) const {
  int64_t row = columns;
  for (const Stage& s : stages_) {
    const T* roots = roots_.data() + s.table;
    s.run({s.radix, s.length, row, twiddle_.data() + s.twiddle, roots, roots + s.radix, a.re, a.im, b.re,
           b.im});
    row *= s.radix;
    std::swap(a, b);
  }
  return a;
}

template <class T>
void DftPlan<T>::multiply(Buffer x, const std::vector<T>& re, const std::vector<T>& im, int64_t rows,
                          int64_t columns) const {
  for (int64_t i = 0; i < rows; ++i) {
    const T c = re[static_cast<size_t>(i)], s = im[static_cast<size_t>(i)];
    T *to_re = x.re + i * columns, *to_im = x.im + i * columns;
    for (int64_t j = 0; j < columns; ++j) {
      const T a = to_re[j], b = to_im[j];
      to_re[j] = a * c - b * s;
      to_im[j] = a * s + b * c;
    }
  }
}

template <class T>
typename DftPlan<T>::Buffer DftPlan<T>::run(Buffer a, Buffer b, int64_t columns) const {
  if (chirp_re_.empty()) return stages(a, b, columns);
  multiply(a, chirp_re_, chirp_im_, n_, columns);
  std::fill(a.re + n_ * columns, a.re + work_ * columns, T(0));
  std::fill(a.im + n_ * columns, a.im + work_ * columns, T(0));
  const Buffer there = stages(a, b, columns), other = there.re == a.re ? b : a;
  multiply(there, kernel_re_, kernel_im_, work_, columns);
  // With real and imaginary parts exchanged before and after, a transform is its own inverse.
  const Buffer turned = stages({there.im, there.re}, {other.im, other.re}, columns);
  const Buffer back = {turned.im, turned.re};
  multiply(back, chirp_re_, chirp_im_, n_, columns);
  return back;
}

template class DftPlan<float>;
template class DftPlan<double>;

}  // namespace opmux::cpu
