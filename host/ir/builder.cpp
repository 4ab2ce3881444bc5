// SPDX-License-Identifier: Apache-2.0
#include "host/ir/builder.hpp"

#include "host/platform/error.hpp"
#include "kit/scalar.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {
namespace {

bool gives_bool(uint32_t fn) {
  switch (fn) {
    case OPMUX_FN_EQ:
    case OPMUX_FN_NE:
    case OPMUX_FN_LT:
    case OPMUX_FN_LE:
    case OPMUX_FN_GT:
    case OPMUX_FN_GE:
    case OPMUX_FN_IS_NAN:
    case OPMUX_FN_IS_INF:
    case OPMUX_FN_IS_FINITE:
    case OPMUX_FN_NOT:
      return true;
    default:
      return false;
  }
}

// A small file may ask for tensors beyond any memory; what is larger than this is left to the run, whose plan
// knows the memory there is.
constexpr uint64_t kMostFoldedBytes = uint64_t{1} << 31;

bool foldable(std::span<const opmux_tdesc> out) {
  return std::all_of(out.begin(), out.end(), [](const opmux_tdesc& d) {
    return d.dtype == OPMUX_NONE || packed_bytes(d) <= kMostFoldedBytes;
  });
}

[[noreturn]] void refuse(const schema::Problem& p) { fail(OPMUX_E_INVALID, "{}", p.text); }

}  // namespace

GraphBuilder::GraphBuilder(Graph& graph, Evaluator* evaluator) : graph_(graph), evaluator_(evaluator) {}

std::optional<HostTensor> GraphBuilder::known(ValueId v) {
  if (v == kNone || !is_constant(v)) return std::nullopt;
  return to_contiguous(graph_.constant(v));
}

HostTensor GraphBuilder::contents(ValueId v, const char* what) {
  auto t = known(v);
  if (!t) throw ContentsNeeded(v, fmt::format("{} depends on data that is not known before the run", what));
  return *t;
}

std::vector<int64_t> GraphBuilder::ints(ValueId v, const char* what) { return contents(v, what).to_int64(); }

ValueId GraphBuilder::constant(HostTensor t) { return graph_.add_constant(std::move(t), name_); }

ValueId GraphBuilder::scalar(uint32_t dtype, double value) {
  HostTensor t(make_desc(dtype, {}));
  kit::store(dtype, t.mutable_data(), 0, kit::cast_to(OPMUX_F64, dtype, kit::of_float(value), true));
  return constant(std::move(t));
}

ValueId GraphBuilder::int_vector(std::span<const int64_t> values) {
  const int64_t n = static_cast<int64_t>(values.size());
  return constant(HostTensor::of<int64_t>(OPMUX_I64, std::span(&n, 1), values));
}

std::vector<ValueId> GraphBuilder::emit_n(Node node, size_t n_out) {
  std::vector<opmux_tdesc> in;
  for (ValueId v : node.in) in.push_back(v == kNone ? opmux_tdesc{} : desc(v));
  std::vector<opmux_tdesc> out(n_out);
  Descriptor d(node, in, out);
  schema::Problem p;
  if (!schema::infer(d.get(), out.data(), p)) refuse(p);
  return emit_as(std::move(node), out);
}

std::vector<ValueId> GraphBuilder::emit_as(Node node, std::span<const opmux_tdesc> out) {
  std::vector<opmux_tdesc> in, made;
  bool constant_inputs = true;
  for (ValueId v : node.in) {
    in.push_back(v == kNone ? opmux_tdesc{} : desc(v));
    constant_inputs = constant_inputs && (v == kNone || is_constant(v));
  }
  for (const opmux_tdesc& o : out) {
    made.push_back(o.dtype == OPMUX_NONE ? opmux_tdesc{} : make_desc(o.dtype, dims_of(o)));
  }
  Descriptor d(node, in, made);
  schema::Problem p;
  if (!schema::validate(d.get(), p)) refuse(p);
  if (node.name.empty()) node.name = name_;

  std::vector<ValueId> ids;
  if (evaluator_ && constant_inputs && foldable(made)) {
    std::vector<HostTensor> tensors;
    for (ValueId v : node.in) tensors.push_back(v == kNone ? HostTensor() : graph_.constant(v));
    for (HostTensor& t : evaluator_->evaluate(node, tensors, made)) {
      ids.push_back(t ? constant(std::move(t)) : kNone);
    }
    return ids;
  }
  for (const opmux_tdesc& o : made) ids.push_back(o.dtype == OPMUX_NONE ? kNone : graph_.add_value(o, name_));
  node.out = ids;
  graph_.nodes.push_back(std::move(node));
  return ids;
}

