// SPDX-License-Identifier: Apache-2.0
// Runs operators of the CPU plugin's table on tensors of any type and strides, on a host with any number of
// threads.
#ifndef OPMUX_TESTS_UNIT_CPU_RUN_OP_HPP
#define OPMUX_TESTS_UNIT_CPU_RUN_OP_HPP

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "cpu/op_table.hpp"
#include "kit/desc.hpp"
#include "kit/host_api.h"
#include "kit/scalar.hpp"

namespace opmux::test {

using Index = std::vector<int64_t>;

// A host with plain threads; counts allocations.
class Host {
 public:
  explicit Host(uint32_t threads) : threads_(threads) {
    api_.self = reinterpret_cast<opmux_host>(this);
    api_.alloc = [](opmux_host h, uint64_t size, uint64_t align) {
      ++self(h)->allocations;
      return kit_std_alloc(h, size, align);
    };
    api_.free_ = kit_std_free;
    api_.log = kit_std_log;
    api_.config = kit_std_config;
    api_.parallel = parallel;
    api_.concurrency = [](opmux_host h) { return self(h)->threads_; };
    api_.blob_get = kit_std_blob_get;
    api_.blob_put = kit_std_blob_put;
    api_.trace = kit_std_trace;
    api_.cancelled = [](opmux_host, uint64_t) { return 0u; };
  }
  const opmux_host_api* api() const { return &api_; }
  std::atomic<int> allocations{0};

 private:
  static Host* self(opmux_host h) { return reinterpret_cast<Host*>(h); }
  static opmux_status parallel(opmux_host h, uint64_t n, uint64_t grain, opmux_body body, void* ctx) {
    const uint64_t chunks = (n + grain - 1) / grain;
    std::atomic<uint64_t> next{0};
    auto work = [&](uint32_t worker) {
      for (uint64_t i; (i = next++) < chunks;) body(ctx, i * grain, std::min(n, (i + 1) * grain), worker);
    };
    std::vector<std::thread> others;
    for (uint32_t i = 1; i < self(h)->threads_; ++i) others.emplace_back(work, i);
    work(0);
    for (std::thread& t : others) t.join();
    return OPMUX_OK;
  }
  uint32_t threads_;
  opmux_host_api api_{};
};

// Bits of a 16-bit float with `man` bits of mantissa and exponent bias `bias`, to nearest even.
inline uint16_t encode16(double v, int man, int bias) {
  const uint16_t sign = std::signbit(v) ? 0x8000 : 0;
  v = std::fabs(v);
  if (std::isnan(v)) return 0x7fff;
  const int infinity = (2 * bias + 1) << man;
  if (v == 0) return sign;
  if (std::isinf(v)) return static_cast<uint16_t>(sign | infinity);
  int e;
  std::frexp(v, &e);
  e = std::max(e - 1, 1 - bias);
  const auto steps = static_cast<int64_t>(std::nearbyint(std::ldexp(v, man - e)));
  const int64_t bits = steps + (static_cast<int64_t>(e + bias - 1) << man);
  return static_cast<uint16_t>(sign | std::min<int64_t>(bits, infinity));
}
inline double decode16(uint16_t b, int man, int bias) {
  const int e = (b & 0x7fff) >> man, m = b & ((1 << man) - 1);
  double v = e == 2 * bias + 1 ? (m ? NAN : INFINITY)
             : e == 0          ? std::ldexp(m, 1 - bias - man)
                               : std::ldexp(m + (1 << man), e - bias - man);
  return b & 0x8000 ? -v : v;
}

// A tensor with its memory, of elements of less than a byte only in order; elements between those of the view
// hold a pattern that nobody may change.
class Tensor {
 public:
  opmux_tdesc t{};

  Tensor(uint32_t dtype, const Index& dims) { make(dtype, dims, false, nullptr); }
  // Order of dims in memory, gaps and signs of strides at random.
  Tensor(uint32_t dtype, const Index& dims, std::mt19937& rng) { make(dtype, dims, true, &rng); }
  // Broadcasts along the axes where mask says so.
  Tensor& broadcast(const std::vector<bool>& mask) {
    for (uint32_t i = 0; i < t.rank; ++i) {
      if (mask[i]) t.stride[i] = 0;
    }
    return *this;
  }
  void* data() { return bytes_.data() + zero_ * size(); }
  int64_t size() const { return OPMUX_DTYPE_BITS(t.dtype) / 8; }
  int64_t count() const { return kit::element_count(t); }
  const std::vector<std::byte>& memory() const { return bytes_; }

