// SPDX-License-Identifier: Apache-2.0
// One query of one head against its keys: what attention and paged_attention share.
#pragma once

#include <limits>

#include "reference/job.hpp"

namespace opmux::reference {

template <class R>
struct AttentionSettings {
  int64_t d, dv;
  R scale, cap;  // cap 0: none
  bool causal;
  int64_t window;  // -1: none

  template <class Desc>
  AttentionSettings(const Desc& desc, int64_t width, int64_t value_width)
      : d(width),
        dv(value_width),
        scale(desc.scale == 0 ? 1 / std::sqrt(R(width)) : R(desc.scale)),
        cap(R(desc.soft_cap)),
        causal(desc.causal != 0),
        window(desc.window) {}
};

template <class R>
struct AttentionResult {
  std::vector<R> y, lse;  // of all rows so far
  // The weights are as far off, relatively, as the scores are absolutely, so the magnitude of a sum of
  // values counts once more for each unit in the sum of the products behind the greatest score.
  // To that comes kFlushed of the greatest value.
  std::vector<double> y_size, lse_size;

  void blank(int64_t dv) {
    y.insert(y.end(), size_t(dv), R(0));
    y_size.insert(y_size.end(), size_t(dv), 0.0);
    lse.push_back(-std::numeric_limits<R>::infinity());
    lse_size.push_back(0);
  }
};

// What lets weights be lost: in f32 an exponential below e^-87 < 2^-125, which the sum of at least 1 makes no
// greater, may count as 0, and so may what all keys of a block have at once when a later maximum fades them.
// So up to n keys lose 2^-125 |v| each. The bound c u K of the schema, with c = 2 and K > n, makes that of
// 2^-102 max |v|, as 2 u = 2^-23. f64 has no such allowance.
template <class R>
constexpr R kFlushed = 0;
template <>
inline constexpr double kFlushed<double> = 0x1p-102;

// The query stands at key `place`. key(j), value(j): rows; bias(j): what is added to the score, -infinity for
// a key that is not seen.
template <class R, class Key, class Value, class Bias>
void attend_row(const AttentionSettings<R>& t, const R* q, int64_t place, int64_t keys, Key key, Value value,
                Bias bias, AttentionResult<R>& out) {
  constexpr R kUnseen = -std::numeric_limits<R>::infinity();
  std::vector<R> p(size_t(keys), kUnseen);
  R top = kUnseen, sum = 0;
  double size = 1;
  for (int64_t j = 0; j < keys; ++j) {
    if ((t.causal && j > place) || (t.window >= 0 && j < place - t.window)) continue;
    const R added = bias(j);
    if (added == kUnseen) continue;
    const R* k = key(j);
    R s = 0, products = 0;
    for (int64_t e = 0; e < t.d; ++e) {
      s += q[e] * k[e];
      products += std::fabs(q[e] * k[e]);
    }
    s *= t.scale;
    if (t.cap > 0) s = t.cap * std::tanh(s / t.cap);
    s += added;
    p[size_t(j)] = s;
    top = kit::detail::maximum(top, s);
    size = std::max(size, 1 + double(products * t.scale) + double(std::fabs(added)));
  }
  if (top == kUnseen) return out.blank(t.dv);
  for (R& s : p) sum += s = std::exp(s - top);
  for (int64_t e = 0; e < t.dv; ++e) {
    R y = 0, terms = 0, lost = 0;
    for (int64_t j = 0; j < keys; ++j) {
      const R weight = p[size_t(j)] / sum;
      if (weight == 0) continue;  // an unseen key adds nothing, whatever its value
      // A weight that may count as 0 takes no infinity or NaN in; an engine that keeps it may give an
      // infinity.
      if (kFlushed<R> > 0 && p[size_t(j)] < R(0x1p-125) && !std::isfinite(value(j)[e])) {
        terms = std::numeric_limits<R>::infinity();
        continue;
      }
      const R term = weight * value(j)[e];
      y += term;
      terms += std::fabs(term);
      if (kFlushed<R> > 0) lost = std::max(lost, kFlushed<R> * std::fabs(value(j)[e]));
    }
    out.y.push_back(y);
    out.y_size.push_back(double(terms) * size + double(lost));
  }
  out.lse.push_back(top + std::log(sum));
  out.lse_size.push_back(size + double(std::fabs(out.lse.back())));
}

}  // namespace opmux::reference
