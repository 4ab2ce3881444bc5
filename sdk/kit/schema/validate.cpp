// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

constexpr uint32_t kMaxHeaderSize = 1u << 16;
constexpr uint32_t kMaxChain = 64;

long long ll(int64_t v) { return v; }

bool check_chain(const View& v, Problem& p) {
  uint32_t n = 0;
  for (const opmux_ext* e = v.d->h.next; e != nullptr; e = e->next) {
    if (++n > kMaxChain)
      return fail(p, v.name(), {}, n, kMaxChain, "the extension chain has more than %u links", kMaxChain);
    if (e->size < sizeof(opmux_ext))
      return fail(p, v.name(), {}, e->size, sizeof(opmux_ext),
                  "extension 0x%x says size %u, the least is %zu", e->tag, e->size, sizeof(opmux_ext));
    if ((e->tag & OPMUX_EXT_CRITICAL) != 0)
      return fail(p, v.name(), {OPMUX_WHY_ATTR, OPMUX_NO_ARG, 0}, e->tag, 0,
                  "the critical extension 0x%x is unknown", e->tag);
  }
  return true;
}

// The head, up to where pointers may be followed; fills v but for n_own.
bool open(const opmux_opd& d, View& v, Problem& p) {
  p = {};
  if (d.h.size < sizeof(opmux_opd) || d.h.size > kMaxHeaderSize)
    return fail(p, "descriptor", {}, d.h.size, sizeof(opmux_opd), "size is %u, must be %zu to %u", d.h.size,
                sizeof(opmux_opd), kMaxHeaderSize);
  v.d = &d;
  v.def = find_def(d.op);
  if (v.def == nullptr)
    return fail(p, "descriptor", {OPMUX_WHY_OP}, d.op, 0, "operator 0x%08x is unknown", d.op);
  const OpInfo& info = *v.def->info;
  const auto* bytes = reinterpret_cast<const std::byte*>(&d);
  std::memcpy(v.attrs.data(), bytes, std::min(d.h.size, info.desc_size));
  for (uint32_t i = info.desc_size; i < d.h.size; ++i)
    if (bytes[i] != std::byte{0})
      return fail(p, v.name(), View::at_attr(i), std::to_integer<int64_t>(bytes[i]), 0,
                  "byte %u is %u beyond the %u known bytes, must be 0", i,
                  std::to_integer<unsigned>(bytes[i]), info.desc_size);
  if (d.h.tag != 0) return fail(p, v.name(), {}, d.h.tag, 0, "the head has tag 0x%x, must be 0", d.h.tag);
  if (d.rev == 0 || d.rev > info.rev)
    return fail(p, v.name(), {OPMUX_WHY_REVISION}, d.rev, info.rev, "revision is %u, known are 1 to %u",
                d.rev, info.rev);
  if ((d.math & ~kMathBits) != 0)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_opd, math)), d.math, kMathBits,
                "math is 0x%x, only the bits 0x%x have a meaning", d.math, kMathBits);
  if (d.reserved != 0 || d.reserved2[0] != 0 || d.reserved2[1] != 0)
    return fail(p, v.name(), View::at_attr(offsetof(opmux_opd, reserved)), 1, 0,
                "a reserved word of the head is set");
  return check_chain(v, p);
}

bool check_counts(View& v, Problem& p) {
  const opmux_opd& d = *v.d;
  const OpInfo& info = *v.def->info;
  uint64_t extra = 0;
  if (!program_inputs(v, extra, p)) return false;
  if (d.n_in < extra + info.n_in_min || d.n_in > extra + info.n_in_max)
    return fail(p, v.name(), {}, d.n_in, static_cast<int64_t>(extra + info.n_in_max),
                "has %u inputs, needs %u to %u and %u for programs", d.n_in, info.n_in_min, info.n_in_max,
                static_cast<unsigned>(extra));
  if (d.n_out < info.n_out_min || d.n_out > info.n_out_max)
    return fail(p, v.name(), {}, d.n_out, info.n_out_max, "has %u outputs, needs %u to %u", d.n_out,
                info.n_out_min, info.n_out_max);
  if (d.n_in != 0 && d.in == nullptr)
    return fail(p, v.name(), {}, 0, d.n_in, "has %u inputs behind a null pointer", d.n_in);
  if (d.n_list != 0 && d.list == nullptr)
    return fail(p, v.name(), {}, 0, d.n_list, "has %u list entries behind a null pointer", d.n_list);
  v.n_own = d.n_in - static_cast<uint32_t>(extra);
  return true;
}

