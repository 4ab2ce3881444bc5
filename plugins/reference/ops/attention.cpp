// SPDX-License-Identifier: Apache-2.0
// y = softmax(scale q k^T, capped, masked) v per head, with grouped key/value heads and a state of past keys
// and values. The header says what the operands mean. A key whose masked score is -infinity is not seen; a
// query that sees no key gives 0.
//
// Magnitudes: a score errs in relation to a = sum of |q k| times the scale, and exp makes that a relative
// error of its probability, so the terms p v err in relation to p |v| (1 + the greatest a).
#include <algorithm>
#include <limits>

#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

enum Input : uint32_t { kQ, kK, kV, kMask, kPastK, kPastV, kPastLen };

int64_t past_length(const Job& job) {
  if (!job.has_in(kPastK)) return 0;
  const int64_t past = job.scalar(kPastLen).i, added = job.in(kK).dim[2], capacity = job.in(kPastK).dim[2];
  if (past < 0 || past > capacity - added)
    fail(OPMUX_E_FAULT, kPastLen,
         "attention: past_len %lld with %lld new keys is outside the state of %lld rows",
         static_cast<long long>(past), static_cast<long long>(added), static_cast<long long>(capacity));
  return past;
}

// Rows past .. past + T - 1 of the state become the new ones; a state that is bound elsewhere is copied
// first.
void append_state(Job& job, uint32_t fresh, uint32_t state, uint32_t o, int64_t past) {
  if (job.oracle() || !job.has_out(o)) return;
  const opmux_tdesc &from = job.in(fresh), &old = job.in(state), &to = job.out(o);
  const uint32_t raw = raw_type(to.dtype);
  const auto copy = [&](const opmux_tdesc& shape, const opmux_tdesc& src, const void* data, int64_t row) {
    kit::Walk walk(shape);
    walk.add_strides(std::to_array(src.stride)).add_strides(std::to_array(to.stride));
    walk.each([&](const int64_t* offset) {
      kit::store(raw, job.out_data(o), offset[1] + row * to.stride[2], kit::load(raw, data, offset[0]));
    });
  };
  if (job.out_data(o) != job.in_data(state)) copy(old, old, job.in_data(state), 0);
  copy(from, from, job.in_data(fresh), past);
}

// Keys or values that are attended to, [B, H, keys, D]: `past` rows of the state, then the new ones.
template <class R>
std::vector<R> joined(const Job& job, uint32_t fresh, uint32_t state, int64_t past) {
  std::vector<R> rows = job.read<R>(fresh);
  if (past == 0) return rows;
  const opmux_tdesc &f = job.in(fresh), &s = job.in(state);
  const std::vector<R> old = job.read<R>(state);
  const int64_t heads = f.dim[0] * f.dim[1], width = f.dim[3], added = f.dim[2] * width,
                capacity = s.dim[2] * width;
  std::vector<R> all;
  for (int64_t h = 0; h < heads; ++h) {
    all.insert(all.end(), old.begin() + h * capacity, old.begin() + h * capacity + past * width);
    all.insert(all.end(), rows.begin() + h * added, rows.begin() + (h + 1) * added);
  }
  return all;
}

// What the mask adds to each score [B, Hq, S, columns]: 0 or -infinity where it is bool. Empty without a
// mask.
template <class R>
std::vector<R> mask_of(const Job& job, int64_t columns) {
  if (!job.has_in(kMask)) return {};
  opmux_tdesc scores = job.in(kQ);
  scores.dim[3] = columns;
  std::vector<R> mask = job.read_as<R>(kMask, scores);
  if (job.in(kMask).dtype == OPMUX_BOOL)
    for (R& v : mask) v = v != 0 ? R(0) : -std::numeric_limits<R>::infinity();
  return mask;
}

template <class R>
struct Heads {
  std::vector<R> q, k, v, mask;
  int64_t queries, keys, columns, d, dv, past;
  R scale, cap;
  bool causal;
  int64_t window;
};

// One row of probabilities: query i of head hq, whose keys belong to head hkv (both counted over the batch).
template <class R>
std::vector<R> probabilities(const Heads<R>& h, int64_t hq, int64_t hkv, int64_t i, R& size) {
  constexpr R kUnseen = -std::numeric_limits<R>::infinity();
  std::vector<R> p(size_t(h.keys), kUnseen);
  R top = kUnseen, sum = 0;
  size = 0;
  for (int64_t j = 0; j < h.keys; ++j) {
    if ((h.causal && j > i + h.past) || (h.window >= 0 && j < i + h.past - h.window)) continue;
    R s = 0, a = 0;
    for (int64_t e = 0; e < h.d; ++e) {
      const R term = h.q[size_t((hq * h.queries + i) * h.d + e)] * h.k[size_t((hkv * h.keys + j) * h.d + e)];
      s += term;
      a += std::fabs(term);
    }
    s *= h.scale;
    size = std::max(size, a * h.scale);
    if (h.cap > 0) s = h.cap * std::tanh(s / h.cap);
    if (!h.mask.empty()) s += h.mask[size_t((hq * h.queries + i) * h.columns + j)];
    p[size_t(j)] = s;
    top = kit::detail::maximum(top, s);
  }
  if (top == kUnseen) return std::vector<R>(p.size(), R(0));
  for (R& s : p) sum += s = std::exp(s - top);
  for (R& s : p) s /= sum;
  return p;
}

template <class R>
void attend(Job& job) {
  const auto& d = job.desc<opmux_op_attention>();
  const opmux_tdesc &q = job.in(kQ), &k = job.in(kK), &v = job.in(kV);
  Heads<R> h;
  h.past = past_length(job);
  h.columns = job.has_in(kPastK) ? job.in(kPastK).dim[2] : k.dim[2];
  h.q = job.read<R>(kQ);
  h.k = joined<R>(job, kK, kPastK, h.past);
  h.v = joined<R>(job, kV, kPastV, h.past);
  h.mask = mask_of<R>(job, h.columns);
  h.queries = q.dim[2];
  h.keys = h.past + k.dim[2];
  h.d = q.dim[3];
  h.dv = v.dim[3];
  h.scale = d.scale == 0 ? 1 / std::sqrt(R(h.d)) : R(d.scale);
  h.cap = R(d.soft_cap);
  h.causal = d.causal != 0;
  h.window = d.window;
  std::vector<R> y;
  std::vector<double> magnitude;
  for (int64_t hq = 0; hq < q.dim[0] * q.dim[1]; ++hq) {
    const int64_t hkv = hq / q.dim[1] * k.dim[1] + hq % q.dim[1] / (q.dim[1] / k.dim[1]);
    for (int64_t i = 0; i < h.queries; ++i) {
      R scores = 0;
      const std::vector<R> p = probabilities(h, hq, hkv, i, scores);
      for (int64_t e = 0; e < h.dv; ++e) {
        R sum = 0, size = 0;
        for (int64_t j = 0; j < h.keys; ++j) {
          const R weight = p[size_t(j)], term = weight * h.v[size_t((hkv * h.keys + j) * h.dv + e)];
          if (weight == 0) continue;  // an unseen key adds nothing, whatever its value
          sum += term;
          size += std::fabs(term);
        }
        y.push_back(sum);
        magnitude.push_back(double(size * (1 + scores)));
      }
    }
  }
  append_state(job, kK, kPastK, 1, h.past);
  append_state(job, kV, kPastV, 2, h.past);
  job.write(0, y, magnitude);
}

}  // namespace

void attention(Job& job) {
  if (job.in(kQ).dtype == OPMUX_F64)
    attend<long double>(job);
  else
    attend<double>(job);
}

}  // namespace opmux::reference
