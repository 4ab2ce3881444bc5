// SPDX-License-Identifier: Apache-2.0
// quant_matmul in one of three ways. Thin: few rows of a, weights decoded in registers, because reading them
// is the work. Wide: panels of weights decoded to f32 for the common product. Pairs: integers on both sides
// without inner groups, exact products of 16-bit differences.
#include <algorithm>

#include "cpu/gemm_op.hpp"
#include "cpu/ops/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/quant_weights.hpp"
#include "kit/insn.hpp"
#include "kit/nf4.hpp"
#include "kit/operands/matmul.gen.hpp"
#include "opmux/ops/matmul.gen.h"

namespace opmux::cpu {
namespace {

using enum operands::quant_matmul::Input;
constexpr int64_t kThinRows = 4;
// Sums of this many products of differences of 8-bit numbers fit into an i32.
constexpr int64_t kPairDepth = 32768;
constexpr uint32_t kCodeLayout = 0x0d000000u, kFactorLayout = 0x0e000000u;

// The numbers of e2m1.
constexpr float kE2m1[16] = {0.0f,  0.5f,  1.0f,  1.5f,  2.0f,  3.0f,  4.0f,  6.0f,
                             -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};

enum class Way : uint32_t { kThin, kWide, kPairs };

// The descriptor is one of quant_matmul, or one of matmul, which has two operands and nothing to say about
// them.
bool is_plain(const opmux_opd& d) { return d.op == OPMUX_OP_MATMUL; }
uint32_t own(const opmux_opd& d) { return kit::own_inputs(d); }
const opmux_tdesc& operand(const opmux_opd& d, uint32_t i) {
  static constexpr opmux_tdesc kAbsent{};
  return i < own(d) ? d.in[i] : kAbsent;
}
void* argument(const kit_call* call, uint32_t i) { return i < own(*call->d) ? call->arg[i] : nullptr; }
opmux_op_quant_matmul desc(const opmux_opd& d) {
  if (!is_plain(d)) return reinterpret_cast<const opmux_op_quant_matmul&>(d);
  opmux_op_quant_matmul plain{};
  plain.acc_dtype = reinterpret_cast<const opmux_op_matmul&>(d).acc_dtype;
  return plain;
}
bool is_float(uint32_t dtype) { return OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_FLOAT; }
bool is_whole(const opmux_tdesc& t) { return t.dtype == OPMUX_NONE || !is_float(t.dtype); }
// Has it one entry for all of k? axis: where k is, from the end.
bool one_group(const opmux_tdesc& t, uint32_t axis) { return t.rank == 0 || t.dim[t.rank - axis] == 1; }

struct Shape {
  GemmPlan plan;
  WeightShape weights;
  PlainRows rows;
  Way way = Way::kWide;
  bool scaled = false;  // kPairs with an f32 result
  OutGrid grid;         // of the real output, where plan writes sums
  uint64_t slots_at = 0, code_at = 0, scale_at = 0, zero_at = 0, a_at = 0, sum_at = 0, thin_at = 0,
           slot_bytes = 0, gemm_at = 0, total = 0;
};

WeightShape weight_shape(const opmux_opd& d, const opmux_tdesc& out) {
  const opmux_tdesc& b = operand(d, kB);
  WeightShape w;
  const bool nf4 = desc(d).b_code == OPMUX_WEIGHT_NF4;
  w.form = weight_form(b.dtype, nf4);
  w.bits = OPMUX_DTYPE_BITS(b.dtype);
  w.is_signed = OPMUX_DTYPE_CLASS(b.dtype) == OPMUX_CLASS_SIGNED;
  w.table = nf4 ? kit::kNf4 : kE2m1;
  w.nr = weight_kernels(w.form).nr;
  w.k = b.dim[b.rank - 2];
  w.n = b.dim[b.rank - 1];
  w.panels = (w.n + w.nr - 1) / w.nr;
  w.scale = weight_factor(operand(d, kBScale), out);
  w.zero = weight_factor(operand(d, kBZero), out);
  w.group = desc(d).b_group;
  if (w.group == 0 || (operand(d, kBScale).rank == 0 && operand(d, kBZero).rank == 0))
    w.group = std::max<int64_t>(w.k, 1);
  w.groups = std::max<int64_t>(1, (w.k + w.group - 1) / w.group);
  return w;
}

Way choose(const opmux_opd& d, const GemmPlan& p, const WeightShape& w) {
  const bool sums = desc(d).acc_dtype == OPMUX_I32;
  const bool thin_groups = w.groups == 1 || w.group % kWeightStep == 0;
  if (!sums && p.m <= kThinRows && thin_groups) return Way::kThin;
  const bool whole = is_whole(operand(d, kA)) && is_whole(operand(d, kB)) &&
                     desc(d).b_code == OPMUX_WEIGHT_LINEAR && is_whole(operand(d, kBZero)) && w.groups == 1;
  const bool flat = one_group(operand(d, kAScale), 1) && p.k <= kPairDepth;
  return whole && (sums || flat) ? Way::kPairs : Way::kWide;
}

// a as the product takes it: where it lies, or dense in the workspace.
void place_a(Shape& s, const opmux_opd& d, const opmux_tdesc& out) {
  const opmux_tdesc& a = operand(d, kA);
  PlainRows& r = s.rows;
  r.a = a;
  r.scale = operand(d, kAScale);
  r.zero = operand(d, kAZero);
  const int64_t k = a.dim[a.rank - 1];
  r.group = desc(d).a_group == 0 ? std::max<int64_t>(k, 1) : desc(d).a_group;
  r.needed = s.way == Way::kPairs || r.scale.dtype != OPMUX_NONE || !gemm_packs<float>(a.dtype);
  s.plan.a = matrix_operand(a, out, 2, 1);
  if (!r.needed) return;
  opmux_tdesc dense = a;
  dense.dtype = s.way == Way::kPairs ? OPMUX_I32 : OPMUX_F32;
  dense.dim[a.rank - 1] = s.plan.k = s.way == Way::kPairs ? (k + 1) / 2 : k;
  int64_t step = 1;
  for (uint32_t i = a.rank; i-- > 0;) {
    dense.stride[i] = step;
    step *= dense.dim[i];
  }
  s.plan.a = matrix_operand(dense, out, 2, 1);
}

GridView dense_sums(const GemmPlan& p) {
  GridView v;
  v.dtype = OPMUX_I32;
  v.cs[0] = 1;
  v.rs = p.n;
  int64_t step = p.m * p.n;
  for (uint32_t i = p.grid.n_batch; i-- > 0;) {
    v.bs[i] = step;
    step *= p.grid.batch[i];
  }
  return v;
}

void lay_out(Shape& s, const opmux_opd& d) {
  const GemmPlan& p = s.plan;
  uint64_t at = 0;
  const auto take = [&at](uint64_t bytes) {
    const uint64_t here = at;
    at += (bytes + 63) & ~uint64_t{63};
    return here;
  };
  const WeightShape& w = s.weights;
  s.code_at = take(operand(d, kB).layout != 0 ? 0 : w.code_bytes());
  s.scale_at = take(w.scale.present && !w.scale.packed ? w.factor_bytes() : 0);
  s.zero_at = take(w.zero.present && !w.zero.packed ? w.factor_bytes() : 0);
  s.a_at = take(s.rows.needed ? static_cast<uint64_t>(s.rows.rows() * p.k) * 4 : 0);
  if (s.way == Way::kThin) {
    const int64_t r = p.m <= 2 ? p.m : kThinRows, depth = (p.k + kWeightStep - 1) / kWeightStep * kWeightStep;
    s.thin_at = take(static_cast<uint64_t>(matrix_count(p, p.a) * depth * r) * 4);
  } else {
    if (s.scaled) s.sum_at = take(static_cast<uint64_t>(p.batches * p.m * p.n) * 4);
    s.gemm_at = take(p.workspace());
  }
  // Tiles of finished sums, one for each thread: of rows of sums, or of a panel.
  const int64_t tile = s.way == Way::kThin ? kThinRows * w.nr : s.scaled ? p.n : 0;
  s.slot_bytes = (static_cast<uint64_t>(tile) * 4 + 63) & ~uint64_t{63};
  s.slots_at = take(s.slot_bytes * static_cast<uint64_t>(scratch_slots()));
  s.total = at + 64;  // for the alignment
}

Shape shape(const opmux_opd& d) {
  Shape s;
  GemmPlan& p = s.plan;
  const opmux_tdesc& out = d.out[0];
  p.m = out.dim[out.rank - 2];
  p.n = out.dim[out.rank - 1];
  p.k = operand(d, kA).dim[operand(d, kA).rank - 1];
  p.b = matrix_operand(operand(d, kB), out, 1, 2);
  p.grid.n_batch = out.rank - 2;
  std::copy(out.dim, out.dim + out.rank - 2, p.grid.batch);
  p.grid.rows = p.m;
  p.grid.col[0] = p.n;
  p.grid.out = grid_view(out, out);
  p.grid.n_extra = d.n_in - own(d);
  for (uint32_t i = 0; i < p.grid.n_extra; ++i) p.grid.extra[i] = grid_view(d.in[own(d) + i], out);
  p.aliased = is_aliased(d);
  s.weights = weight_shape(d, out);
  s.weights.matrices = matrix_count(p, p.b);
  // Rows decide the way and the way where a lies, which decides how many rows join.
  p.a = matrix_operand(operand(d, kA), out, 2, 1);
  GemmPlan folded = p;
  free_stride(folded);
  fold_batch(folded);
  s.way = choose(d, folded, s.weights);
  place_a(s, d, out);
  free_stride(p);
  fold_batch(p);
  if (s.way == Way::kThin && p.m > kThinRows) s.way = Way::kWide;
  s.weights.matrices = matrix_count(p, p.b);
  const uint32_t acc = desc(d).acc_dtype;
  s.scaled = s.way == Way::kPairs && acc == OPMUX_F32;
  s.grid = p.grid;
  if (s.scaled) {
    p.grid.out = dense_sums(p);
    p.grid.n_extra = 0;
    p.aliased = false;
  }
  const bool whole = s.way == Way::kPairs;
  cut(p, whole ? gemm_kernels<int32_t>().tile : gemm_kernels<float>().tile, whole ? OPMUX_I32 : OPMUX_F32,
      true);
  lay_out(s, d);
  return s;
}

uint32_t own_layout(const WeightShape& w, uint32_t i) {
  const auto nr = static_cast<uint32_t>(w.nr);
  if (i == kB) return kCodeLayout | static_cast<uint32_t>(w.form) << 8 | nr;
  return i == kBScale || i == kBZero ? kFactorLayout | nr : 0;
}

bool check(const opmux_opd& d, opmux_cap* cap) {
  for (uint32_t i = 0; i < own(d); ++i)
    if (d.in[i].rank > OPMUX_MAX_RANK) return no(cap, OPMUX_WHY_RANK, i, d.in[i].rank, OPMUX_MAX_RANK), false;
  if (is_aliased(d) && d.alias[0] <= own(d)) return no(cap, OPMUX_WHY_ALIAS, d.alias[0] - 1), false;
  return Epilogue::supports(d, own(d), desc(d).acc_dtype, cap);
}

void query(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  if (!check(*d, cap)) return;
  const Shape s = shape(*d);
  for (uint32_t i = 0; i < d->n_in; ++i) {
    const uint32_t want = i < own(*d) ? own_layout(s.weights, i) : 0;
    if (d->in[i].layout != 0 && d->in[i].layout != want)
      return no(cap, OPMUX_WHY_LAYOUT, i, d->in[i].layout, want);
    if (want != 0 && d->in[i].dtype != OPMUX_NONE && (d->in[i].flags & OPMUX_T_CONST) && cap->in_layout &&
        i < cap->layout_cap)
      cap->in_layout[i] = want;
  }
  const double flops = 2.0 * static_cast<double>(elements(d->out[0])) * static_cast<double>(s.weights.k);
  yes_product(info, *d, own(*d), flops, s.total, cap);
}

// Constant 16-bit weights stay 16-bit: half the memory, and half of what few rows wait for.
void query_plain(const opmux_devinfo* info, const opmux_opd* d, opmux_cap* cap) {
  const opmux_tdesc& b = d->in[kB];
  if (b.dtype != OPMUX_F16 && b.dtype != OPMUX_BF16) return no(cap, OPMUX_WHY_DTYPE, kB, b.dtype, OPMUX_F16);
  if ((b.flags & OPMUX_T_CONST) == 0) return no(cap, OPMUX_WHY_INVALID, kB, b.flags, OPMUX_T_CONST);
  // A few columns fill a panel badly; the other way swaps the operands.
  constexpr int64_t kColumns = 8;
  const int64_t n = b.dim[b.rank - 1];
  if (n <= kColumns) return no(cap, OPMUX_WHY_DIM, kB, n, kColumns + 1, b.rank - 1);
  query(info, d, cap);
}

struct State {
  explicit State(const opmux_opd& d)
      : shape(opmux::cpu::shape(d)), kernels(weight_kernels(shape.weights.form)) {
    const bool in_registers = shape.way == Way::kWide;
    Epilogue& used = shape.scaled ? epilogue : shape.plan.epilogue;
    used.compile(d, own(d), desc(d).acc_dtype, shape.grid, in_registers);
  }
  Shape shape;
  WeightKernels kernels;
  Epilogue epilogue;  // of scaled sums
};

// One run: operands as the kernels take them.
class Run {
 public:
  Run(const kit_call* call, const State& state)
      : call_(call), s_(state.shape), state_(state), p_(s_.plan), w_(s_.weights) {
    ws_ = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(call->ws) + 63) & ~uintptr_t{63});
    a_ = argument(call, kA);
    data_ = {argument(call, kB), nullptr, nullptr};
    if (operand(*call->d, kB).layout == 0) {
      pack_codes(call->host, p_, w_, argument(call, kB), ws_ + s_.code_at);
      data_.codes = ws_ + s_.code_at;
    }
    data_.scale = factor(w_.scale, kBScale, s_.scale_at);
    data_.zero = factor(w_.zero, kBZero, s_.zero_at);
    if (!s_.rows.needed) return;
    a_ = ws_ + s_.a_at;
    if (s_.way == Way::kPairs)
      s_.rows.to_pairs(call->host, argument(call, kA), argument(call, kAZero),
                       reinterpret_cast<int32_t*>(ws_ + s_.a_at));
    else
      s_.rows.to_f32(call->host, argument(call, kA), argument(call, kAScale), argument(call, kAZero),
                     reinterpret_cast<float*>(ws_ + s_.a_at));
  }

