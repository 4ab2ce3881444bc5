// SPDX-License-Identifier: Apache-2.0
// Attention in f64: one query at a time with a running softmax. One query of one head is one work item.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "cpu/answer.hpp"
#include "cpu/attention_core.hpp"
#include "cpu/scratch.hpp"

namespace opmux::cpu {
namespace {

constexpr double kUnseen = -std::numeric_limits<double>::infinity();

class WideQuery {
 public:
  WideQuery(const AttentionPlan& plan, const AttentionCall& call, int64_t item, double* scratch)
      : p_(plan),
        c_(call),
        query_(item % plan.queries),
        head_(item / plan.queries % plan.heads),
        batch_(item / plan.queries / plan.heads),
        q_(scratch),
        k_(q_ + plan.width),
        v_(k_ + plan.width),
        o_(v_ + plan.value_width) {
    std::fill(o_, o_ + p_.value_width, 0.0);
    if (find_sequence()) attend();
    store();
  }

 private:
  bool find_sequence() {
    const AttentionSequences& all = c_.sequences;
    const int64_t s = all.packed ? all.behind(query_) : batch_;
    if (s == all.count) return false;
    s_ = all.at(s);
    place_ = query_ - s_.q_begin + s_.shift;
    return query_ >= s_.q_begin && query_ < s_.q_begin + s_.q_count;
  }

  int64_t offset(const int64_t* stride) const {
    return batch_ * stride[0] + head_ * stride[1] + query_ * stride[2];
  }

  static void load(const RowLoader& load, const KeyRows& rows, int64_t width, double* to) {
    for (int64_t i = 0; i < width; ++i)
      std::memcpy(to + i, rows.p + i * rows.step * load.bytes(), sizeof *to);
  }

  // What is added to the score of key j; -infinity: it is not seen.
  double bias(int64_t j) const {
    const int64_t column = s_.k_begin + j;
    if (p_.has_blocks) {
      const int64_t* step = p_.block_stride;
      if (!c_.blocks[batch_ * step[0] + head_ * step[1] + query_ / p_.block_q * step[2] +
                     column / p_.block_k * step[3]])
        return kUnseen;
    }
    double sum = 0;
    if (p_.mask_dtype != 0) {
      const char* at =
          c_.mask + (offset(p_.mask_stride) + column * p_.mask_stride[3]) * element_bytes(p_.mask_dtype);
      if (p_.mask_dtype == OPMUX_BOOL) {
        if (!*at) return kUnseen;
      } else {
        std::memcpy(&sum, at, sizeof sum);
      }
    }
    if (p_.has_slopes) {
      float slope;
      std::memcpy(&slope, c_.slopes + head_ * p_.slope_stride * 4, sizeof slope);
      sum -= slope * std::fabs(static_cast<double>(place_ - j));
    }
    return sum;
  }

  double score(const KeyRows& key, double added) const {
    load(p_.load_k, key, p_.width, k_);
    double parts[4] = {};
    for (int64_t e = 0; e < p_.width; ++e) parts[e % 4] += q_[e] * k_[e];
    double s = (parts[0] + parts[1]) + (parts[2] + parts[3]);
    if (p_.soft_cap > 0) s = p_.soft_cap * std::tanh(s / p_.soft_cap);
    return s + added;
  }

  // A score that is NaN never becomes the maximum but stays in the weights.
  void add(double s, const KeyRows& value) {
    if (s > top_) {
      const double fade = std::exp(top_ - s);
      sum_ *= fade;
      for (int64_t e = 0; e < p_.value_width; ++e) o_[e] = fade == 0 ? 0 : o_[e] * fade;
      top_ = s;
    }
    const double weight = std::exp(s - (top_ == kUnseen ? 0 : top_));
    sum_ += weight;
    if (weight == 0) return;
    load(p_.load_v, value, p_.value_width, v_);
    for (int64_t e = 0; e < p_.value_width; ++e) o_[e] += weight * v_[e];
  }

  void attend() {
    const char* from = c_.q + offset(p_.q_stride) * 8;
    const double scale = p_.wide_scale;
    for (int64_t e = 0; e < p_.width; ++e) {
      std::memcpy(q_ + e, from + e * p_.q_stride[3] * 8, sizeof *q_);
      q_[e] *= scale;
    }
    const int64_t first = p_.window < 0 ? 0 : std::max<int64_t>(0, place_ - p_.window);
    const int64_t end = p_.causal ? std::clamp<int64_t>(place_ + 1, 0, s_.k_count) : s_.k_count;
    const int64_t kv_head = head_ / p_.group;
    for (int64_t j = first; j < end; ++j) {
      const double added = bias(j);
      if (added != kUnseen) add(score(c_.k->at(s_, kv_head, j), added), c_.v->at(s_, kv_head, j));
    }
  }

  void store() const {
    char* to = c_.y + offset(p_.y_stride) * 8;
    for (int64_t e = 0; e < p_.value_width; ++e) {
      const double y = sum_ == 0 ? 0 : o_[e] / sum_;
      std::memcpy(to + e * p_.y_stride[3] * 8, &y, sizeof y);
    }
    if (!p_.has_lse) return;
    const auto lse = static_cast<float>(top_ + std::log(sum_));
    std::memcpy(c_.lse + offset(p_.lse_stride) * 4, &lse, sizeof lse);
  }

  const AttentionPlan& p_;
  const AttentionCall& c_;
  const int64_t query_, head_, batch_;
  double *q_, *k_, *v_, *o_;
  AttentionSequence s_{};
  int64_t place_ = 0;
  double top_ = kUnseen, sum_ = 0;
};

int64_t slot_doubles(int64_t width, int64_t value_width) { return (2 * (width + value_width) + 15) / 8 * 8; }

}  // namespace

uint64_t wide_attention_bytes(int64_t width, int64_t value_width) {
  return scratch_bytes(static_cast<uint64_t>(slot_doubles(width, value_width)) * sizeof(double));
}

void run_wide_attention(const AttentionPlan& plan, const AttentionCall& call, const opmux_host_api* host,
                        void* ws) {
  const double ns = 100 + static_cast<double>(call.sequences.keys * (20 + plan.width + plan.value_width));
  const auto slot_bytes = static_cast<uint64_t>(slot_doubles(plan.width, plan.value_width)) * sizeof(double);
  parallel_scratch(host, plan.items, ns, ws, slot_bytes, [&](int64_t begin, int64_t end, char* slot) {
    for (int64_t i = begin; i < end; ++i) WideQuery(plan, call, i, reinterpret_cast<double*>(slot));
  });
}

}  // namespace opmux::cpu