  int64_t offset(const Index& i) const {
    int64_t o = zero_;
    for (uint32_t a = 0; a < t.rank; ++a) o += i[a] * t.stride[a];
    return o;
  }
  double get(const Index& i) const {
    const std::byte* p = bytes_.data() + offset(i) * size();
    auto as = [p](auto v) {
      std::memcpy(&v, p, sizeof v);
      return v;
    };
    switch (t.dtype) {
      case OPMUX_F64:
        return as(double{});
      case OPMUX_F32:
        return as(float{});
      case OPMUX_F16:
        return decode16(as(uint16_t{}), 10, 15);
      case OPMUX_BF16:
        return decode16(as(uint16_t{}), 7, 127);
      case OPMUX_I32:
        return as(int32_t{});
      case OPMUX_I64:
        return static_cast<double>(as(int64_t{}));
      case OPMUX_I16:
        return as(int16_t{});
      case OPMUX_I8:
        return as(int8_t{});
      case OPMUX_U64:
        return static_cast<double>(as(uint64_t{}));
      case OPMUX_U32:
        return as(uint32_t{});
      case OPMUX_U16:
        return as(uint16_t{});
      case OPMUX_U8:
      case OPMUX_BOOL:
        return as(uint8_t{});
      default:
        return kit::cast_to(t.dtype, OPMUX_F64, kit::load(t.dtype, bytes_.data(), offset(i))).f;
    }
  }
  void set(const Index& i, double v) {
    std::byte* p = bytes_.data() + offset(i) * size();
    auto to = [p](auto x) { std::memcpy(p, &x, sizeof x); };
    switch (t.dtype) {
      case OPMUX_F64:
        return to(v);
      case OPMUX_F32:
        return to(static_cast<float>(v));
      case OPMUX_F16:
        return to(encode16(v, 10, 15));
      case OPMUX_BF16:
        return to(encode16(v, 7, 127));
      case OPMUX_I32:
        return to(static_cast<int32_t>(v));
      case OPMUX_I64:
        return to(static_cast<int64_t>(v));
      case OPMUX_I16:
        return to(static_cast<int16_t>(v));
      case OPMUX_I8:
        return to(static_cast<int8_t>(v));
      case OPMUX_U64:
        return to(static_cast<uint64_t>(v));
      case OPMUX_U32:
        return to(static_cast<uint32_t>(v));
      case OPMUX_U16:
        return to(static_cast<uint16_t>(v));
      case OPMUX_U8:
      case OPMUX_BOOL:
        return to(static_cast<uint8_t>(v));
      default:
        return kit::store(t.dtype, bytes_.data(), offset(i),
                          kit::cast_to(OPMUX_F64, t.dtype, kit::of_float(v), true));
    }
  }
  template <class F>
  static void each_in(const Index& dims, const F& f) {
    for (int64_t d : dims) {
      if (d == 0) return;
    }
    Index i(dims.size(), 0);
    for (;;) {
      f(i);
      int a = static_cast<int>(dims.size()) - 1;
      while (a >= 0 && ++i[a] == dims[a]) i[a--] = 0;
      if (a < 0) return;
    }
  }
  template <class F>
  void each(const F& f) const {
    each_in(Index(t.dim, t.dim + t.rank), f);
  }
  // All elements in row-major order.
  std::vector<double> dense() const {
    std::vector<double> v;
    v.reserve(static_cast<size_t>(count()));
    each([&](const Index& i) { v.push_back(get(i)); });
    return v;
  }
  Tensor& random(std::mt19937& rng) {
    if (OPMUX_DTYPE_CLASS(t.dtype) == OPMUX_CLASS_FLOAT) return uniform(-1, 1, rng);
    const int bits = static_cast<int>(std::min(OPMUX_DTYPE_BITS(t.dtype), 8u));
    const bool is_signed = OPMUX_DTYPE_CLASS(t.dtype) == OPMUX_CLASS_SIGNED;
    std::uniform_int_distribution<int> whole(is_signed ? -(1 << (bits - 1)) : 0,
                                             (1 << (is_signed ? bits - 1 : bits)) - 1);
    each([&](const Index& i) { set(i, whole(rng)); });
    return *this;
  }
  // Real numbers in [low, high).
  Tensor& uniform(double low, double high, std::mt19937& rng) {
    std::uniform_real_distribution<double> real(low, high);
    each([&](const Index& i) { set(i, real(rng)); });
    return *this;
  }
  // Makes all memory what memory() once was; it stays where it is.
  void restore(const std::vector<std::byte>& bytes) { std::copy(bytes.begin(), bytes.end(), bytes_.begin()); }
  // Is all memory outside the view as it was made?
  bool gaps_untouched() const {
    std::vector<bool> used(bytes_.size(), false);
    each([&](const Index& i) {
      for (int64_t b = 0; b < size(); ++b) used[static_cast<size_t>(offset(i) * size() + b)] = true;
    });
    for (size_t b = 0; b < bytes_.size(); ++b) {
      if (!used[b] && bytes_[b] != kPattern) return false;
    }
    return true;
  }