  void thin() const {
    const int64_t rows = p_.m <= 2 ? p_.m : kThinRows;
    const int64_t depth = (p_.k + kWeightStep - 1) / kWeightStep * kWeightStep;
    auto* panels = reinterpret_cast<float*>(ws_ + s_.thin_at);
    for (int64_t i = 0; i < matrix_count(p_, p_.a); ++i) {
      float* to = panels + i * depth * rows;
      const auto* from =
          static_cast<const char*>(a_) + matrix_offset(p_, p_.a, i) * element_bytes(p_.a.dtype);
      gemm_pack<float>(p_.a.dtype, {from, p_.a.rs, p_.a.ks}, p_.m, p_.k, rows, to);
      std::fill(to + p_.k * rows, to + depth * rows, 0.0f);
    }
    const auto items = static_cast<uint64_t>(p_.batches * w_.panels);
    const double ns = 0.1 * static_cast<double>(w_.nr * p_.k);
    slots(items, grain_for(items, ns, 10000), [&](int64_t i, float* tile) {
      const int64_t batch = i / w_.panels, panel = i % w_.panels, col = panel * w_.nr;
      const WeightPanel weights = weight_panel(w_, data_, matrix_of_batch(p_, p_.b, batch), panel);
      state_.kernels.thin(weights, rows, depth, panels + matrix_of_batch(p_, p_.a, batch) * depth * rows,
                          tile, w_.nr);
      finish(p_.epilogue, batch, 0, p_.m, col, std::min(w_.nr, p_.n - col), tile, w_.nr);
    });
  }