bool check_type(const View& v, const Operand& o, const opmux_tdesc& t, uint32_t i, Problem& p) {
  if (o.types != 0 && (o.types & type_bit(t.dtype)) == 0) {
    char names[128] = {};
    for (const DtypeDef& k : kDtypes) {
      if ((o.types & type_bit(k.dtype)) == 0) continue;
      const size_t at = std::strlen(names);
      if (at + 12 > sizeof(names)) break;
      std::snprintf(names + at, sizeof(names) - at, "%s%s", at == 0 ? "" : ", ", k.name);
    }
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, i), t.dtype, 0, "%s is %s, must be one of %s", o.name,
                dtype_name(t.dtype), names);
  }
  if (o.same_type != kNoOperand && v.in(static_cast<uint32_t>(o.same_type)).dtype != t.dtype) {
    const uint32_t want = v.in(static_cast<uint32_t>(o.same_type)).dtype;
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, i), t.dtype, want, "%s is %s, but %s is %s", o.name,
                dtype_name(t.dtype), v.def->in[static_cast<size_t>(o.same_type)].name, dtype_name(want));
  }
  return true;
}

bool check_input(const View& v, uint32_t i, Problem& p) {
  const Operand& o = v.def->in[std::min<size_t>(i, v.def->in.size() - 1)];
  const opmux_tdesc& t = v.in(i);
  if (t.dtype == OPMUX_NONE) {
    if (!o.optional)
      return fail(p, v.name(), v.at_in(OPMUX_WHY_DTYPE, i), 0, 0, "input %u (%s) is absent", i, o.name);
    return t.rank == 0 || fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, i), t.rank, 0,
                               "%s is absent, but has rank %u, must be 0", o.name, t.rank);
  }
  if (!check_tensor(v, t, o.name, false, i, p) || !check_type(v, o, t, i, p)) return false;
  if (t.rank < o.rank_min || t.rank > o.rank_max)
    return fail(p, v.name(), v.at_in(OPMUX_WHY_RANK, i), t.rank,
                t.rank < o.rank_min ? o.rank_min : o.rank_max, "%s has rank %u, must be %u to %u", o.name,
                t.rank, o.rank_min, o.rank_max);
  if (o.broadcast_to != kNoOperand && !broadcasts(t, v.in(static_cast<uint32_t>(o.broadcast_to)))) {
    const opmux_tdesc& to = v.in(static_cast<uint32_t>(o.broadcast_to));
    return fail(p, v.name(), v.at_in(OPMUX_WHY_DIM, i), extent(t, -1), extent(to, -1),
                "%s (rank %u, last dim %lld) does not broadcast to %s (rank %u, last dim %lld)", o.name,
                t.rank, ll(extent(t, -1)), v.def->in[static_cast<size_t>(o.broadcast_to)].name, to.rank,
                ll(extent(to, -1)));
  }
  return true;
}

template <class T>
T read(const View& v, uint32_t offset) {
  T value;
  std::memcpy(&value, v.attrs.data() + offset, sizeof(T));
  return value;
}

bool check_float(const View& v, const Attr& a, Problem& p) {
  const double x = static_cast<double>(read<float>(v, a.offset));
  const At at = View::at_attr(a.offset);
  if (a.check == AttrCheck::kRange)
    return (x >= a.min && x <= a.max) ||
           fail(p, v.name(), at, 0, 0, "%s is %g, must be in [%g, %g]", a.name, x, a.min, a.max);
  return std::isfinite(x) || fail(p, v.name(), at, 0, 0, "%s is %g, must be finite", a.name, x);
}

