// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "host/graph/passes/passes.hpp"
#include "host/ir/program.hpp"

namespace opmux {
namespace {

std::optional<uint32_t> accumulator_type(const Node& n) {
  switch (n.op) {
    case OPMUX_OP_MATMUL:
      return n.as<opmux_op_matmul>().acc_dtype;
    case OPMUX_OP_QUANT_MATMUL:
      return n.as<opmux_op_quant_matmul>().acc_dtype;
    case OPMUX_OP_CONV:
      return n.as<opmux_op_conv>().acc_dtype;
    case OPMUX_OP_CONV_TRANSPOSE:
      return n.as<opmux_op_conv_transpose>().acc_dtype;
    default:
      return std::nullopt;
  }
}

// The pointwise node that alone reads the one result of `producer`, as the whole of it, in order.
struct Pair {
  uint32_t consumer = kNone;
  opmux_tdesc seen{};  // the result as the consumer sees it
};

std::optional<Pair> pair_of(const Graph& g, const Dataflow& flow, uint32_t producer) {
  const Node& m = g.nodes[producer];
  if (m.out.size() != 1 || flow.sole_writer(m.out[0]) != producer) return std::nullopt;
  const StorageId s = g.values[m.out[0]].storage;
  if (g.storages[s].kind != StorageKind::kActivation) return std::nullopt;
  const uint32_t consumer = flow.sole_reader(m.out[0]);
  if (consumer == kNone || g.nodes[consumer].op != OPMUX_OP_POINTWISE) return std::nullopt;
  Pair pair{consumer, {}};
  const Value* first = nullptr;
  for (ValueId v : g.nodes[consumer].in) {
    const Value& value = g.values[v];
    if (value.storage != s) continue;
    if (value.offset_bytes != 0 || !is_contiguous(value.desc) || (first && !same_view(*first, value)) ||
        element_count(value.desc) != element_count(g.values[m.out[0]].desc)) {
      return std::nullopt;
    }
    first = &value;
  }
  pair.seen = first->desc;
  return pair;
}

// w * scale[channel]: the constant operand's value per output channel, when v is constant and varies along
// axis 1 only.
bool per_channel(const Graph& g, ValueId v) {
  if (!g.is_constant(v)) return false;
  const opmux_tdesc& d = g.values[v].desc;
  for (uint32_t i = 0; i < d.rank; ++i) {
    if (i != 1 && d.dim[i] != 1 && d.stride[i] != 0) return false;
  }
  return d.rank > 1;
}

class ScaleFolder {
 public:
  ScaleFolder(Graph& g, Evaluator& e) : g_(g), evaluator_(e), flow_(g) {}

  void run() {
    for (uint32_t i = 0; i < g_.nodes.size(); ++i) {
      if (g_.nodes[i].op != OPMUX_OP_CONV || !g_.nodes[i].progs.empty() || !g_.is_constant(g_.nodes[i].in[1]))
        continue;
      const auto pair = pair_of(g_, flow_, i);
      if (pair && same_shape(pair->seen, g_.values[g_.nodes[i].out[0]].desc)) fold(i, pair->consumer);
    }
  }

 private:
  void fold(uint32_t conv, uint32_t consumer) {
    Node& c = g_.nodes[consumer];
    Program& p = c.progs[0];
    const StorageId s = g_.values[g_.nodes[conv].out[0]].storage;
    uint32_t x = kNone;
    for (uint32_t i = 0; i < p.n_in; ++i) {
      if (g_.values[c.in[i]].storage == s) x = i;
    }
    if (use_count(p, x) != 1) return;
    for (size_t k = 0; k < p.insn.size(); ++k) {
      opmux_insn& insn = p.insn[k];
      if ((insn.op != OPMUX_FN_MUL && insn.op != OPMUX_FN_FMA) || (insn.a != x && insn.b != x)) continue;
      const uint32_t scale = insn.a == x ? insn.b : insn.a;
      if (scale >= p.n_in || !per_channel(g_, c.in[scale])) return;
      // Sums of integers have a wider type than the weights.
      if (g_.values[c.in[scale]].desc.dtype != g_.values[g_.nodes[conv].in[1]].desc.dtype) return;
      scale_weights(g_.nodes[conv], c.in[scale]);
      if (insn.op == OPMUX_FN_FMA) {  // x * s + c: only the sum stays
        insn.op = OPMUX_FN_ADD;
        insn.a = x;
        insn.b = insn.c;
        insn.c = 0;
      } else {
        bypass(p, static_cast<uint32_t>(k), x);
      }
      drop_operand(consumer, scale);
      return;
    }
  }

