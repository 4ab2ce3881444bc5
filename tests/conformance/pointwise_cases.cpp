// SPDX-License-Identifier: Apache-2.0
// Programs for the pointwise operator, from the table of functions.
#include <algorithm>

#include "tests/conformance/cases.hpp"
#include "tests/conformance/options.hpp"

namespace opmux::cts {
namespace {

using schema::OpCases;

// Shapes of three inputs that broadcast to the first one of them.
struct Shape {
  const char* name;
  std::vector<int64_t> a, b, c;
};
const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {
      {"scalar", {}, {}, {}},
      {"empty", {0, 3}, {3}, {}},
      {"tail", {131}, {131}, {1}},
      {"matrix", {31, 33}, {1, 33}, {31, 1}},
      {"rank8", {2, 1, 3, 1, 2, 3, 1, 5}, {3, 1, 5}, {1, 1, 1, 1, 2, 1, 1, 1}},
      {"large", {3, 4097}, {3, 4097}, {4097}},
  };
  return all;
}

class Maker {
 public:
  Maker(const OpCases& from, uint64_t seed) : from_(from), info_(*schema::find(from.op)), seed_(seed) {}

  // A program over inputs of these types; made(values) gets the numbers of the values of a program.
  Case start(const std::string& name, const Shape& shape, std::span<const uint32_t> types, View view) const {
    Case c{name + "." + shape.name,
           Descriptor(info_),
           &from_,
           nullptr,
           types.empty() ? OPMUX_F32 : types[0],
           view,
           1};
    const std::vector<int64_t>* dims[] = {&shape.a, &shape.b, &shape.c};
    for (size_t i = 0; i < types.size(); ++i) c.d.in.push_back(kit::tensor(types[i], *dims[i % 3]));
    return c;
  }
  void finish(Case c, kit::Program p, uint32_t result, const Shape& shape, View view,
              std::vector<Case>& out) const {
    c.d.program.push_back(std::move(p));
    c.d.out.push_back(kit::tensor(result, shape.a));
    Random random(c.name, seed_);
    if (apply_view(c, view, random)) out.push_back(std::move(c));
  }
  bool knows(uint32_t dtype) const {
    return std::find(from_.dtypes.begin(), from_.dtypes.end(), dtype) != from_.dtypes.end();
  }
  uint64_t seed() const { return seed_; }