  template <class T>
  void product(GemmKernels<T> kernels, void* out) const {
    gemm_run<T>({&p_, kernels, call_->host, a_, nullptr, pack<T>, this, out, call_->arg + own(*call_->d),
                 ws_ + s_.gemm_at});
  }

  void* out() const { return call_->arg[call_->d->n_in]; }
  void* sums() const { return ws_ + s_.sum_at; }

  // Exact sums to f32, times the scales of row and column.
  void scale_sums() const {
    const auto items = static_cast<uint64_t>(p_.batches * p_.m);
    const opmux_tdesc& t = operand(*call_->d, kAScale);
    const LoadFn load = t.dtype == OPMUX_NONE ? nullptr : find_load(t.dtype);
    slots(items, grain_for(items, 0.5 * static_cast<double>(p_.n)), [&](int64_t i, float* tile) {
      const int64_t batch = i / p_.m, row = i % p_.m;
      const auto* sum = static_cast<const int32_t*>(sums()) + i * p_.n;
      float of_row = 1;
      if (load)
        load(&of_row,
             static_cast<const char*>(argument(call_, kAScale)) + a_scale_at(i) * element_bytes(t.dtype), 1,
             1);
      const int64_t matrix = matrix_of_batch(p_, p_.b, batch);
      const float* of_column = data_.scale ? data_.scale + matrix * w_.panels * w_.nr : nullptr;
      for (int64_t j = 0; j < p_.n; ++j) {
        const float x = static_cast<float>(sum[j]) * of_row;
        tile[j] = of_column ? x * of_column[j] : x;
      }
      finish(state_.epilogue, batch, row, 1, 0, p_.n, tile, p_.n);
    });
  }

