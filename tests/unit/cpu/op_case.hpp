// SPDX-License-Identifier: Apache-2.0
// One descriptor with its tensors, run on the CPU and compared with the reference.
#ifndef OPMUX_TESTS_UNIT_CPU_OP_CASE_HPP
#define OPMUX_TESTS_UNIT_CPU_OP_CASE_HPP

#include <deque>
#include <optional>

#include "every_instruction_set.hpp"
#include "oracle.hpp"
#include "run_fault.hpp"

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
    run_and_compare(host, desc, args, outs_, what, [&](size_t o, size_t i, double want, const Truth& t) {
      const uint32_t dtype = outs_[o]->t.dtype;
      return bound(o, i, t) + (is_float(dtype) ? spacing(dtype, want) : 0.0);
    });
  }

  // The sentence of a run that must fail.
  std::string fault(Host& host) {
    const Fault f = run_fault(host, desc, args);
    return f.status == OPMUX_E_FAULT ? f.text : "status " + std::to_string(f.status) + ", " + f.text;
  }

  // The bytes of all outputs after a run.
  std::vector<std::vector<std::byte>> bytes(Host& host) {
    EXPECT_TRUE(run_op(host, desc, args));
    std::vector<std::vector<std::byte>> all;
    for (const Tensor* t : outs_)
      if (t) all.push_back(t->memory());
    return all;
  }

  kit::Desc<D> desc;
  std::vector<void*> args;

 private:
  Tensor& add(uint32_t dtype, const Index& dims) {
    tensors_.push_back(make(dtype, dims, odd_, rng_));
    args.push_back(tensors_.back().data());
    return tensors_.back();
  }

  bool odd_;
  std::mt19937& rng_;
  std::deque<Tensor> tensors_;
  std::vector<const Tensor*> outs_;
};

// What the schemas' form `dot` allows before the rounding of the result.
inline double dot_bound(uint32_t dtype, double c, double length, double magnitude) {
  return c * wide_roundoff(dtype) * length * magnitude;
}

}  // namespace opmux::test
#endif