  void scale_weights(Node& conv, ValueId scale) {
    GraphBuilder b(g_, &evaluator_);
    b.set_name(conv.name);
    const Value& sv = g_.values[scale];
    opmux_tdesc column = make_desc(sv.desc.dtype, {sv.desc.dim[1]});
    column.stride[0] = sv.desc.stride[1];
    column.flags = sv.desc.flags;
    ValueId v = g_.add_view(scale, column, 0, sv.name);
    std::vector<int64_t> axes;
    for (int64_t i = 1; i < b.rank(conv.in[1]); ++i) axes.push_back(i);
    conv.in[1] = b.pointwise(OPMUX_FN_MUL, {conv.in[1], b.unsqueeze(v, axes)});
  }

  // Instruction k gives its operand x: users of its value take x, and it goes.
  static void bypass(Program& p, uint32_t k, uint32_t x) {
    const uint32_t value = p.n_in + k;
    auto moved = [&](uint32_t v) { return v == value ? x : v > value ? v - 1 : v; };
    p.insn.erase(p.insn.begin() + k);
    renumber(p, moved);
  }

  // Takes an operand out that nothing uses any more.
  void drop_operand(uint32_t node, uint32_t operand) {
    Node& c = g_.nodes[node];
    Program& p = c.progs[0];
    if (use_count(p, operand) != 0) return;
    flow_.remove(node);
    auto moved = [&](uint32_t v) { return v > operand ? v - 1 : v; };
    renumber(p, moved);
    --p.n_in;
    c.in.erase(c.in.begin() + operand);
    flow_.add(node);
  }

  Graph& g_;
  Evaluator& evaluator_;
  Dataflow flow_;
};

class EpilogueFuser {
 public:
  EpilogueFuser(Graph& g, const Router& r) : g_(g), router_(r), flow_(g) {}

  void run() {
    for (uint32_t i = 0; i < g_.nodes.size(); ++i) {
      const auto acc = accumulator_type(g_.nodes[i]);
      if (acc && g_.nodes[i].progs.empty() && g_.values[g_.nodes[i].out[0]].desc.dtype == *acc) fuse(i);
    }
    sweep(g_);
  }

 private:
  void fuse(uint32_t producer) {
    const auto pair = pair_of(g_, flow_, producer);
    if (!pair) return;
    const Node& m = g_.nodes[producer];
    const Node& c = g_.nodes[pair->consumer];
    if (c.out.size() != 1) return;
    auto fused = join(m, c);
    if (!fused) return;
    const Descriptor plain(g_, m), whole(g_, *fused);
    Route* home = router_.choose(plain.get()).route;
    if (!home || router_.choose(whole.get()).route != home) return;
    flow_.remove(producer);
    flow_.remove(pair->consumer);
    const uint32_t at = pair->consumer;
    Node& gone = g_.nodes[producer];
    gone.op = 0;
    gone.in.clear();
    gone.out.clear();
    g_.nodes[at] = std::move(*fused);
    flow_.add(at);
  }

