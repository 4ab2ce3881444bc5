// SPDX-License-Identifier: Apache-2.0
// Products with few rows and with weights of few bits, beside a loop that reads the same bytes:
//
//   bench_cpu_quant [--threads N] [--simd AVX2|AVX3|...] [--only TEXT] [--seconds S]
//
// Weights are constant and packed ahead. GB/s counts the weights as they come, with their scales.
#include "cpu_bench.hpp"

namespace opmux::bench {
namespace {

struct Weights {
  const char* name;
  uint32_t a, b;
  int64_t group;  // 0: no scales
  uint32_t acc;
};
constexpr Weights kWeights[] = {{"f32", OPMUX_F32, OPMUX_F32, 0, OPMUX_F32},
                                {"f16", OPMUX_F16, OPMUX_F16, 0, OPMUX_F32},
                                {"bf16", OPMUX_BF16, OPMUX_BF16, 0, OPMUX_F32},
                                {"int8 weights", OPMUX_F32, OPMUX_I8, 128, OPMUX_F32},
                                {"int4 weights", OPMUX_F32, OPMUX_I4, 32, OPMUX_F32},
                                {"e4m3 weights", OPMUX_F32, OPMUX_E4M3FN, 128, OPMUX_F32},
                                {"e2m1 weights", OPMUX_F32, OPMUX_E2M1, 32, OPMUX_F32},
                                {"int8 x int8", OPMUX_U8, OPMUX_I8, 0, OPMUX_I32}};

double weight_bytes(const Weights& w, double k, double n) {
  return k * n * OPMUX_DTYPE_BITS(w.b) / 8 + (w.group ? k / static_cast<double>(w.group) * n * 4 : 0);
}

// Sums 8 bytes at a time; four sums, so that reading is what takes the time.
uint64_t read_all(const opmux_host_api& host, const uint64_t* p, uint64_t words) {
  std::atomic<uint64_t> total{0};
  struct Context {
    const uint64_t* p;
    std::atomic<uint64_t>* total;
  } context{p, &total};
  const auto body = [](void* c, uint64_t begin, uint64_t end, uint32_t) {
    const auto& x = *static_cast<Context*>(c);
    uint64_t s[4] = {};
    for (uint64_t i = begin; i + 4 <= end; i += 4)
      for (int j = 0; j < 4; ++j) s[j] += x.p[i + static_cast<uint64_t>(j)];
    x.total->fetch_add(s[0] + s[1] + s[2] + s[3], std::memory_order_relaxed);
  };
  host.parallel(host.self, words, 1 << 16, body, &context);
  return total;
}

template <class Make>
void row(const opmux_host_api& host, const Options& o, const std::string& name, double flops, double bytes,
         double limit, const Make& make) {
  if (name.find(o.only) == std::string::npos) return;
  auto product = make();
  const auto words = static_cast<uint64_t>(bytes / 8);
  Buffer source = buffer(words * 8);
  volatile uint64_t keep = 0;
  const std::vector<Times> t =
      measure({[&] { product(); },
               [&] { keep = read_all(host, reinterpret_cast<const uint64_t*>(source.get()), words); }},
              o.seconds);
  print(name.c_str(), product.variant(), flops, bytes, t[0], limit);
  print("", "read loop", 0, bytes, t[1], 0);
}

void bench(const opmux_host_api& host, const Options& o, double limit) {
  const int64_t shapes[][3] = {{1, 4096, 4096},  {2, 4096, 4096},  {4, 4096, 4096}, {8, 4096, 4096},
                               {32, 4096, 4096}, {128, 3072, 768}, {128, 768, 768}, {1024, 1024, 1024}};
  for (const Weights& w : kWeights)
    for (const auto& s : shapes) {
      const int64_t m = s[0], n = s[1], k = s[2];
      const std::string name =
          std::string(w.name) + " " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
      const double flops = 2.0 * double(m) * double(n) * double(k);
      const double bytes = weight_bytes(w, double(k), double(n));
      if (OPMUX_DTYPE_BITS(w.b) >= 16) {
        row(host, o, name, flops, bytes, limit, [&] {
          Desc<opmux_op_matmul> d(OPMUX_OP_MATMUL);
          d.in(kit::tensor(w.a, {m, k})).in(kit::tensor(w.b, {k, n})).out(kit::tensor(w.a, {m, n}));
          d.inputs()[1].flags = OPMUX_T_CONST;
          d->acc_dtype = w.acc;
          return Prepared<opmux_op_matmul>(host, d);
        });
        continue;
      }
      row(host, o, name, flops, bytes, limit, [&] {
        Desc<opmux_op_quant_matmul> d(OPMUX_OP_QUANT_MATMUL);
        d.in(kit::tensor(w.a, {m, k})).in(kit::tensor(w.b, {k, n})).in(kit::absent()).in(kit::absent());
        if (w.group)
          d.in(kit::tensor(OPMUX_F32, {k / w.group, n}));
        else
          d.in(kit::absent());
        d.in(kit::absent()).out(kit::tensor(w.acc == OPMUX_I32 ? OPMUX_I32 : OPMUX_F32, {m, n}));
        d.inputs()[1].flags = OPMUX_T_CONST;
        if (w.group) d.inputs()[4].flags = OPMUX_T_CONST;
        d->acc_dtype = w.acc;
        d->b_group = static_cast<uint32_t>(w.group);
        return Prepared<opmux_op_quant_matmul>(host, d);
      });
    }
}

}  // namespace
}  // namespace opmux::bench

int main(int argc, char** argv) { return opmux::bench::run(argc, argv, opmux::bench::bench); }
