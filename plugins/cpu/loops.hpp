// SPDX-License-Identifier: Apache-2.0
// The index space that several strided operands share, brought into its simplest form.
#ifndef OPMUX_CPU_LOOPS_HPP
#define OPMUX_CPU_LOOPS_HPP

#include <cstdint>

#include "opmux/types.h"

namespace opmux::cpu {

struct Loops {
  static constexpr uint32_t kMaxOperands = OPMUX_MAX_PROG_IN + OPMUX_MAX_PROG_OUT;

  uint32_t rank = 0, n = 0;
  int64_t dim[OPMUX_MAX_RANK] = {};
  int64_t stride[kMaxOperands][OPMUX_MAX_RANK] = {};  // elements; 0 where the operand repeats

  Loops() = default;
  explicit Loops(const opmux_tdesc& shape);

  // Adds an operand whose dims align with the last ones of the shape; missing dims and dims of 1 repeat.
  void add(const opmux_tdesc& t);
  void add_strides(const int64_t* s);

  // Drops dims of 1, sorts the others by the steps of operand `key`, smallest last (ties: those of the next
  // operands), and joins neighbours that every operand steps through evenly.
  void simplify(uint32_t key);

  int64_t elements() const;
  // Elements from element 0 of operand k for position `index` of the outer dims [0, n_outer), row-major.
  int64_t offset(uint32_t k, uint32_t n_outer, uint64_t index) const;
};

// f(position, offset, n) for runs of at most `most` elements of the positions [begin, end), row-major; offset
// is that of operand k, which steps through a run as through the last dim.
template <class F>
void each_run(const Loops& loops, uint32_t k, int64_t begin, int64_t end, int64_t most, F&& f) {
  const uint32_t outer = loops.rank ? loops.rank - 1 : 0;
  const int64_t inner = loops.rank ? loops.dim[outer] : 1, step = loops.rank ? loops.stride[k][outer] : 0;
  for (int64_t p = begin; p < end;) {
    const int64_t c = p % inner, left = inner - c < end - p ? inner - c : end - p;
    const int64_t n = left < most ? left : most;
    f(p, loops.offset(k, outer, static_cast<uint64_t>(p / inner)) + c * step, n);
    p += n;
  }
}

// Is the tensor one run of elements in the order of its dims?
bool contiguous(const opmux_tdesc& t);
// May an output written element by element share its memory with this input: same steps through the same
// bytes?
bool same_view(const opmux_tdesc& a, const opmux_tdesc& b);

}  // namespace opmux::cpu
#endif