  // The operator with the consumer's program behind it, under the operator's own output dims.
  std::optional<Node> join(const Node& m, const Node& c) {
    const Dims dims = to_dims(g_.values[m.out[0]].desc);
    const StorageId s = g_.values[m.out[0]].storage;
    Node fused = m;
    const Program& cp = c.progs[0];
    std::vector<uint32_t> place(cp.n_in, 0);
    uint32_t n_in = 1;  // value 0 is the accumulator
    auto as_dims = [&](ValueId v) -> ValueId {
      const auto view = reshaped_view(g_.values[v].desc, dims);
      if (!view) return kNone;
      return same_shape(*view, g_.values[v].desc) ? v : g_.add_view(v, *view, 0, g_.values[v].name);
    };
    for (uint32_t i = 0; i < cp.n_in; ++i) {
      if (g_.values[c.in[i]].storage == s) continue;
      const ValueId v = as_dims(c.in[i]);
      if (v == kNone) return std::nullopt;
      place[i] = n_in++;
      fused.in.push_back(v);
    }
    if (n_in > OPMUX_MAX_PROG_IN) return std::nullopt;
    auto moved = [&](uint32_t v) { return v < cp.n_in ? place[v] : v - cp.n_in + n_in; };
    Program p{OPMUX_SLOT_EPILOGUE(0), n_in, cp.insn, {moved(cp.out[0])}};
    renumber(std::span(p.insn), moved);
    fused.progs.push_back(std::move(p));
    const ValueId out = as_dims(c.out[0]);
    if (out == kNone) return std::nullopt;
    fused.out = {out};
    fused.name = m.name == c.name ? m.name : m.name + "+" + c.name;
    return fused;
  }

  Graph& g_;
  const Router& router_;
  Dataflow flow_;
};

}  // namespace

void fold_scales(Graph& graph, Evaluator& evaluator) { ScaleFolder(graph, evaluator).run(); }
void fuse_epilogues(Graph& graph, const Router& router) { EpilogueFuser(graph, router).run(); }

void elide_copies(Graph& graph, const Router& router) {
  Dataflow flow(graph);
  for (uint32_t k = 0; k < graph.nodes.size(); ++k) {
    const Node& copy = graph.nodes[k];
    if (copy.op != OPMUX_OP_COPY) continue;
    const ValueId from = copy.in[0], to = copy.out[0];
    const uint32_t producer = flow.sole_writer(from);
    const StorageId s = graph.values[from].storage;
    if (producer == kNone || producer > k || graph.storages[s].kind != StorageKind::kActivation) continue;
    Node& p = graph.nodes[producer];
    const auto at = std::find_if(p.out.begin(), p.out.end(), [&](ValueId v) {
      return v != kNone && same_view(graph.values[v], graph.values[from]);
    });
    if (at == p.out.end()) continue;
    // Every reader must see the result as it was made: then it can read it in its new place.
    std::vector<uint32_t> readers = flow.of(s).readers;
    const bool plain = std::all_of(readers.begin(), readers.end(), [&](uint32_t r) {
      const auto& in = graph.nodes[r].in;
      return std::all_of(in.begin(), in.end(), [&](ValueId v) {
        return v == kNone || graph.values[v].storage != s || same_view(graph.values[v], graph.values[from]);
      });
    });
    if (!plain) continue;
    Node moved = p;
    moved.out[static_cast<size_t>(at - p.out.begin())] = to;
    const Descriptor before(graph, p), after(graph, moved);
    Route* home = router.choose(before.get()).route;
    if (!home || router.choose(after.get()).route != home) continue;
    flow.remove(producer);
    flow.remove(k);
    p = std::move(moved);
    graph.nodes[k].op = 0;
    graph.nodes[k].in.clear();
    graph.nodes[k].out.clear();
    flow.add(producer);
    for (uint32_t r : readers) {
      if (r == k) continue;
      flow.remove(r);
      for (ValueId& v : graph.nodes[r].in) {
        if (v != kNone && graph.values[v].storage == s) v = to;
      }
      flow.add(r);
    }
  }
  sweep(graph);
}

}  // namespace opmux
