// SPDX-License-Identifier: Apache-2.0
// dft: stages of small factors over the length; a length with a greater prime factor as a convolution with a
// chirp (Bluestein 1970) over a power of two. All signals go through each stage together, from one buffer of
// the workspace to the other.
#include <algorithm>

#include "gpu/ops/ops.hpp"
#include "gpu/ops/rows.hpp"

namespace opmux::gpu {
namespace {

constexpr int64_t kMostFactor = 31;       // of a stage; greater primes are dearer than a convolution
constexpr int64_t kMostLength = 1 << 26;  // turns are found from eighths of 32 bits
// Short transforms compute in f64 where the device has it, as on the CPU: bins in which terms cancel keep
// their digits.
constexpr int64_t kShort = 1024;

const opmux_op_dft& desc(const opmux_opd& d) { return reinterpret_cast<const opmux_op_dft&>(d); }

// Factors of n, the remaining prime last; fours save a pass over memory for each pair of twos.
std::vector<int64_t> factors_of(int64_t n) {
  std::vector<int64_t> all;
  for (int64_t f : {4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31})
    for (; n % f == 0 && n > 1; n /= f) all.push_back(f);
  if (n > 1) all.push_back(n);
  return all;
}

struct Shape {
  int64_t n, rows = 1, size, all_rows;  // size: of a row in the workspace
  bool chirp;
  std::vector<int64_t> factors;  // of size
  uint32_t work;                 // type

  Shape(const opmux_devinfo& info, const opmux_opd& d) : n(desc(d).length) {
    const opmux_tdesc& x = d.in[0];
    for (uint32_t i = 0; i + 1 < x.rank; ++i) rows *= i == desc(d).axis ? 1 : x.dim[i];
    factors = factors_of(n);
    size = n;
    chirp = !factors.empty() && factors.back() > kMostFactor;
    if (chirp) {
      size = 1;
      while (size < 2 * n - 1) size *= 2;
      factors = factors_of(size);
    }
    all_rows = rows + (chirp ? 1 : 0);
    constexpr uint64_t kWide = OPMUX_FEAT_F64 | OPMUX_FEAT_I64;
    const bool wide = x.dtype == OPMUX_F64 || (n <= kShort && (info.features & kWide) == kWide);
    work = wide ? OPMUX_F64 : OPMUX_F32;
  }
  uint64_t pairs() const { return static_cast<uint64_t>(all_rows * size); }
  static uint64_t round(uint64_t bytes) { return (bytes + 255) & ~uint64_t{255}; }
  uint64_t turn_bytes() const {
    return round(static_cast<uint64_t>(size + (chirp ? n : 0)) * 2 * element_bytes(work));
  }
  uint64_t buffer_bytes() const { return round(pairs() * 2 * element_bytes(work)); }
  uint64_t buffer_at(uint32_t i) const { return turn_bytes() + i * buffer_bytes(); }
  uint64_t workspace() const { return turn_bytes() + 2 * buffer_bytes(); }
};

// Outer dims without the axis and the parts.
kit::Walk rows_of(const opmux_tdesc& t, uint32_t axis) {
  std::array<bool, 8> taken{};
  for (uint32_t i = 0; i + 1 < t.rank; ++i) taken[i] = i != axis;
  kit::Walk w = walk_of(t, taken);
  w.add_strides(strides_of(t, t, taken)).collapse();
  return w;
}

class Plan {
 public:
  Plan(const opmux_devinfo& info, const opmux_opd& d, KernelPlan& plan)
      : info_(info), d_(d), shape_(info, d), plan_(plan) {}

  void all() {
    turns();
    load();
    stages(shape_.pairs());
    if (shape_.chirp) {
      join();
      stages(static_cast<uint64_t>(shape_.rows * shape_.size));
    }
    store();
  }

 private:
  void work(StepMaker& s) { s.type("work", shape_.work); }
  void buffer(StepMaker& s, const char* name, uint32_t i) {
    s.workspace(name, shape_.buffer_at(i), shape_.buffer_bytes(), shape_.work);
  }
  void table(StepMaker& s) { s.workspace("turns", 0, shape_.turn_bytes(), shape_.work); }
  void push(StepMaker& s, uint64_t lanes) {
    s.elements(info_, lanes);
    plan_.steps.push_back(s.take());
  }

