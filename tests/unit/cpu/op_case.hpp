// SPDX-License-Identifier: Apache-2.0
// One descriptor with its tensors, run on the CPU and compared with the reference.
#ifndef OPMUX_TESTS_UNIT_CPU_OP_CASE_HPP
#define OPMUX_TESTS_UNIT_CPU_OP_CASE_HPP

#include <deque>
#include <optional>

#include "cpu/simd.hpp"
#include "oracle.hpp"

namespace opmux::test {

template <class D>
class OpCase {
 public:
  // odd: gaps, turned and reversed strides.
  OpCase(uint32_t op, bool odd, std::mt19937& rng) : desc(op), odd_(odd), rng_(rng) {}
  OpCase(const OpCase&) = delete;

  D* operator->() { return desc.operator->(); }
  Tensor& in(uint32_t dtype, const Index& dims) {
    Tensor& t = add(dtype, dims);
    desc.in(t.t);
    return is_float(dtype) ? t.random(rng_) : t;
  }
  // A rank-0 operand.
  Tensor& scalar(uint32_t dtype, double value) {
    Tensor& t = in(dtype, {});
    t.set({}, value);
    return t;
  }
  Tensor& out(uint32_t dtype, const Index& dims) {
    Tensor& t = add(dtype, dims);
    desc.out(t.t);
    outs_.push_back(&t);
    return t;
  }
  // Output `o` lies where input i does.
  void out_alias(Tensor& t, std::vector<uint32_t> alias) {
    desc.out(t.t).alias(std::move(alias));
    args.push_back(t.data());
    outs_.push_back(&t);
  }
  void no_in() {
    desc.in(kit::absent());
    args.push_back(nullptr);
  }
  void no_out() {
    desc.out(kit::absent());
    args.push_back(nullptr);
    outs_.push_back(nullptr);
  }

  // bound(output, index of the element, truth of the output, dtype) is the error allowed.
  template <class Bound>
  void check(Host& host, const std::string& what, const Bound& bound) {
    std::vector<Truth> truth(outs_.size());
    for (size_t o = 0; o < outs_.size(); ++o)
      if (outs_[o]) truth[o] = Oracle::get().evaluate(desc, args, static_cast<uint32_t>(o));
    ASSERT_TRUE(run_op(host, desc, args)) << what;
    for (size_t o = 0; o < outs_.size(); ++o) {
      if (!outs_[o]) continue;
      const Truth& t = truth[o];
      expect_close(*outs_[o], t, what + ", output " + std::to_string(o), [&](size_t i, double want) {
        const uint32_t dtype = outs_[o]->t.dtype;
        return bound(o, i, t) + (is_float(dtype) ? spacing(dtype, want) : 0.0);
      });
    }
  }

  // The error record of a run that must fail.
  std::string fault(Host& host) {
    const Answer a = ask(desc.opd());
    if (!a.op) return "refused";
    void* state = nullptr;
    if (a.op->prepare) {
      EXPECT_EQ(a.op->prepare(host.api(), desc.opd(), &state, nullptr), OPMUX_OK);
    }
    std::vector<std::byte> ws(a.cap.ws_min + 64);
    const kit_call call{desc.opd(), args.data(), ws.data(), nullptr, state, host.api(), 0};
    kit::RawError err;
    const opmux_status status = a.op->run(&call, err);
    if (a.op->release) a.op->release(host.api(), state);
    return status == OPMUX_E_FAULT ? err.text() : "status " + std::to_string(status);
  }

  // The bytes of all outputs after a run.
  std::vector<std::vector<std::byte>> bytes(Host& host) {
    EXPECT_TRUE(run_op(host, desc, args));
    std::vector<std::vector<std::byte>> all;
    for (Tensor* t : outs_)
      if (t) all.push_back(t->memory());
    return all;
  }

  kit::Desc<D> desc;
  std::vector<void*> args;

 private:
  Tensor& add(uint32_t dtype, const Index& dims) {
    tensors_.push_back(odd_ ? Tensor(dtype, dims, rng_) : Tensor(dtype, dims));
    args.push_back(tensors_.back().data());
    return tensors_.back();
  }

  bool odd_;
  std::mt19937& rng_;
  std::deque<Tensor> tensors_;
  std::vector<Tensor*> outs_;
};

// What the schemas' form `dot` allows before the rounding of the result.
inline double dot_bound(uint32_t dtype, double c, double length, double magnitude) {
  return c * unit_roundoff(dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32) * length * magnitude;
}

// Calls f on every instruction set that this machine has, the best one last.
template <class F>
void on_every_instruction_set(F f) {
  const std::string best = cpu::simd_name();
  for (const char* name : {"EMU128", "SSE4", "AVX2", "NEON"}) {
    if (name != best && cpu::simd_limit(name) && std::string(cpu::simd_name()) == name) f();
  }
  cpu::simd_limit(best.c_str());
  f();
}

}  // namespace opmux::test
#endif
