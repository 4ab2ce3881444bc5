// SPDX-License-Identifier: Apache-2.0
// Tokens from logits; the header has the steps. Everything is done for the whole row, in their order, in
// double: a token is a decision, so each backend must come to the same sums.
#include <algorithm>
#include <limits>

#include "kit/operands/sampling.gen.hpp"
#include "reference/ops/ops.hpp"
#include "reference/ops/philox.hpp"

namespace opmux::reference {
namespace {

using enum operands::sample::Input;
using enum operands::sample::Output;

struct Settings {
  double temperature, top_p, min_p, penalty;
  int64_t top_k;
};

double in_range(const Job& job, uint32_t i, const char* name, bool fits, const char* must) {
  const double v = job.scalar(i).f;
  if (!fits) fail(OPMUX_E_FAULT, i, "sample: %s is %g, must be %s", name, v, must);
  return v;
}

Settings settings_of(const Job& job) {
  const double temperature = job.scalar(kTemperature).f, top_p = job.scalar(kTopP).f,
               min_p = job.scalar(kMinP).f, penalty = job.scalar(kPenalty).f;
  const int64_t top_k = job.scalar(kTopK).i;
  if (top_k < 0)
    fail(OPMUX_E_FAULT, kTopK, "sample: top_k is %lld, must be 0 or more", static_cast<long long>(top_k));
  return {in_range(job, kTemperature, "temperature", temperature >= 0 && std::isfinite(temperature),
                   "0 or more, and finite"),
          in_range(job, kTopP, "top_p", top_p > 0 && top_p <= 1, "above 0 and at most 1"),
          in_range(job, kMinP, "min_p", min_p >= 0 && min_p <= 1, "0 to 1"),
          in_range(job, kPenalty, "penalty", penalty > 0 && std::isfinite(penalty), "above 0, and finite"),
          top_k};
}

struct Candidate {
  double logit, weight;
  int64_t token;
};

void sort_by_index(std::vector<Candidate>& c) {
  std::sort(c.begin(), c.end(), [](const Candidate& a, const Candidate& b) { return a.token < b.token; });
}

double sum_by_index(std::vector<Candidate> c) {
  sort_by_index(c);
  double sum = 0;
  for (const Candidate& x : c) sum += x.weight;
  return sum;
}

// Keeps the first ones whose weights reach this share of the sum.
void cut_share(std::vector<Candidate>& c, double share) {
  const double sum = sum_by_index(c);
  double run = 0;
  size_t n = 0;
  while (n < c.size() && !(n > 0 && run >= share * sum)) run += c[n++].weight;
  c.resize(n);
}

struct Drawn {
  int64_t token;
  double probability;
};

Drawn draw(std::vector<double> logits, const Settings& s, double u, int64_t row) {
  std::vector<Candidate> c;
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] > -std::numeric_limits<double>::infinity()) c.push_back({logits[i], 0, int64_t(i)});
  if (c.empty())
    fail(OPMUX_E_FAULT, kLogits, "sample: row %lld has no logit above -infinity",
         static_cast<long long>(row));
  std::sort(c.begin(), c.end(), [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  });
  if (s.temperature == 0) return {c[0].token, 1};
  const double top = c[0].logit;
  for (Candidate& x : c) x.weight = x.logit == top ? 1 : std::exp((x.logit - top) / s.temperature);
  if (s.top_k > 0 && size_t(s.top_k) < c.size()) c.resize(size_t(s.top_k));
  if (s.top_p < 1) cut_share(c, s.top_p);
  std::erase_if(c, [&](const Candidate& x) { return x.weight < s.min_p; });
  sort_by_index(c);
  const double sum = sum_by_index(c);
  double run = 0;
  for (const Candidate& x : c) {
    run += x.weight;
    if (run > u * sum) return {x.token, x.weight / sum};
  }
  return {c.back().token, c.back().weight / sum};
}

}  // namespace

void sample(Job& job) {
  const Settings s = settings_of(job);
  const RandomWords words(job.scalar(kSeed).u, job.scalar(kOffset).u);
  const std::vector<double> logits = job.read<double>(kLogits);
  const std::vector<uint64_t> history =
      job.has_in(kHistory) ? job.read<uint64_t>(kHistory) : std::vector<uint64_t>{};
  const int64_t rows = job.in(kLogits).dim[0], n = job.in(kLogits).dim[1];
  const int64_t past = job.has_in(kHistory) ? job.in(kHistory).dim[1] : 0;
  std::vector<uint64_t> token;
  std::vector<double> probability;
  for (int64_t r = 0; r < rows; ++r) {
    std::vector<double> row(logits.begin() + r * n, logits.begin() + (r + 1) * n);
    std::vector<bool> seen(size_t(n), false);
    for (int64_t j = 0; j < past; ++j) {
      const auto t = int64_t(history[size_t(r * past + j)]);
      if (t < 0 || t >= n || seen[size_t(t)]) continue;
      seen[size_t(t)] = true;
      double& logit = row[size_t(t)];
      logit = logit > 0 ? logit / s.penalty : logit * s.penalty;
    }
    const double u = std::ldexp(double(words.word64(uint64_t(r)) >> 11), -53);
    const Drawn d = draw(std::move(row), s, u, r);
    token.push_back(uint64_t(d.token));
    probability.push_back(d.probability);
  }
  job.write(kToken, token);
  job.write(kProbability, probability);
}

}  // namespace opmux::reference
