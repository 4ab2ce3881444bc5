// SPDX-License-Identifier: Apache-2.0
// sample: rows in parallel, sorted only as far as top_k and top_p need it. Sums go in the order of the
// operator's doc, so that decisions are the reference's.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "cpu/answer.hpp"
#include "cpu/kernels/random.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/scratch.hpp"
#include "cpu/state.hpp"
#include "cpu/typed_rows.hpp"
#include "kit/operands/sampling.gen.hpp"
#include "opmux/ops/sampling.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::sample::Input;
using enum operands::sample::Output;

struct Candidate {
  double logit, weight;
  int64_t token;
  // The order of the operator's doc.
  bool operator<(const Candidate& other) const {
    return logit != other.logit ? logit > other.logit : token < other.token;
  }
};

// Of a thread: candidates, then a row of logits in the wide type of their memory.
uint64_t slot_bytes(const opmux_opd& d) {
  const auto n = static_cast<uint64_t>(d.in[kLogits].dim[1]);
  return (n * (sizeof(Candidate) + sizeof(double)) + 63) & ~uint64_t{63};
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  for (uint32_t o = 0; d->alias && o < d->n_out; ++o)
    if (d->alias[o] != 0) return no(cap, OPMUX_WHY_ALIAS, d->n_in + o);
  const auto n = static_cast<double>(elements(d->in[kLogits]));
  yes(cap, info, {.flops = 40 * n, .bytes = 32 * n, .flops_per_ns = 2, .ws = scratch_bytes(slot_bytes(*d))});
}

template <class T>
T value(const kit_call* call, uint32_t i) {
  return *static_cast<const T*>(call->arg[i]);
}

struct Settings {
  double temperature, top_p, min_p, penalty;
  int64_t top_k;
};

opmux_status read_settings(const kit_call* call, Settings& s, opmux_err* err) {
  s = {value<float>(call, kTemperature), value<float>(call, kTopP), value<float>(call, kMinP),
       value<float>(call, kPenalty), value<int64_t>(call, kTopK)};
  const struct {
    bool fits;
    uint32_t arg;
    const char* name;
    double value;
    const char* must;
  } checks[] = {
      {s.temperature >= 0 && std::isfinite(s.temperature), kTemperature, "temperature", s.temperature,
       "0 or more, and finite"},
      {s.top_p > 0 && s.top_p <= 1, kTopP, "top_p", s.top_p, "above 0 and at most 1"},
      {s.min_p >= 0 && s.min_p <= 1, kMinP, "min_p", s.min_p, "0 to 1"},
      {s.penalty > 0 && std::isfinite(s.penalty), kPenalty, "penalty", s.penalty, "above 0, and finite"},
  };
  if (s.top_k < 0)
    return kit_fail(err, OPMUX_E_FAULT, kTopK, "sample: top_k is %lld, must be 0 or more",
                    static_cast<long long>(s.top_k));
  for (const auto& c : checks)
    if (!c.fits)
      return kit_fail(err, OPMUX_E_FAULT, c.arg, "sample: %s is %g, must be %s", c.name, c.value, c.must);
  return OPMUX_OK;
}

class Row {
 public:
  Row(const kit_call* call, const Settings& s, int64_t row, char* scratch)
      : call_(call),
        s_(s),
        row_(row),
        n_(call->d->in[kLogits].dim[1]),
        c_(reinterpret_cast<Candidate*>(scratch)),
        logits_(reinterpret_cast<double*>(scratch + static_cast<uint64_t>(n_) * sizeof(Candidate))) {}

  // False: there is no token.
  bool draw(int64_t& token, double& probability) {
    load();
    penalise();
    int64_t count = gather();
    if (count == 0) return false;
    const Candidate* best = std::min_element(c_, c_ + count);
    token = best->token;
    probability = 1;
    if (s_.temperature == 0) return true;
    const double top = best->logit;
    if (s_.top_k > 0 && s_.top_k < count) {
      std::nth_element(c_, c_ + s_.top_k, c_ + count);
      count = s_.top_k;
    }
    if (s_.top_k > 0) sort_by_index(count);
    for (int64_t i = 0; i < count; ++i)
      c_[i].weight = c_[i].logit == top ? 1 : std::exp((c_[i].logit - top) / s_.temperature);
    if (s_.top_p < 1) {
      count = cut_share(count);
      sort_by_index(count);
    }
    if (s_.min_p > 0)
      count = std::remove_if(c_, c_ + count, [this](const Candidate& x) { return x.weight < s_.min_p; }) - c_;
    choose(count, token, probability);
    return true;
  }

 private:
  void load() {
    const opmux_tdesc& t = call_->d->in[kLogits];
    const char* from =
        static_cast<const char*>(call_->arg[kLogits]) + row_ * t.stride[0] * element_bytes(t.dtype);
    const RowLoader<double> rows(t.dtype);
    rows(logits_, from, t.stride[1], n_);
  }

