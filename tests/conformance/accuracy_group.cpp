// SPDX-License-Identifier: Apache-2.0
// Group accuracy: special values, which no tolerance may hide; both accuracy classes; functions of programs
// over every code of 16-bit types and over all magnitudes of the wide ones.
#include <algorithm>
#include <bit>
#include <cmath>

#include "kit/scalar.hpp"
#include "kit/view.hpp"
#include "tests/conformance/suite.hpp"

namespace opmux::cts {
namespace {

using schema::BoundForm;

bool is_float(uint32_t dtype) { return OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_FLOAT; }

// A sum of huge numbers overflows or not by its order; every other special value has one right answer.
bool makes_sense(const schema::OpCases& from, Flavour f) {
  return f != Flavour::kHuge || from.strict.form == BoundForm::kExact || from.strict.form == BoundForm::kUlp;
}

void add_special(Suite& suite, const Case& base, size_t turn) {
  for (const Flavour f :
       {Flavour::kNan, Flavour::kInfinity, Flavour::kZeros, Flavour::kSubnormal, Flavour::kHuge}) {
    if (!makes_sense(*base.from, f)) continue;
    // Powers of subnormal numbers vanish in the computing type, and roots bring that loss back to light.
    if (f == Flavour::kSubnormal && (base.from->op == OPMUX_OP_POOL || base.from->op == OPMUX_OP_REDUCE))
      continue;
    if (!suite.options.full && turn % 3 != static_cast<size_t>(f) % 3) continue;
    Case c = base;
    c.name = "accuracy/" + base.name + "." + kFlavourName[static_cast<int>(f)];
    const std::string name = c.name;
    suite.add(name, [&suite, c = std::move(c), f](Lane& lane) {
      Manner manner{f, OPMUX_MATH_STRICT, false, false};
      manner.may_fault = true;  // a row of nothing but -infinity has no sample
      check_case(suite, lane, c, manner);
    });
  }
}

void add_strict(Suite& suite, const Case& base) {
  const schema::Bound &s = base.from->strict, &a = base.from->algebraic;
  if (s.form == a.form && s.c == a.c) return;
  Case c = base;
  c.name = "accuracy/" + base.name + ".strict";
  const std::string name = c.name;
  suite.add(name, [&suite, c = std::move(c)](Lane& lane) {
    check_case(suite, lane, c, {Flavour::kOrdinary, OPMUX_MATH_STRICT, true, false});
  });
}

// Numbers of every magnitude, those around which functions bend, and the special ones.
double telling(uint32_t dtype, Random& r) {
  constexpr double kCorners[] = {0.0,   -0.0,   1,      -1,   0.5, -0.5,     2,        -2,   1.5,
                                 2.5,   3.5,    -2.5,   1e-3, 88,  -88,      710,      -745, 104,
                                 M_PI,  M_PI_2, M_E,    10,   127, 128,      255,      256,  32767,
                                 32768, 0x1p31, 0x1p53, 1e30, NAN, HUGE_VAL, -HUGE_VAL};
  const double sign = r.one_in(2) ? -1 : 1;
  const int range = dtype == OPMUX_F64 ? 1074 : dtype == OPMUX_F16 ? 24 : 149;
  switch (r.below(4)) {
    case 0:
      return kCorners[r.below(std::size(kCorners))];
    case 1:
      return sign * std::ldexp(1 + r.unit(), static_cast<int>(r.between(-range, range * 7 / 8)));
    case 2:
      return std::nextafter(static_cast<float>(kCorners[r.below(std::size(kCorners))]),
                            r.one_in(2) ? 1e9f : -1e9f);
    default:
      return r.normal() * (r.one_in(2) ? 1 : 20);
  }
}

// Operand 0 of a 16-bit type counts through all its codes.
void fill_telling(const opmux_opd& d, Image& image, Random& random) {
  for (uint32_t i = 0; i < d.n_in; ++i) {
    const opmux_tdesc& t = d.in[i];
    const bool every = i == 0 && OPMUX_DTYPE_BITS(t.dtype) == 16 && t.rank == 1 && t.dim[0] == 65536;
    kit::Walk walk(t);
    walk.add(t);
    uint64_t code = 0;
    walk.each([&](const int64_t* at) {
      const double x = telling(t.dtype, random);
      kit::store(t.dtype, image.at(i), at[0],
                 every                   ? kit::from_bits(t.dtype, code)
                 : t.dtype == OPMUX_BOOL ? kit::of_bool(x > 0)
                                         : kit::of_float(kit::round_to(t.dtype, x)));
      ++code;
    });
  }
}

void add_function(Suite& suite, const schema::OpCases& from, const schema::FnDef& f, uint32_t dtype) {
  const schema::OpInfo& info = *schema::find(from.op);
  const std::string name = std::string("accuracy/pointwise/") + f.name + "." + schema::dtype_name(dtype);
  if (!suite.wanted(name)) return;
  const bool every = OPMUX_DTYPE_BITS(dtype) == 16;
  const int64_t n = every ? 65536 : suite.options.full ? 262144 : 12289;
  Case c{name, Descriptor(info), &from, nullptr, dtype, kContiguous, 1};
  kit::Program p(OPMUX_SLOT_MAIN, f.arity);
  for (uint32_t i = 0; i < f.arity; ++i)
    c.d.in.push_back(kit::tensor(i == 0 && f.fn == OPMUX_FN_SELECT ? OPMUX_BOOL : dtype, {n}));
  const uint32_t result = f.result == schema::FnResult::kBool ? OPMUX_BOOL : dtype;
  p.out(p.apply(f.fn, result, 0, f.arity > 1 ? 1 : 0, f.arity > 2 ? 2 : 0));
  c.d.program.push_back(p);
  c.d.out.push_back(kit::tensor(result, {n}));
  suite.add(name, [&suite, c = std::move(c)](Lane& lane) {
    Manner manner{Flavour::kOrdinary, 0, false, true};
    manner.fill = fill_telling;
    check_case(suite, lane, c, manner);
  });
}

}  // namespace

void add_accuracy_tests(Suite& suite) {
  for (const schema::OpCases& from : schema::all_cases()) {
    if (from.op == OPMUX_OP_POINTWISE) {
      for (const schema::FnDef& f : schema::kFns)
        for (const uint32_t dtype : from.dtypes)
          if (f.arity > 0 && f.fn != OPMUX_FN_CAST && is_float(dtype) &&
              (f.types & schema::type_bit(dtype)) != 0)
            add_function(suite, from, f, dtype);
      continue;
    }
    for (size_t line = 0; line < from.lines.size(); ++line) {
      size_t turn = hash_of(schema::find(from.op)->name, suite.seed()) % 7 + line;
      expand_line(from, line, [&](Case&& c) {
        if (!is_float(c.dtype)) return;
        add_special(suite, c, turn++);
        add_strict(suite, c);
      });
    }
  }
}

}  // namespace opmux::cts
