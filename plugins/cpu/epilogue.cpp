// SPDX-License-Identifier: Apache-2.0
#include "cpu/epilogue.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

#include "cpu/answer.hpp"
#include "opmux/ops/pointwise.gen.h"

namespace opmux::cpu {
namespace {

float const_f32(uint64_t imm) {
  const uint32_t bits = static_cast<uint32_t>(imm);
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

// The value as a constant of the program, if it is one.
bool constant(const opmux_prog& p, uint32_t value, float* out) {
  if (value < p.n_in) return false;
  const opmux_insn& insn = p.insn[value - p.n_in];
  if (insn.op != OPMUX_FN_CONST || insn.dtype != OPMUX_F32) return false;
  *out = const_f32(insn.imm);
  return true;
}

char* at(void* p, uint32_t dtype, int64_t elements) {
  return static_cast<char*>(p) + elements * element_bytes(dtype);
}

}  // namespace

void OutGrid::collapse_columns() {
  while (n_col > 1) {
    const uint32_t i = n_col - 2;
    auto joins = [&](const GridView& v) {
      return col[i] == 1 || col[i + 1] == 1 || v.cs[i] == v.cs[i + 1] * col[i + 1];
    };
    bool all = joins(out);
    for (uint32_t e = 0; e < n_extra; ++e) all = all && joins(extra[e]);
    if (!all) return;
    auto join = [&](GridView& v) {
      if (col[i + 1] == 1) v.cs[i + 1] = v.cs[i];
      v.cs[i] = v.cs[i + 1];
      v.cs[i + 1] = 0;
    };
    join(out);
    for (uint32_t e = 0; e < n_extra; ++e) join(extra[e]);
    col[i] *= col[i + 1];
    col[i + 1] = 0;
    --n_col;
  }
}

bool broadcast_strides(const opmux_tdesc& t, const opmux_tdesc& out, int64_t* stride) {
  if (t.rank > out.rank) return false;
  for (uint32_t i = 0; i < out.rank; ++i) {
    const uint32_t lead = out.rank - t.rank;
    stride[i] = 0;
    if (i < lead || t.dim[i - lead] == 1) continue;
    if (t.dim[i - lead] != out.dim[i]) return false;
    stride[i] = t.stride[i - lead];
  }
  return true;
}

bool Epilogue::supports(const opmux_opd& d, uint32_t own, uint32_t acc, opmux_cap* cap) {
  const uint32_t out_dtype = d.out[0].dtype;
  for (uint32_t i = own; i <= d.n_in; ++i) {
    const uint32_t layout = (i < d.n_in ? d.in[i] : d.out[0]).layout;
    if (layout != 0) return no(cap, OPMUX_WHY_LAYOUT, i, layout), false;
  }
  if (d.n_prog == 0) {
    const bool same =
        out_dtype == acc || (acc == OPMUX_F32 && (out_dtype == OPMUX_F16 || out_dtype == OPMUX_BF16));
    if (!same) no(cap, OPMUX_WHY_DTYPE, d.n_in, out_dtype, acc);
    return same;
  }
  const opmux_prog& p = d.prog[0];
  if (d.n_prog > 1 || p.slot != OPMUX_SLOT_EPILOGUE(0) || p.n_out != 1 || p.n_in != d.n_in - own + 1) {
    no(cap, OPMUX_WHY_PROGRAM, d.n_prog > 1 ? 1 : 0);
    return false;
  }
  uint32_t dtype[OPMUX_MAX_PROG_IN] = {acc}, bad = 0;
  for (uint32_t i = 1; i < p.n_in; ++i) {
    dtype[i] = d.in[own + i - 1].dtype;
    int64_t stride[OPMUX_MAX_RANK];
    if (!broadcast_strides(d.in[own + i - 1], d.out[0], stride)) {
      no(cap, OPMUX_WHY_INVALID, own + i - 1, d.in[own + i - 1].rank, d.out[0].rank);
      return false;
    }
  }
  if (!RowProgram::supports(p, dtype, &bad)) {
    no(cap, OPMUX_WHY_PROGRAM, 0, bad);
    return false;
  }
  return true;
}

void Epilogue::compile(const opmux_opd& d, uint32_t own, uint32_t acc, const OutGrid& grid,
                       bool in_registers) {
  acc_ = acc;
  n_extra_ = d.n_in - own;
  uint32_t dtype[OPMUX_MAX_PROG_IN] = {acc};
  for (uint32_t i = 0; i < n_extra_; ++i) dtype[i + 1] = d.in[own + i].dtype;
  const uint32_t out_dtype = d.out[0].dtype;
  if (d.n_prog == 0) {
    if (out_dtype == acc) return;
    cast_insn_ = {OPMUX_FN_CAST, out_dtype, 0, 0, 0, 0, 0};
    cast_out_ = 1;
    cast_ = {&cast_insn_, &cast_out_, 1, 1, OPMUX_SLOT_EPILOGUE(0), 1};
    program_.compile(cast_, dtype, &out_dtype);
    kind_ = Kind::kProgram;
    return;
  }
  if (in_registers && acc == OPMUX_F32 && out_dtype == OPMUX_F32 && grid.n_col == 1 &&
      match_steps(d.prog[0], d, grid)) {
    kind_ = Kind::kSteps;
    return;
  }
  program_.compile(d.prog[0], dtype, &out_dtype);
  n_step_ = 0;
  kind_ = Kind::kProgram;
}

// A chain in which each instruction takes the one before and an operand or constants.
bool Epilogue::match_steps(const opmux_prog& p, const opmux_opd&, const OutGrid& grid) {
  uint32_t current = 0;
  n_step_ = 0;
  for (uint32_t i = 0; i < p.n_insn; ++i) {
    const opmux_insn& insn = p.insn[i];
    if (insn.dtype != OPMUX_F32) return false;
    if (insn.op == OPMUX_FN_CONST) continue;
    if (n_step_ == std::size(step_) || !add_step(p, insn, current, grid)) return false;
    ++n_step_;
    current = p.n_in + i;
  }
  return p.out[0] == current;
}

bool Epilogue::add_step(const opmux_prog& p, const opmux_insn& insn, uint32_t& current, const OutGrid& grid) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  GemmStep<float>& s = step_[n_step_];
  s = {GemmFn::kClamp, nullptr, 0, 0, -kInf, kInf};
  operand_[n_step_] = -1;
  if (insn.op == OPMUX_FN_RELU) {
    s.fn = GemmFn::kRelu;
    return insn.a == current;
  }
  if (insn.op == OPMUX_FN_CLAMP) {
    return insn.a == current && constant(p, insn.b, &s.lo) && constant(p, insn.c, &s.hi) &&
           !std::isnan(s.lo) && !std::isnan(s.hi);
  }
  if (insn.a != current && insn.b != current) return false;
  const uint32_t other = insn.a == current ? insn.b : insn.a;
  if (other == current) return false;
  float c;
  const bool is_const = constant(p, other, &c);
  if (insn.op == OPMUX_FN_MAX || insn.op == OPMUX_FN_MIN) {
    if (!is_const || std::isnan(c)) return false;
    (insn.op == OPMUX_FN_MAX ? s.lo : s.hi) = c;
    return true;
  }
  if (insn.op != OPMUX_FN_ADD && insn.op != OPMUX_FN_MUL) return false;
  s.fn = insn.op == OPMUX_FN_ADD ? GemmFn::kAdd : GemmFn::kMul;
  if (is_const) {
    s.lo = c;
    return true;
  }
  if (other == 0 || other >= p.n_in) return false;
  const GridView& v = grid.extra[other - 1];
  if (v.dtype != OPMUX_F32 || (v.cs[0] != 0 && v.cs[0] != 1)) return false;
  operand_[n_step_] = static_cast<int32_t>(other - 1);
  s.rs = v.rs;
  s.cs = v.cs[0];
  return true;
}

void Epilogue::steps(const OutGrid& grid, void* const* extra, int64_t row, int64_t col,
                     GemmStep<float>* out) const {
  (void)grid;
  for (uint32_t i = 0; i < n_step_; ++i) {
    out[i] = step_[i];
    if (operand_[i] < 0) {
      out[i].p = &step_[i].lo;
    } else {
      out[i].p = static_cast<const float*>(extra[operand_[i]]) + row * step_[i].rs + col * step_[i].cs;
    }
  }
}

void Epilogue::finish(const OutGrid& grid, void* const* extra, void* out, int64_t row, int64_t col,
                      int64_t rows, int64_t cols, void* tile, int64_t ld) const {
  // Columns are cut where the inner column dim wraps, unless there is only one.
  const int64_t inner = grid.col[grid.n_col - 1];
  for (int64_t done = 0; done < cols;) {
    const int64_t c = col + done, in = c % inner, run = std::min(cols - done, inner - in);
    int64_t index[kMaxCol] = {};
    for (int64_t rest = c, i = grid.n_col - 1; i >= 0; --i) {
      index[i] = rest % grid.col[i];
      rest /= grid.col[i];
    }
    auto view = [&](void* base, const GridView& v) {
      int64_t offset = row * v.rs;
      for (uint32_t i = 0; i < grid.n_col; ++i) offset += index[i] * v.cs[i];
      return TileView{at(base, v.dtype, offset), v.rs, v.cs[grid.n_col - 1]};
    };
    TileView in_view[OPMUX_MAX_PROG_IN];
    in_view[0] = {at(tile, acc_, done), ld, 1};
    const TileView out_view = view(out, grid.out);
    if (kind_ == Kind::kProgram) {
      for (uint32_t i = 0; i < n_extra_; ++i) in_view[i + 1] = view(extra[i], grid.extra[i]);
      program_.run_tile(rows, run, in_view, &out_view);
    } else {
      const auto bytes = static_cast<size_t>(element_bytes(acc_));
      for (int64_t r = 0; r < rows; ++r) {
        const char* from = at(in_view[0].data, acc_, r * ld);
        char* to = at(out_view.data, acc_, r * out_view.row_stride);
        if (out_view.col_stride == 1) {
          std::memcpy(to, from, static_cast<size_t>(run) * bytes);
          continue;
        }
        for (int64_t j = 0; j < run; ++j)
          std::memcpy(at(to, acc_, j * out_view.col_stride), at(const_cast<char*>(from), acc_, j), bytes);
      }
    }
    done += run;
  }
}

}  // namespace opmux::cpu