 private:
  const float* factor(const WeightFactor& f, uint32_t i, uint64_t at) const {
    if (!f.present) return nullptr;
    if (f.packed) return static_cast<const float*>(call_->arg[i]);
    auto* to = reinterpret_cast<float*>(ws_ + at);
    pack_factor(call_->host, p_, w_, f, call_->arg[i], to);
    return to;
  }

  // Offset of the scale of a that belongs to a row of the output, counted over its dims.
  int64_t a_scale_at(int64_t row) const {
    const opmux_tdesc &t = operand(*call_->d, kAScale), &out = call_->d->out[0];
    int64_t offset = 0;
    for (uint32_t i = out.rank - 1; i-- > 0;) {
      const int64_t at = row % out.dim[i];
      row /= out.dim[i];
      const int64_t axis = int64_t{i} + t.rank - out.rank;
      if (axis >= 0 && t.dim[axis] != 1) offset += at * t.stride[axis];
    }
    return offset;
  }

  template <class Body>
  void slots(uint64_t items, uint64_t grain, const Body& body) const {
    char* base = ws_ + s_.slots_at;
    parallel_slots(call_->host, items, grain, static_cast<uint64_t>(scratch_slots()),
                   [&](uint64_t begin, uint64_t end, uint64_t slot) {
                     auto* tile = reinterpret_cast<float*>(base + slot * s_.slot_bytes);
                     for (uint64_t i = begin; i < end; ++i) body(static_cast<int64_t>(i), tile);
                   });
  }

