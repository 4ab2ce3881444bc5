// SPDX-License-Identifier: Apache-2.0
// matmul and conv of the CPU plugin beside OpenBLAS (if libopenblas.so.0 is there) and the machine's own FMA
// rate, measured in turn in one process:
//
//   bench_cpu_kernels [--threads N] [--simd AVX2|AVX3|...] [--only TEXT] [--seconds S]
//
// Prints the median of the times of each shape, the fastest, and the rate of the median as a share of the FMA
// loop.
#include <dlfcn.h>

#include "cpu_bench.hpp"

namespace opmux::bench {
namespace {

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

void bench(const opmux_host_api& host, const Options& o, double limit) {
  bench_matmul(host, o, openblas(o.threads), limit);
  bench_conv(host, o, limit);
}

}  // namespace
}  // namespace opmux::bench

int main(int argc, char** argv) { return opmux::bench::run(argc, argv, opmux::bench::bench); }
