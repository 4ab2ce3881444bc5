// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/cases.hpp"

#include <algorithm>
#include <set>

#include "tests/conformance/options.hpp"

namespace opmux::cts {
namespace {

using schema::CaseAttr;
using schema::CaseDims;
using schema::CaseLine;
using schema::OpCases;
using schema::OpDef;

// What one combination of a line is made of; indices into the alternatives.
struct Choice {
  uint32_t dtype = OPMUX_NONE;
  std::vector<size_t> attr, type;
  bool all_outputs = true, epilogue = false;
};

uint32_t type_of(const OpDef& def, const OpCases& from, const CaseLine& line, const Choice& choice,
                 uint32_t i, const std::vector<opmux_tdesc>& in) {
  for (size_t k = 0; k < line.types.size(); ++k)
    if (line.types[k].input == i) return line.types[k].dtypes[choice.type[k]];
  if (i == from.primary) return choice.dtype;
  const schema::Operand& o = def.in[std::min<size_t>(i, def.in.size() - 1)];
  const auto same = static_cast<uint32_t>(o.same_type);
  if (o.same_type != schema::kNoOperand)
    return same == from.primary ? choice.dtype : same < in.size() ? in[same].dtype : choice.dtype;
  if ((o.types & schema::type_bit(choice.dtype)) != 0 || o.types == 0) return choice.dtype;
  // Both index types get their turn.
  const bool both =
      (o.types & schema::type_bit(OPMUX_I64)) != 0 && (o.types & schema::type_bit(OPMUX_I32)) != 0;
  if (both && OPMUX_DTYPE_BITS(choice.dtype) % 32 != 0) return OPMUX_I32;
  if ((o.types & schema::type_bit(OPMUX_I64)) != 0) return OPMUX_I64;
  for (const schema::DtypeDef& t : schema::kDtypes)
    if ((o.types & schema::type_bit(t.dtype)) != 0) return t.dtype;
  return choice.dtype;
}

opmux_tdesc shaped(uint32_t dtype, const CaseDims& dims) {
  if (dims.rank < 0) return {};
  return kit::tensor(dtype, std::span<const int64_t>(dims.dim, static_cast<size_t>(dims.rank)));
}

void set_inputs(Descriptor& d, const OpDef& def, const OpCases& from, const CaseLine& line,
                const Choice& choice) {
  const size_t n = std::max<size_t>(line.in.size(), def.info->n_in_min);
  for (uint32_t i = 0; i < n; ++i) {
    const CaseDims dims = i < line.in.size() ? line.in[i] : CaseDims{0, {}};
    d.in.push_back(shaped(type_of(def, from, line, choice, i, d.in), dims));
  }
}

void set_attributes(Descriptor& d, const OpDef& def, const CaseLine& line, const Choice& choice) {
  const uint32_t dtype = choice.dtype;
  const uint32_t acc = OPMUX_DTYPE_CLASS(dtype) != OPMUX_CLASS_FLOAT ? OPMUX_I32
                       : dtype == OPMUX_F64                          ? OPMUX_F64
                                                                     : OPMUX_F32;
  for (const schema::Attr& a : def.attr)
    if (a.check == schema::AttrCheck::kDtype) d.set<uint32_t>(a.offset, acc);
  for (size_t k = 0; k < line.attr.size(); ++k) {
    const CaseAttr& a = line.attr[k];
    const schema::CaseValue& v = a.values[choice.attr[k]];
    if (a.type == schema::AttrType::kSlice)
      d.set(a.offset, d.add_list(v.list));
    else if (a.type == schema::AttrType::kF32)
      d.set(a.offset, static_cast<float>(v.number));
    else if (a.type == schema::AttrType::kI32)
      d.set(a.offset, static_cast<int32_t>(v.number));
    else
      d.set(a.offset, static_cast<uint32_t>(v.number));
  }
}

bool set_outputs(Descriptor& d, const OpDef& def, const CaseLine& line, const Choice& choice) {
  const schema::OpInfo& info = *def.info;
  const uint32_t n = line.outputs_listed ? std::max(static_cast<uint32_t>(line.out.size()), info.n_out_min)
                     : choice.all_outputs && !def.variadic_out ? info.n_out_max
                                                               : info.n_out_min;
  for (uint32_t o = 0; o < n; ++o) {
    const schema::Output& f = def.out[std::min<size_t>(o, def.out.size() - 1)];
    const uint32_t dtype = f.dtype_from == schema::Source::kInput   ? d.in[f.dtype].dtype
                           : f.dtype_from == schema::Source::kFixed ? f.dtype
                                                                    : choice.dtype;
    const bool listed = o < line.out.size() && line.out[o].rank >= 0;
    d.out.push_back(shaped(dtype, listed ? line.out[o] : CaseDims{0, {}}));
  }
  for (const schema::CaseAlias& a : line.alias) {
    d.alias.resize(d.out.size());
    if (a.output < d.out.size()) d.alias[a.output] = a.input + 1u;
  }
  std::vector<opmux_tdesc> made(d.out.size());
  schema::Problem p;
  if (!schema::infer(*d.opd(), made.data(), p)) {
    // Where the descriptor says a part of the shape, inference wants all of it; without a list there is none.
    for (opmux_tdesc& t : d.out) t = {};
    if (line.outputs_listed || !schema::infer(*d.opd(), made.data(), p)) return false;
  }
  for (size_t o = 0; o < made.size(); ++o) {
    const bool absent = line.outputs_listed && o < line.out.size() && line.out[o].rank < 0;
    d.out[o] = absent ? opmux_tdesc{} : made[o];
  }
  return true;
}

// max(value + bias, 0), cast to the type that the output had; a bias that varies along some axes.
bool add_epilogue(Descriptor& d, const OpDef& def, uint64_t salt) {
  schema::View view;
  if (!schema::open_view(*d.opd(), view) || d.out[0].rank == 0) return false;
  const uint32_t value = def.epilogue_dtype(view), result = d.out[0].dtype;
  opmux_tdesc bias = kit::tensor(value, {d.out[0].dim, d.out[0].rank});
  for (uint32_t i = 0; i < bias.rank; ++i)
    if (((salt >> i) & 1) != 0) bias.dim[i] = 1;
  bias = kit::tensor(value, {bias.dim, bias.rank});
  kit::Program p(OPMUX_SLOT_EPILOGUE(0), 2);
  const uint32_t sum = p.apply(OPMUX_FN_ADD, value, 0, 1), positive = p.apply(OPMUX_FN_RELU, value, sum);
  p.out(result == value ? positive : p.apply(OPMUX_FN_CAST, result, positive));
  d.program.push_back(p);
  d.in.push_back(bias);
  return true;
}

bool make(const OpCases& from, const CaseLine& line, const Choice& choice, Case& c) {
  const OpDef& def = *schema::find_def(from.op);
  set_inputs(c.d, def, from, line, choice);
  set_attributes(c.d, def, line, choice);
  if (!set_outputs(c.d, def, line, choice) || c.d.out.empty()) return false;
  if (choice.epilogue && !add_epilogue(c.d, def, hash_of(c.name))) return false;
  schema::Problem p;
  if (!schema::validate(*c.d.opd(), p)) return false;
  schema::View view;
  schema::open_view(*c.d.opd(), view);
  c.K = std::max<uint64_t>(from.strict.length(view).value(), 1);
  return true;
}

// Calls f with every combination of indices below the sizes.
template <class F>
void product(const std::vector<size_t>& sizes, const F& f) {
  std::vector<size_t> at(sizes.size(), 0);
  for (size_t n : sizes)
    if (n == 0) return;
  for (;;) {
    f(at);
    size_t i = sizes.size();
    while (i > 0 && ++at[i - 1] == sizes[i - 1]) at[--i] = 0;
    if (i == 0) return;
  }
}

std::string suffix(const CaseLine& line, const Choice& choice) {
  std::string s;
  for (size_t k = 0; k < line.attr.size(); ++k)
    if (line.attr[k].values.size() > 1)
      s += std::string(".") + line.attr[k].name + std::to_string(choice.attr[k]);
  for (size_t k = 0; k < line.types.size(); ++k)
    if (line.types[k].dtypes.size() > 1)
      s += std::string(".") + schema::dtype_name(line.types[k].dtypes[choice.type[k]]);
  if (!choice.all_outputs) s += ".required";
  if (choice.epilogue) s += ".epilogue";
  return s;
}

}  // namespace

const OpCases* cases_of(uint32_t op) {
  for (const OpCases& c : schema::all_cases())
    if (c.op == op) return &c;
  return nullptr;
}

void expand_line(const OpCases& from, size_t line_index, const std::function<void(Case&&)>& made) {
  const CaseLine& line = from.lines[line_index];
  const OpDef& def = *schema::find_def(from.op);
  std::vector<size_t> attrs, types;
  for (const CaseAttr& a : line.attr) attrs.push_back(a.values.size());
  for (const schema::CaseTypes& t : line.types) types.push_back(t.dtypes.size());
  std::vector<bool> outputs{true};
  if (!line.outputs_listed && def.info->n_out_max != def.info->n_out_min && !def.variadic_out)
    outputs.push_back(false);
  for (const uint32_t dtype : from.dtypes)
    product(attrs, [&](const std::vector<size_t>& attr) {
      product(types, [&](const std::vector<size_t>& type) {
        for (const bool all : outputs)
          for (const bool epilogue : {false, true}) {
            if (epilogue && (def.epilogue_outputs & 1) == 0) continue;
            const Choice choice{dtype, attr, type, all, epilogue};
            Case c{std::string(def.info->name) + "/" + std::to_string(line_index) + "." +
                       schema::dtype_name(dtype) + suffix(line, choice),
                   Descriptor(*def.info),
                   &from,
                   &line,
                   dtype,
                   kContiguous,
                   1};
            if (make(from, line, choice, c)) made(std::move(c));
          }
      });
    });
}

// Does every element of input i have a value of its own, which repeating would make wrong?
static bool stands_alone(const Case& c, size_t i) {
  if (!c.from || c.from->in.empty()) return false;
  const schema::Values& v = c.from->in[std::min(i, c.from->in.size() - 1)];
  return v.unique || v.sorted || v.kind == schema::ValueKind::kCoordinates ||
         v.kind == schema::ValueKind::kOffsets || v.kind == schema::ValueKind::kProbability;
}

bool apply_view(Case& c, View view, Random& random) {
  c.view = view;
  c.name += std::string(".") + kViewName[view];
  bool changed = view == kContiguous;
  for (size_t i = 0; i < c.d.in.size(); ++i) {
    opmux_tdesc& t = c.d.in[i];
    const opmux_tdesc before = t;
    set_view(t, view == kBroadcast && stands_alone(c, i) ? kContiguous : view, random);
    changed |= std::memcmp(before.stride, t.stride, sizeof t.stride) != 0;
  }
  // An output that is bound to an input's memory has its strides; else every other one takes the view too.
  const bool outputs = view != kBroadcast && random.one_in(2);
  for (size_t o = 0; o < c.d.out.size(); ++o) {
    opmux_tdesc& t = c.d.out[o];
    const uint32_t alias = o < c.d.alias.size() ? c.d.alias[o] : 0;
    if (alias != 0) {
      opmux_tdesc& x = c.d.in[alias - 1];
      for (uint32_t i = 0; i < x.rank; ++i)
        if (x.dim[i] > 1 && x.stride[i] == 0) x = kit::tensor(x.dtype, {x.dim, x.rank});
      std::copy_n(x.stride, 8, t.stride);
    } else if (outputs && t.dtype != OPMUX_NONE) {
      set_view(t, view, random);
    }
  }
  for (size_t i = 0; i < c.d.in.size(); ++i)
    if (c.d.in[i].rank == 0 && c.d.in[i].dtype != OPMUX_NONE && random.one_in(2) &&
        std::none_of(c.d.alias.begin(), c.d.alias.end(), [&](uint32_t a) { return a == i + 1; }))
      c.d.in[i].flags |= OPMUX_T_HOST_SCALAR;
  schema::Problem p;
  return changed && schema::validate(*c.d.opd(), p);
}

namespace {

// Quick runs take so many cases of one operator, beside those that are needed for every line, type and view.
constexpr uint64_t kQuickCases = 90;

void add_views(const OpCases& from, const Case& base, const std::string& prefix, uint64_t seed,
               std::vector<Case>& out) {
  for (uint32_t view = 0; view < kViews; ++view) {
    if (((from.views >> view) & 1) == 0) continue;
    Case c = base;
    c.name = prefix + c.name;
    Random random(c.name + kViewName[view], seed);
    if (apply_view(c, static_cast<View>(view), random)) out.push_back(std::move(c));
  }
}

// Keeps, of the cases of one operator, all whose feature (line, type, view, attribute) is new, and a share of
// the rest.
void thin(std::vector<Case>& cases, uint64_t seed) {
  std::sort(cases.begin(), cases.end(), [&](const Case& a, const Case& b) {
    return hash_of(a.name, seed + 1) < hash_of(b.name, seed + 1);
  });
  std::set<std::string> seen;
  std::vector<Case> kept;
  const uint64_t total = cases.size();
  for (uint64_t i = 0; i < total; ++i) {
    Case& c = cases[i];
    const std::string dtype = schema::dtype_name(c.dtype), view = kViewName[c.view];
    const std::string combination = c.name.substr(0, c.name.rfind('.'));
    bool fresh = seen.insert(dtype + view).second;
    fresh |= seen.insert(combination.substr(0, combination.find(dtype)) + view).second;
    fresh |= seen.insert(combination.substr(combination.find(dtype) + dtype.size())).second;
    if (fresh || kept.size() < kQuickCases) kept.push_back(std::move(c));
  }
  cases = std::move(kept);
}

}  // namespace

std::vector<Case> operator_cases(bool full, uint64_t seed, const std::string& filter,
                                 std::vector<std::string>& empty) {
  std::vector<Case> all;
  const bool one = filter.find_first_of("*?") == std::string::npos;
  for (const OpCases& from : schema::all_cases()) {
    if (from.op == OPMUX_OP_POINTWISE) continue;
    std::vector<Case> mine;
    for (size_t i = 0; i < from.lines.size(); ++i) {
      const size_t before = mine.size();
      expand_line(from, i, [&](Case&& c) { add_views(from, c, "operator/", seed, mine); });
      if (mine.size() == before)
        empty.push_back(std::string("operator/") + schema::find(from.op)->name + "/" + std::to_string(i));
    }
    if (!full && !one) thin(mine, seed);
    for (Case& c : mine)
      if (matches(filter, c.name)) all.push_back(std::move(c));
  }
  return all;
}

}  // namespace opmux::cts