  void finish(const Epilogue& e, int64_t batch, int64_t row, int64_t rows, int64_t col, int64_t cols,
              float* tile, int64_t ld) const {
    const OutGrid& g = s_.grid;
    int64_t offset = 0, extra[kMaxExtra] = {};
    for (uint32_t i = g.n_batch; i-- > 0;) {
      const int64_t at = batch % g.batch[i];
      batch /= g.batch[i];
      offset += at * g.out.bs[i];
      for (uint32_t x = 0; x < g.n_extra; ++x) extra[x] += at * g.extra[x].bs[i];
    }
    void* extras[kMaxExtra];
    for (uint32_t x = 0; x < g.n_extra; ++x)
      extras[x] =
          static_cast<char*>(call_->arg[own(*call_->d) + x]) + extra[x] * element_bytes(g.extra[x].dtype);
    e.finish(g, extras, static_cast<char*>(out()) + offset * element_bytes(g.out.dtype), row, col, rows, cols,
             tile, ld);
  }

  template <class T>
  static void pack(const void* ctx, int64_t batch, int64_t k0, int64_t k, int64_t col, int64_t cols,
                   int64_t nr, T* dst) {
    const Run& r = *static_cast<const Run*>(ctx);
    const int64_t matrix = matrix_of_batch(r.p_, r.p_.b, batch);
    for (int64_t j = 0; j < cols; j += nr) {
      const WeightPanel panel = weight_panel(r.w_, r.data_, matrix, (col + j) / nr);
      if constexpr (std::is_same_v<T, float>)
        r.state_.kernels.decode(panel, k0, k, dst + j * k);
      else
        r.state_.kernels.pairs(panel, k0, k, dst + j * k);
    }
  }