  int64_t past(int64_t j) const {
    const opmux_tdesc& t = call_->d->in[kHistory];
    const int64_t at = row_ * t.stride[0] + j * t.stride[1];
    const void* base = call_->arg[kHistory];
    return t.dtype == OPMUX_I64 ? static_cast<const int64_t*>(base)[at]
                                : static_cast<const int32_t*>(base)[at];
  }

  // A token counts once: its candidate's place remembers that it was met.
  void penalise() {
    if (!has_in(*call_->d, kHistory)) return;
    const int64_t count = call_->d->in[kHistory].dim[1];
    for (int64_t i = 0; i < n_; ++i) c_[i].token = 0;
    for (int64_t j = 0; j < count; ++j) {
      const int64_t t = past(j);
      if (t < 0 || t >= n_ || c_[t].token != 0) continue;
      c_[t].token = 1;
      logits_[t] = logits_[t] > 0 ? logits_[t] / s_.penalty : logits_[t] * s_.penalty;
    }
  }

  int64_t gather() {
    int64_t count = 0;
    for (int64_t i = 0; i < n_; ++i)
      if (logits_[i] > -std::numeric_limits<double>::infinity()) c_[count++] = {logits_[i], 0, i};
    return count;
  }

  void sort_by_index(int64_t count) {
    std::sort(c_, c_ + count, [](const Candidate& a, const Candidate& b) { return a.token < b.token; });
  }

  double sum_of(int64_t count) const {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += c_[i].weight;
    return sum;
  }

  // Sorts block by block, each larger than the last, until the share is reached: it mostly is by few tokens.
  int64_t cut_share(int64_t count) {
    const double enough = s_.top_p * sum_of(count);
    double run = 0;
    for (int64_t n = 0, block = 256; n < count; block *= 4) {
      const int64_t end = std::min(count, n + block);
      if (end < count) std::nth_element(c_ + n, c_ + end, c_ + count);
      std::sort(c_ + n, c_ + end);
      for (; n < end; ++n) {
        if (n > 0 && run >= enough) return n;
        run += c_[n].weight;
      }
    }
    return count;
  }

  void choose(int64_t count, int64_t& token, double& probability) const {
    alignas(8) uint32_t words[4 + kPhiloxOverrun];
    const auto row = static_cast<uint64_t>(row_);
    philox(value<uint64_t>(call_, kSeed), value<uint64_t>(call_, kOffset) + row / 2, 1, words);
    const uint64_t word = words[2 * (row % 2)] | uint64_t{words[2 * (row % 2) + 1]} << 32;
    const double u = std::ldexp(static_cast<double>(word >> 11), -53);
    const double sum = sum_of(count);
    double run = 0;
    int64_t i = 0;
    for (; i < count; ++i) {
      run += c_[i].weight;
      if (run > u * sum) break;
    }
    i = std::min(i, count - 1);
    token = c_[i].token;
    probability = c_[i].weight / sum;
  }

  const kit_call* call_;
  const Settings& s_;
  int64_t row_, n_;
  Candidate* c_;
  double* logits_;
};

opmux_status run(const kit_call* call, opmux_err* err) {
  const opmux_opd& d = *call->d;
  Settings s;
  if (const opmux_status e = read_settings(call, s, err); e != OPMUX_OK) return e;
  std::atomic<int64_t> empty{std::numeric_limits<int64_t>::max()};  // the first row without a token
  const bool wants = has_out(d, kProbability);
  parallel_scratch(
      call->host, d.in[kLogits].dim[0], 20 * static_cast<double>(d.in[kLogits].dim[1]), call->ws,
      slot_bytes(d), [&](int64_t begin, int64_t end, char* slot) {
        for (int64_t r = begin; r < end; ++r) {
          int64_t token = 0;
          double probability = 0;
          if (!Row(call, s, r, slot).draw(token, probability)) {
            int64_t first = empty.load();
            while (r < first && !empty.compare_exchange_weak(first, r)) {
            }
            continue;
          }
          static_cast<int64_t*>(call->arg[d.n_in + kToken])[r * d.out[kToken].stride[0]] = token;
          if (wants)
            static_cast<float*>(call->arg[d.n_in + kProbability])[r * d.out[kProbability].stride[0]] =
                static_cast<float>(probability);
        }
      });
  if (empty.load() != std::numeric_limits<int64_t>::max())
    return kit_fail(err, OPMUX_E_FAULT, kLogits, "sample: row %lld has no logit above -infinity",
                    static_cast<long long>(empty.load()));
  return OPMUX_OK;
}

}  // namespace

const kit_op kSample = {OPMUX_OP_SAMPLE,         "rows", query, nullptr, nullptr, run, nullptr, nullptr,
                        sizeof(opmux_op_sample), 1};

}  // namespace opmux::cpu
