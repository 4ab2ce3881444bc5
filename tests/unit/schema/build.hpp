// SPDX-License-Identifier: Apache-2.0
// Descriptors for the schema tests: tensors in one line, and a descriptor that owns what it points to.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <string>
#include <vector>

#include "kit/schema/schema.hpp"

namespace opmux::schema::test {

using Shape = std::vector<int64_t>;

inline opmux_tdesc tensor(uint32_t dtype, const Shape& dims) {
  opmux_tdesc t{};
  t.dtype = dtype;
  t.rank = static_cast<uint32_t>(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    t.dim[i] = dims[i];
    t.stride[i] = stride;
    stride *= dims[i] == 0 ? 1 : dims[i];
  }
  return t;
}
inline opmux_tdesc f32(const Shape& dims) { return tensor(OPMUX_F32, dims); }
inline opmux_tdesc i64(const Shape& dims) { return tensor(OPMUX_I64, dims); }
inline opmux_tdesc none() { return {}; }

inline opmux_insn insn(uint32_t op, uint32_t dtype, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0) {
  opmux_insn i{};
  i.op = op;
  i.dtype = dtype;
  i.a = a;
  i.b = b;
  i.c = c;
  return i;
}

// T: an operator's structure. Fields may be changed freely before check().
template <class T>
struct Desc {
  T op{};
  std::vector<opmux_tdesc> in, out;
  std::vector<int64_t> list;
  std::vector<uint32_t> alias;
  std::vector<opmux_prog> prog;
  std::deque<std::vector<opmux_insn>> insns;
  std::deque<std::vector<uint32_t>> prog_outs;

  Desc(uint32_t id, std::vector<opmux_tdesc> inputs, std::vector<opmux_tdesc> outputs)
      : in(std::move(inputs)), out(std::move(outputs)) {
    op.o.h.size = sizeof(T);
    op.o.op = id;
    op.o.rev = 1;
  }
  Desc(const Desc&) = delete;
  Desc(Desc&&) = default;

  opmux_slice slice(std::initializer_list<int64_t> values) {
    const opmux_slice s{static_cast<uint32_t>(list.size()), static_cast<uint32_t>(values.size())};
    list.insert(list.end(), values);
    return s;
  }
  void program(uint32_t slot, uint32_t n_in, std::vector<opmux_insn> code, std::vector<uint32_t> outs) {
    insns.push_back(std::move(code));
    prog_outs.push_back(std::move(outs));
    prog.push_back({insns.back().data(), prog_outs.back().data(), static_cast<uint32_t>(insns.back().size()),
                    static_cast<uint32_t>(prog_outs.back().size()), slot, n_in});
  }
  const opmux_opd& opd() {
    opmux_opd& o = op.o;
    o.n_in = static_cast<uint32_t>(in.size());
    o.n_out = static_cast<uint32_t>(out.size());
    o.in = in.data();
    o.out = out.data();
    o.list = list.data();
    o.n_list = static_cast<uint32_t>(list.size());
    o.alias = alias.empty() ? nullptr : alias.data();
    o.prog = prog.data();
    o.n_prog = static_cast<uint32_t>(prog.size());
    return o;
  }
  // Empty when the descriptor is sound, else the sentence.
  std::string check() {
    Problem p;
    const bool ok = validate(opd(), p);
    EXPECT_EQ(ok, p.why == OPMUX_WHY_NONE) << p.text;
    EXPECT_EQ(ok, p.text[0] == '\0') << p.text;
    last = p;
    return p.text;
  }
  // Shapes that infer finds, without any help from the outputs but their number: "f32[2, 3] i64[2, 1]".
  std::string inferred(bool with_out = false) {
    opmux_opd d = opd();
    T copy = op;
    copy.o = d;
    if (!with_out) copy.o.out = nullptr;
    opmux_tdesc got[8]{};
    Problem p;
    if (!infer(copy.o, got, p)) return p.text;
    std::string text;
    for (uint32_t o = 0; o < d.n_out; ++o) {
      text += (o == 0 ? "" : " ") + std::string(dtype_name(got[o].dtype)) + "[";
      for (uint32_t i = 0; i < got[o].rank; ++i) text += (i == 0 ? "" : ", ") + std::to_string(got[o].dim[i]);
      text += "]";
    }
    return text;
  }
  Problem last;
};

}  // namespace opmux::schema::test
