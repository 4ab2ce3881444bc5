// SPDX-License-Identifier: Apache-2.0
// Speculative sampling: Leviathan, Kalman and Matias, "Fast Inference from Transformers via Speculative
// Decoding" (2023); Chen et al., "Accelerating Large Language Model Decoding with Speculative Sampling"
// (2023).
#include "kit/operands/sampling.gen.hpp"
#include "reference/ops/ops.hpp"
#include "reference/ops/philox.hpp"

namespace opmux::reference {
namespace {

using enum operands::speculative::Input;
using enum operands::speculative::Output;

// The first token whose running sum of weights is above u times their sum; -1: there is no weight.
int64_t draw(const std::vector<double>& weight, double u) {
  double sum = 0, run = 0;
  int64_t last = -1;
  for (double w : weight)
    if (w > 0) sum += w;
  for (size_t i = 0; i < weight.size(); ++i) {
    if (!(weight[i] > 0)) continue;
    run += weight[i];
    last = int64_t(i);
    if (run > u * sum) break;
  }
  return last;
}

}  // namespace

void speculative(Job& job) {
  const int64_t rows = job.in(kDraft).dim[0], drafted = job.in(kDraft).dim[1], n = job.in(kQ).dim[2];
  const RandomWords words(job.scalar(kSeed).u, job.scalar(kOffset).u);
  const std::vector<uint64_t> draft = job.read<uint64_t>(kDraft);
  const std::vector<double> q = job.read<double>(kQ), p = job.read<double>(kP);
  std::vector<uint64_t> token, count;
  for (int64_t r = 0; r < rows; ++r) {
    const auto u = [&](int64_t j) {
      return std::ldexp(double(words.word64(uint64_t(r * (2 * drafted + 2) + j)) >> 11), -53);
    };
    const uint64_t* drafts = draft.data() + r * drafted;
    for (int64_t i = 0; i < drafted; ++i)
      if (drafts[i] >= uint64_t(n))
        fail(OPMUX_E_FAULT, kDraft, "speculative: draft token %lld of row %lld is outside [0, %lld]",
             static_cast<long long>(drafts[i]), static_cast<long long>(r), static_cast<long long>(n - 1));
    int64_t accepted = 0;
    for (; accepted < drafted; ++accepted) {
      const auto t = int64_t(drafts[accepted]);
      const double of_draft = q[size_t((r * drafted + accepted) * n + t)];
      const double of_target = p[size_t((r * (drafted + 1) + accepted) * n + t)];
      if (!(u(accepted) * of_draft < of_target)) break;
      token.push_back(uint64_t(t));
    }
    std::vector<double> rest(p.begin() + (r * (drafted + 1) + accepted) * n,
                             p.begin() + (r * (drafted + 1) + accepted + 1) * n);
    int64_t drawn = -1;
    if (accepted < drafted) {
      std::vector<double> surplus = rest;
      for (int64_t i = 0; i < n; ++i) surplus[size_t(i)] -= q[size_t((r * drafted + accepted) * n + i)];
      drawn = draw(surplus, u(drafted + 1 + accepted));
    }
    if (drawn < 0) drawn = draw(rest, u(drafted + 1 + accepted));
    if (drawn < 0)
      fail(OPMUX_E_FAULT, kP, "speculative: the probabilities of position %lld of row %lld have none above 0",
           static_cast<long long>(accepted), static_cast<long long>(r));
    token.push_back(uint64_t(drawn));
    count.push_back(uint64_t(accepted + 1));
    token.resize(size_t((r + 1) * (drafted + 1)), uint64_t(-1));
  }
  job.write(kToken, token);
  job.write(kCount, count);
}

}  // namespace opmux::reference
