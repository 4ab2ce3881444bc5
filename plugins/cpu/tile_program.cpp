// SPDX-License-Identifier: Apache-2.0
#include "cpu/tile_program.hpp"

#include <algorithm>
#include <cstdio>

#include "opmux/ops/pointwise.gen.h"

namespace opmux::cpu {
namespace {

constexpr size_t kBudgetBytes = 24 * 1024;  // of the 32 KiB that the smallest usual L1 has
constexpr size_t kMaxTile = 1024, kMinTile = 64;
constexpr size_t kUniformBytes = 16;

int arity(const opmux_insn& i) {
  if (i.op == OPMUX_FN_CONST) return 0;
  return i.op < 128 ? 1 : i.op < 256 ? 2 : 3;
}

// Results that are one of the operands, or exact in the format of the operands, need no rounding.
bool exact(uint32_t fn) {
  constexpr uint32_t kExact[] = {OPMUX_FN_CAST,  OPMUX_FN_NEG,    OPMUX_FN_ABS,   OPMUX_FN_SIGN,
                                 OPMUX_FN_RELU,  OPMUX_FN_FLOOR,  OPMUX_FN_TRUNC, OPMUX_FN_MIN,
                                 OPMUX_FN_MAX,   OPMUX_FN_SELECT, OPMUX_FN_CLAMP, OPMUX_FN_CEIL,
                                 OPMUX_FN_ROUND, OPMUX_FN_CONST};
  return std::find(std::begin(kExact), std::end(kExact), fn) != std::end(kExact);
}

TileFn tile_for(const opmux_insn& i, const uint32_t* dtype, unsigned mask) {
  if (i.op == OPMUX_FN_CAST) {
    const bool saturate = i.flags & OPMUX_INSN_SATURATE;
    if (mask) return nullptr;
    if (!find_small_round(i.dtype, i.flags)) return find_cast(dtype[i.a], i.dtype, saturate);
    if (OPMUX_DTYPE_CLASS(i.dtype) == OPMUX_CLASS_FLOAT) return find_odd_cast(dtype[i.a]);
    const bool is_signed = OPMUX_DTYPE_CLASS(i.dtype) == OPMUX_CLASS_SIGNED;
    return find_cast(dtype[i.a], is_signed ? OPMUX_I8 : OPMUX_U8, saturate);
  }
  return find_tile(i.op, lane_of(dtype[i.op == OPMUX_FN_SELECT ? i.b : i.a]), mask);
}

}  // namespace

bool TileProgram::supports(const opmux_prog& prog, const uint32_t* in_dtype, ProgramProblem& why) {
  uint32_t dtype[OPMUX_MAX_PROG_IN + OPMUX_MAX_INSN];
  why.insn = prog.n_insn;
  if (prog.n_in > OPMUX_MAX_PROG_IN || prog.n_insn > OPMUX_MAX_INSN) return false;
  for (uint32_t i = 0; i < prog.n_in; ++i) {
    dtype[i] = in_dtype[i];
    if (lane_of(in_dtype[i]) != Lane::kNone) continue;
    std::snprintf(why.text, sizeof why.text, "input %u has type 0x%x, which programs do not compute with", i,
                  in_dtype[i]);
    return false;
  }
  for (uint32_t k = 0; k < prog.n_insn; ++k) {
    const opmux_insn& i = prog.insn[k];
    dtype[prog.n_in + k] = i.dtype;
    const uint32_t operand[3] = {i.a, i.b, i.c};
    bool good = lane_of(i.dtype) != Lane::kNone;
    for (int a = 0; a < arity(i); ++a) good = good && operand[a] < prog.n_in + k;
    if (good && (i.op == OPMUX_FN_CONST || tile_for(i, dtype, 0))) continue;
    why.insn = k;
    std::snprintf(why.text, sizeof why.text, "instruction %u: function %u has no form for its types", k,
                  i.op);
    return false;
  }
  return true;
}

// Collects steps over value numbers, then gives every value a place.
struct TileProgram::Builder {
  TileProgram& p;
  const opmux_prog& prog;
  std::vector<int32_t> splat_of;  // value -> its repetition, -1 none yet

  uint32_t add_value(uint32_t dtype, bool uniform) {
    p.value_dtype_.push_back(dtype);
    p.uniform_.push_back(uniform);
    p.constant_of_.push_back(-1);
    splat_of.push_back(-1);
    return p.n_values_++;
  }

  uint32_t splat(uint32_t v) {
    if (!p.uniform_[v]) return v;
    if (splat_of[v] < 0) {
      const uint32_t s = add_value(p.value_dtype_[v], false);
      step(find_splat(lane_of(p.value_dtype_[v])), s, v, v, v, false);
      splat_of[v] = static_cast<int32_t>(s);
    }
    return static_cast<uint32_t>(splat_of[v]);
  }

  void step(TileFn fn, uint32_t out, uint32_t a, uint32_t b, uint32_t c, bool uniform) {
    p.steps_.push_back({fn, static_cast<uint16_t>(out), static_cast<uint16_t>(a), static_cast<uint16_t>(b),
                        static_cast<uint16_t>(c), uniform});
  }

  void constant(const opmux_insn& i, uint32_t v) {
    uint64_t lane = 0;
    find_load(i.dtype)(&lane, element_address(i.dtype, &i.imm), 1, 1);
    p.constant_of_[v] = static_cast<int32_t>(p.constant_.size());
    p.constant_.push_back(lane);
  }