 private:
  static constexpr std::byte kPattern{0xa5};
  void make(uint32_t dtype, const Index& dims, bool odd, std::mt19937* rng) {
    t = kit::tensor(dtype, dims);
    int64_t elements = 1;
    for (int64_t d : dims) elements *= std::max<int64_t>(d, 1);
    if (odd) {
      std::vector<uint32_t> order(t.rank);
      for (uint32_t i = 0; i < t.rank; ++i) order[i] = i;
      std::shuffle(order.begin(), order.end(), *rng);
      int64_t step = 1 + static_cast<int64_t>((*rng)() % 2);
      for (uint32_t i : order) {
        t.stride[i] = step;
        step = step * std::max<int64_t>(t.dim[i], 1) + static_cast<int64_t>((*rng)() % 3);
        if ((*rng)() % 4 == 0 && t.dim[i] > 0) {
          zero_ += t.stride[i] * (t.dim[i] - 1);
          t.stride[i] = -t.stride[i];
        }
      }
      elements = step;
    }
    bytes_.assign(static_cast<size_t>((elements * OPMUX_DTYPE_BITS(dtype) + 7) / 8), kPattern);
  }
  int64_t zero_ = 0;
  std::vector<std::byte> bytes_;
};

// odd: gaps, turned and reversed strides.
inline Tensor make(uint32_t dtype, const Index& dims, bool odd, std::mt19937& rng) {
  return odd ? Tensor(dtype, dims, rng) : Tensor(dtype, dims);
}

// A list attribute of d.
template <class D>
opmux_slice slice(kit::Desc<D>& d, const Index& values) {
  opmux_slice s = d.list({});
  for (int64_t v : values) d.list({v});
  s.count = static_cast<uint32_t>(values.size());
  return s;
}

// What the table answers: the first implementation that accepts.
struct Answer {
  const kit_op* op = nullptr;
  opmux_cap cap{};
  uint32_t layout[16] = {};
};
inline Answer ask(const opmux_opd* d, const char* variant = nullptr) {
  Answer a;
  for (uint32_t i = 0; i < cpu::kOpCount && !a.op; ++i) {
    const kit_op& op = cpu::kOps[i];
    if (op.op != d->op || (variant && std::strcmp(variant, op.variant) != 0)) continue;
    std::fill(a.layout, a.layout + 16, 0u);
    a.cap = {};
    a.cap.h.size = sizeof a.cap;
    a.cap.in_layout = a.layout;
    a.cap.layout_cap = 16;
    opmux_devinfo info{};
    info.h.size = sizeof info;
    info.compute_units = 2;
    op.query(&info, d, &a.cap);
    if (a.cap.verdict == OPMUX_YES) a.op = &op;
  }
  return a;
}

// Packs constants as asked for, prepares, runs twice (the second time must not allocate) and releases.
// Returns the variant, or nullptr if the table refuses.
template <class T>
const char* run_op(Host& host, kit::Desc<T>& desc, const std::vector<void*>& args,
                   const char* variant = nullptr) {
  Answer a = ask(desc.opd(), variant);
  if (!a.op) return nullptr;
  std::vector<void*> arg = args;
  std::vector<std::unique_ptr<std::byte, void (*)(void*)>> held;
  auto hold = [&](uint64_t bytes) {
    held.emplace_back(static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 127) / 64 * 64)), std::free);
    return held.back().get();
  };
  for (uint32_t i = 0; i < desc.inputs().size(); ++i) {
    if (a.layout[i] == 0 || desc.inputs()[i].layout != 0) continue;
    uint64_t size = 0, layout_arg = 0;
    EXPECT_EQ(a.op->packed_size(desc.opd(), i, a.layout[i], &size, &layout_arg, nullptr), OPMUX_OK);
    arg[i] = hold(size);
    EXPECT_EQ(a.op->pack(host.api(), desc.opd(), i, a.layout[i], args[i], arg[i], nullptr), OPMUX_OK);
    desc.inputs()[i].layout = a.layout[i];
    desc.inputs()[i].layout_arg = layout_arg;
  }
  Answer packed = ask(desc.opd(), a.op->variant);
  EXPECT_TRUE(packed.op) << "refused with its own layout: why " << packed.cap.why;
  if (!packed.op) return nullptr;
  void* state = nullptr;
  if (a.op->prepare) {
    EXPECT_EQ(a.op->prepare(host.api(), desc.opd(), &state, nullptr), OPMUX_OK);
  }
  const kit_call call{desc.opd(), arg.data(), packed.cap.ws_min ? hold(packed.cap.ws_min) : nullptr,
                      nullptr,    state,      host.api(),
                      0};
  const int before = host.allocations;
  EXPECT_EQ(a.op->run(&call, nullptr), OPMUX_OK);
  EXPECT_EQ(host.allocations, before);
  if (a.op->release) a.op->release(host.api(), state);
  for (opmux_tdesc& t : desc.inputs()) t.layout = 0;
  return a.op->variant;
}

inline double unit_roundoff(uint32_t dtype) {
  switch (dtype) {
    case OPMUX_F64:
      return std::ldexp(1, -53);
    case OPMUX_F32:
      return std::ldexp(1, -24);
    case OPMUX_F16:
      return std::ldexp(1, -11);
    case OPMUX_BF16:
      return std::ldexp(1, -8);
    default:
      return 0;
  }
}

// Of the type in which sums of `dtype` are kept.
inline double wide_roundoff(uint32_t dtype) {
  return unit_roundoff(dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32);
}

inline std::string text(const Index& i) {
  std::string s;
  for (int64_t v : i) s += (s.empty() ? "" : ",") + std::to_string(v);
  return "[" + s + "]";
}

}  // namespace opmux::test
#endif
