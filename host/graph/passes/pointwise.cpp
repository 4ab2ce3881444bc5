// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "host/graph/passes/passes.hpp"
#include "host/ir/program.hpp"

namespace opmux {
namespace {

// A constant of one element, whatever its broadcast shape; its bits at the low end.
std::optional<uint64_t> scalar_bits(const Graph& g, ValueId v) {
  if (v == kNone || !g.is_constant(v)) return std::nullopt;
  const opmux_tdesc& d = g.values[v].desc;
  const uint32_t bits = OPMUX_DTYPE_BITS(d.dtype);
  if (bits < 8 || bits > 64 || element_count(d) == 0) return std::nullopt;
  for (uint32_t i = 0; i < d.rank; ++i) {
    if (d.dim[i] != 1 && d.stride[i] != 0) return std::nullopt;
  }
  uint64_t value = 0;
  std::memcpy(&value, g.constant(v).data(), bits / 8);
  return value;
}

void inline_into(Graph& g, Node& n) {
  Program& p = n.progs[0];
  std::vector<opmux_insn> constants;
  std::vector<ValueId> kept;
  std::vector<uint32_t> place(p.n_in);
  std::vector<bool> constant(p.n_in, false);
  for (uint32_t i = 0; i < p.n_in; ++i) {
    const auto bits = scalar_bits(g, n.in[i]);
    constant[i] = bits && constants.size() + p.insn.size() < OPMUX_MAX_INSN;
    place[i] = static_cast<uint32_t>(constant[i] ? constants.size() : kept.size());
    if (constant[i]) {
      opmux_insn c{};
      c.op = OPMUX_FN_CONST;
      c.dtype = g.values[n.in[i]].desc.dtype;
      c.imm = *bits;
      constants.push_back(c);
    } else {
      kept.push_back(n.in[i]);
    }
  }
  if (constants.empty()) return;
  const auto n_kept = static_cast<uint32_t>(kept.size()), n_const = static_cast<uint32_t>(constants.size());
  auto moved = [&](uint32_t v) {
    if (v >= p.n_in) return v - p.n_in + n_kept + n_const;
    return constant[v] ? n_kept + place[v] : place[v];
  };
  renumber(p, moved);
  p.insn.insert(p.insn.begin(), constants.begin(), constants.end());
  p.n_in = n_kept;
  n.in = std::move(kept);
}

// The views of node n's operands under other dims of equal element count, or nothing when one cannot be seen
// so.
std::optional<std::vector<opmux_tdesc>> operands_as(const Graph& g, const std::vector<ValueId>& operands,
                                                    std::span<const int64_t> dims) {
  std::vector<opmux_tdesc> views;
  for (ValueId v : operands) {
    const auto view = reshaped_view(g.values[v].desc, dims);
    if (!view) return std::nullopt;
    views.push_back(*view);
  }
  return views;
}

class PointwiseFuser {
 public:
  explicit PointwiseFuser(Graph& g) : g_(g), flow_(g) {}

  void run() {
    for (uint32_t i = 0; i < g_.nodes.size(); ++i) {
      if (g_.nodes[i].op != OPMUX_OP_POINTWISE) continue;
      while (absorb_one(i)) {
      }
    }
    sweep(g_);
  }

 private:
  bool absorb_one(uint32_t consumer) {
    for (ValueId v : g_.nodes[consumer].in) {
      if (absorb(consumer, v)) return true;
    }
    return false;
  }

  bool state_input(const Node& n) const {
    return std::any_of(n.in.begin(), n.in.end(), [&](ValueId v) {
      return g_.storages[g_.values[v].storage].kind == StorageKind::kState;
    });
  }

