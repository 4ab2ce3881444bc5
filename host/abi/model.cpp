// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "host/abi/guard.hpp"
#include "host/abi/handles.hpp"
#include "host/onnx/read.hpp"
#include "kit/schema/schema.hpp"

using namespace opmux;

namespace {

// A node from a descriptor of the application; its operands come separately.
Node node_of(const opmux_opd& d) {
  const schema::OpInfo* info = schema::find(d.op);
  if (!info) fail(OPMUX_E_UNSUPPORTED, "operator id {:#x} is unknown", d.op);
  if (d.h.size < info->desc_size) {
    fail(OPMUX_E_INVALID, "{}: the descriptor has {} bytes, this version has {}", info->name, d.h.size,
         info->desc_size);
  }
  need_list(d.list, d.n_list, "list");
  need_list(d.prog, d.n_prog, "prog");
  if (d.n_out > info->n_out_max || d.n_prog > OPMUX_MAX_PROG_IN + OPMUX_MAX_PROG_OUT + 1) {
    fail(OPMUX_E_INVALID, "{}: {} outputs and {} programs are announced, more than it can have", info->name,
         d.n_out, d.n_prog);
  }
  Node n;
  n.op = d.op;
  n.math = d.math;
  const auto* p = reinterpret_cast<const std::byte*>(&d);
  n.attrs.assign(p + sizeof(opmux_opd), p + info->desc_size);
  if (d.n_list) n.list.assign(d.list, d.list + d.n_list);
  for (uint32_t i = 0; i < d.n_prog; ++i) {
    const opmux_prog& q = d.prog[i];
    need_list(q.insn, q.n_insn, "insn");
    need_list(q.out, q.n_out, "out of a program");
    if (q.n_insn > OPMUX_MAX_INSN || q.n_out > OPMUX_MAX_PROG_OUT) {
      fail(OPMUX_E_INVALID,
           "{}: a program of {} instructions and {} outputs is beyond the limits of {} and {}", info->name,
           q.n_insn, q.n_out, OPMUX_MAX_INSN, OPMUX_MAX_PROG_OUT);
    }
    n.progs.push_back({q.slot, q.n_in, {q.insn, q.insn + q.n_insn}, {q.out, q.out + q.n_out}});
  }
  if (d.alias) n.alias.assign(d.alias, d.alias + d.n_out);
  return n;
}

ValueId known_value(const Graph& g, uint32_t v) {
  if (v != kNone && v >= g.values.size())
    fail(OPMUX_E_INVALID, "value {} does not exist, there are {}", v, g.values.size());
  return v;
}

void check_name(const std::vector<Port>& ports, const char* kind, const char* name) {
  if (std::any_of(ports.begin(), ports.end(), [&](const Port& p) { return p.name == name; }))
    fail(OPMUX_E_INVALID, "there is an {} '{}' already", kind, name);
}

// Whether a view stays within its value, in arithmetic that cannot overflow: strides and the offset are
// beyond what any memory has, or small enough for reach_of.
void check_view(const opmux_tdesc& d, const Value& base, int64_t offset_bytes, uint64_t size_bytes) {
  (void)make_desc(sane(d, "view").dtype, dims_of(d));
  constexpr int64_t kFar = int64_t{1} << 56;
  if (offset_bytes <= -kFar || offset_bytes >= kFar)
    fail(OPMUX_E_INVALID, "the view begins at byte {} of a value of {} bytes", offset_bytes, size_bytes);
  if (element_count(d) == 0) return;
  for (uint32_t i = 0; i < d.rank; ++i) {
    const int64_t steps = d.dim[i] - 1, far = steps ? kFar / 64 / steps : kFar;
    if (steps && (d.stride[i] > far || d.stride[i] < -far))
      fail(OPMUX_E_INVALID, "the view's stride {} on axis {} leaves a value of {} bytes", d.stride[i], i,
           size_bytes);
  }
  const Reach r = reach_of(d);
  const int64_t first = base.offset_bytes + offset_bytes + r.begin,
                last = base.offset_bytes + offset_bytes + r.end;
  if (first < 0 || last > static_cast<int64_t>(size_bytes))
    fail(OPMUX_E_INVALID, "the view touches bytes {} to {} of a value of {} bytes", first, last, size_bytes);
}

void fill(const SourceValue& v, opmux_port& out) {
  const opmux_hdr h = out.h;
  out = {};
  out.h = h;
  out.name = {v.name.data(), v.name.size()};
  out.dtype = v.dtype;
  out.rank = v.has_shape ? static_cast<uint32_t>(v.dims.size()) : 0xffffffffu;
  if (!v.has_shape) return;
  for (size_t i = 0; i < std::min<size_t>(v.dims.size(), OPMUX_MAX_RANK); ++i) {
    out.dim[i] = v.dims[i].value;
    out.symbol[i] = {v.dims[i].symbol.data(), v.dims[i].symbol.size()};
  }
}

void check_size(const opmux_hdr& h, size_t size, const char* what) {
  if (h.size < size) fail(OPMUX_E_INVALID, "{}: h.size is {}, this version needs {}", what, h.size, size);
}

PlanOptions options_of(const opmux_plan_desc* d) {
  PlanOptions o;
  if (!d) return o;
  if (OPMUX_HAS(d, opmux_plan_desc, device) && d->device) o.policy.device = d->device;
  if (OPMUX_HAS(d, opmux_plan_desc, fallback)) o.policy.fallback = d->fallback;
  if (OPMUX_HAS(d, opmux_plan_desc, math)) o.policy.math = d->math;
  if (OPMUX_HAS(d, opmux_plan_desc, shapes_kept) && d->shapes_kept) o.shapes_kept = d->shapes_kept;
  if (OPMUX_HAS(d, opmux_plan_desc, profile)) o.profile = d->profile != 0;
  if (OPMUX_HAS(d, opmux_plan_desc, deadline_ns)) o.deadline_ns = d->deadline_ns;
  if (o.policy.fallback > OPMUX_FALLBACK_ALLOW)
    fail(OPMUX_E_INVALID, "fallback {} is unknown", o.policy.fallback);
  return o;
}

}  // namespace

