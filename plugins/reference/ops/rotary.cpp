// SPDX-License-Identifier: Apache-2.0
// Pairs of each head are turned by the angle of their token, whose cosines and sines are rows of a cache.
#include "kit/operands/position.gen.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

using enum operands::rotary::Input;

// The row of the caches for each token [B, S].
std::vector<int64_t> rows_of(const Job& job) {
  const opmux_tdesc& x = job.in(kX);
  std::vector<int64_t> rows;
  if (!job.has_in(kPositions)) {
    for (int64_t t = 0; t < x.dim[0] * x.dim[2]; ++t) rows.push_back(t);
    return rows;
  }
  const int64_t limit = job.in(kCos).dim[0];
  for (uint64_t v : job.read<uint64_t>(kPositions)) {
    const auto row = int64_t(v);
    if (row < 0 || row >= limit)
      fail(OPMUX_E_FAULT, kPositions, "rotary: position %lld of token %zu is outside [0, %lld]",
           static_cast<long long>(row), rows.size(), static_cast<long long>(limit - 1));
    rows.push_back(row);
  }
  return rows;
}

template <class R>
void turn(Job& job) {
  const opmux_tdesc& x = job.in(kX);
  const int64_t heads = x.dim[1], tokens = x.dim[2], width = x.dim[3];
  const int64_t pairs = job.in(kCos).dim[job.in(kCos).rank - 1];
  const bool interleaved = job.desc<opmux_op_rotary>().interleaved != 0;
  const std::vector<int64_t> row = rows_of(job);
  const std::vector<R> cosine = job.read<R>(kCos), sine = job.read<R>(kSin);
  std::vector<R> y = job.read<R>(kX);
  std::vector<double> magnitude = absolute(y);
  for (int64_t h = 0; h < x.dim[0] * heads; ++h)
    for (int64_t t = 0; t < tokens; ++t)
      for (int64_t i = 0; i < pairs; ++i) {
        const auto angle = size_t(row[size_t(h / heads * tokens + t)] * pairs + i);
        const int64_t base = (h * tokens + t) * width;
        const auto first = size_t(base + (interleaved ? 2 * i : i));
        const size_t second = interleaved ? first + 1 : first + size_t(pairs);
        const R a = y[first], b = y[second], c = cosine[angle], s = sine[angle];
        y[first] = c * a - s * b;
        y[second] = s * a + c * b;
        magnitude[first] = double(std::fabs(c * a) + std::fabs(s * b));
        magnitude[second] = double(std::fabs(s * a) + std::fabs(c * b));
      }
  job.write(0, y, magnitude);
}

}  // namespace

void rotary(Job& job) {
  if (job.in(kX).dtype == OPMUX_F64)
    turn<long double>(job);
  else
    turn<double>(job);
}

}  // namespace opmux::reference