bool check_attr(const View& v, const Attr& a, Problem& p) {
  if (a.type == AttrType::kSlice) {
    const auto s = read<opmux_slice>(v, a.offset);
    if (s.first > v.d->n_list || s.count > v.d->n_list - s.first)
      return fail(p, v.name(), View::at_attr(a.offset), int64_t{s.first} + s.count, v.d->n_list,
                  "%s ends at entry %lld of a list of %u", a.name, ll(int64_t{s.first} + s.count),
                  v.d->n_list);
    return true;
  }
  if (a.type == AttrType::kF32) return check_float(v, a, p);
  const int64_t x =
      a.type == AttrType::kI32 ? int64_t{read<int32_t>(v, a.offset)} : int64_t{read<uint32_t>(v, a.offset)};
  const At at = View::at_attr(a.offset);
  const auto min = static_cast<int64_t>(a.min), max = static_cast<int64_t>(a.max);
  switch (a.check) {
    case AttrCheck::kReserved:
      return x == 0 || fail(p, v.name(), at, x, 0, "%s is %lld, must be 0", a.name, ll(x));
    case AttrCheck::kRange:
      return (x >= min && x <= max) ||
             fail(p, v.name(), at, x, x < min ? min : max, "%s is %lld, must be in [%lld, %lld]", a.name,
                  ll(x), ll(min), ll(max));
    case AttrCheck::kEnum:
      return (x >= min && x <= max) || fail(p, v.name(), at, x, max, "%s is %lld, must be %lld to %lld (%s)",
                                            a.name, ll(x), ll(min), ll(max), a.group);
    case AttrCheck::kAxis: {
      const int64_t rank = v.in(a.axis_of).rank;
      return x < rank || fail(p, v.name(), at, x, rank - 1, "%s %lld is outside [0, %lld] for rank %lld",
                              a.name, ll(x), ll(rank - 1), ll(rank));
    }
    case AttrCheck::kDtype:
      return dtype_name(static_cast<uint32_t>(x))[0] != '?' ||
             fail(p, v.name(), at, x, 0, "%s is the unknown type 0x%llx", a.name, ll(x));
    default:
      return true;
  }
}

// Types and shapes of the outputs, from inputs, attributes and whatever of d.out the operator leaves open.
bool derive(const View& v, Shapes& s, Problem& p) {
  for (uint32_t o = 0; o < v.d->n_out; ++o) {
    const Output& f = v.def->out[std::min<size_t>(o, v.def->out.size() - 1)];
    const opmux_tdesc& asked = v.out(o);
    const uint32_t dtype = f.dtype_from == Source::kInput   ? v.in(f.dtype).dtype
                           : f.dtype_from == Source::kFixed ? f.dtype
                                                            : asked.dtype;
    if (f.shape_from == Source::kInput)
      s.like(o, dtype, v.in(f.shape));
    else if (asked.rank > OPMUX_MAX_RANK)
      return fail(p, v.name(), v.at_out(OPMUX_WHY_RANK, o), asked.rank, OPMUX_MAX_RANK,
                  "%s has rank %u, at most %u is possible", f.name, asked.rank, OPMUX_MAX_RANK);
    else
      s.like(o, dtype, asked);
    if (f.shape_from == Source::kOpen && (asked.rank < f.rank_min || asked.rank > f.rank_max))
      return fail(p, v.name(), v.at_out(OPMUX_WHY_RANK, o), asked.rank, f.rank_max,
                  "%s has rank %u, must be %u to %u", f.name, asked.rank, f.rank_min, f.rank_max);
  }
  if (v.def->rule != nullptr && !v.def->rule(v, s, p)) return false;
  for (uint32_t o = 0; o < v.d->n_out; ++o) {
    const Output& f = v.def->out[std::min<size_t>(o, v.def->out.size() - 1)];
    opmux_tdesc t = s.out[o];
    t.dtype = t.dtype == OPMUX_NONE ? OPMUX_U8 : t.dtype;
    if (!check_tensor(v, t, f.name, false, v.d->n_in + o, p)) return false;
  }
  return check_programs(v, s, p);
}

bool prepare(const opmux_opd& d, View& v, Shapes& s, Problem& p) {
  if (!open(d, v, p) || !check_counts(v, p)) return false;
  for (uint32_t i = 0; i < v.n_own; ++i)
    if (!check_input(v, i, p)) return false;
  for (const Attr& a : v.def->attr)
    if (!check_attr(v, a, p)) return false;
  return (v.def->check == nullptr || v.def->check(v, p)) && derive(v, s, p);
}

bool check_output(const View& v, uint32_t o, const opmux_tdesc& want, Problem& p) {
  const Output& f = v.def->out[std::min<size_t>(o, v.def->out.size() - 1)];
  const opmux_tdesc& t = v.d->out[o];
  if (t.dtype == OPMUX_NONE) {
    if (!f.optional)
      return fail(p, v.name(), v.at_out(OPMUX_WHY_DTYPE, o), 0, want.dtype, "output %u (%s) is absent", o,
                  f.name);
    return t.rank == 0 || fail(p, v.name(), v.at_out(OPMUX_WHY_RANK, o), t.rank, 0,
                               "output %s is absent, but has rank %u, must be 0", f.name, t.rank);
  }
  if (!check_tensor(v, t, f.name, true, v.d->n_in + o, p)) return false;
  if (t.dtype != want.dtype)
    return fail(p, v.name(), v.at_out(OPMUX_WHY_DTYPE, o), t.dtype, want.dtype, "output %s is %s, must be %s",
                f.name, dtype_name(t.dtype), dtype_name(want.dtype));
  if (t.rank != want.rank)
    return fail(p, v.name(), v.at_out(OPMUX_WHY_RANK, o), t.rank, want.rank,
                "output %s has rank %u, must be %u", f.name, t.rank, want.rank);
  for (uint32_t i = 0; i < t.rank; ++i)
    if (t.dim[i] != want.dim[i])
      return fail(p, v.name(), v.at_out(OPMUX_WHY_DIM, o, i), t.dim[i], want.dim[i],
                  "dim %u of output %s is %lld, must be %lld", i, f.name, ll(t.dim[i]), ll(want.dim[i]));
  return true;
}

