// SPDX-License-Identifier: Apache-2.0
// y = softmax(scale q k^T, capped, masked) v per head, with grouped key/value heads and a state of past keys
// and values. The header says what the operands mean. A key whose masked score is -infinity is not seen; a
// query that sees no key gives 0.
#include <algorithm>

#include "kit/operands/attention.gen.hpp"
#include "reference/ops/attention_row.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

using enum operands::attention::Input;
using enum operands::attention::Output;

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

// Blocks [B, Hq, rows, columns] that are seen. Empty without them.
struct Blocks {
  std::vector<uint64_t> seen;
  int64_t q = 1, k = 1, rows = 0, columns = 0;
};
Blocks blocks_of(const Job& job, int64_t columns) {
  Blocks b;
  if (!job.has_in(kBlocks)) return b;
  const auto& d = job.desc<opmux_op_attention>();
  b.q = d.block_q;
  b.k = d.block_k;
  opmux_tdesc shape = job.in(kQ);
  shape.dim[2] = b.rows = (shape.dim[2] + b.q - 1) / b.q;
  shape.dim[3] = b.columns = (columns + b.k - 1) / b.k;
  b.seen = job.read_as<uint64_t>(kBlocks, shape);
  return b;
}

// A sequence: its queries and keys among those of its batch, and the key at which its query 0 stands.
struct Sequence {
  int64_t batch, q_begin, q_count, k_begin, k_count, place;
};

int64_t checked(int64_t value, size_t at, uint32_t operand, int64_t low, int64_t high) {
  if (value < low || value > high)
    fail(OPMUX_E_FAULT, operand, "attention: %s[%zu] is %lld, outside [%lld, %lld]",
         operands::attention::kInputName[operand], at, static_cast<long long>(value),
         static_cast<long long>(low), static_cast<long long>(high));
  return value;
}

// Lengths or starts, checked; n times `otherwise` where absent.
std::vector<int64_t> counts(const Job& job, uint32_t operand, int64_t n, int64_t most, bool rising) {
  std::vector<int64_t> out;
  if (!job.has_in(operand)) return std::vector<int64_t>(size_t(n), most);
  for (uint64_t v : job.read<uint64_t>(operand))
    out.push_back(checked(int64_t(v), out.size(), operand, rising && !out.empty() ? out.back() : 0, most));
  return out;
}

std::vector<Sequence> sequences_of(const Job& job, int64_t past) {
  const opmux_tdesc &q = job.in(kQ), &k = job.in(kK);
  std::vector<Sequence> all;
  if (job.has_in(kQStart)) {
    const auto qs = counts(job, kQStart, 0, q.dim[2], true), ks = counts(job, kKStart, 0, k.dim[2], true);
    for (size_t n = 0; n + 1 < qs.size(); ++n) {
      const int64_t queries = qs[n + 1] - qs[n], keys = ks[n + 1] - ks[n];
      all.push_back({0, qs[n], queries, ks[n], keys, keys - queries});
    }
    return all;
  }
  const bool limited = job.has_in(kQLen) || job.has_in(kKLen);
  const auto queries = counts(job, kQLen, q.dim[0], q.dim[2], false),
             keys = counts(job, kKLen, q.dim[0], past + k.dim[2], false);
  for (int64_t b = 0; b < q.dim[0]; ++b) {
    const int64_t nq = queries[size_t(b)], nk = keys[size_t(b)];
    all.push_back({b, 0, nq, 0, nk, limited ? nk - nq : past});
  }
  return all;
}

template <class R>
struct Heads {
  std::vector<R> q, k, v, mask, slopes;
  Blocks blocks;
  int64_t keys, columns;
};

template <class R>
void attend_query(const Job& job, const Heads<R>& h, const AttentionSettings<R>& t, const Sequence& s,
                  int64_t head, int64_t i, AttentionResult<R>& out) {
  constexpr R kUnseen = -std::numeric_limits<R>::infinity();
  const opmux_tdesc& q = job.in(kQ);
  const int64_t kv_heads = job.in(kK).dim[1], hq = s.batch * q.dim[1] + head,
                hkv = s.batch * kv_heads + head / (q.dim[1] / kv_heads), row = hq * q.dim[2] + i;
  const int64_t place = i - s.q_begin + s.place;
  const auto bias = [&](int64_t j) {
    const int64_t column = s.k_begin + j;
    const Blocks& b = h.blocks;
    if (!b.seen.empty() && b.seen[size_t((hq * b.rows + i / b.q) * b.columns + column / b.k)] == 0)
      return kUnseen;
    R sum = h.mask.empty() ? R(0) : h.mask[size_t(row * h.columns + column)];
    if (!h.slopes.empty()) sum -= h.slopes[size_t(head)] * R(std::abs(place - j));
    return sum;
  };
  const auto at = [&](const std::vector<R>& rows, int64_t width) {
    return [&rows, width, first = hkv * h.keys + s.k_begin](int64_t j) {
      return rows.data() + (first + j) * width;
    };
  };
  attend_row(t, h.q.data() + row * t.d, place, s.k_count, at(h.k, t.d), at(h.v, t.dv), bias, out);
}

template <class R>
void attend(Job& job) {
  const opmux_tdesc &q = job.in(kQ), &k = job.in(kK);
  const int64_t past = past_length(job);
  const std::vector<Sequence> sequences = sequences_of(job, past);
  const AttentionSettings<R> settings(job.desc<opmux_op_attention>(), q.dim[3], job.in(kV).dim[3]);
  Heads<R> h;
  h.keys = past + k.dim[2];
  h.columns = job.has_in(kPastK) ? job.in(kPastK).dim[2] : k.dim[2];
  h.q = job.read<R>(kQ);
  h.k = joined<R>(job, kK, kPastK, past);
  h.v = joined<R>(job, kV, kPastV, past);
  h.mask = mask_of<R>(job, h.columns);
  h.blocks = blocks_of(job, h.columns);
  if (job.has_in(kSlopes)) h.slopes = job.read<R>(kSlopes);
  AttentionResult<R> out;
  for (int64_t b = 0; b < q.dim[0]; ++b)
    for (int64_t head = 0; head < q.dim[1]; ++head)
      for (int64_t i = 0; i < q.dim[2]; ++i) {
        const auto s = std::find_if(sequences.begin(), sequences.end(), [&](const Sequence& n) {
          return n.batch == b && i >= n.q_begin && i < n.q_begin + n.q_count;
        });
        if (s == sequences.end())
          out.blank(settings.dv);
        else
          attend_query(job, h, settings, *s, head, i, out);
      }
  append_state(job, kK, kPastK, 1, past);
  append_state(job, kV, kPastV, 2, past);
  job.write(0, out.y, out.y_size);
  if (job.has_out(kLse)) job.write(kLse, out.lse, out.lse_size);
}

}  // namespace

void attention(Job& job) {
  if (job.in(kQ).dtype == OPMUX_F64)
    attend<long double>(job);
  else
    attend<double>(job);
}

}  // namespace opmux::reference
