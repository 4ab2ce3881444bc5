// SPDX-License-Identifier: Apache-2.0
#include "cpu/program.hpp"

#include <algorithm>
#include <cstddef>

namespace opmux::cpu {
namespace {

char* at(const TileView& v, int64_t r, int64_t c, uint32_t bytes) {
  return static_cast<char*>(v.data) + (r * v.row_stride + c * v.col_stride) * static_cast<int64_t>(bytes);
}

}  // namespace

bool RowProgram::supports(const opmux_prog& prog, const uint32_t* in_dtype, uint32_t* bad_insn,
                          bool sub_bytes) {
  ProgramProblem why;
  const auto whole = [&](uint32_t dtype) { return sub_bytes || elements_per_byte(dtype) == 1; };
  bool good = TileProgram::supports(prog, in_dtype, why);
  if (good) why.insn = prog.n_insn;
  for (uint32_t i = 0; good && i < prog.n_in; ++i) good = whole(in_dtype[i]);
  for (uint32_t o = 0; good && o < prog.n_out; ++o)
    good = prog.out[o] < prog.n_in || whole(prog.insn[prog.out[o] - prog.n_in].dtype);
  if (!good && bad_insn) *bad_insn = why.insn;
  return good;
}

void RowProgram::compile(const opmux_prog& prog, const uint32_t* in_dtype, const uint32_t* out_dtype,
                         uint32_t uniform_mask) {
  bool uniform[OPMUX_MAX_PROG_IN];
  for (uint32_t i = 0; i < prog.n_in; ++i) uniform[i] = uniform_mask >> i & 1u;
  program_.compile(prog, in_dtype, uniform);
  const auto port = [](uint32_t dtype) {
    return Port{dtype, address_step(dtype), lanes_are_memory(dtype), find_load(dtype), find_store(dtype)};
  };
  in_.clear();
  out_.clear();
  for (uint32_t i = 0; i < prog.n_in; ++i) in_.push_back(port(in_dtype[i]));
  for (uint32_t o = 0; o < prog.n_out; ++o) out_.push_back(port(out_dtype[o]));
  for (Port& p : out_) p.in_place = p.in_place || p.dtype == OPMUX_BOOL;  // results are 0 or 1
}

// n elements from (r, c) on, rows of `cols`: one row, or several whole ones.
void RowProgram::chunk(int64_t r, int64_t c, int64_t rows, int64_t cols, const TileView* in,
                       const TileView* out, bool stream, void** value, std::byte* scratch) const {
  const auto n = static_cast<size_t>(rows * cols);
  for (uint32_t i = 0; i < in_.size(); ++i) {
    const Port& p = in_[i];
    const bool one = program_.uniform(i);
    const char* from = at(in[i], r, c, p.bytes);
    if (p.in_place && (one || (rows == 1 && in[i].col_stride == 1))) {
      value[i] = const_cast<char*>(from);
      continue;
    }
    value[i] = program_.input_slot(i, scratch);
    const size_t lane = lane_bytes(lane_of(p.dtype));
    auto* to = static_cast<char*>(value[i]);
    if (one) {
      p.load(to, from, 1, 1);
      continue;
    }
    for (int64_t k = 0; k < rows; ++k)
      p.load(to + static_cast<size_t>(k * cols) * lane, from + k * in[i].row_stride * p.bytes,
             in[i].col_stride, static_cast<size_t>(cols));
  }
  bool done[OPMUX_MAX_PROG_OUT];
  for (uint32_t o = 0; o < out_.size(); ++o) {
    done[o] = rows == 1 && !stream && out_[o].in_place && out[o].col_stride == 1 && program_.direct(o);
    if (done[o]) value[program_.out_value(o)] = at(out[o], r, c, out_[o].bytes);
  }
  program_.run(value, n);
  for (uint32_t o = 0; o < out_.size(); ++o) {
    const Port& p = out_[o];
    if (done[o]) continue;
    const auto* from = static_cast<const char*>(value[program_.out_value(o)]);
    char* to = at(out[o], r, c, p.bytes);
    const size_t lane = lane_bytes(lane_of(p.dtype));
    if (stream && rows == 1 && p.in_place && out[o].col_stride == 1) {
      stream_copy(to, from, n * p.bytes);
      continue;
    }
    for (int64_t k = 0; k < rows; ++k)
      p.store(to + k * out[o].row_stride * p.bytes, out[o].col_stride,
              from + static_cast<size_t>(k * cols) * lane, static_cast<size_t>(cols));
  }
}

void RowProgram::run_tile(int64_t rows, int64_t cols, const TileView* in, const TileView* out,
                          bool stream) const {
  if (rows <= 0 || cols <= 0) return;
  alignas(64) std::byte scratch[TileProgram::kScratchBytes];
  void* value[TileProgram::kMaxValues];
  program_.bind(value, scratch);
  auto tile = static_cast<int64_t>(program_.tile());
  // Short tiles keep the reads of several operands and the writes in flight together: add of 16M elements
  // takes 7.8 ms with 128, 8.9 with 256, 9.5 with 1024; one operand is best with long ones.
  if (stream && in_.size() > 1) tile = std::min<int64_t>(tile, 128);
  bool joined = true, many = cols < kShortRow;
  for (uint32_t i = 0; i < in_.size(); ++i) {
    joined = joined && in[i].row_stride == in[i].col_stride * cols;
    many = many && (!program_.uniform(i) || in[i].row_stride == 0);
  }
  for (uint32_t o = 0; o < out_.size(); ++o) joined = joined && out[o].row_stride == out[o].col_stride * cols;
  if (joined) {
    cols *= rows;
    rows = 1;
  }
  const int64_t step = many && rows > 1 ? std::max<int64_t>(tile / cols, 1) : 1;
  for (int64_t r = 0; r < rows; r += step) {
    const int64_t some = std::min(step, rows - r);
    if (some > 1) {
      chunk(r, 0, some, cols, in, out, false, value, scratch);
      continue;
    }
    for (int64_t c = 0; c < cols; c += tile)
      chunk(r, c, 1, std::min(tile, cols - c), in, out, stream, value, scratch);
  }
  if (stream) stream_fence();
}

}  // namespace opmux::cpu
