// SPDX-License-Identifier: Apache-2.0
// Shape rules of quantised operators.
#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

long long ll(int64_t v) { return v; }

bool quantised_type(uint32_t t) {
  constexpr uint32_t kTypes[] = {OPMUX_I8,       OPMUX_U8,       OPMUX_I4,     OPMUX_U4,
                                 OPMUX_I2,       OPMUX_U2,       OPMUX_E4M3FN, OPMUX_E5M2,
                                 OPMUX_E4M3FNUZ, OPMUX_E5M2FNUZ, OPMUX_E2M1};
  for (uint32_t k : kTypes)
    if (k == t) return true;
  return false;
}

// Groups of `block` among n elements; 0 is one group of all.
int64_t groups(int64_t n, uint32_t block) { return block == 0 ? 1 : (n + block - 1) / block; }

}  // namespace

namespace rules {

bool dynamic_quantise(const View& v, Shapes& s, Problem& p) {
  const auto& a = v.attr<opmux_op_dynamic_quantise>();
  const uint32_t dtype = a.dtype;
  const bool has_zero = v.out(2).dtype != OPMUX_NONE;
  if (!quantised_type(dtype))
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_dynamic_quantise, dtype)), dtype, OPMUX_I8,
                "dtype is %s, must be an integer or float of 8, 4 or 2 bits", dtype_name(dtype));
  if (has_zero && is_class(dtype, OPMUX_CLASS_FLOAT))
    return fail(p, v.name(), v.at_out(OPMUX_WHY_DTYPE, 2), dtype, OPMUX_U8,
                "y is %s, only integers have an output zero", dtype_name(dtype));
  if (!has_zero && is_class(dtype, OPMUX_CLASS_UNSIGNED))
    return fail(p, v.name(), v.at_out(OPMUX_WHY_DTYPE, 0), dtype, OPMUX_I8,
                "y is %s, which needs an output zero", dtype_name(dtype));
  s.like(0, dtype, v.in(0));
  opmux_tdesc t = v.in(0);
  t.dim[a.axis] = groups(t.dim[a.axis], a.block);
  s.like(1, OPMUX_F32, t);
  if (v.d->n_out > 2) s.like(2, dtype, t);
  return true;
}

namespace {

// A scale or zero point of an operand of quant_matmul. k: where that operand has its k (0 last, 1 before
// last).
struct Side {
  uint32_t operand, parameter, group;
  const char *owner, *name;
  uint32_t k_from_end;
};

bool check_parameter(const View& v, const Side& side, Problem& p) {
  const opmux_tdesc &t = v.in(side.parameter), &o = v.in(side.operand);
  if (t.dtype == OPMUX_NONE || t.rank == 0) return true;
  if (t.rank < 2 || t.rank > o.rank)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, side.parameter), t.rank, o.rank,
                "%s has rank %u, must be 0, or 2 to %u, that of %s", side.name, t.rank, o.rank, side.owner);
  for (uint32_t i = 0; i < t.rank; ++i) {
    const uint32_t axis = o.rank - t.rank + i;
    const bool is_k = t.rank - 1 - i == side.k_from_end;
    const int64_t want = is_k ? groups(o.dim[axis], side.group) : o.dim[axis];
    if (t.dim[i] != want && (is_k || t.dim[i] != 1))
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, side.parameter, i), t.dim[i], want,
                  is_k ? "dim %u of %s is %lld, must be the number of groups, %lld"
                       : "dim %u of %s is %lld, must be 1 or %lld",
                  i, side.name, ll(t.dim[i]), ll(want));
  }
  return true;
}

bool is_int(uint32_t dtype) { return !is_class(dtype, OPMUX_CLASS_FLOAT); }

bool check_codes(const View& v, const opmux_op_quant_matmul& m, Problem& p) {
  const opmux_tdesc &a = v.in(0), &b = v.in(1);
  if (m.b_code == OPMUX_WEIGHT_NF4 && (b.dtype != OPMUX_U4 || v.has_in(5)))
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_quant_matmul, b_code)), b.dtype, OPMUX_U4,
                "b_code NF4 needs b in u4 without b_zero, b is %s%s", dtype_name(b.dtype),
                v.has_in(5) ? " with b_zero" : "");
  if (v.has_in(3) && !is_int(a.dtype))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, 3), a.dtype, OPMUX_I8,
                "a is %s, but only integers have a_zero", dtype_name(a.dtype));
  if (v.has_in(5) && !is_int(b.dtype))
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, 5), b.dtype, OPMUX_I8,
                "b is %s, but only integers have b_zero", dtype_name(b.dtype));
  if (m.acc_dtype != OPMUX_I32 && m.acc_dtype != OPMUX_F32)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_quant_matmul, acc_dtype)), m.acc_dtype,
                OPMUX_F32, "acc_dtype is %s, must be f32 or i32", dtype_name(m.acc_dtype));
  const bool whole = is_int(a.dtype) && is_int(b.dtype) && m.b_code == OPMUX_WEIGHT_LINEAR && !v.has_in(2) &&
                     !v.has_in(4) && (!v.has_in(5) || is_int(v.in(5).dtype));
  if (m.acc_dtype == OPMUX_I32 && !whole)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_op_quant_matmul, acc_dtype)), OPMUX_I32, OPMUX_F32,
                "acc_dtype i32 needs integers with integer zeros and no scales");
  return true;
}

}  // namespace

bool quant_matmul(const View& v, Shapes& s, Problem& p) {
  const auto& m = v.attr<opmux_op_quant_matmul>();
  if (!check_codes(v, m, p)) return false;
  const opmux_tdesc& a = v.in(0);
  int64_t shape[8] = {};
  uint32_t rank = 0;
  if (!matmul_shape(v, shape, rank, p)) return false;
  const Side sides[] = {{0, 2, m.a_group, "a", "a_scale", 0},
                        {0, 3, m.a_group, "a", "a_zero", 0},
                        {1, 4, m.b_group, "b", "b_scale", 1},
                        {1, 5, m.b_group, "b", "b_zero", 1}};
  for (const Side& side : sides)
    if (!check_parameter(v, side, p)) return false;
  const uint32_t asked = v.out(0).dtype;
  const bool narrow = asked == OPMUX_F16 || asked == OPMUX_BF16 || asked == OPMUX_F32;
  const uint32_t plain = m.acc_dtype == OPMUX_I32                            ? OPMUX_I32
                         : narrow                                            ? asked
                         : is_int(a.dtype) || OPMUX_DTYPE_BITS(a.dtype) < 16 ? OPMUX_F32
                                                                             : a.dtype;
  s.set(0, plain, {shape, rank});
  return true;
}

}  // namespace rules
}  // namespace opmux::schema
