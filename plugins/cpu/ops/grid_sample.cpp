// SPDX-License-Identifier: Apache-2.0
// grid_sample: places and weights of a block of points are found once and serve every channel.
#include "cpu/loops.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/point_samples.hpp"
#include "cpu/state.hpp"
#include "kit/resample.hpp"

namespace opmux::cpu {
namespace {

constexpr int64_t kPoints = 32, kMostTaps = 64;

const opmux_op_grid_sample& desc(const opmux_opd& d) {
  return reinterpret_cast<const opmux_op_grid_sample&>(d);
}

int64_t taps_of(const opmux_opd& d) {
  const int64_t one = desc(d).mode == OPMUX_INTERPOLATE_CUBIC ? 4 : desc(d).mode;
  int64_t n = 1;
  for (uint32_t i = 2; i < d.in[0].rank; ++i) n *= one;
  return n;
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap) || !apart(*d, cap)) return;
  const auto y = static_cast<double>(elements(d->out[0]));
  yes(cap, info,
      {.flops = 2 * y * static_cast<double>(taps_of(*d)),
       .bytes =
           static_cast<double>(element_bytes(d->in[0].dtype)) * (y + static_cast<double>(elements(d->in[0]))),
       .flops_per_ns = 2});
}

struct State {
  explicit State(const opmux_opd& opd) : d(desc(opd)), steps(opd.in[0].dtype), read(opd.in[1].dtype) {
    const opmux_tdesc &x = opd.in[0], &grid = opd.in[1], &y = opd.out[0];
    dims = x.rank - 2;
    for (uint32_t i = 0; i < dims; ++i) {
      axis[i] = {d.mode, d.outside, d.align_corners != 0, x.dim[2 + i]};
      x_step[i] = x.stride[2 + i];
    }
    channels = x.dim[1];
    x_channel = x.stride[1];
    y_channel = y.stride[1];
    coordinate = grid.stride[grid.rank - 1];
    grid_bytes = element_bytes(grid.dtype);
    taps = taps_of(opd);
    opmux_tdesc shape = y;
    shape.dim[1] = 1;
    int64_t of_x[OPMUX_MAX_RANK] = {x.stride[0]}, of_grid[OPMUX_MAX_RANK] = {grid.stride[0]};
    for (uint32_t i = 2; i < y.rank; ++i) of_grid[i] = grid.stride[i - 1];
    points = Loops(shape);
    points.add(y);
    points.add_strides(of_grid);
    points.add_strides(of_x);
    points.simplify(0);
    if (points.rank == 0) points.rank = 1, points.dim[0] = 1;
    blocks = (points.dim[points.rank - 1] + kPoints - 1) / kPoints;
  }
  const opmux_op_grid_sample& d;
  SampleSteps steps;
  NumberReader read;  // of grid
  Loops points;       // 0: y, 1: grid, 2: x, without channels
  kit::SampleAxis axis[3];
  uint32_t dims = 0;
  int64_t x_step[3] = {}, channels, x_channel, y_channel, coordinate, grid_bytes, taps, blocks;
};

template <class T>
class Block {
 public:
  explicit Block(const State& s) : s_(s) {}

  void run(char* y, const char* grid, const char* x, int64_t n) {
    const uint32_t last = s_.points.rank - 1;
    samples_.clear(n, s_.taps);
    for (int64_t i = 0; i < n; ++i) place(i, grid + i * s_.points.stride[1][last] * s_.grid_bytes);
    for (int64_t c = 0; c < s_.channels; ++c) {
      const T* sum = samples_.sums(s_.steps, x + c * s_.x_channel * s_.steps.bytes);
      s_.steps.store(y + c * s_.y_channel * s_.steps.bytes, s_.points.stride[0][last], sum,
                     static_cast<size_t>(n));
    }
  }

 private:
  void place(int64_t i, const char* grid) {
    int64_t at[3][4] = {};
    double weight[3][4] = {{1}, {1}, {1}};
    int n[3] = {1, 1, 1};
    for (uint32_t a = 0; a < s_.dims; ++a) {
      const double p = s_.axis[a].position(s_.read(grid, (s_.dims - 1 - a) * s_.coordinate));
      if (std::isnan(p)) return samples_.no_value(i);
      n[a] = s_.axis[a].taps(p, at[a], weight[a]);
    }
    // Points of a block may lie in several images.
    const int64_t image = i * s_.points.stride[2][s_.points.rank - 1];
    int64_t k = 0;
    for (int u = 0; u < n[0]; ++u)
      for (int v = 0; v < n[1]; ++v)
        for (int w = 0; w < n[2]; ++w)
          samples_.set(i, k++,
                       image + at[0][u] * s_.x_step[0] + at[1][v] * s_.x_step[1] + at[2][w] * s_.x_step[2],
                       weight[0][u] * weight[1][v] * weight[2][w]);
  }

  const State& s_;
  PointSamples<T, kPoints, kMostTaps> samples_;
};

template <class T>
void sample(const kit_call* call, const State& s) {
  const uint32_t last = s.points.rank - 1;
  const auto blocks = static_cast<uint64_t>(s.blocks);
  uint64_t n = blocks;
  for (uint32_t i = 0; i < last; ++i) n *= static_cast<uint64_t>(s.points.dim[i]);
  const double ns = static_cast<double>(std::min(kPoints, s.points.dim[last])) *
                    (20 + static_cast<double>(s.channels * s.taps));
  parallel_for(call->host, n, grain_for(n, ns), [&](uint64_t begin, uint64_t end) {
    Block<T> block(s);
    for (uint64_t i = begin; i < end; ++i) {
      const int64_t at = static_cast<int64_t>(i % blocks) * kPoints;
      auto address = [&](void* base, uint32_t operand, int64_t bytes) {
        const int64_t offset =
            s.points.offset(operand, last, i / blocks) + at * s.points.stride[operand][last];
        return static_cast<char*>(base) + offset * bytes;
      };
      block.run(address(call->arg[2], 0, s.steps.bytes), address(call->arg[1], 1, s.grid_bytes),
                address(call->arg[0], 2, s.steps.bytes), std::min(kPoints, s.points.dim[last] - at));
    }
  });
}

opmux_status run(const kit_call* call, opmux_err*) {
  const State& s = *static_cast<const State*>(call->state);
  if (elements(call->d->out[0]) == 0) return OPMUX_OK;
  call->d->in[0].dtype == OPMUX_F64 ? sample<double>(call, s) : sample<float>(call, s);
  return OPMUX_OK;
}

}  // namespace

const kit_op kGridSample = state_op<State, opmux_op_grid_sample>(OPMUX_OP_GRID_SAMPLE, "blocks", query, run);

}  // namespace opmux::cpu
