// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "host/ir/graph.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {

// Renames the values that instructions use; f maps an old number to the new one.
template <class F>
void renumber(std::span<opmux_insn> insns, F&& f) {
  for (opmux_insn& i : insns) {
    const int arity = schema::fn_arity(i.op);
    if (arity > 0) i.a = f(i.a);
    if (arity > 1) i.b = f(i.b);
    if (arity > 2) i.c = f(i.c);
  }
}

template <class F>
void renumber(Program& p, F&& f) {
  renumber(std::span(p.insn), f);
  for (uint32_t& o : p.out) o = f(o);
}

// How often value v is used, results included.
inline int use_count(const Program& p, uint32_t v) {
  int n = static_cast<int>(std::count(p.out.begin(), p.out.end(), v));
  for (const opmux_insn& i : p.insn) {
    const int arity = schema::fn_arity(i.op);
    n += (arity > 0 && i.a == v) + (arity > 1 && i.b == v) + (arity > 2 && i.c == v);
  }
  return n;
}

}  // namespace opmux
