// SPDX-License-Identifier: Apache-2.0
// Kit: descriptors that own what they point to, for clients of the plugin interface and tests.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <list>
#include <span>
#include <vector>

#include "opmux/ops.h"

namespace opmux::kit {

// A row-major tensor.
inline opmux_tdesc tensor(uint32_t dtype, std::span<const int64_t> dims) {
  opmux_tdesc t{};
  t.dtype = dtype;
  t.rank = uint32_t(dims.size());
  int64_t step = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    if (i >= OPMUX_MAX_RANK) continue;
    t.dim[i] = dims[i];
    t.stride[i] = step;
    step *= dims[i] > 0 ? dims[i] : 1;
  }
  return t;
}
inline opmux_tdesc tensor(uint32_t dtype, std::initializer_list<int64_t> dims) {
  return tensor(dtype, std::span<const int64_t>(dims.begin(), dims.size()));
}
inline opmux_tdesc strided(uint32_t dtype, std::initializer_list<int64_t> dims,
                           std::initializer_list<int64_t> strides) {
  opmux_tdesc t = tensor(dtype, dims);
  for (size_t i = 0; i < strides.size(); ++i) t.stride[i] = strides.begin()[i];
  return t;
}
inline opmux_tdesc absent() { return opmux_tdesc{}; }

inline int64_t element_count(const opmux_tdesc& t) {
  int64_t n = 1;
  for (uint32_t i = 0; i < t.rank; ++i) n *= t.dim[i];
  return n;
}

// A program under construction; every function returns the number of the new value.
class Program {
 public:
  Program(uint32_t slot, uint32_t n_in) : slot_(slot), n_in_(n_in) {}
  uint32_t apply(uint32_t fn, uint32_t dtype, uint32_t a, uint32_t b = 0, uint32_t c = 0,
                 uint32_t flags = 0) {
    insn_.push_back({fn, dtype, a, b, c, flags, 0});
    return n_in_ + uint32_t(insn_.size()) - 1;
  }
  uint32_t constant(uint32_t dtype, uint64_t bits) {
    insn_.push_back({OPMUX_FN_CONST, dtype, 0, 0, 0, 0, bits});
    return n_in_ + uint32_t(insn_.size()) - 1;
  }
  Program& out(uint32_t value) {
    out_.push_back(value);
    return *this;
  }
  std::vector<opmux_insn>& insn() { return insn_; }
  opmux_prog view() const {
    return {insn_.data(), out_.data(), uint32_t(insn_.size()), uint32_t(out_.size()), slot_, n_in_};
  }

 private:
  uint32_t slot_, n_in_;
  std::vector<opmux_insn> insn_;
  std::vector<uint32_t> out_;
};

// T: a descriptor of opmux/ops.h. Attributes are set through ->; opd() links the pointers anew.
template <class T>
class Desc {
 public:
  explicit Desc(uint32_t op, uint32_t rev = 1) {
    d_.o.h.size = sizeof(T);
    d_.o.op = op;
    d_.o.rev = rev;
  }
  T* operator->() { return &d_; }
  Desc& in(const opmux_tdesc& t) {
    in_.push_back(t);
    return *this;
  }
  Desc& out(const opmux_tdesc& t) {
    out_.push_back(t);
    return *this;
  }
  Desc& program(Program p) {
    program_.push_back(std::move(p));
    return *this;
  }
  Desc& alias(std::vector<uint32_t> a) {
    alias_ = std::move(a);
    return *this;
  }
  opmux_slice list(std::initializer_list<int64_t> values) {
    opmux_slice s{uint32_t(list_.size()), uint32_t(values.size())};
    list_.insert(list_.end(), values);
    return s;
  }
  std::vector<opmux_tdesc>& inputs() { return in_; }
  std::vector<opmux_tdesc>& outputs() { return out_; }
  opmux_opd* opd() {
    prog_.clear();
    for (const Program& p : program_) prog_.push_back(p.view());
    opmux_opd& o = d_.o;
    o.n_in = uint32_t(in_.size());
    o.n_out = uint32_t(out_.size());
    o.n_prog = uint32_t(prog_.size());
    o.n_list = uint32_t(list_.size());
    o.in = in_.data();
    o.out = out_.data();
    o.prog = prog_.data();
    o.list = list_.data();
    o.alias = alias_.empty() ? nullptr : alias_.data();
    return &o;
  }

 private:
  T d_{};
  std::vector<opmux_tdesc> in_, out_;
  std::vector<Program> program_;
  std::vector<opmux_prog> prog_;
  std::vector<uint32_t> alias_;
  std::vector<int64_t> list_;
};

}  // namespace opmux::kit
