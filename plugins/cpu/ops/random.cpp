// SPDX-License-Identifier: Apache-2.0
// random: any run of elements can be made without those before it, so tiles are made in parallel.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "cpu/answer.hpp"
#include "cpu/kernels/random.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/state.hpp"
#include "cpu/tiles.hpp"
#include "kit/operands/memory.gen.hpp"
#include "opmux/ops/memory.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::random::Input;
constexpr int64_t kTile = 512;  // elements; a multiple of 4

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!plain_operands(*d, cap)) return;
  if (d->alias && d->alias[0] != 0) return no(cap, OPMUX_WHY_ALIAS, d->n_in);
  const auto n = static_cast<double>(elements(d->out[0]));
  yes(cap, info,
      {.flops = 40 * n,
       .bytes = n * static_cast<double>(element_bytes(d->out[0].dtype)),
       .flops_per_ns = 10});
}

// What an element is made of besides its words.
union Number {
  float f32;
  double f64;
  uint64_t u64;
};

struct Tile {
  uint64_t word[(kTile * 2 + kPhiloxOverrun) / 2];
  double normal[kTile + 16];
  alignas(64) char lanes[kTile * 8];

  const uint32_t* words() const { return reinterpret_cast<const uint32_t*>(word); }
  uint64_t word64(int64_t i) const { return words()[2 * i] | uint64_t{words()[2 * i + 1]} << 32; }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(lanes);
  }
};

// floor(range w / 2^bits) + a, truncated to T.
template <class T>
void integers(Tile& t, int64_t n, uint64_t a, uint64_t range) {
  __extension__ using Wide = unsigned __int128;
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t step = sizeof(T) == 8 ? static_cast<uint64_t>((Wide{range} * t.word64(i)) >> 64)
                                         : (range * t.words()[i]) >> 32;
    t.as<T>()[i] = static_cast<T>(a + step);
  }
}

// Box and Muller in f64 for the words of f64 elements; see reference/ops/random.cpp for the quarters.
void normal_f64(Tile& t, int64_t n, double a, double b) {
  for (int64_t i = 0; i < n; i += 2) {
    const auto v = static_cast<double>(t.word64(i) >> 11), w = static_cast<double>(t.word64(i + 1) >> 11);
    const double m = std::sqrt(-2 * std::log((v + 1) * 0x1p-53)), turn = w * 0x1p-53;
    const double quarter = std::nearbyint(4 * turn), angle = 2 * std::numbers::pi * (turn - quarter / 4);
    const double c = std::cos(angle), s = std::sin(angle);
    const double cosines[] = {c, -s, -c, s}, sines[] = {s, c, -s, -c};
    const int q = static_cast<int>(quarter) % 4;
    t.as<double>()[i] = a + b * (m * cosines[q]);
    if (i + 1 < n) t.as<double>()[i + 1] = a + b * (m * sines[q]);
  }
}

class Random {
 public:
  explicit Random(const kit_call* call)
      : y_(call->d->out[0]),
        to_(static_cast<char*>(call->arg[call->d->n_in])),
        is_normal_(reinterpret_cast<const opmux_op_random*>(call->d)->kind == OPMUX_RANDOM_NORMAL),
        seed_(*static_cast<const uint64_t*>(call->arg[kSeed])),
        offset_(*static_cast<const uint64_t*>(call->arg[kOffset])),
        lane_(lane_of(y_.dtype)),
        store_(find_store(y_.dtype)) {
    const LoadFn load = find_load(y_.dtype);
    load(&a_, call->arg[kA], 1, 1);
    load(&b_, call->arg[kB], 1, 1);
    last_ = y_.rank == 0 ? 1 : y_.dim[y_.rank - 1];
  }

  // Elements [begin, end), at most a tile; begin is a multiple of 4.
  void make(int64_t begin, int64_t end) const {
    Tile t;
    const int64_t n = end - begin;
    const bool wide = lane_bytes(lane_) == 8;
    const int64_t per_block = wide ? 2 : 4;
    philox(seed_, offset_ + static_cast<uint64_t>(begin / per_block), (n + per_block - 1) / per_block,
           reinterpret_cast<uint32_t*>(t.word));
    fill(t, n);
    put(t, begin, end);
  }