ValueId GraphBuilder::pointwise(uint32_t fn, std::span<const ValueId> args) {
  std::vector<std::span<const int64_t>> shapes;
  for (ValueId v : args) shapes.push_back(dims_of(desc(v)));
  const Dims dims = broadcast_dims(shapes);
  Node node;
  node.op = OPMUX_OP_POINTWISE;
  node.set(opmux_op_pointwise{});
  for (ValueId v : args) node.in.push_back(expand(v, dims));
  const uint32_t operand_type = dtype(args[fn == OPMUX_FN_SELECT ? 1 : 0]);
  opmux_insn insn{};
  insn.op = fn;
  insn.dtype = gives_bool(fn) ? OPMUX_BOOL : operand_type;
  insn.b = args.size() > 1 ? 1 : 0;
  insn.c = args.size() > 2 ? 2 : 0;
  const auto n_in = static_cast<uint32_t>(args.size());
  node.progs.push_back({OPMUX_SLOT_MAIN, n_in, {insn}, {n_in}});
  const opmux_tdesc out = make_desc(insn.dtype, dims);
  return emit_as(std::move(node), std::span(&out, 1))[0];
}

ValueId GraphBuilder::cast(ValueId v, uint32_t to, bool saturate, uint32_t rounding) {
  if (dtype(v) == to) return v;
  Node node;
  node.op = OPMUX_OP_POINTWISE;
  node.set(opmux_op_pointwise{});
  node.in = {v};
  opmux_insn insn{};
  insn.op = OPMUX_FN_CAST;
  insn.dtype = to;
  insn.flags = (saturate ? OPMUX_INSN_SATURATE : 0) | rounding;
  node.progs.push_back({OPMUX_SLOT_MAIN, 1, {insn}, {1}});
  const opmux_tdesc out = make_desc(to, dims(v));
  return emit_as(std::move(node), std::span(&out, 1))[0];
}

ValueId GraphBuilder::concat(std::span<const ValueId> parts, int64_t axis) {
  if (parts.empty()) fail(OPMUX_E_INVALID, "concat: nothing to join");
  axis = normal_axis(axis, rank(parts[0]), "concat");
  Dims whole = dims(parts[0]);
  bool all_constant = is_constant(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    const Dims d = dims(parts[i]);
    if (dtype(parts[i]) != dtype(parts[0]) || d.size() != whole.size()) {
      fail(OPMUX_E_INVALID, "concat: operand {} is {}, operand 0 is {}", i, to_string(desc(parts[i])),
           to_string(desc(parts[0])));
    }
    for (size_t k = 0; k < d.size(); ++k) {
      if (static_cast<int64_t>(k) != axis && d[k] != whole[k]) {
        fail(OPMUX_E_INVALID, "concat: dim {} of operand {} is {}, of operand 0 it is {}", k, i, d[k],
             whole[k]);
      }
    }
    whole[static_cast<size_t>(axis)] += d[static_cast<size_t>(axis)];
    all_constant = all_constant && is_constant(parts[i]);
  }
  const opmux_tdesc out_desc = make_desc(dtype(parts[0]), whole);
  all_constant = all_constant && foldable(std::span(&out_desc, 1));
  const uint64_t width = OPMUX_DTYPE_BITS(out_desc.dtype) / 8;
  HostTensor folded;
  ValueId out = kNone;
  if (all_constant) {
    folded = HostTensor(out_desc);
  } else {
    out = graph_.add_value(out_desc, name_);
  }
  int64_t at = 0;
  for (ValueId part : parts) {
    opmux_tdesc view = out_desc;
    view.dim[axis] = dim(part, axis);
    const int64_t offset = at * out_desc.stride[axis] * static_cast<int64_t>(width);
    at += view.dim[axis];
    if (element_count(view) == 0) continue;
    if (all_constant) {
      const HostTensor t = graph_.constant(part);
      copy_strided(view, folded.mutable_data() + offset, t.desc(), t.data());
      continue;
    }
    Node node;
    node.op = OPMUX_OP_COPY;
    node.set(opmux_op_copy{});
    node.name = name_;
    node.in = {part};
    node.out = {graph_.add_view(out, view, offset, name_)};
    graph_.nodes.push_back(std::move(node));
  }
  return all_constant ? constant(std::move(folded)) : out;
}