extern "C" {

opmux_status opmux_model_load(opmux_context c, const char* path, opmux_model* out, opmux_err* err) {
  return guard(err, [&] {
    auto& runtime = need(c, "context").runtime;
    need(path, "path");
    need(out, "out");
    *out = new opmux_model_s{std::make_shared<Model>(runtime, read_onnx(path))};
  });
}

opmux_status opmux_model_load_bytes(opmux_context c, opmux_span bytes, opmux_model* out, opmux_err* err) {
  return guard(err, [&] {
    auto& runtime = need(c, "context").runtime;
    need(out, "out");
    need_list(bytes.data, bytes.size, "bytes.data");
    *out = new opmux_model_s{std::make_shared<Model>(
        runtime,
        read_onnx_bytes({static_cast<const std::byte*>(bytes.data), static_cast<size_t>(bytes.size)}))};
  });
}

void opmux_model_destroy(opmux_model m) { delete m; }

uint32_t opmux_model_port_count(opmux_model m, uint32_t kind) {
  if (!m || kind > OPMUX_PORT_OUTPUT) return 0;
  return static_cast<uint32_t>(kind == OPMUX_PORT_INPUT ? m->model->inputs().size()
                                                        : m->model->outputs().size());
}

opmux_status opmux_model_port(opmux_model m, uint32_t kind, uint32_t index, opmux_port* out, opmux_err* err) {
  return guard(err, [&] {
    const Model& model = *need(m, "model").model;
    check_size(need(out, "out").h, sizeof(opmux_port), "opmux_port");
    if (kind > OPMUX_PORT_OUTPUT) fail(OPMUX_E_INVALID, "there is no kind of port {}", kind);
    const auto& ports = kind == OPMUX_PORT_INPUT ? model.inputs() : model.outputs();
    if (index >= ports.size())
      fail(OPMUX_E_INVALID, "port {} does not exist, there are {}", index, ports.size());
    fill(ports[index], *out);
  });
}

opmux_status opmux_model_report(opmux_model m, uint32_t what, opmux_text* out, opmux_err* err) {
  return guard(err, [&] {
    need(m, "model");
    if (what != OPMUX_REPORT_MODEL) fail(OPMUX_E_INVALID, "there is no model report {}", what);
    need(out, "out") = new opmux_text_s{m->model->report()};
  });
}

opmux_str opmux_model_metadata(opmux_model m, const char* key) {
  if (!m || !key) return {nullptr, 0};
  const auto& all = m->model->source().metadata;
  const auto at = all.find(key);
  return at == all.end() ? opmux_str{nullptr, 0} : opmux_str{at->second.data(), at->second.size()};
}

opmux_status opmux_builder_create(opmux_context c, opmux_builder* out, opmux_err* err) {
  return guard(err, [&] {
    auto& runtime = need(c, "context").runtime;
    need(out, "out") = new opmux_builder_s{runtime, {}};
  });
}

opmux_status opmux_builder_input(opmux_builder b, const char* name, const opmux_tdesc* desc, uint32_t* value,
                                 opmux_err* err) {
  return guard(err, [&] {
    Graph& g = need(b, "builder").graph;
    need(name, "name");
    need(desc, "desc");
    sane(*desc, name);
    check_name(g.inputs, "input", name);
    const ValueId v = g.add_value(make_desc(desc->dtype, dims_of(*desc)), name, StorageKind::kInput);
    g.inputs.push_back({name, v});
    need(value, "value") = v;
  });
}

opmux_status opmux_builder_constant(opmux_builder b, const opmux_tensor* t, uint32_t* value, opmux_err* err) {
  return guard(err, [&] {
    Graph& g = need(b, "builder").graph;
    need(t, "tensor");
    sane(t->desc, "constant");
    HostTensor copy(make_desc(t->desc.dtype, dims_of(t->desc)));
    if (element_count(copy.desc()) != 0) need(static_cast<std::byte*>(t->data), "data");
    copy_strided(copy.desc(), copy.mutable_data(), t->desc, static_cast<const std::byte*>(t->data));
    need(value, "value") = g.add_constant(std::move(copy), "constant");
  });
}

opmux_status opmux_builder_op(opmux_builder b, const opmux_opd* d, const uint32_t* in, uint32_t* out,
                              opmux_err* err) {
  return guard(err, [&] {
    Graph& g = need(b, "builder").graph;
    need(d, "d");
    Node node = node_of(*d);
    need_list(in, d->n_in, "in");
    need(out, "out");
    for (uint32_t i = 0; i < d->n_in; ++i) node.in.push_back(known_value(g, in[i]));
    GraphBuilder builder(g, nullptr);
    builder.set_name(std::string(schema::find(d->op)->name) + std::to_string(g.nodes.size()));
    std::vector<opmux_tdesc> in_desc, out_desc(d->out, d->out + (d->out ? d->n_out : 0));
    out_desc.resize(d->n_out);
    for (ValueId v : node.in) in_desc.push_back(v == kNone ? opmux_tdesc{} : g.values[v].desc);
    const Descriptor asked(node, in_desc, out_desc);
    schema::Problem p;
    if (!schema::infer(asked.get(), out_desc.data(), p))
      throw Error(OPMUX_E_INVALID, p.text, 0, OPMUX_NATIVE_NONE, p.arg);
    const auto ids = builder.emit_as(std::move(node), out_desc);
    std::copy(ids.begin(), ids.end(), out);
  });
}

opmux_status opmux_builder_view(opmux_builder b, uint32_t value, const opmux_tdesc* desc,
                                int64_t offset_bytes, uint32_t* out, opmux_err* err) {
  return guard(err, [&] {
    Graph& g = need(b, "builder").graph;
    need(desc, "desc");
    if (known_value(g, value) == kNone) fail(OPMUX_E_INVALID, "a view needs a value");
    const Value& base = g.values[value];
    check_view(*desc, base, offset_bytes, g.storages[base.storage].size_bytes);
    opmux_tdesc d = *desc;
    d.flags = base.desc.flags;
    need(out, "out") = g.add_view(value, d, offset_bytes, base.name);
  });
}

opmux_status opmux_builder_output(opmux_builder b, const char* name, uint32_t value, opmux_err* err) {
  return guard(err, [&] {
    Graph& g = need(b, "builder").graph;
    need(name, "name");
    if (known_value(g, value) == kNone) fail(OPMUX_E_INVALID, "output '{}' needs a value", name);
    check_name(g.outputs, "output", name);
    g.outputs.push_back({name, value});
  });
}

opmux_status opmux_builder_finish(opmux_builder b, opmux_model* out, opmux_err* err) {
  return guard(err, [&] {
    need(b, "builder");
    need(out, "out");
    if (b->graph.outputs.empty()) fail(OPMUX_E_INVALID, "the model has no output");
    *out = new opmux_model_s{std::make_shared<Model>(b->runtime, std::move(b->graph))};
    b->graph = {};
  });
}

void opmux_builder_destroy(opmux_builder b) { delete b; }

opmux_status opmux_plan_create(opmux_model m, const opmux_plan_desc* desc, opmux_plan* out, opmux_err* err) {
  return guard(err, [&] {
    need(m, "model");
    need(out, "out") = new opmux_plan_s{std::make_shared<Plan>(m->model, options_of(desc))};
  });
}

void opmux_plan_destroy(opmux_plan p) { delete p; }

opmux_status opmux_plan_report(opmux_plan p, const opmux_tdesc* inputs, uint32_t what, opmux_text* out,
                               opmux_err* err) {
  return guard(err, [&] {
    Plan& plan = *need(p, "plan").plan;
    need(out, "out");
    if (what != OPMUX_REPORT_PLAN) fail(OPMUX_E_INVALID, "there is no plan report {}", what);
    const size_t n = plan.model().inputs().size();
    if (n) need(inputs, "inputs");
    *out = new opmux_text_s{plan.report({inputs, n})};
  });
}

}  // extern "C"