 private:
  void fill(Tile& t, int64_t n) const {
    switch (lane_) {
      case Lane::kF32:
        return floats(t, n);
      case Lane::kF64:
        return is_normal_ ? normal_f64(t, n, a_.f64, b_.f64) : uniform_f64(t, n);
      case Lane::kI64:
        return integers<uint64_t>(t, n, a_.u64, range<int64_t>());
      case Lane::kU64:
        return integers<uint64_t>(t, n, a_.u64, range<uint64_t>());
      case Lane::kI32:
        return integers<uint32_t>(t, n, a_.u64, range<int32_t>());
      case Lane::kU32:
        return integers<uint32_t>(t, n, a_.u64, range<uint32_t>());
      case Lane::kI16:
        return integers<uint16_t>(t, n, a_.u64, range<int16_t>());
      case Lane::kU16:
        return integers<uint16_t>(t, n, a_.u64, range<uint16_t>());
      case Lane::kI8:
        return integers<uint8_t>(t, n, a_.u64, range<int8_t>());
      default:
        return integers<uint8_t>(t, n, a_.u64, range<uint8_t>());
    }
  }

  template <class T>
  uint64_t range() const {
    const T a = static_cast<T>(a_.u64), b = static_cast<T>(b_.u64);
    return b <= a ? 0 : static_cast<uint64_t>(b) - static_cast<uint64_t>(a);
  }

  void floats(Tile& t, int64_t n) const {
    const double a = a_.f32, b = b_.f32;
    if (is_normal_) {
      normal_pairs(t.words(), (n + 1) / 2, t.normal);
      for (int64_t i = 0; i < n; ++i) t.as<float>()[i] = static_cast<float>(a + b * t.normal[i]);
      return;
    }
    const int bits = y_.dtype == OPMUX_F32 ? 24 : y_.dtype == OPMUX_F16 ? 11 : 8;
    const double unit = std::ldexp(1.0, -bits), range = b - a;
    for (int64_t i = 0; i < n; ++i)
      t.as<float>()[i] = static_cast<float>(a + range * (unit * (t.words()[i] >> (32 - bits))));
  }

  // b - a may be out of range where a + (b - a) u is not.
  void uniform_f64(Tile& t, int64_t n) const {
    const double a = a_.f64, b = b_.f64;
    for (int64_t i = 0; i < n; ++i) {
      const double u = static_cast<double>(t.word64(i) >> 11) * 0x1p-53;
      t.as<double>()[i] = a - a * u + b * u;
    }
  }

  void put(const Tile& t, int64_t begin, int64_t end) const {
    const auto lane = static_cast<int64_t>(lane_bytes(lane_)), size = element_bytes(y_.dtype);
    for (int64_t k = begin; k < end;) {
      const int64_t column = k % last_, n = std::min(last_ - column, end - k);
      int64_t rest = k / last_, offset = 0;
      for (uint32_t i = y_.rank; i-- > 1;) {
        offset += rest % y_.dim[i - 1] * y_.stride[i - 1];
        rest /= y_.dim[i - 1];
      }
      const int64_t step = y_.rank == 0 ? 1 : y_.stride[y_.rank - 1];
      store_(to_ + (offset + column * step) * size, step, t.lanes + (k - begin) * lane,
             static_cast<size_t>(n));
      k += n;
    }
  }

  const opmux_tdesc& y_;
  char* to_;
  bool is_normal_;
  uint64_t seed_, offset_;
  Lane lane_;
  StoreFn store_;
  Number a_{.u64 = 0}, b_{.u64 = 0};
  int64_t last_;
};

opmux_status run(const kit_call* call, opmux_err*) {
  const int64_t n = elements(call->d->out[0]);
  if (n == 0) return OPMUX_OK;
  const Random random(call);
  const auto tiles = static_cast<uint64_t>((n + kTile - 1) / kTile);
  parallel_for(call->host, tiles, grain_for(tiles, 1500), [&](uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) {
      const int64_t from = static_cast<int64_t>(i) * kTile;
      random.make(from, std::min(n, from + kTile));
    }
  });
  return OPMUX_OK;
}

}  // namespace

const kit_op kRandom = {OPMUX_OP_RANDOM,         "tiles", query, nullptr, nullptr, run, nullptr, nullptr,
                        sizeof(opmux_op_random), 1};

}  // namespace opmux::cpu
