// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

constexpr uint32_t kMaxProgs = 1 + OPMUX_MAX_PROG_IN + OPMUX_MAX_PROG_OUT;

long long ll(int64_t v) { return v; }

// One instruction against the types of the values before it.
struct InsnCheck {
  const opmux_prog& prog;
  const char* where;
  uint32_t program;
  const uint32_t* type;  // of the values so far
  Problem& p;

  [[gnu::format(printf, 4, 5)]] bool refuse(uint32_t k, int64_t limit, const char* format, ...) const {
    char text[160];
    std::va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const FnDef* f = find_fn(prog.insn[k].op);
    return fail(p, where, {OPMUX_WHY_PROGRAM, program, 0}, k, limit, "instruction %u (%s) of program %u %s",
                k, f == nullptr ? "?" : f->name, program, text);
  }

  bool operands(uint32_t k, const FnDef& f) const {
    const opmux_insn& i = prog.insn[k];
    const uint32_t value[3] = {i.a, i.b, i.c};
    for (uint32_t n = 0; n < 3; ++n) {
      if (n >= f.arity && value[n] != 0)
        return refuse(k, 0, "has %u in its unused operand %u, must be 0", value[n], n);
      if (n < f.arity && value[n] >= prog.n_in + k)
        return refuse(k, prog.n_in + k, "uses value %u, only values below %u exist there", value[n],
                      prog.n_in + k);
    }
    return true;
  }

  bool types(uint32_t k, const FnDef& f) const {
    const opmux_insn& i = prog.insn[k];
    const uint32_t value[3] = {i.a, i.b, i.c};
    const bool select = f.fn == OPMUX_FN_SELECT;
    if (select && type[i.a] != OPMUX_BOOL)
      return refuse(k, OPMUX_BOOL, "selects by a value of type %s, must be bool", dtype_name(type[i.a]));
    const uint32_t first = select ? 1 : 0;
    for (uint32_t n = first; n < f.arity; ++n) {
      const uint32_t t = type[value[n]];
      if ((f.types & type_bit(t)) == 0)
        return refuse(k, 0, "does not take operands of type %s", dtype_name(t));
      if (t != type[value[first]])
        return refuse(k, 0, "mixes operands of the types %s and %s", dtype_name(type[value[first]]),
                      dtype_name(t));
    }
    const uint32_t want = f.result == FnResult::kFree   ? i.dtype
                          : f.result == FnResult::kBool ? OPMUX_BOOL
                                                        : type[value[first]];
    if (i.dtype != want)
      return refuse(k, want, "has result type %s, must be %s", dtype_name(i.dtype), dtype_name(want));
    if (dtype_name(i.dtype)[0] == '?' || (kAnyType & type_bit(i.dtype)) == 0)
      return refuse(k, 0, "has the unknown result type 0x%x", i.dtype);
    return true;
  }

  bool check(uint32_t k) const {
    const opmux_insn& i = prog.insn[k];
    const FnDef* f = find_fn(i.op);
    if (f == nullptr) return refuse(k, 0, "has the unknown function %u", i.op);
    const uint32_t flags = i.op == OPMUX_FN_CAST ? kInsnFlags : 0;
    if ((i.flags & ~flags) != 0)
      return refuse(k, flags, "has flags 0x%x, only 0x%x may be set", i.flags, flags);
    const uint32_t rounding = i.flags & (OPMUX_INSN_ROUND_UP | OPMUX_INSN_ROUND_DOWN);
    if (rounding != 0 && (i.dtype != OPMUX_E8M0 || (rounding & (rounding - 1)) != 0))
      return refuse(k, OPMUX_E8M0, "has rounding flags 0x%x, only a cast to e8m0 may have one", rounding);
    if (i.op != OPMUX_FN_CONST && i.imm != 0)
      return refuse(k, 0, "has an immediate value, only CONST may have one");
    return operands(k, *f) && types(k, *f);
  }
};

bool check_program(const opmux_prog& g, const char* where, uint32_t program, const uint32_t* in_dtype,
                   uint32_t* value_dtype, Problem& p) {
  const At at{OPMUX_WHY_PROGRAM, program, 0};
  if (g.n_in > OPMUX_MAX_PROG_IN)
    return fail(p, where, at, g.n_in, OPMUX_MAX_PROG_IN, "program %u has %u inputs, at most %u are possible",
                program, g.n_in, OPMUX_MAX_PROG_IN);
  if (g.n_insn > OPMUX_MAX_INSN)
    return fail(p, where, at, g.n_insn, OPMUX_MAX_INSN,
                "program %u has %u instructions, at most %u are possible", program, g.n_insn, OPMUX_MAX_INSN);
  if (g.n_out == 0 || g.n_out > OPMUX_MAX_PROG_OUT)
    return fail(p, where, at, g.n_out, OPMUX_MAX_PROG_OUT, "program %u has %u outputs, must be 1 to %u",
                program, g.n_out, OPMUX_MAX_PROG_OUT);
  if (g.out == nullptr || (g.insn == nullptr && g.n_insn != 0))
    return fail(p, where, at, 0, 0, "program %u has a null pointer", program);
  for (uint32_t i = 0; i < g.n_in; ++i) value_dtype[i] = in_dtype[i];
  const InsnCheck check{g, where, program, value_dtype, p};
  for (uint32_t k = 0; k < g.n_insn; ++k) {
    if (!check.check(k)) return false;
    value_dtype[g.n_in + k] = g.insn[k].dtype;
  }
  for (uint32_t o = 0; o < g.n_out; ++o)
    if (g.out[o] >= g.n_in + g.n_insn)
      return fail(p, where, at, g.out[o], g.n_in + g.n_insn,
                  "output %u of program %u is value %u, only %u exist", o, program, g.out[o],
                  g.n_in + g.n_insn);
  return true;
}