  bool absorb(uint32_t consumer, ValueId v) {
    if (g_.storages[g_.values[v].storage].kind != StorageKind::kActivation) return false;
    const uint32_t producer = flow_.sole_writer(v);
    if (producer == kNone || producer >= consumer || flow_.sole_reader(v) != consumer) return false;
    const Node& p = g_.nodes[producer];
    if (p.op != OPMUX_OP_POINTWISE || p.out.size() != 1 || state_input(p)) return false;
    Node& c = g_.nodes[consumer];
    const StorageId s = g_.values[v].storage;
    const Value& view = g_.values[v];
    if (view.offset_bytes != 0 || !is_contiguous(view.desc) || element_count(view.desc) == 0 ||
        element_count(view.desc) != element_count(g_.values[p.out[0]].desc)) {
      return false;
    }
    for (ValueId o : c.in) {
      if (g_.values[o].storage == s && !same_view(g_.values[o], view)) return false;
    }
    const auto views = operands_as(g_, p.in, dims_of(view.desc));
    return views && merge(producer, consumer, s, *views);
  }

  uint32_t place_operand(std::vector<ValueId>& operands, ValueId v) const {
    for (uint32_t i = 0; i < operands.size(); ++i) {
      if (same_view(g_.values[operands[i]], g_.values[v])) return i;
    }
    operands.push_back(v);
    return static_cast<uint32_t>(operands.size() - 1);
  }

  bool merge(uint32_t producer, uint32_t consumer, StorageId between, const std::vector<opmux_tdesc>& views) {
    const Node p = g_.nodes[producer];
    Node c = g_.nodes[consumer];
    const Program& pp = p.progs[0];
    const Program& cp = c.progs[0];
    if (pp.insn.size() + cp.insn.size() > OPMUX_MAX_INSN) return false;
    std::vector<ValueId> operands;
    std::vector<uint32_t> p_place, c_place(cp.n_in, kNone);
    for (uint32_t i = 0; i < pp.n_in; ++i) {
      ValueId v = p.in[i];
      if (!same_shape(g_.values[v].desc, views[i])) v = g_.add_view(v, views[i], 0, g_.values[v].name);
      p_place.push_back(place_operand(operands, v));
    }
    for (uint32_t i = 0; i < cp.n_in; ++i) {
      if (g_.values[c.in[i]].storage != between) c_place[i] = place_operand(operands, c.in[i]);
    }
    if (operands.size() > OPMUX_MAX_PROG_IN) return false;

    const auto n_in = static_cast<uint32_t>(operands.size()), n_p = static_cast<uint32_t>(pp.insn.size());
    auto from_p = [&](uint32_t v) { return v < pp.n_in ? p_place[v] : n_in + v - pp.n_in; };
    auto from_c = [&](uint32_t v) {
      if (v >= cp.n_in) return n_in + n_p + v - cp.n_in;
      return c_place[v] == kNone ? from_p(pp.out[0]) : c_place[v];
    };
    Program merged{OPMUX_SLOT_MAIN, n_in, {}, {}};
    auto take = [&](std::vector<opmux_insn> insns, auto&& number) {
      renumber(std::span(insns), number);
      merged.insn.insert(merged.insn.end(), insns.begin(), insns.end());
    };
    take(pp.insn, from_p);
    take(cp.insn, from_c);
    for (uint32_t o : cp.out) merged.out.push_back(from_c(o));

    flow_.remove(producer);
    flow_.remove(consumer);
    g_.nodes[producer].op = 0;
    g_.nodes[producer].in.clear();
    g_.nodes[producer].out.clear();
    c.progs[0] = std::move(merged);
    c.in = std::move(operands);
    c.name = p.name == c.name ? c.name : p.name + "+" + c.name;
    g_.nodes[consumer] = std::move(c);
    flow_.add(consumer);
    return true;
  }

  Graph& g_;
  Dataflow flow_;
};

}  // namespace

void inline_scalars(Graph& graph) {
  for (Node& n : graph.nodes) {
    if (n.op == OPMUX_OP_POINTWISE) inline_into(graph, n);
  }
}

void fuse_pointwise(Graph& graph) { PointwiseFuser(graph).run(); }

}  // namespace opmux
