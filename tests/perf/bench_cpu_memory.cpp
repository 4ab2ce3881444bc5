// SPDX-License-Identifier: Apache-2.0
// Memory-bound operators of the CPU plugin and attention, beside read and copy loops measured in turn with
// them in one process:
//
//   bench_cpu_memory [--threads N] [--simd AVX2|AVX3|...] [--only TEXT] [--rounds R]
//
// One thread is timed by the processor time it got, which other work on the machine lengthens less than the
// clock; more threads by the clock. Prints median and fastest time, the bytes of the operands by the median,
// and its ratio to the copy loop (read loop where there is no output to speak of).
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
#include <vector>

#include "cpu/op_table.hpp"
#include "cpu/simd.hpp"
#include "cpu/tiles.hpp"
#include "kit/desc.hpp"
#include "kit/host_api.h"

namespace {

using opmux::kit::Desc;
using opmux::kit::tensor;

int g_threads = 1, g_rounds = 15;
std::string g_only;

double now() {
  timespec t{};
  clock_gettime(g_threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

opmux_status parallel(opmux_host, uint64_t n, uint64_t grain, opmux_body body, void* ctx) {
  tbb::parallel_for(
      tbb::blocked_range<uint64_t>(0, (n + grain - 1) / grain, 1),
      [&](const auto& r) {
        for (uint64_t i = r.begin(); i < r.end(); ++i)
          body(ctx, i * grain, std::min(n, (i + 1) * grain),
               static_cast<uint32_t>(tbb::this_task_arena::current_thread_index()));
      },
      tbb::simple_partitioner());
  return OPMUX_OK;
}

opmux_host_api make_host() {
  opmux_host_api h{};
  kit_host_fill(nullptr, &h);
  h.parallel = parallel;
  h.concurrency = [](opmux_host) { return static_cast<uint32_t>(g_threads); };
  return h;
}

using Buffer = std::unique_ptr<float, void (*)(void*)>;
Buffer buffer(int64_t floats) {
  const auto bytes = (static_cast<size_t>(floats) * 4 + 4095) / 4096 * 4096;
  Buffer b(static_cast<float*>(std::aligned_alloc(4096, bytes)), std::free);
  std::mt19937 rng(1);
  std::normal_distribution<float> normal;
  float some[4096];
  for (float& f : some) f = normal(rng);
  for (int64_t i = 0; i < floats; ++i) b.get()[i] = some[i % 4096];
  return b;
}

struct Times {
  double median, best;
};
Times measure(const std::function<void()>& f) {
  std::vector<double> t;
  f();
  for (int i = 0; i < g_rounds; ++i) {
    const double start = now();
    f();
    t.push_back(now() - start);
  }
  std::sort(t.begin(), t.end());
  return {t[t.size() / 2], t[0]};
}

// Every byte of x read, in the chunks of the operators.
double read_rate(const opmux_host_api& host, const float* x, int64_t floats) {
  const auto f = [&] {
    auto body = [](void* ctx, uint64_t begin, uint64_t end, uint32_t) {
      const auto* p = reinterpret_cast<const uint64_t*>(static_cast<const float*>(ctx)) + begin * 32768;
      uint64_t s[8] = {};
      for (uint64_t i = 0; i < (end - begin) * 32768; i += 8)
        for (int j = 0; j < 8; ++j) s[j] ^= p[i + static_cast<uint64_t>(j)];
      volatile uint64_t keep = s[0] ^ s[1] ^ s[2] ^ s[3] ^ s[4] ^ s[5] ^ s[6] ^ s[7];
      (void)keep;
    };
    host.parallel(host.self, static_cast<uint64_t>(floats) / 65536, 1, body, const_cast<float*>(x));
  };
  return static_cast<double>(floats) * 4 / measure(f).median;
}
// From x to y past the caches; bytes read and written.
double copy_rate(const opmux_host_api& host, float* y, const float* x, int64_t floats) {
  struct Ends {
    float* y;
    const float* x;
  } ends{y, x};
  const auto f = [&] {
    auto body = [](void* ctx, uint64_t begin, uint64_t end, uint32_t) {
      const Ends& e = *static_cast<Ends*>(ctx);
      opmux::cpu::stream_copy(e.y + begin * 65536, e.x + begin * 65536, (end - begin) * 65536 * 4);
      opmux::cpu::stream_fence();
    };
    host.parallel(host.self, static_cast<uint64_t>(floats) / 65536, 1, body, &ends);
  };
  return static_cast<double>(floats) * 8 / measure(f).median;
}

struct Limits {
  double read, copy;
};

template <class T>
void bench(const opmux_host_api& host, const Limits& limit, const char* name, Desc<T>& d,
           const std::vector<void*>& args, double bytes, bool reads_only, double flops = 0) {
  if (!g_only.empty() && std::string(name).find(g_only) == std::string::npos) return;
  opmux_devinfo info{};
  info.h.size = sizeof info;
  info.compute_units = static_cast<uint32_t>(g_threads);
  const kit_op* op = nullptr;
  opmux_cap cap{};
  for (uint32_t i = 0; i < opmux::cpu::kOpCount && cap.verdict != OPMUX_YES; ++i) {
    op = &opmux::cpu::kOps[i];
    if (op->op != d.opd()->op) continue;
    cap = {};
    cap.h.size = sizeof cap;
    op->query(&info, d.opd(), &cap);
  }
  if (cap.verdict != OPMUX_YES) {
    std::printf("%-28s refused, why %u\n", name, cap.why);
    return;
  }
  void* state = nullptr;
  if (op->prepare && op->prepare(&host, d.opd(), &state, nullptr) != OPMUX_OK) return;
  std::unique_ptr<void, void (*)(void*)> ws(
      cap.ws_min ? std::aligned_alloc(64, (cap.ws_min + 63) / 64 * 64) : nullptr, std::free);
  const kit_call call{d.opd(), args.data(), ws.get(), nullptr, state, &host, 0};
  const Times t = measure([&] { op->run(&call, nullptr); });
  const double rate = bytes / t.median;
  std::printf("%-28s %9.3f ms  best %9.3f  %6.1f GB/s  %4.0f%% of the %s loop", name, t.median * 1e3,
              t.best * 1e3, rate / 1e9, 100 * rate / (reads_only ? limit.read : limit.copy),
              reads_only ? "read" : "copy");
  if (flops > 0) std::printf("  %6.1f GFLOP/s", flops / t.median / 1e9);
  std::printf("\n");
  if (op->release) op->release(&host, state);
}

void pointwise(const opmux_host_api& host, const Limits& limit, const char* name,
               std::initializer_list<int64_t> dims, std::vector<std::vector<int64_t>> inputs,
               std::vector<void*> args, const std::vector<uint32_t>& fns) {
  Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
  opmux::kit::Program p(OPMUX_SLOT_MAIN, static_cast<uint32_t>(inputs.size()));
  double bytes = 0;
  for (const auto& in : inputs) {
    d.in(tensor(OPMUX_F32, in));
    bytes += 4.0 * static_cast<double>(opmux::kit::element_count(d.inputs().back()));
  }
  d.out(tensor(OPMUX_F32, dims));
  bytes += 4.0 * static_cast<double>(opmux::kit::element_count(d.outputs().back()));
  uint32_t v = 0, next = 1;
  for (uint32_t fn : fns) v = p.apply(fn, OPMUX_F32, v, fn >= OPMUX_FN_ADD ? next++ : 0);
  d.program(p.out(v));
  bench(host, limit, name, d, args, bytes, false);
}

void attention(const opmux_host_api& host, const Limits& limit, const char* name, int64_t queries,
               int64_t keys, bool causal) {
  constexpr int64_t kHeads = 12, kD = 64;
  const Buffer q = buffer(kHeads * queries * kD), k = buffer(kHeads * keys * kD),
               v = buffer(kHeads * keys * kD), y = buffer(kHeads * queries * kD);
  Desc<opmux_op_attention> d(OPMUX_OP_ATTENTION);
  d.in(tensor(OPMUX_F32, {1, kHeads, queries, kD}));
  d.in(tensor(OPMUX_F32, {1, kHeads, keys, kD}));
  d.in(tensor(OPMUX_F32, {1, kHeads, keys, kD}));
  d.out(tensor(OPMUX_F32, {1, kHeads, queries, kD}));
  d->causal = causal;
  d->window = -1;
  const double flops = 4.0 * static_cast<double>(kHeads * queries * keys * kD) * (causal ? 0.5 : 1);
  bench(host, limit, name, d, {q.get(), k.get(), v.get(), y.get()},
        4.0 * static_cast<double>(2 * kHeads * (queries + keys) * kD), false, flops);
}

void operators(const opmux_host_api& host, const Limits& limit, float* a, float* b, float* c) {
  constexpr int64_t kM = 16 * 1024 * 1024;
  pointwise(host, limit, "add_16M", {kM}, {{kM}, {kM}}, {a, b, c}, {OPMUX_FN_ADD});
  pointwise(host, limit, "relu_16M", {kM}, {{kM}}, {a, c}, {OPMUX_FN_RELU});
  pointwise(host, limit, "gelu_16M", {kM}, {{kM}}, {a, c}, {OPMUX_FN_GELU});
  pointwise(host, limit, "bias_gelu_512x3072", {512, 3072}, {{512, 3072}, {3072}}, {a, b, c},
            {OPMUX_FN_ADD, OPMUX_FN_GELU});
  pointwise(host, limit, "bias_relu_64x112x112", {1, 64, 112, 112}, {{1, 64, 112, 112}, {64, 1, 1}},
            {a, b, c}, {OPMUX_FN_ADD, OPMUX_FN_RELU});
  {
    Desc<opmux_op_copy> d(OPMUX_OP_COPY);
    d.in(opmux::kit::strided(OPMUX_F32, {4096, 4096}, {1, 4096})).out(tensor(OPMUX_F32, {4096, 4096}));
    bench(host, limit, "transpose_4096", d, {a, c}, 8.0 * kM, false);
  }
  {
    Desc<opmux_op_copy> d(OPMUX_OP_COPY);
    d.in(opmux::kit::strided(OPMUX_F32, {12, 512, 64}, {64, 768, 1})).out(tensor(OPMUX_F32, {12, 512, 64}));
    bench(host, limit, "copy_heads_512x12x64", d, {a, c}, 8.0 * 512 * 768, false);
  }
  {
    Desc<opmux_op_reduce> d(OPMUX_OP_REDUCE);
    d.in(tensor(OPMUX_F32, {kM})).out(tensor(OPMUX_F32, {1}));
    d->kind = OPMUX_REDUCE_SUM;
    d->axes = d.list({0});
    bench(host, limit, "reduce_sum_16M", d, {a, c}, 4.0 * kM, true);
  }
  {
    Desc<opmux_op_reduce> d(OPMUX_OP_REDUCE);
    d.in(tensor(OPMUX_F32, {4096, 4096})).out(tensor(OPMUX_F32, {1, 4096}));
    d->kind = OPMUX_REDUCE_MEAN;
    d->axes = d.list({0});
    bench(host, limit, "reduce_mean_rows_4096", d, {a, c}, 4.0 * kM, true);
  }
  {
    Desc<opmux_op_softmax> d(OPMUX_OP_SOFTMAX);
    d.in(tensor(OPMUX_F32, {4096, 1024})).out(tensor(OPMUX_F32, {4096, 1024}));
    d->kind = OPMUX_SOFTMAX_PLAIN;
    d->axis = 1;
    bench(host, limit, "softmax_4096x1024", d, {a, c}, 8.0 * 4096 * 1024, false);
  }
  {
    Desc<opmux_op_layer_norm> d(OPMUX_OP_LAYER_NORM);
    d.in(tensor(OPMUX_F32, {4096, 768})).in(tensor(OPMUX_F32, {768})).in(tensor(OPMUX_F32, {768}));
    d.out(tensor(OPMUX_F32, {4096, 768}));
    d->kind = OPMUX_NORM_LAYER;
    d->axis = 1;
    d->epsilon = 1e-5f;
    bench(host, limit, "layernorm_4096x768", d, {a, b, b, c}, 8.0 * 4096 * 768, false);
  }
  attention(host, limit, "attention_512", 512, 512, false);
  attention(host, limit, "attention_512_causal", 512, 512, true);
  attention(host, limit, "attention_2048", 2048, 2048, false);
  attention(host, limit, "attention_2048_causal", 2048, 2048, true);
  attention(host, limit, "attention_decode_2048", 1, 2048, false);
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i], value = argv[i + 1];
    if (key == "--threads") g_threads = std::max(1, std::atoi(argv[i + 1]));
    if (key == "--rounds") g_rounds = std::max(1, std::atoi(argv[i + 1]));
    if (key == "--only") g_only = value;
    if (key == "--simd" && !opmux::cpu::simd_limit(argv[i + 1])) {
      std::fprintf(stderr, "--simd %s: this machine or build does not have it\n", argv[i + 1]);
      return 2;
    }
  }
  tbb::global_control limit_threads(tbb::global_control::max_allowed_parallelism,
                                    static_cast<size_t>(g_threads));
  const opmux_host_api host = make_host();
  constexpr int64_t kM = 16 * 1024 * 1024;
  const Buffer a = buffer(kM), b = buffer(kM), c = buffer(kM);
  const Limits limit{read_rate(host, a.get(), kM), copy_rate(host, c.get(), a.get(), kM)};
  std::printf("%s, %d thread(s): read loop %.1f GB/s, copy loop %.1f GB/s\n", opmux::cpu::simd_name(),
              g_threads, limit.read / 1e9, limit.copy / 1e9);
  operators(host, limit, a.get(), b.get(), c.get());
  return 0;
}