 private:
  const OpCases& from_;
  const schema::OpInfo& info_;
  uint64_t seed_;
};

void add_function(const Maker& maker, const schema::FnDef& f, uint32_t dtype, const Shape& shape, View view,
                  std::vector<Case>& out) {
  std::vector<uint32_t> types(f.arity, dtype);
  if (f.fn == OPMUX_FN_SELECT) types[0] = OPMUX_BOOL;
  const std::string name = std::string("operator/pointwise/") + f.name + "." + schema::dtype_name(dtype);
  Case c = maker.start(name, shape, types, view);
  c.dtype = dtype;
  kit::Program p(OPMUX_SLOT_MAIN, f.arity);
  const uint32_t result = f.result == schema::FnResult::kBool ? OPMUX_BOOL : dtype;
  if (f.fn == OPMUX_FN_CONST)
    p.out(p.constant(dtype, dtype == OPMUX_BOOL ? 1 : hash_of(name) >> (64 - OPMUX_DTYPE_BITS(dtype))));
  else
    p.out(p.apply(f.fn, result, 0, f.arity > 1 ? 1 : 0, f.arity > 2 ? 2 : 0));
  maker.finish(std::move(c), std::move(p), result, shape, view, out);
}

void add_casts(const Maker& maker, bool full, std::vector<Case>& out) {
  for (const schema::DtypeDef& from : schema::kDtypes)
    for (const schema::DtypeDef& to : schema::kDtypes)
      for (const uint32_t flags : {0u, OPMUX_INSN_SATURATE}) {
        if (from.dtype == OPMUX_C64 || to.dtype == OPMUX_C64) continue;
        const std::string name = std::string("operator/pointwise/CAST.") + from.name + "." + to.name +
                                 (flags != 0 ? ".saturate" : "");
        if (!full && hash_of(name, maker.seed()) % 3 != 0 &&
            !(maker.knows(from.dtype) && maker.knows(to.dtype)))
          continue;
        const Shape& shape = shapes()[hash_of(name) % 2 == 0 ? 2 : 3];
        Case c = maker.start(name, shape, std::array{from.dtype}, kContiguous);
        kit::Program p(OPMUX_SLOT_MAIN, 1);
        p.out(p.apply(OPMUX_FN_CAST, to.dtype, 0, 0, 0, flags));
        const View view = hash_of(name) % 5 == 0 ? kSliced : kContiguous;
        maker.finish(std::move(c), std::move(p), to.dtype, shape, view, out);
      }
}

// Several instructions whose every value is exact or correctly rounded, so that the result is known to the
// bit.
void add_chain(const Maker& maker, uint64_t number, std::vector<Case>& out) {
  constexpr uint32_t kTypes[] = {OPMUX_F32, OPMUX_F32, OPMUX_F16, OPMUX_BF16, OPMUX_F64,
                                 OPMUX_I32, OPMUX_I64, OPMUX_I16, OPMUX_U8};
  constexpr uint32_t kBinary[] = {OPMUX_FN_ADD, OPMUX_FN_SUB, OPMUX_FN_MUL, OPMUX_FN_MIN, OPMUX_FN_MAX};
  const std::string name = "operator/pointwise/chain" + std::to_string(number);
  Random random(name, maker.seed());
  const uint32_t dtype = kTypes[random.below(std::size(kTypes))],
                 other = kTypes[random.below(std::size(kTypes))];
  const Shape& shape = shapes()[1 + random.below(shapes().size() - 1)];
  Case c = maker.start(name + "." + schema::dtype_name(dtype), shape, std::array{dtype, dtype, dtype},
                       kContiguous);
  kit::Program p(OPMUX_SLOT_MAIN, 3);
  std::vector<uint32_t> values{0, 1, 2};
  const uint64_t length = 2 + random.below(10);
  for (uint64_t i = 0; i < length; ++i) {
    const uint32_t a = random.any(values), b = random.any(values);
    const uint64_t kind = random.below(8);
    if (kind == 0) {
      const uint32_t less = p.apply(OPMUX_FN_LT, OPMUX_BOOL, a, b);
      values.push_back(p.apply(OPMUX_FN_SELECT, dtype, less, b, random.any(values)));
    } else if (kind == 1) {
      const uint32_t there = p.apply(OPMUX_FN_CAST, other, a, 0, 0, OPMUX_INSN_SATURATE);
      values.push_back(p.apply(OPMUX_FN_CAST, dtype, there, 0, 0, OPMUX_INSN_SATURATE));
    } else if (kind == 2) {
      values.push_back(p.apply(random.one_in(2) ? OPMUX_FN_ABS : OPMUX_FN_RELU, dtype, a));
    } else {
      values.push_back(p.apply(kBinary[random.below(std::size(kBinary))], dtype, a, b));
    }
  }
  p.out(values.back());
  constexpr View kSome[] = {kContiguous, kTransposed, kReversed, kSliced, kBroadcast};
  maker.finish(std::move(c), std::move(p), dtype, shape, kSome[random.below(5)], out);
}

}  // namespace

std::vector<Case> pointwise_cases(bool full, uint64_t seed, const std::string& filter) {
  const OpCases* from = cases_of(OPMUX_OP_POINTWISE);
  std::vector<Case> all;
  const Maker maker(*from, seed);
  const bool one = full || filter.find_first_of("*?") == std::string::npos;
  for (const schema::FnDef& f : schema::kFns) {
    if (f.fn == OPMUX_FN_CAST) continue;
    for (const uint32_t dtype : from->dtypes) {
      if (f.types != 0 && (f.types & schema::type_bit(dtype)) == 0) continue;
      const uint64_t turn = hash_of(f.name, seed + dtype);
      for (size_t s = 0; s < shapes().size(); ++s)
        for (const View view : {kContiguous, kTransposed, kReversed, kBroadcast, kSliced}) {
          const bool mine = s == turn % shapes().size() && view == turn / 8 % 5;
          const bool plain = shapes()[s].a.size() == 1 && view == kContiguous;
          if (one || mine || plain) add_function(maker, f, dtype, shapes()[s], view, all);
        }
    }
  }
  add_casts(maker, one, all);
  for (uint64_t i = 0; i < (full ? 1000 : 120); ++i) add_chain(maker, i, all);
  std::erase_if(all, [&](const Case& c) { return !matches(filter, c.name); });
  return all;
}

}  // namespace opmux::cts
