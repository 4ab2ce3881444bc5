// SPDX-License-Identifier: Apache-2.0
// matmul and conv of the CPU plugin beside OpenBLAS (if libopenblas.so.0 is there) and the machine's own FMA
// rate, measured in turn in one process:
//
//   bench_cpu_kernels [--threads N] [--simd AVX2|AVX3|...] [--only TEXT] [--seconds S]
//
// Prints the median of the times of each shape, the fastest, and the rate of the median as a share of the FMA
// loop.
#include <dlfcn.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
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

namespace {

using opmux::kit::Desc;

int g_threads = 1;

// Seconds. One thread is timed by the processor time it got, which other work on the machine lengthens far
// less.
double now() {
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

opmux_status parallel(opmux_host, uint64_t n, uint64_t grain, opmux_body body, void* ctx) {
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

opmux_host_api make_host() {
  opmux_host_api h{};
  h.alloc = kit_std_alloc;
  h.free_ = kit_std_free;
  h.parallel = parallel;
  h.concurrency = [](opmux_host) { return static_cast<uint32_t>(g_threads); };
  return h;
}

// --- the limit: multiply-adds in registers

#if defined(__x86_64__)
__attribute__((target("avx512f"))) double fma512(int64_t rounds) {
  __m512 a[16], b = _mm512_set1_ps(1.0001f), c = _mm512_set1_ps(1e-6f);
  for (__m512& v : a) v = _mm512_set1_ps(1);
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < 16; ++j) a[j] = _mm512_fmadd_ps(a[j], b, c);
  }
  for (int j = 1; j < 16; ++j) a[0] = _mm512_add_ps(a[0], a[j]);
  volatile float keep = _mm512_reduce_add_ps(a[0]);
  (void)keep;
  return 16.0 * 16 * 2;
}
__attribute__((target("avx2,fma"))) double fma256(int64_t rounds) {
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
double peak() {
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
Buffer buffer(uint64_t bytes, bool fill = true) {
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
    for (const opmux_tdesc& t : desc_.inputs()) arg_.push_back(hold(bytes(t)));
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
    return static_cast<uint64_t>(opmux::kit::element_count(t)) * 4;
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
std::vector<Times> measure(const std::vector<std::function<void()>>& all, double seconds) {
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

void print(const char* what, const char* who, double flops, double bytes, Times t, double limit) {
  std::printf("%-28s %-16s %10.1f us  best %10.1f us  %7.1f GF/s", what, who, t.median * 1e6, t.best * 1e6,
              flops / t.median / 1e9);
  if (limit > 0) std::printf("  %3.0f%%", 100 * flops / t.median / 1e9 / limit);
  std::printf("  %5.1f GB/s\n", bytes / t.median / 1e9);
  std::fflush(stdout);
}

// --- OpenBLAS

using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float,
                       float*, int);
Sgemm openblas(int threads) {
  void* lib = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!lib) return nullptr;
  auto set = reinterpret_cast<void (*)(int)>(dlsym(lib, "openblas_set_num_threads"));
  auto core = reinterpret_cast<char* (*)()>(dlsym(lib, "openblas_get_corename"));
  if (set) set(threads);
  std::printf("OpenBLAS core: %s\n", core ? core() : "unknown");
  return reinterpret_cast<Sgemm>(dlsym(lib, "cblas_sgemm"));
}

void bench_matmul(const opmux_host_api& host, const Options& o, Sgemm sgemm, double limit) {
  const int64_t shapes[][3] = {{256, 256, 256},  {512, 512, 512},  {1024, 1024, 1024}, {2048, 2048, 2048},
                               {1, 4096, 4096},  {8, 4096, 4096},  {32, 4096, 4096},   {128, 768, 768},
                               {128, 3072, 768}, {128, 768, 3072}, {64, 64, 64},       {197, 384, 384}};
  for (const auto& s : shapes) {
    const int64_t m = s[0], n = s[1], k = s[2];
    const std::string name = "sgemm " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
    if (name.find(o.only) == std::string::npos) continue;
    auto desc = [&](uint32_t flags) {
      Desc<opmux_op_matmul> d(OPMUX_OP_MATMUL);
      d.in(opmux::kit::tensor(OPMUX_F32, {m, k})).in(opmux::kit::tensor(OPMUX_F32, {k, n}));
      d.out(opmux::kit::tensor(OPMUX_F32, {m, n}));
      d.inputs()[1].flags = flags;
      d->acc_dtype = OPMUX_F32;
      return d;
    };
    Prepared<opmux_op_matmul> packed(host, desc(OPMUX_T_CONST)), plain(host, desc(0));
    Buffer a = buffer(m * k * 4), b = buffer(k * n * 4), c = buffer(m * n * 4, false);
    std::vector<std::function<void()>> all{[&] { packed(); }, [&] { plain(); }};
    if (sgemm) {
      all.push_back([&] {
        sgemm(101, 111, 111, int(m), int(n), int(k), 1, a.get(), int(k), b.get(), int(n), 0, c.get(), int(n));
      });
    }
    const std::vector<Times> t = measure(all, o.seconds);
    const double flops = 2.0 * double(m) * double(n) * double(k), bytes = 4.0 * double(m * k + k * n + m * n);
    const char* who[] = {"opmux, constant B", "opmux, plain B", "OpenBLAS"};
    for (size_t i = 0; i < all.size(); ++i) print(name.c_str(), who[i], flops, bytes, t[i], limit);
  }
}

void bench_conv(const opmux_host_api& host, const Options& o, double limit) {
  struct Shape {
    const char* name;
    int64_t c, hw, m, k, stride, pad, group;
  };
  const Shape shapes[] = {
      {"conv3x3_64_56", 64, 56, 64, 3, 1, 1, 1},      {"conv3x3_256_14", 256, 14, 256, 3, 1, 1, 1},
      {"conv1x1_256_64_56", 256, 56, 64, 1, 1, 0, 1}, {"conv7x7s2_stem", 3, 224, 64, 7, 2, 3, 1},
      {"dw3x3_32_112", 32, 112, 32, 3, 1, 1, 32},     {"conv1x1_512_2048_7", 512, 7, 2048, 1, 1, 0, 1},
      {"conv3x3s2_128_56", 128, 56, 128, 3, 2, 1, 1}, {"conv3x3_512_7", 512, 7, 512, 3, 1, 1, 1}};
  for (const Shape& s : shapes) {
    if (std::string(s.name).find(o.only) == std::string::npos) continue;
    const int64_t out = (s.hw + 2 * s.pad - s.k) / s.stride + 1;
    auto desc = [&](uint32_t math) {
      Desc<opmux_op_conv> d(OPMUX_OP_CONV);
      d.in(opmux::kit::tensor(OPMUX_F32, {1, s.c, s.hw, s.hw}));
      d.in(opmux::kit::tensor(OPMUX_F32, {s.m, s.c / s.group, s.k, s.k}));
      d.in(opmux::kit::tensor(OPMUX_F32, {s.m, 1, 1}));
      d.out(opmux::kit::tensor(OPMUX_F32, {1, s.m, out, out}));
      d.inputs()[1].flags = d.inputs()[2].flags = OPMUX_T_CONST;
      d->group = static_cast<uint32_t>(s.group);
      d->acc_dtype = OPMUX_F32;
      d->stride = d.list({s.stride, s.stride});
      d->dilation = d.list({1, 1});
      d->pad = d.list({s.pad, s.pad, s.pad, s.pad});
      opmux::kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
      p.out(p.apply(OPMUX_FN_RELU, OPMUX_F32, p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1)));
      d.program(p);
      d->o.math = math;
      return d;
    };
    Prepared<opmux_op_conv> any(host, desc(0)), strict(host, desc(OPMUX_MATH_STRICT));
    const bool both = std::strcmp(any.variant(), strict.variant()) != 0;
    std::vector<std::function<void()>> all{[&] { any(); }};
    if (both) all.push_back([&] { strict(); });
    const std::vector<Times> t = measure(all, o.seconds);
    const double flops = 2.0 * double(s.m * out * out) * double(s.c / s.group * s.k * s.k);
    const double bytes = 4.0 * double(s.c * s.hw * s.hw + s.m * out * out + s.m * s.c / s.group * s.k * s.k);
    print(s.name, any.variant(), flops, bytes, t[0], limit);
    if (both) print(s.name, strict.variant(), flops, bytes, t[1], limit);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
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
      return std::fprintf(stderr, "unknown option %s\n", argv[i]), 1;
  }
  if (!o.simd.empty() && !opmux::cpu::simd_limit(o.simd.c_str())) {
    return std::fprintf(stderr, "unknown instruction set %s\n", o.simd.c_str()), 1;
  }
  g_threads = o.threads;
  tbb::global_control control(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(o.threads));
  tbb::task_arena arena(o.threads);
  const opmux_host_api host = make_host();
  const double limit = peak();
  std::printf("instruction set %s, %d thread(s), FMA loop %.1f GF/s\n", opmux::cpu::simd_name(), o.threads,
              limit);
  const Sgemm sgemm = openblas(o.threads);
  arena.execute([&] {
    bench_matmul(host, o, sgemm, limit);
    bench_conv(host, o, limit);
  });
}
