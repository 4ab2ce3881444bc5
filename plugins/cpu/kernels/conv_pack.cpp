// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/conv_pack.hpp"

#include <algorithm>
#include <type_traits>

#include "cpu/answer.hpp"
#include "cpu/kernels/gemm.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/conv_pack.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

// A piece of one row of a panel that comes from one row of the image.
#ifndef OPMUX_CPU_KERNELS_CONV_PACK_RUN
#define OPMUX_CPU_KERNELS_CONV_PACK_RUN
namespace opmux::cpu {
struct PatchRun {
  int64_t dst, src, count;  // offset in the panel's row; offset in the channel, of the first; elements
};
constexpr int64_t kMaxPanel = 64;
}  // namespace opmux::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Writes the first n < lanes elements of v. Elements up to room may be overwritten: later runs of the row
// come after them. Other rows may be finished already.
template <class D>
HWY_INLINE void store_tail(D d, hn::Vec<D> v, int64_t n, int64_t room, float* dst) {
  const auto keep = hn::FirstN(d, static_cast<size_t>(n));
  if (room >= static_cast<int64_t>(hn::Lanes(d))) {
    hn::StoreU(hn::IfThenElseZero(keep, v), d, dst);
    return;
  }
#if HWY_TARGET <= HWY_AVX2  // a masked store that touches nothing else
  hn::BlendedStore(v, keep, d, dst);
#else
  HWY_ALIGN float buffer[hn::MaxLanes(D())];
  hn::Store(v, d, buffer);
  for (int64_t i = 0; i < n; ++i) dst[i] = buffer[i];
#endif
}

// dst[i] = src[i]; src is not read at or past limit unless wanted, dst has room.
HWY_INLINE void copy_run(const float* src, const float* limit, int64_t n, int64_t room, float* dst) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::LoadU(d, src + i), d, dst + i);
  if (i == n) return;
  if (limit - (src + i) >= lanes) return store_tail(d, hn::LoadU(d, src + i), n - i, room - i, dst + i);
  for (; i < n; ++i) dst[i] = src[i];
}

// dst[i] = src[2 * i], same rules.
HWY_INLINE void copy_run2(const float* src, const float* limit, int64_t n, int64_t room, float* dst) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i < n && limit - (src + 2 * i) >= 2 * lanes; i += lanes) {
    hn::Vec<decltype(d)> even, odd;
    hn::LoadInterleaved2(d, src + 2 * i, even, odd);
    if (i + lanes > n) return store_tail(d, even, n - i, room - i, dst + i);
    hn::StoreU(even, d, dst + i);
  }
  for (; i < n; ++i) dst[i] = src[2 * i];
}

HWY_INLINE void copy_run_by(const float* src, const float* limit, int64_t n, int64_t room, int64_t step,
                            float* dst) {
  if (step == 1) {
    copy_run(src, limit, n, room, dst);
  } else if (step == 2) {
    copy_run2(src, limit, n, room, dst);
  } else {
    for (int64_t i = 0; i < n; ++i) dst[i] = src[i * step];
  }
}

// Rows of one tap: the same runs in every channel.
void copy_tap(const float* x, const float* limit, int64_t channel_stride, int64_t channels,
              const PatchRun* run, int64_t runs, bool gaps, int64_t step, int64_t nr, int64_t dst_stride,
              float* dst) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t c = 0; c < channels; ++c) {
    if (gaps) {
      for (int64_t i = 0; i < nr; i += lanes) hn::StoreU(hn::Zero(d), d, dst + i);
    }
    for (int64_t i = 0; i < runs; ++i) {
      copy_run_by(x + run[i].src, limit, run[i].count, nr - run[i].dst, step, dst + run[i].dst);
    }
    x += channel_stride;
    dst += dst_stride;
  }
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
namespace {
HWY_EXPORT(copy_tap);

// Where the columns of one panel lie in the output, and from it the runs of each tap.
class Panel {
 public:
  Panel(const ConvShape& s, int64_t col, int64_t cols) : s_(s), cols_(cols) {
    int64_t rest = col;
    for (int i = 2; i >= 0; --i) {
      first_[i] = rest % s.out[i];
      rest /= s.out[i];
    }
  }