  void turns() {
    StepMaker s("dft_turns");
    work(s);
    table(s);
    const bool wide = shape_.work == OPMUX_F64;
    s.define("GK_TURN_TERMS", wide ? "9" : "6");
    // pi / 4; its bits for f64.
    s.define("GK_EIGHTH_TURN",
             wide ? "gk_double((GK_U64(0x3fe921fbu) << 32u) | GK_U64(0x54442d18u))" : "0.785398163f");
    s.set("size", static_cast<uint64_t>(shape_.size));
    s.set("n", shape_.chirp ? static_cast<uint64_t>(shape_.n) : 0);
    push(s, static_cast<uint64_t>(shape_.size + (shape_.chirp ? shape_.n : 0)));
  }

  void load() {
    const opmux_tdesc& x = d_.in[0];
    const opmux_op_dft& a = desc(d_);
    const bool half = a.inverse != 0 && a.onesided != 0;
    StepMaker s("dft_load");
    work(s);
    s.bind("x", d_, 0);
    table(s);
    buffer(s, "y", 0);
    s.set("count", shape_.pairs());
    s.set("rows", static_cast<uint64_t>(shape_.rows));
    s.set("size", static_cast<uint64_t>(shape_.size));
    s.set("n", static_cast<uint64_t>(shape_.n));
    s.set("given", static_cast<uint64_t>(std::min(x.dim[a.axis], half ? shape_.n / 2 + 1 : shape_.n)));
    s.set("half", half);
    s.set("inverse", a.inverse);
    s.set("parts", static_cast<uint64_t>(x.dim[x.rank - 1]));
    s.set("part_step", static_cast<uint64_t>(x.stride[x.rank - 1]));
    s.set("step", static_cast<uint64_t>(x.stride[a.axis]));
    s.set("n_chirp", shape_.chirp);
    s.walk(rows_of(x, a.axis), "rank", "dims", {{"xs"}});
    push(s, shape_.pairs());
  }

  void stages(uint64_t pairs) {
    int64_t done = 1;
    for (int64_t radix : shape_.factors) {
      StepMaker s("dft_stage");
      work(s);
      buffer(s, "x", at_);
      table(s);
      buffer(s, "y", 1 - at_);
      s.set("count", pairs);
      s.set("size", static_cast<uint64_t>(shape_.size));
      s.set("done", static_cast<uint64_t>(done));
      s.set("radix", static_cast<uint64_t>(radix));
      push(s, pairs);
      done *= radix;
      at_ = 1 - at_;
    }
  }

  void join() {
    StepMaker s("dft_join");
    work(s);
    buffer(s, "x", at_);
    buffer(s, "y", 1 - at_);
    const auto pairs = static_cast<uint64_t>(shape_.rows * shape_.size);
    s.set("count", pairs);
    s.set("rows", static_cast<uint64_t>(shape_.rows));
    s.set("size", static_cast<uint64_t>(shape_.size));
    push(s, pairs);
    at_ = 1 - at_;
  }

  void store() {
    const opmux_tdesc& y = d_.out[0];
    const opmux_op_dft& a = desc(d_);
    StepMaker s("dft_store");
    work(s);
    buffer(s, "x", at_);
    table(s);
    s.bind("y", d_, 1);
    const auto count = static_cast<uint64_t>(shape_.rows * y.dim[a.axis]);
    s.set("count", count);
    s.set("size", static_cast<uint64_t>(shape_.size));
    s.set("n", static_cast<uint64_t>(shape_.n));
    s.set("made", static_cast<uint64_t>(y.dim[a.axis]));
    s.set("inverse", a.inverse);
    s.set("parts", static_cast<uint64_t>(y.dim[y.rank - 1]));
    s.set("part_step", static_cast<uint64_t>(y.stride[y.rank - 1]));
    s.set("step", static_cast<uint64_t>(y.stride[a.axis]));
    s.set("n_chirp", shape_.chirp);
    s.walk(rows_of(y, a.axis), "rank", "dims", {{"ys"}});
    push(s, count);
  }

  const opmux_devinfo& info_;
  const opmux_opd& d_;
  Shape shape_;
  KernelPlan& plan_;
  uint32_t at_ = 0;  // the buffer that holds the signals
};

}  // namespace

bool plan_dft(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan) {
  if (!check_operands(info, d, cap) || !check_apart(d, cap)) return false;
  if (desc(d).length > kMostLength)
    return kit_no(&cap, OPMUX_WHY_ATTR, offsetof(opmux_op_dft, length), 0, desc(d).length, kMostLength);
  const Shape shape(info, d);
  if (!check_workspace(info, std::max(shape.turn_bytes(), shape.buffer_bytes()), cap)) return false;
  const bool empty = elements(d.out[0]) == 0;
  say_yes(info, d, cap, empty ? 0 : shape.workspace());
  if (!plan || empty) return true;
  plan->workspace = shape.workspace();
  Plan(info, d, *plan).all();
  return true;
}

}  // namespace opmux::gpu
