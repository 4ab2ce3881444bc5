// SPDX-License-Identifier: Apache-2.0
// What the benchmarks of CPU kernels share: options, a host on oneTBB, operators that are ready to run,
// times, limits.
#ifndef OPMUX_TESTS_PERF_CPU_BENCH_HPP
#define OPMUX_TESTS_PERF_CPU_BENCH_HPP

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cpu/op_table.hpp"
#include "cpu/simd.hpp"
#include "kit/desc.hpp"
#include "kit/host_api.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace opmux::bench {

using opmux::kit::Desc;

inline int g_threads = 1;

// Seconds. One thread is timed by the processor time it got, which other work on the machine lengthens far
// less.
inline double now() {
  timespec t{};
  clock_gettime(g_threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct Options {
  int threads = 1;
  double seconds = 0.5;
  std::string simd, only;
};

// --- the host: oneTBB, chunks of exactly the grain

inline opmux_status parallel(opmux_host, uint64_t n, uint64_t grain, opmux_body body, void* ctx) {
  tbb::parallel_for(
      tbb::blocked_range<uint64_t>(0, (n + grain - 1) / grain, 1),
      [&](const auto& r) {
        for (uint64_t i = r.begin(); i < r.end(); ++i) {
          body(ctx, i * grain, std::min(n, (i + 1) * grain),
               static_cast<uint32_t>(tbb::this_task_arena::current_thread_index()));
        }
      },
      tbb::simple_partitioner());
  return OPMUX_OK;
}

inline opmux_host_api make_host() {
  opmux_host_api h{};
  h.alloc = kit_std_alloc;
  h.free_ = kit_std_free;
  h.parallel = parallel;
  h.concurrency = [](opmux_host) { return static_cast<uint32_t>(g_threads); };
  return h;
}

// --- the limit: multiply-adds in registers

#if defined(__x86_64__)
inline __attribute__((target("avx512f"))) double fma512(int64_t rounds) {
  __m512 a[16], b = _mm512_set1_ps(1.0001f), c = _mm512_set1_ps(1e-6f);
  for (__m512& v : a) v = _mm512_set1_ps(1);
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < 16; ++j) a[j] = _mm512_fmadd_ps(a[j], b, c);
  }
  for (int j = 1; j < 16; ++j) a[0] = _mm512_add_ps(a[0], a[j]);
  float out[16];
  _mm512_storeu_ps(out, a[0]);
  volatile float keep = out[0];
  (void)keep;
  return 16.0 * 16 * 2;
}
inline __attribute__((target("avx2,fma"))) double fma256(int64_t rounds) {
  __m256 a[12], b = _mm256_set1_ps(1.0001f), c = _mm256_set1_ps(1e-6f);
  for (__m256& v : a) v = _mm256_set1_ps(1);
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) a[j] = _mm256_fmadd_ps(a[j], b, c);
  }
  for (int j = 1; j < 12; ++j) a[0] = _mm256_add_ps(a[0], a[j]);
  float out[8];
  _mm256_storeu_ps(out, a[0]);
  volatile float keep = out[0];
  (void)keep;
  return 12.0 * 8 * 2;
}
#endif

// GFLOP/s of all threads together, best of several.
inline double peak() {
#if defined(__x86_64__)
  const std::string simd = opmux::cpu::simd_name();
  double (*loop)(int64_t) = simd == "AVX3" ? fma512 : simd == "AVX2" ? fma256 : nullptr;
  if (!loop) return 0;
  double best = 0;
  for (int round = 0; round < 20; ++round) {
    constexpr int64_t kRounds = 1000000;
    double per_round = 0;
    std::vector<std::thread> all;
    const double start = now();
    for (int t = 1; t < g_threads; ++t) all.emplace_back([&] { loop(kRounds); });
    per_round = loop(kRounds);
    for (std::thread& t : all) t.join();
    best = std::max(best, per_round * kRounds * g_threads / (now() - start) / 1e9);
  }
  return best;
#else
  return 0;
#endif
}

// --- operators

using Buffer = std::unique_ptr<float, void (*)(void*)>;
inline Buffer buffer(uint64_t bytes, bool fill = true) {
  bytes = (bytes + 4095) / 4096 * 4096;
  Buffer b(static_cast<float*>(std::aligned_alloc(4096, bytes)), std::free);
  std::mt19937 rng(1);
  if (fill)
    std::generate_n(b.get(), bytes / 4, [&] { return static_cast<float>(rng() % 2048) / 1024 - 1; });
  else
    std::memset(b.get(), 0, bytes);
  return b;
}

