// SPDX-License-Identifier: Apache-2.0
// The selective scan of Mamba, one channel and step after the other.
#include "kit/operands/state.gen.hpp"
#include "reference/ops/number.hpp"
#include "reference/ops/ops.hpp"

namespace opmux::reference {
namespace {

using enum operands::selective_scan::Input;

template <class R>
void scan_channels(Job& job) {
  const int64_t batch = job.in(kX).dim[0], steps = job.in(kX).dim[1], channels = job.in(kX).dim[2];
  const int64_t n_state = job.in(kA).dim[1], groups = job.in(kB).dim[2];
  const std::vector<R> x = job.read<R>(kX), delta = job.read<R>(kDelta), a = job.read<R>(kA);
  const std::vector<R> b = job.read<R>(kB), c = job.read<R>(kC);
  const std::vector<R> skip = job.has_in(kSkip) ? job.read<R>(kSkip) : std::vector<R>(size_t(channels));
  Numbers<R> state = terms_or_zero<R>(job, kPast, batch * channels * n_state), y(x.size());
  for (int64_t i = 0; i < batch; ++i)
    for (int64_t d = 0; d < channels; ++d)
      for (int64_t t = 0; t < steps; ++t) {
        const int64_t at = (i * steps + t) * channels + d;
        const int64_t row = ((i * steps + t) * groups + d / (channels / groups)) * n_state;
        const Number<R> step = exact(delta[size_t(at)]), input = exact(x[size_t(at)]);
        Number<R> sum = exact(skip[size_t(d)]) * input;
        for (int64_t n = 0; n < n_state; ++n) {
          Number<R>& h = state[size_t((i * channels + d) * n_state + n)];
          const Number<R> fresh = step * exact(b[size_t(row + n)]) * input;
          h = exponential(step * exact(a[size_t(d * n_state + n)])) * h + fresh;
          sum = sum + exact(c[size_t(row + n)]) * h;
        }
        y[size_t(at)] = sum;
      }
  write_numbers(job, 0, y);
  write_numbers(job, 1, state);
}

}  // namespace

void selective_scan(Job& job) {
  if (job.in(kX).dtype == OPMUX_F64)
    scan_channels<long double>(job);
  else
    scan_channels<double>(job);
}

}  // namespace opmux::reference