  void insn(uint32_t k) {
    const opmux_insn& i = prog.insn[k];
    const uint32_t v = prog.n_in + k;
    if (i.op == OPMUX_FN_CONST) return constant(i, v);
    const int n = arity(i);
    uint32_t operand[3] = {i.a, n > 1 ? i.b : i.a, n > 2 ? i.c : i.a};
    unsigned mask = 0;
    for (int a = 0; a < n; ++a) mask |= p.uniform_[operand[a]] ? 1u << a : 0u;
    const bool uniform = p.uniform_[v];
    if (uniform) mask = 0;
    TileFn fn = nullptr;
    for (const unsigned keep : {7u, 6u, 4u, 2u, 0u}) {
      fn = tile_for(i, p.value_dtype_.data(), mask & keep);
      if (!fn) continue;
      for (int a = 0; a < n && !uniform; ++a)
        if (mask & ~keep & (1u << a)) operand[a] = splat(operand[a]);
      break;
    }
    step(fn, v, operand[0], operand[1], operand[2], uniform);
    const TileFn round = i.op == OPMUX_FN_CAST ? find_small_round(i.dtype, i.flags)
                         : exact(i.op)         ? nullptr
                                               : find_round(i.dtype);
    if (round) step(round, v, v, v, v, uniform);
  }

  bool reads(const Step& s, uint32_t v) const { return s.a == v || s.b == v || s.c == v; }

  // Places: input slots first, then each result in a free slot, if possible that of an operand which ends
  // here.
  void place() {
    std::vector<int32_t> last(p.n_values_, -1), slot(p.n_values_, -1);
    for (size_t k = 0; k < p.steps_.size(); ++k)
      for (uint32_t v : {p.steps_[k].out, p.steps_[k].a, p.steps_[k].b, p.steps_[k].c})
        last[v] = static_cast<int32_t>(k);
    for (uint32_t v : p.out_) last[v] = INT32_MAX;
    int32_t n_slots = 0, n_uniform = 0;
    std::vector<int32_t> free;
    size_t width = 1;
    for (uint32_t v = 0; v < p.n_values_; ++v)
      width = std::max(width, lane_bytes(lane_of(p.value_dtype_[v])));
    for (uint32_t v = 0; v < p.n_in_; ++v) slot[v] = p.uniform_[v] ? n_uniform++ : n_slots++;
    for (size_t k = 0; k < p.steps_.size(); ++k) {
      const Step& s = p.steps_[k];
      const size_t bytes = lane_bytes(lane_of(p.value_dtype_[s.out]));
      std::vector<int32_t> ending, narrow;
      for (uint32_t v : {s.a, s.b, s.c}) {
        if (p.uniform_[v] || v == s.out || slot[v] < 0 || last[v] != static_cast<int32_t>(k)) continue;
        auto& list = lane_bytes(lane_of(p.value_dtype_[v])) == bytes ? ending : narrow;
        if (std::find(list.begin(), list.end(), slot[v]) == list.end()) list.push_back(slot[v]);
      }
      free.insert(free.end(), ending.begin(), ending.end());
      if (slot[s.out] < 0) {
        if (p.uniform_[s.out]) {
          slot[s.out] = n_uniform++;
        } else if (!free.empty()) {
          slot[s.out] = free.back();
          free.pop_back();
        } else {
          slot[s.out] = n_slots++;
        }
      }
      free.insert(free.end(), narrow.begin(), narrow.end());
    }
    size_t tile = kBudgetBytes / (width * static_cast<size_t>(std::max(n_slots, 1))) / kMinTile * kMinTile;
    p.tile_ = std::clamp(tile, kMinTile, kMaxTile);
    const size_t slot_bytes = p.tile_ * width,
                 base = (static_cast<size_t>(n_uniform) * kUniformBytes + 63) / 64 * 64;
    p.slot_.assign(p.n_values_, 0);
    for (uint32_t v = 0; v < p.n_values_; ++v)
      if (slot[v] >= 0)
        p.slot_[v] = static_cast<uint32_t>(p.uniform_[v] ? static_cast<size_t>(slot[v]) * kUniformBytes
                                                         : base + static_cast<size_t>(slot[v]) * slot_bytes);
  }

  void find_direct() {
    p.direct_.assign(p.out_.size(), 0);
    for (size_t o = 0; o < p.out_.size(); ++o) {
      const uint32_t v = p.out_[o];
      bool good = v >= p.n_in_ && std::count(p.out_.begin(), p.out_.end(), v) == 1, made = false;
      for (const Step& s : p.steps_) {
        for (uint32_t i = 0; made && i < p.n_in_; ++i) good = good && !reads(s, i);
        made = made || s.out == v;
      }
      p.direct_[o] = good && made;
    }
  }
};

void TileProgram::compile(const opmux_prog& prog, const uint32_t* in_dtype, const bool* uniform) {
  *this = TileProgram();
  Builder b{*this, prog, {}};
  n_in_ = prog.n_in;
  for (uint32_t i = 0; i < prog.n_in; ++i) b.add_value(in_dtype[i], uniform[i]);
  for (uint32_t k = 0; k < prog.n_insn; ++k) {
    const opmux_insn& i = prog.insn[k];
    const uint32_t operand[3] = {i.a, i.b, i.c};
    bool all = true;
    for (int a = 0; a < arity(i); ++a) all = all && uniform_[operand[a]];
    b.add_value(i.dtype, all);
  }
  for (uint32_t k = 0; k < prog.n_insn; ++k) b.insn(k);
  for (uint32_t o = 0; o < prog.n_out; ++o) out_.push_back(b.splat(prog.out[o]));
  b.place();
  b.find_direct();
}

void TileProgram::bind(void** value, std::byte* scratch) const {
  for (uint32_t v = 0; v < n_values_; ++v)
    value[v] =
        constant_of_[v] >= 0
            ? const_cast<void*>(static_cast<const void*>(&constant_[static_cast<size_t>(constant_of_[v])]))
            : static_cast<void*>(scratch + slot_[v]);
}

}  // namespace opmux::cpu
