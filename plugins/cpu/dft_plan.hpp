// SPDX-License-Identifier: Apache-2.0
// Tables of a Fourier transform: stages of small radices; lengths with other factors as a convolution with a
// chirp (Bluestein 1970) over a power of two.
#ifndef OPMUX_CPU_DFT_PLAN_HPP
#define OPMUX_CPU_DFT_PLAN_HPP

#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/kernels/dft.hpp"

namespace opmux::cpu {

// Length of the buffers for a transform of n: n, or the power of two of its convolution.
int64_t dft_work_length(int64_t n);

template <class T>
class DftPlan {
 public:
  explicit DftPlan(int64_t n);

  // Transforms `columns` interleaved signals [n, columns]; a and b are buffers of dft_work_length(n) rows.
  // The input lies in a; the result is where the returned pointers say.
  struct Buffer {
    T *re, *im;
  };
  Buffer run(Buffer a, Buffer b, int64_t columns) const;

 private:
  struct Stage {
    int64_t radix, length, table;  // table: of radix, in roots_
    int64_t twiddle;
    DftStageFn<T> run;
  };
  Buffer stages(Buffer a, Buffer b, int64_t columns) const;
  void make_stages(int64_t n);
  void make_chirp();
  void multiply(Buffer x, const std::vector<T>& re, const std::vector<T>& im, int64_t rows,
                int64_t columns) const;

  int64_t n_, work_;
  std::vector<Stage> stages_;  // of the work length
  std::vector<T> twiddle_, roots_;
  std::vector<T> chirp_re_, chirp_im_, kernel_re_, kernel_im_;  // empty without convolution
};

}  // namespace opmux::cpu
#endif