struct ProgramTypes {
  uint32_t in[OPMUX_MAX_PROG_IN] = {};
  uint32_t value[OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN] = {};
};

bool check_main(const View& v, const opmux_prog& g, uint32_t index, Shapes& s, Problem& p) {
  const At at{OPMUX_WHY_PROGRAM, index, 0};
  if (g.n_in != v.n_own)
    return fail(p, v.name(), at, g.n_in, v.n_own, "program %u has %u inputs, but there are %u operands",
                index, g.n_in, v.n_own);
  if (g.n_out != v.d->n_out)
    return fail(p, v.name(), at, g.n_out, v.d->n_out, "program %u has %u outputs, but the operator has %u",
                index, g.n_out, v.d->n_out);
  ProgramTypes t;
  for (uint32_t i = 0; i < v.n_own; ++i) t.in[i] = v.d->in[i].dtype;
  if (!check_program(g, v.name(), index, t.in, t.value, p)) return false;
  for (uint32_t o = 0; o < g.n_out; ++o) s.out[o].dtype = t.value[g.out[o]];
  return true;
}

bool check_epilogue(const View& v, const opmux_prog& g, uint32_t index, uint32_t extra, Shapes& s,
                    Problem& p) {
  const uint32_t o = g.slot - OPMUX_SLOT_EPILOGUE(0);
  ProgramTypes t;
  if (g.n_in == 0)
    return fail(p, v.name(), {OPMUX_WHY_PROGRAM, index, 0}, 0, 1,
                "program %u has no input, an epilogue has at least 1", index);
  t.in[0] = v.def->epilogue_dtype(v);
  for (uint32_t i = 1; i < g.n_in; ++i) {
    const opmux_tdesc& e = v.d->in[extra + i - 1];
    char name[48];
    std::snprintf(name, sizeof(name), "operand %u of program %u", i, index);
    if (!check_tensor(v, e, name, false, extra + i - 1, p)) return false;
    if (!broadcasts(e, s.out[o]))
      return fail(p, v.name(), {OPMUX_WHY_DIM, extra + i - 1, 0}, e.rank, s.out[o].rank,
                  "%s (rank %u, last dim %lld) does not broadcast to output %u (rank %u, last dim %lld)",
                  name, e.rank, ll(extent(e, -1)), o, s.out[o].rank, ll(extent(s.out[o], -1)));
    t.in[i] = e.dtype;
  }
  if (!check_program(g, v.name(), index, t.in, t.value, p)) return false;
  if (g.n_out != 1)
    return fail(p, v.name(), {OPMUX_WHY_PROGRAM, index, 0}, g.n_out, 1,
                "program %u has %u outputs, an epilogue has 1", index, g.n_out);
  s.out[o].dtype = t.value[g.out[0]];
  return true;
}

}  // namespace

bool check_insn_types(const opmux_prog& prog, const uint32_t* in_dtype, uint32_t* value_dtype, Problem& p) {
  return check_program(prog, "", 0, in_dtype, value_dtype, p);
}

// Counts the operands that programs add, and refuses what would make that count meaningless.
bool program_inputs(const View& v, uint64_t& extra, Problem& p) {
  const opmux_opd& d = *v.d;
  extra = 0;
  if (d.n_prog > kMaxProgs || (d.n_prog != 0 && d.prog == nullptr))
    return fail(p, v.name(), {}, d.n_prog, kMaxProgs, "%u programs%s, at most %u are possible", d.n_prog,
                d.prog == nullptr ? " behind a null pointer" : "", kMaxProgs);
  if (v.def->main_program && (d.n_prog != 1 || d.prog[0].slot != OPMUX_SLOT_MAIN))
    return fail(p, v.name(), {OPMUX_WHY_PROGRAM, 0, 0}, d.n_prog, 1,
                "has %u programs, needs exactly 1 of slot MAIN", d.n_prog);
  for (uint32_t i = 0; i < d.n_prog; ++i) {
    const opmux_prog& g = d.prog[i];
    if (g.n_in > OPMUX_MAX_PROG_IN)
      return fail(p, v.name(), {OPMUX_WHY_PROGRAM, i, 0}, g.n_in, OPMUX_MAX_PROG_IN,
                  "program %u has %u inputs, at most %u are possible", i, g.n_in, OPMUX_MAX_PROG_IN);
    if (g.slot != OPMUX_SLOT_MAIN && g.n_in > 0) extra += g.n_in - 1;
  }
  return true;
}

// Types and extra operands of all programs; the output types become those that programs produce.
bool check_programs(const View& v, Shapes& s, Problem& p) {
  uint32_t seen = 0, extra = v.n_own;
  for (uint32_t i = 0; i < v.d->n_prog; ++i) {
    const opmux_prog& g = v.d->prog[i];
    const At at{OPMUX_WHY_PROGRAM, i, 0};
    if (v.def->main_program) return check_main(v, g, i, s, p);
    const uint32_t o = g.slot - OPMUX_SLOT_EPILOGUE(0);
    if (g.slot < OPMUX_SLOT_EPILOGUE(0) || o >= OPMUX_MAX_PROG_OUT ||
        ((v.def->epilogue_outputs >> o) & 1u) == 0)
      return fail(p, v.name(), at, g.slot, OPMUX_SLOT_EPILOGUE(0),
                  "program %u has slot 0x%x, which this operator does not have", i, g.slot);
    if (((seen >> o) & 1u) != 0)
      return fail(p, v.name(), at, g.slot, 1, "program %u is a second epilogue of output %u", i, o);
    seen |= 1u << o;
    if (!check_epilogue(v, g, i, extra, s, p)) return false;
    extra += g.n_in - 1;
  }
  return true;
}

}  // namespace opmux::schema