// A prepared kernel with its operands; calling it runs it once.
template <class T>
class Prepared {
 public:
  Prepared(const opmux_host_api& host, Desc<T> desc) : host_(host), desc_(std::move(desc)) {
    for (const opmux_tdesc& t : desc_.inputs())
      arg_.push_back(t.dtype == OPMUX_NONE ? nullptr : hold(bytes(t)));
    arg_.push_back(hold(bytes(desc_.outputs()[0])));
    uint32_t layout[16] = {};
    opmux_cap cap = ask(layout);
    for (uint32_t i = 0; op_ && i < desc_.inputs().size(); ++i) {
      if (layout[i] == 0) continue;
      uint64_t size = 0, arg = 0;
      op_->packed_size(desc_.opd(), i, layout[i], &size, &arg, nullptr);
      void* packed = hold(size);
      op_->pack(&host_, desc_.opd(), i, layout[i], arg_[i], packed, nullptr);
      arg_[i] = packed;
      desc_.inputs()[i].layout = layout[i];
      desc_.inputs()[i].layout_arg = arg;
    }
    cap = ask(layout);
    if (!op_) return;
    if (op_->prepare) op_->prepare(&host_, desc_.opd(), &state_, nullptr);
    ws_ = hold(cap.ws_min + 64);
  }
  ~Prepared() {
    if (op_ && op_->release) op_->release(&host_, state_);
  }
  const char* variant() const { return op_ ? op_->variant : "refused"; }
  void operator()() {
    const kit_call call{desc_.opd(), arg_.data(), ws_, nullptr, state_, &host_, 0};
    op_->run(&call, nullptr);
  }

 private:
  static uint64_t bytes(const opmux_tdesc& t) {
    return (static_cast<uint64_t>(opmux::kit::element_count(t)) * OPMUX_DTYPE_BITS(t.dtype) + 7) / 8;
  }
  void* hold(uint64_t size) {
    held_.push_back(buffer(size));
    return held_.back().get();
  }
  opmux_cap ask(uint32_t* layout) {
    op_ = nullptr;
    opmux_cap cap{};
    for (uint32_t i = 0; i < opmux::cpu::kOpCount && !op_; ++i) {
      const kit_op& op = opmux::cpu::kOps[i];
      if (op.op != desc_.opd()->op) continue;
      cap = {};
      cap.h.size = sizeof cap;
      cap.in_layout = layout;
      cap.layout_cap = 16;
      opmux_devinfo info{};
      op.query(&info, desc_.opd(), &cap);
      if (cap.verdict == OPMUX_YES) op_ = &op;
    }
    return cap;
  }
  const opmux_host_api& host_;
  Desc<T> desc_;
  std::vector<Buffer> held_;
  std::vector<void*> arg_;
  const kit_op* op_ = nullptr;
  void* state_ = nullptr;
  void* ws_ = nullptr;
};

struct Times {
  double median, best;
};
// Runs all in turn, so that each meets the same weather.
inline std::vector<Times> measure(const std::vector<std::function<void()>>& all, double seconds) {
  std::vector<std::vector<double>> t(all.size());
  for (const auto& f : all) f();
  const double end = now() + seconds * static_cast<double>(all.size());
  while (now() < end || t[0].size() < 5) {
    for (size_t i = 0; i < all.size(); ++i) {
      const double start = now();
      all[i]();
      t[i].push_back(now() - start);
    }
  }
  std::vector<Times> out;
  for (auto& v : t) {
    std::sort(v.begin(), v.end());
    out.push_back({v[v.size() / 2], v[0]});
  }
  return out;
}

inline void print(const char* what, const char* who, double flops, double bytes, Times t, double limit) {
  std::printf("%-28s %-16s %10.1f us  best %10.1f us  %7.1f GF/s", what, who, t.median * 1e6, t.best * 1e6,
              flops / t.median / 1e9);
  if (limit > 0) std::printf("  %3.0f%%", 100 * flops / t.median / 1e9 / limit);
  std::printf("  %5.1f GB/s\n", bytes / t.median / 1e9);
  std::fflush(stdout);
}

// Reads the options, and sets what they say; false: wrong usage, said on stderr.
inline bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--threads")
      o.threads = std::max(1, std::atoi(argv[i + 1]));
    else if (key == "--simd")
      o.simd = argv[i + 1];
    else if (key == "--only")
      o.only = argv[i + 1];
    else if (key == "--seconds")
      o.seconds = std::atof(argv[i + 1]);
    else
      return std::fprintf(stderr, "unknown option %s\n", argv[i]), false;
  }
  if (!o.simd.empty() && !opmux::cpu::simd_limit(o.simd.c_str())) {
    return std::fprintf(stderr, "unknown instruction set %s\n", o.simd.c_str()), false;
  }
  g_threads = o.threads;
  return true;
}

// main of a benchmark: bench(host, options, GFLOP/s of the limit) on as many threads as the options say.
inline int run(int argc, char** argv, void (*bench)(const opmux_host_api&, const Options&, double)) {
  Options o;
  if (!parse(argc, argv, o)) return 1;
  tbb::global_control control(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(o.threads));
  tbb::task_arena arena(o.threads);
  const opmux_host_api host = make_host();
  const double limit = peak();
  std::printf("instruction set %s, %d thread(s), FMA loop %.1f GF/s\n", cpu::simd_name(), o.threads, limit);
  arena.execute([&] { bench(host, o, limit); });
  return 0;
}

}  // namespace opmux::bench
#endif
