// SPDX-License-Identifier: Apache-2.0
// Random numbers of a counter-based generator: element k depends on seed, offset and k alone. The header says
// which bits make it.
#include <numbers>

#include "kit/operands/memory.gen.hpp"
#include "reference/ops/ops.hpp"
#include "reference/ops/philox.hpp"

namespace opmux::reference {
namespace {

using enum operands::random::Input;

// Bits of a uniform number of this type.
int uniform_bits(uint32_t dtype) {
  switch (dtype) {
    case OPMUX_F64:
      return 53;
    case OPMUX_F32:
      return 24;
    case OPMUX_F16:
      return 11;
    default:
      return 8;
  }
}

// In [0, 1).
template <class R>
R uniform(const RandomWords& words, uint32_t dtype, uint64_t k) {
  const int bits = uniform_bits(dtype);
  const uint64_t w =
      dtype == OPMUX_F64 ? words.word64(k) >> (64 - bits) : uint64_t{words.word32(k)} >> (32 - bits);
  return std::ldexp(R(w), -bits);
}

// Box and Muller (1958).
template <class R>
R normal(const RandomWords& words, uint32_t dtype, uint64_t k) {
  const bool wide = dtype == OPMUX_F64;
  const uint64_t even = k & ~uint64_t{1};
  const R v = wide ? R(words.word64(even) >> 11) : R(words.word32(even));
  const R w = wide ? R(words.word64(even + 1) >> 11) : R(words.word32(even + 1));
  const int bits = wide ? 53 : 32;
  const R m = std::sqrt(-2 * std::log(std::ldexp(v + 1, -bits)));
  // The angle within an eighth of a turn, so that a multiple of a quarter gives an exact 0 or 1.
  const R turn = std::ldexp(w, -bits), quarter = std::round(4 * turn);
  const R angle = 2 * std::numbers::pi_v<R> * (turn - quarter / 4);
  const R c = std::cos(angle), s = std::sin(angle);
  const R cosines[] = {c, -s, -c, s}, sines[] = {s, c, -s, -c};
  return m * (k % 2 == 0 ? cosines : sines)[int(quarter) % 4];
}

template <class R>
void floats(Job& job, const RandomWords& words) {
  const uint32_t dtype = job.out(0).dtype;
  const bool is_normal = job.desc<opmux_op_random>().kind == OPMUX_RANDOM_NORMAL;
  const R a = R(job.scalar(kA).f), b = R(job.scalar(kB).f);
  std::vector<R> y;
  std::vector<double> magnitude;
  for (int64_t k = 0; k < count_of(job.out(0)); ++k) {
    const R step = is_normal ? b * normal<R>(words, dtype, uint64_t(k))
                             : (b - a) * uniform<R>(words, dtype, uint64_t(k));
    y.push_back(a + step);
    magnitude.push_back(double(std::fabs(a) + std::fabs(step)));
  }
  job.write(0, y, magnitude);
}

// floor(range w / 2^bits).
uint64_t scaled(uint64_t range, uint64_t word, int bits) {
  __extension__ using Wide = unsigned __int128;
  return uint64_t((Wide(range) * word) >> bits);
}

void integers(Job& job, const RandomWords& words) {
  const uint32_t dtype = job.out(0).dtype;
  const Scalar a = job.scalar(kA), b = job.scalar(kB);
  const bool empty = kit::is_signed(dtype) ? b.i <= a.i : b.u <= a.u;
  const uint64_t range = empty ? 0 : b.u - a.u;
  std::vector<uint64_t> y;
  for (int64_t k = 0; k < count_of(job.out(0)); ++k) {
    const auto i = uint64_t(k);
    y.push_back(a.u + (OPMUX_DTYPE_BITS(dtype) == 64 ? scaled(range, words.word64(i), 64)
                                                     : scaled(range, words.word32(i), 32)));
  }
  job.write(0, y);
}

}  // namespace

void random(Job& job) {
  const RandomWords words(job.scalar(kSeed).u, job.scalar(kOffset).u);
  const uint32_t dtype = job.out(0).dtype;
  if (!kit::is_float(dtype))
    integers(job, words);
  else if (dtype == OPMUX_F64)
    floats<long double>(job, words);
  else
    floats<double>(job, words);
}

}  // namespace opmux::reference