ValueId GraphBuilder::reduce(uint32_t kind, ValueId v, std::span<const int64_t> axes, bool keep_dims,
                             bool select_last) {
  std::vector<int64_t> sorted;
  for (int64_t a : axes) sorted.push_back(normal_axis(a, rank(v), "reduce"));
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    fail(OPMUX_E_INVALID, "reduce: an axis is named twice");
  }
  Node node;
  node.op = OPMUX_OP_REDUCE;
  node.in = {v};
  opmux_op_reduce d{};
  d.kind = kind;
  d.select_last = select_last;
  d.axes = node.add_list(sorted);
  node.set(d);
  const ValueId y = emit(std::move(node));
  return keep_dims ? y : squeeze(y, sorted);
}

ValueId GraphBuilder::matmul(ValueId a, ValueId b) {
  if (rank(a) == 0 || rank(b) == 0) fail(OPMUX_E_INVALID, "matmul: operands of rank 0 are not allowed");
  const int64_t zero = 0, one = 1;
  const bool a_vector = rank(a) == 1, b_vector = rank(b) == 1;
  if (a_vector) a = unsqueeze(a, std::span(&zero, 1));
  if (b_vector) b = unsqueeze(b, std::span(&one, 1));
  Dims lead = dims(a);
  lead.pop_back();
  const bool fold_rows = rank(b) == 2 && rank(a) > 2;
  if (fold_rows) {  // one large product instead of a batch of small ones
    int64_t rows = 1;
    for (int64_t n : lead) rows *= n;
    const int64_t folded[] = {rows, dim(a, rank(a) - 1)};
    a = reshape(a, folded);
  } else if (rank(a) > 2 || rank(b) > 2) {
    const Dims da = dims(a), db = dims(b);
    const std::span<const int64_t> batches[] = {{da.data(), da.size() - 2}, {db.data(), db.size() - 2}};
    Dims batch = broadcast_dims(batches);
    auto with_batch = [&](ValueId v, const Dims& d) {
      Dims full = batch;
      full.insert(full.end(), d.end() - 2, d.end());
      return expand(v, full);
    };
    a = with_batch(a, da);
    b = with_batch(b, db);
  }
  Node node;
  node.op = OPMUX_OP_MATMUL;
  node.in = {a, b};
  opmux_op_matmul d{};
  const uint32_t t = dtype(a);
  const bool small_int = OPMUX_DTYPE_CLASS(t) != OPMUX_CLASS_FLOAT && OPMUX_DTYPE_BITS(t) == 8;
  d.acc_dtype = small_int ? OPMUX_I32 : (t == OPMUX_F16 || t == OPMUX_BF16) ? OPMUX_F32 : t;
  node.set(d);
  ValueId y = emit(std::move(node));
  if (fold_rows) {
    lead.push_back(dim(y, 1));
    y = reshape(y, lead);
  }
  if (b_vector) y = squeeze(y, std::span<const int64_t>({rank(y) - 1}));
  if (a_vector) y = squeeze(y, std::span<const int64_t>({rank(y) - (b_vector ? 1 : 2)}));
  return y;
}

}  // namespace opmux