bool check_aliases(const View& v, Problem& p) {
  const opmux_opd& d = *v.d;
  for (uint32_t o = 0; d.alias != nullptr && o < d.n_out; ++o) {
    if (d.alias[o] == 0) continue;
    const At at = v.at_out(OPMUX_WHY_ALIAS, o);
    const uint32_t i = d.alias[o] - 1;
    if (i >= d.n_in || d.in[i].dtype == OPMUX_NONE)
      return fail(p, v.name(), at, i, d.n_in, "output %u is an alias of input %u, which is not there", o, i);
    for (uint32_t k = 0; k < o; ++k)
      if (d.alias[k] == d.alias[o])
        return fail(p, v.name(), at, i, k, "outputs %u and %u are both an alias of input %u", k, o, i);
    if ((d.in[i].flags & (OPMUX_T_CONST | OPMUX_T_HOST_SCALAR)) != 0)
      return fail(p, v.name(), at, i, d.in[i].flags, "output %u is an alias of input %u, which is constant",
                  o, i);
    const uint32_t have = OPMUX_DTYPE_BITS(d.in[i].dtype), want = OPMUX_DTYPE_BITS(d.out[o].dtype);
    if (have != want)
      return fail(p, v.name(), at, have, want,
                  "output %u is an alias of input %u, whose elements have %u bits, not %u", o, i, have, want);
    if (!std::ranges::equal(dims(d.in[i]), dims(d.out[o])))
      return fail(p, v.name(), at, i, 0, "output %u is an alias of input %u, which has another shape", o, i);
  }
  return true;
}

}  // namespace

bool open_view(const opmux_opd& d, View& v) {
  Problem p;
  return open(d, v, p) && check_counts(v, p);
}

bool validate(const opmux_opd& d, Problem& p) {
  View v;
  Shapes s;
  p = {};
  if (d.h.size >= sizeof(opmux_opd) && d.n_out != 0 && d.out == nullptr)
    return fail(p, "descriptor", {}, 0, d.n_out, "has %u outputs behind a null pointer", d.n_out);
  if (!prepare(d, v, s, p)) return false;
  for (uint32_t o = 0; o < d.n_out; ++o)
    if (!check_output(v, o, s.out[o], p)) return false;
  return check_aliases(v, p);
}

bool infer(const opmux_opd& d, opmux_tdesc* out, Problem& p) {
  View v;
  Shapes s;
  if (!prepare(d, v, s, p)) return false;
  for (uint32_t o = 0; o < d.n_out; ++o) {
    opmux_tdesc& t = s.out[o];
    int64_t stride = 1;
    for (uint32_t i = t.rank; i-- > 0;) {
      t.stride[i] = stride;
      stride *= t.dim[i] == 0 ? 1 : t.dim[i];
    }
    out[o] = t;
  }
  return true;
}

uint64_t flops(const opmux_opd& d) {
  View v;
  Problem p;
  if (!open(d, v, p) || !check_counts(v, p)) return 0;
  Sat n = v.def->flops(v);
  for (uint32_t i = 0; i < d.n_prog; ++i) {
    const uint32_t slot = d.prog[i].slot;
    const uint32_t o = slot >= OPMUX_SLOT_EPILOGUE(0) ? slot - OPMUX_SLOT_EPILOGUE(0) : 0;
    n = n + numel(v.out(o)) * d.prog[i].n_insn;
  }
  return n.value();
}

uint64_t bytes(const opmux_opd& d) {
  View v;
  Problem p;
  if (!open(d, v, p) || !check_counts(v, p)) return 0;
  Sat n = v.def->bytes != nullptr ? v.def->bytes(v) : Sat{};
  for (uint32_t i = v.def->bytes != nullptr ? v.n_own : 0; i < d.n_in; ++i) n = n + size_bytes(d.in[i]);
  for (uint32_t o = 0; v.def->bytes == nullptr && o < d.n_out; ++o) n = n + size_bytes(v.out(o));
  return n.value();
}

}  // namespace opmux::schema
