// SPDX-License-Identifier: Apache-2.0
// Attention of packed queries over keys and values whose places a table of pages gives.
#include "kit/operands/attention.gen.hpp"
#include "reference/ops/attention_row.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

using enum operands::paged_attention::Input;
using enum operands::paged_attention::Output;

int64_t checked(const char* what, int64_t value, size_t at, uint32_t operand, int64_t low, int64_t high) {
  if (value < low || value > high)
    fail(OPMUX_E_FAULT, operand, "paged_attention: %s[%zu] is %lld, outside [%lld, %lld]", what, at,
         static_cast<long long>(value), static_cast<long long>(low), static_cast<long long>(high));
  return value;
}

struct Sequence {
  int64_t first, queries, keys;
  std::vector<int64_t> rows;  // of the pages, one for each key
};

std::vector<Sequence> sequences_of(const Job& job) {
  const opmux_tdesc &table = job.in(kTable), &k = job.in(kKPages);
  const int64_t page = k.dim[1], most = table.dim[1] * page, queries = job.in(kQ).dim[0];
  const std::vector<uint64_t> starts = job.read<uint64_t>(kQStart), lengths = job.read<uint64_t>(kKLen),
                              pages = job.read<uint64_t>(kTable);
  int64_t last = 0;
  for (size_t i = 0; i < starts.size(); ++i)
    last = checked("q_start", int64_t(starts[i]), i, kQStart, last, queries);
  for (size_t b = 0; b < lengths.size(); ++b) checked("k_len", int64_t(lengths[b]), b, kKLen, 0, most);
  std::vector<Sequence> all;
  for (size_t b = 0; b < lengths.size(); ++b) {
    const auto first = int64_t(starts[b]);
    Sequence s{first, int64_t(starts[b + 1]) - first, int64_t(lengths[b]), {}};
    for (int64_t j = 0; j < s.keys; ++j) {
      const auto at = b * size_t(table.dim[1]) + size_t(j / page);
      s.rows.push_back(checked("table", int64_t(pages[at]), at, kTable, 0, k.dim[0] - 1) * page + j % page);
    }
    all.push_back(std::move(s));
  }
  return all;
}

// Rows [P * page, H, D] with their scales.
std::vector<double> pages_of(const Job& job, uint32_t pages, uint32_t scale) {
  std::vector<double> v = job.read<double>(pages);
  if (!job.has_in(scale)) return v;
  opmux_tdesc rows = job.in(pages);
  rows.rank = 3;
  const std::vector<double> s = job.read_as<double>(scale, rows);
  const auto width = size_t(job.in(pages).dim[3]);
  for (size_t i = 0; i < v.size(); ++i) v[i] *= s[i / width];
  return v;
}

}  // namespace

void paged_attention(Job& job) {
  const opmux_tdesc& q = job.in(kQ);
  const int64_t heads = q.dim[1], kv_heads = job.in(kKPages).dim[2];
  const std::vector<Sequence> sequences = sequences_of(job);
  const AttentionSettings<double> t(job.desc<opmux_op_paged_attention>(), q.dim[2], job.in(kVPages).dim[3]);
  const std::vector<double> queries = job.read<double>(kQ), k = pages_of(job, kKPages, kKScale),
                            v = pages_of(job, kVPages, kVScale);
  const std::vector<double> slopes = job.has_in(kSlopes) ? job.read<double>(kSlopes) : std::vector<double>();
  AttentionResult<double> out;
  size_t s = 0;
  for (int64_t i = 0; i < q.dim[0]; ++i) {
    while (s < sequences.size() && i >= sequences[s].first + sequences[s].queries) ++s;
    for (int64_t h = 0; h < heads; ++h) {
      if (s == sequences.size() || i < sequences[s].first) {
        out.blank(t.dv);
        continue;
      }
      const Sequence& own = sequences[s];
      const int64_t kv_head = h / (heads / kv_heads), place = i - own.first + own.keys - own.queries;
      const auto at = [&](const std::vector<double>& rows, int64_t width) {
        return [&rows, &own, width, kv_heads, kv_head](int64_t j) {
          return rows.data() + (own.rows[size_t(j)] * kv_heads + kv_head) * width;
        };
      };
      const auto bias = [&](int64_t j) {
        return slopes.empty() ? 0.0 : -slopes[size_t(h)] * double(std::abs(place - j));
      };
      attend_row(t, queries.data() + (i * heads + h) * t.d, place, own.keys, at(k, t.d), at(v, t.dv), bias,
                 out);
    }
  }
  job.write(0, out.y, out.y_size);
  if (job.has_out(kLse)) job.write(kLse, out.lse, out.lse_size);
}

}  // namespace opmux::reference