  const kit_call* call_;
  const Shape& s_;
  const State& state_;
  const GemmPlan& p_;
  const WeightShape& w_;
  char* ws_;
  const void* a_;
  WeightData data_{};
};

opmux_status run(const kit_call* call, opmux_err*) {
  const State& state = *static_cast<const State*>(call->state);
  const GemmPlan& p = state.shape.plan;
  if (p.m == 0 || p.n == 0 || p.batches == 0) return OPMUX_OK;
  const Run r(call, state);
  if (state.shape.way == Way::kThin) {
    r.thin();
  } else if (state.shape.way == Way::kWide) {
    r.product<float>(gemm_kernels<float>(), r.out());
  } else {
    r.product<int32_t>(gemm_pair_kernels(), state.shape.scaled ? r.sums() : r.out());
    if (state.shape.scaled) r.scale_sums();
  }
  return OPMUX_OK;
}

opmux_status packed_size(const opmux_opd* d, uint32_t i, uint32_t layout, uint64_t* size, uint64_t* arg,
                         opmux_err* err) {
  const Shape s = shape(*d);
  if (i >= own(*d) || layout == 0 || layout != own_layout(s.weights, i))
    return kit_fail(err, OPMUX_E_UNSUPPORTED, i, "%s: operand %u has no layout 0x%x",
                    is_plain(*d) ? "matmul" : "quant_matmul", i, layout);
  // A scale's own shape does not say for how many columns and groups it is packed.
  *arg = static_cast<uint64_t>(s.weights.panels) | static_cast<uint64_t>(s.weights.groups) << 24 |
         static_cast<uint64_t>(s.weights.matrices) << 48;
  *size = i == kB ? s.weights.code_bytes() : s.weights.factor_bytes();
  return OPMUX_OK;
}

opmux_status pack(const opmux_host_api* host, const opmux_opd* d, uint32_t i, uint32_t layout,
                  const void* src, void* dst, opmux_err* err) {
  uint64_t size, arg;
  if (opmux_status e = packed_size(d, i, layout, &size, &arg, err); e != OPMUX_OK) return e;
  const Shape s = shape(*d);
  if (i == kB)
    pack_codes(host, s.plan, s.weights, src, dst);
  else
    pack_factor(host, s.plan, s.weights, i == kBScale ? s.weights.scale : s.weights.zero, src,
                static_cast<float*>(dst));
  return OPMUX_OK;
}

}  // namespace

const kit_op kQuantMatmul =
    state_op<State, opmux_op_quant_matmul>(OPMUX_OP_QUANT_MATMUL, "weights", query, run, packed_size, pack);

const kit_op kMatmulShort =
    state_op<State, opmux_op_matmul>(OPMUX_OP_MATMUL, "short weights", query_plain, run, packed_size, pack);

}  // namespace opmux::cpu
