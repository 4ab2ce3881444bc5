// SPDX-License-Identifier: Apache-2.0
// non_max_suppression: the classes of all images in parallel, each in its part of the workspace; what they
// took is then put together in order.
#include <algorithm>
#include <cmath>

#include "cpu/answer.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/point_samples.hpp"
#include "cpu/state.hpp"
#include "opmux/ops/image.gen.h"

namespace opmux::cpu {
namespace {

struct Candidate {
  double score;
  int64_t box;
};

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  const opmux_tdesc& scores = d->in[1];
  const auto n = static_cast<double>(elements(scores));
  yes(cap, info,
      {.flops = 16 * n,
       .bytes = n * static_cast<double>(element_bytes(scores.dtype)),
       .flops_per_ns = 1,
       .ws = static_cast<uint64_t>(elements(scores)) * sizeof(Candidate) +
             static_cast<uint64_t>(scores.dim[0] * scores.dim[1]) * sizeof(int64_t) + 64});
}

struct Box {
  double low[2], high[2];
};
double area(const Box& b) { return (b.high[0] - b.low[0]) * (b.high[1] - b.low[1]); }

bool overlap(const Box& a, const Box& b, double threshold) {
  double common = 1;
  for (int i = 0; i < 2; ++i) {
    const double side = std::min(a.high[i], b.high[i]) - std::max(a.low[i], b.low[i]);
    if (!(side > 0)) return false;
    common *= side;
  }
  const double first = area(a), second = area(b), all = first + second - common;
  return first > 0 && second > 0 && all > 0 && common / all > threshold;
}

struct State {
  explicit State(const opmux_opd& opd)
      : d(opd),
        boxes(opd.in[0]),
        scores(opd.in[1]),
        read_box(boxes.dtype),
        read_score(scores.dtype),
        center(reinterpret_cast<const opmux_op_non_max_suppression&>(opd).center != 0) {}
  const opmux_opd& d;
  const opmux_tdesc &boxes, &scores;
  NumberReader read_box, read_score;
  bool center;

  double number(const kit_call& call, uint32_t i, double otherwise) const {
    return has_in(d, i) ? NumberReader(d.in[i].dtype)(call.arg[i], 0) : otherwise;
  }
  Box box(const void* data, int64_t image, int64_t i) const {
    double v[4];
    for (int k = 0; k < 4; ++k)
      v[k] = read_box(data, image * boxes.stride[0] + i * boxes.stride[1] + k * boxes.stride[2]);
    Box b{};
    for (int k = 0; k < 2; ++k) {
      b.low[k] = center ? v[k] - v[2 + k] / 2 : std::min(v[k], v[2 + k]);
      b.high[k] = center ? v[k] + v[2 + k] / 2 : std::max(v[k], v[2 + k]);
    }
    return b;
  }
};

struct Limits {
  int64_t most;
  double iou, score;
  bool by_score;
};

// Takes the boxes of one class; those taken are the first of `list` afterwards. Their number.
int64_t select(const State& s, const kit_call& call, const Limits& limits, int64_t image, int64_t cls,
               Candidate* list) {
  const int64_t at = image * s.scores.stride[0] + cls * s.scores.stride[1];
  int64_t n = 0;
  for (int64_t i = 0; i < s.scores.dim[2]; ++i) {
    const double score = s.read_score(call.arg[1], at + i * s.scores.stride[2]);
    if (std::isnan(score) || (limits.by_score && !(score > limits.score))) continue;
    list[n++] = {score, i};
  }
  std::sort(list, list + n, [](const Candidate& a, const Candidate& b) {
    return a.score > b.score || (a.score == b.score && a.box < b.box);
  });
  int64_t taken = 0;
  for (int64_t i = 0; i < n && taken < limits.most; ++i) {
    const Box b = s.box(call.arg[0], image, list[i].box);
    bool free = true;
    for (int64_t k = 0; k < taken && free; ++k)
      free = !overlap(b, s.box(call.arg[0], image, list[k].box), limits.iou);
    if (free) list[taken++] = list[i];
  }
  return taken;
}

opmux_status run(const kit_call* call, opmux_err* err) {
  const State& s = *static_cast<const State*>(call->state);
  const int64_t classes = s.scores.dim[1], n = s.scores.dim[2];
  const auto tasks = static_cast<uint64_t>(s.scores.dim[0] * classes);
  auto* list = reinterpret_cast<Candidate*>((reinterpret_cast<uintptr_t>(call->ws) + 15) & ~uintptr_t{15});
  auto* taken = reinterpret_cast<int64_t*>(list + tasks * static_cast<uint64_t>(n));
  Limits limits{0, s.number(*call, 3, 0), s.number(*call, 4, 0), has_in(s.d, 4)};
  std::memcpy(&limits.most, call->arg[2], sizeof limits.most);
  parallel_for(call->host, tasks, grain_for(tasks, 1000 + 100 * static_cast<double>(n)),
               [&](uint64_t begin, uint64_t end) {
                 for (uint64_t i = begin; i < end; ++i) {
                   const auto at = static_cast<int64_t>(i);
                   taken[i] = select(s, *call, limits, at / classes, at % classes, list + at * n);
                 }
               });
  int64_t count = 0;
  for (uint64_t i = 0; i < tasks; ++i) count += taken[i];
  const opmux_tdesc& y = s.d.out[0];
  const uint32_t first_out = s.d.n_in;
  if (count > y.dim[0])
    return kit_fail(err, OPMUX_E_FAULT, first_out,
                    "non_max_suppression: %lld boxes are selected, but output selected has %lld rows",
                    static_cast<long long>(count), static_cast<long long>(y.dim[0]));
  auto* row = static_cast<int64_t*>(call->arg[first_out]);
  auto put = [&](int64_t image, int64_t cls, int64_t box) {
    row[0] = image;
    row[y.stride[1]] = cls;
    row[2 * y.stride[1]] = box;
    row += y.stride[0];
  };
  for (int64_t i = 0; i < static_cast<int64_t>(tasks); ++i)
    for (int64_t k = 0; k < taken[i]; ++k) put(i / classes, i % classes, list[i * n + k].box);
  for (int64_t i = count; i < y.dim[0]; ++i) put(-1, -1, -1);
  std::memcpy(call->arg[first_out + 1], &count, sizeof count);
  return OPMUX_OK;
}

}  // namespace

const kit_op kNonMaxSuppression =
    state_op<State, opmux_op_non_max_suppression>(OPMUX_OP_NON_MAX_SUPPRESSION, "classes", query, run);

}  // namespace opmux::cpu