  // Runs of the tap (kd, kh, kw); *covered says how many columns they fill.
  int64_t runs(const int64_t* tap, PatchRun* run, int64_t* covered) const {
    int64_t at[3] = {first_[0], first_[1], first_[2]}, count = 0;
    *covered = 0;
    for (int64_t done = 0; done < cols_;) {
      const int64_t len = std::min(cols_ - done, s_.out[2] - at[2]);
      const int64_t d = at[0] * s_.stride[0] + tap[0] * s_.dilation[0] - s_.pad[0];
      const int64_t h = at[1] * s_.stride[1] + tap[1] * s_.dilation[1] - s_.pad[1];
      const int64_t w = at[2] * s_.stride[2] + tap[2] * s_.dilation[2] - s_.pad[2];
      if (d >= 0 && d < s_.in[0] && h >= 0 && h < s_.in[1]) {
        // First and one past the last column whose input lies in the row.
        const int64_t sw = s_.stride[2];
        const int64_t lo = w >= 0 ? 0 : (-w + sw - 1) / sw;
        const int64_t hi = w >= s_.in[2] ? 0 : std::min(len, (s_.in[2] - 1 - w) / sw + 1);
        if (lo < hi) {
          const int64_t src = d * s_.x[0] + h * s_.x[1] + (w + lo * sw) * s_.x[2];
          // Adjoining rows of an image without padding make one run.
          if (count > 0 && run[count - 1].dst + run[count - 1].count == done + lo &&
              run[count - 1].src + run[count - 1].count * sw * s_.x[2] == src) {
            run[count - 1].count += hi - lo;
          } else {
            run[count++] = {done + lo, src, hi - lo};
          }
          *covered += hi - lo;
        }
      }
      done += len;
      at[2] = 0;
      if (++at[1] == s_.out[1]) {
        at[1] = 0;
        ++at[0];
      }
    }
    return count;
  }

 private:
  const ConvShape& s_;
  int64_t cols_, first_[3];
};

// Any type and stride, element by element.
template <class T>
void copy_tap_any(const PatchSource<T>& s, int64_t channel, int64_t channels, const PatchRun* run,
                  int64_t runs, int64_t nr, int64_t dst_stride, T* dst) {
  const ConvShape& c = *s.shape;
  const int64_t bytes = element_bytes(s.dtype);
  for (int64_t i = 0; i < channels; ++i, dst += dst_stride) {
    std::fill(dst, dst + nr, T{});
    for (int64_t j = 0; j < runs; ++j) {
      const char* src = static_cast<const char*>(s.x) + ((channel + i) * c.x_c + run[j].src) * bytes;
      gemm_pack<T>(s.dtype, {src, c.stride[2] * c.x[2], 0}, run[j].count, 1, run[j].count, dst + run[j].dst);
    }
  }
}

}  // namespace

template <class T>
void pack_patches(const PatchSource<T>& s, int64_t k0, int64_t k, int64_t col, int64_t cols, int64_t nr,
                  T* dst) {
  const ConvShape& c = *s.shape;
  const int64_t taps = c.taps(), step = c.stride[2] * c.x[2];
  for (int64_t j = 0; j < cols; j += nr, dst += nr * k) {
    const int64_t width = std::min(nr, cols - j);
    const Panel panel(c, col + j, width);
    for (int64_t tap = 0; tap < taps; ++tap) {
      // Channels whose row of this tap lies in [k0, k0 + k).
      const int64_t lo = tap >= k0 ? 0 : (k0 - tap + taps - 1) / taps;
      const int64_t hi = tap >= k0 + k ? 0 : (k0 + k - 1 - tap) / taps + 1;
      if (lo >= hi) continue;
      const int64_t at[3] = {tap / (c.kernel[1] * c.kernel[2]), tap / c.kernel[2] % c.kernel[1],
                             tap % c.kernel[2]};
      PatchRun run[kMaxPanel];
      int64_t covered;
      const int64_t runs = panel.runs(at, run, &covered);
      T* to = dst + (lo * taps + tap - k0) * nr;
      if constexpr (std::is_same_v<T, float>) {
        if (s.dtype == OPMUX_F32) {
          const float* x = static_cast<const float*>(s.x) + lo * c.x_c;
          HWY_DYNAMIC_DISPATCH(copy_tap)
          (x, static_cast<const float*>(s.limit), c.x_c, hi - lo, run, runs, covered < nr, step, nr,
           taps * nr, to);
          continue;
        }
      }
      copy_tap_any(s, lo, hi - lo, run, runs, nr, taps * nr, to);
    }
  }
}

template void pack_patches<float>(const PatchSource<float>&, int64_t, int64_t, int64_t, int64_t, int64_t,
                                  float*);
template void pack_patches<double>(const PatchSource<double>&, int64_t, int64_t, int64_t, int64_t, int64_t,
                                   double*);
template void pack_patches<int32_t>(const PatchSource<int32_t>&, int64_t, int64_t, int64_t, int64_t, int64_t,
                                    int32_t*);

}  // namespace opmux::cpu
#endif
