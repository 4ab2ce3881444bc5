// SPDX-License-Identifier: Apache-2.0
// The best boxes of each class that overlap no better one. ONNX NonMaxSuppression.
#include <algorithm>

#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

struct Box {
  double low[2], high[2];
};

double area(const Box& b) { return (b.high[0] - b.low[0]) * (b.high[1] - b.low[1]); }

Box box_of(const double* v, bool center) {
  Box b{};
  for (int i = 0; i < 2; ++i) {
    if (center) {
      b.low[i] = v[i] - v[2 + i] / 2;
      b.high[i] = v[i] + v[2 + i] / 2;
    } else {
      b.low[i] = std::min(v[i], v[2 + i]);
      b.high[i] = std::max(v[i], v[2 + i]);
    }
  }
  return b;
}

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

}  // namespace

void non_max_suppression(Job& job) {
  const bool center = job.desc<opmux_op_non_max_suppression>().center != 0;
  const opmux_tdesc &boxes = job.in(0), &scores = job.in(1);
  const std::vector<double> corners = job.read<double>(0), score = job.read<double>(1);
  const int64_t images = boxes.dim[0], n = boxes.dim[1], classes = scores.dim[1];
  const int64_t most = std::max<int64_t>(job.scalar(2).i, 0), room = job.out(0).dim[0];
  const double iou = job.has_in(3) ? job.scalar(3).f : 0;
  std::vector<uint64_t> rows;
  for (int64_t image = 0; image < images; ++image)
    for (int64_t c = 0; c < classes; ++c) {
      const double* of_class = score.data() + (image * classes + c) * n;
      std::vector<int64_t> order;
      for (int64_t i = 0; i < n; ++i)
        if (!std::isnan(of_class[i]) && (!job.has_in(4) || of_class[i] > job.scalar(4).f)) order.push_back(i);
      std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return of_class[a] > of_class[b] || (of_class[a] == of_class[b] && a < b);
      });
      std::vector<Box> taken;
      for (int64_t i : order) {
        if (int64_t(taken.size()) == most) break;
        const Box b = box_of(corners.data() + (image * n + i) * 4, center);
        if (std::any_of(taken.begin(), taken.end(), [&](const Box& t) { return overlap(b, t, iou); }))
          continue;
        taken.push_back(b);
        for (int64_t v : {image, c, i}) rows.push_back(uint64_t(v));
      }
    }
  const auto count = int64_t(rows.size()) / 3;
  if (count > room)
    fail(OPMUX_E_FAULT, 5, "non_max_suppression: %lld boxes are selected, but output selected has %lld rows",
         static_cast<long long>(count), static_cast<long long>(room));
  rows.resize(size_t(room * 3), ~uint64_t(0));
  job.write(0, rows);
  job.write(1, std::vector<uint64_t>{uint64_t(count)});
}

}  // namespace opmux::reference
