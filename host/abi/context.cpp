// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "host/abi/guard.hpp"
#include "host/abi/handles.hpp"
#include "host/abi/options.hpp"
#include "host/layers/layers.hpp"
#include "host/onnx/read.hpp"
#include "host/platform/json.hpp"
#include "host/router/eager.hpp"
#include "host/trace/trace.hpp"
#include "kit/schema/schema.hpp"

using namespace opmux;
using nlohmann::ordered_json;

namespace {

const char* kind_name(uint32_t kind) {
  switch (kind) {
    case OPMUX_DEV_CPU:
      return "cpu";
    case OPMUX_DEV_GPU:
      return "gpu";
    case OPMUX_DEV_ACCEL:
      return "accelerator";
    default:
      return "unknown";
  }
}

ordered_json route_json(const Route& r) {
  const opmux_devinfo& i = r.info();
  return {{"name", r.name()},
          {"alias", r.alias()},
          {"plugin", r.plugin().name()},
          {"version", r.plugin().version()},
          {"path", r.plugin().path()},
          {"device_name", i.name},
          {"driver", i.driver},
          {"kind", kind_name(i.kind)},
          {"compute_units", i.compute_units},
          {"memory_bytes", i.memory_bytes},
          {"max_binding_bytes", i.max_binding_bytes},
          {"f16", (i.features & OPMUX_FEAT_F16) != 0},
          {"f64", (i.features & OPMUX_FEAT_F64) != 0},
          {"subgroups", (i.features & OPMUX_FEAT_SUBGROUP) != 0},
          {"auto", !r.never_auto()}};
}

std::string devices_report(const Registry& registry) {
  ordered_json devices = ordered_json::array();
  for (const auto& physical : registry.devices()) {
    ordered_json routes = ordered_json::array();
    for (const auto& r : registry.routes()) {
      if (r->device() == physical.name) routes.push_back(route_json(*r));
    }
    devices.push_back({{"name", physical.name},
                       {"description", physical.title},
                       {"id", physical.id},
                       {"routes", std::move(routes)}});
  }
  ordered_json unused = ordered_json::array();
  for (const Refusal& r : registry.refusals()) {
    unused.push_back({{"name", r.plugin}, {"path", r.path}, {"stage", r.stage}, {"reason", r.reason}});
  }
  return json_text(ordered_json{{"devices", std::move(devices)}, {"unused", std::move(unused)}});
}

// An operator counts as served natively when the route knows it, whatever it says of this empty descriptor.
// The plugin is asked without the host's own checks, which would refuse the descriptor first.
bool serves(Route& route, const schema::OpInfo& op) {
  Node node;
  node.op = op.op;
  node.attrs.resize(op.desc_size - sizeof(opmux_opd));
  const std::vector<opmux_tdesc> in(op.n_in_min), out(op.n_out_min);
  const Descriptor d(node, in, out);
  const opmux_opd* asked = &d.get();
  opmux_cap cap{};
  cap.h.size = sizeof cap;
  ErrRecord err;
  err.check(route.t().op.query(&route.info(), 1, &asked, &cap, sizeof cap, err.get()), "query");
  return cap.verdict == OPMUX_YES || cap.why != OPMUX_WHY_OP;
}

std::string ops_report(Runtime& rt) {
  ordered_json ops = ordered_json::array();
  for (const schema::OpInfo& op : schema::all()) {
    ordered_json routes = ordered_json::object();
    for (const auto& r : rt.registry.routes()) routes[r->alias()] = serves(*r, op);
    ops.push_back({{"name", op.name}, {"family", op.family}, {"doc", op.doc}, {"routes", std::move(routes)}});
  }
  return json_text(ordered_json{{"ops", std::move(ops)}});
}

std::string memory_report(Runtime& rt) {
  ordered_json pools = ordered_json::array();
  for (const auto& [route, stats] : rt.constants.pool_stats()) {
    pools.push_back(
        {{"route", route->alias()}, {"in_use_bytes", stats.in_use_bytes}, {"peak_bytes", stats.peak_bytes}});
  }
  return json_text(ordered_json{{"pools", std::move(pools)}, {"constant_bytes", rt.constants.held_bytes()}});
}

// The tensors of an eager call are those that its descriptor speaks of.
void check_tensors(const char* kind, std::span<const opmux_tdesc> wanted, const opmux_tensor* have) {
  need_list(have, wanted.size(), kind);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const opmux_tdesc &w = wanted[i], &h = have[i].desc;
    if (w.dtype == OPMUX_NONE) continue;
    sane(h, kind);
    if (w.dtype != h.dtype || !same_shape(w, h) || !std::equal(w.stride, w.stride + w.rank, h.stride)) {
      fail(OPMUX_E_INVALID, "{} {}: the tensor is {}, the descriptor says {}, or their strides differ", kind,
           i, to_string(h), to_string(w));
    }
    if (!have[i].data && element_count(h) != 0) fail(OPMUX_E_INVALID, "{} {}: data is NULL", kind, i);
  }
}

}  // namespace

extern "C" {

const char* opmux_version(void) { return OPMUX_VERSION_TEXT; }

const char* opmux_status_text(opmux_status status) { return schema::status_name(status); }

const char* opmux_dtype_text(uint32_t dtype) { return schema::dtype_name(dtype); }

opmux_str opmux_text_get(opmux_text t) {
  return t ? opmux_str{t->text.data(), t->text.size()} : opmux_str{nullptr, 0};
}

void opmux_text_destroy(opmux_text t) { delete t; }

opmux_status opmux_context_create(const opmux_context_desc* desc, opmux_context* out, opmux_err* err) {
  return guard(err, [&] {
    need(out, "out");
    layers::from_environment();
    *out = new opmux_context_s{std::make_shared<Runtime>(loader_options(desc))};
  });
}

opmux_status opmux_context_destroy(opmux_context c, opmux_err* err) {
  return guard(err, [&] {
    if (!c) return;
    if (c->runtime.use_count() > 1) {
      fail(OPMUX_E_BUSY, "{} object(s) made from this context are still alive", c->runtime.use_count() - 1);
    }
    delete c;
  });
}

opmux_status opmux_context_report(opmux_context c, uint32_t what, opmux_text* out, opmux_err* err) {
  return guard(err, [&] {
    Runtime& rt = *need(c, "context").runtime;
    need(out, "out");
    switch (what) {
      case OPMUX_REPORT_DEVICES:
        *out = new opmux_text_s{devices_report(rt.registry)};
        break;
      case OPMUX_REPORT_OPS:
        *out = new opmux_text_s{ops_report(rt)};
        break;
      case OPMUX_REPORT_MEMORY:
        *out = new opmux_text_s{memory_report(rt)};
        break;
      default:
        fail(OPMUX_E_INVALID, "there is no context report {}", what);
    }
  });
}

opmux_status opmux_array_create(const opmux_tdesc* d, opmux_array* out, opmux_err* err) {
  return guard(err, [&] {
    need(d, "contiguous");
    need(out, "out");
    sane(*d, "array");
    *out = new opmux_array_s{HostTensor(make_desc(d->dtype, dims_of(*d))), {}};
  });
}

opmux_status opmux_array_load_pb(opmux_context c, const char* path, opmux_array* out, opmux_err* err) {
  return guard(err, [&] {
    need(c, "context");
    need(path, "path");
    need(out, "out");
    NamedHostTensor t = read_onnx_tensor(path);
    *out = new opmux_array_s{to_contiguous(t.tensor), t.name};
  });
}

opmux_tensor opmux_array_tensor(opmux_array a) {
  if (!a) return {};
  return {a->tensor.desc(), const_cast<std::byte*>(a->tensor.data())};
}

opmux_str opmux_array_name(opmux_array a) {
  return a ? opmux_str{a->name.data(), a->name.size()} : opmux_str{nullptr, 0};
}

void opmux_array_destroy(opmux_array a) { delete a; }

opmux_status opmux_op(opmux_context c, const char* device, const opmux_opd* d, const opmux_tensor* in,
                      const opmux_tensor* out, opmux_err* err) {
  return guard(err, [&] {
    Runtime& rt = *need(c, "context").runtime;
    need(d, "d");
    schema::Problem problem;
    if (!schema::validate(*d, problem))
      throw Error(OPMUX_E_INVALID, problem.text, 0, OPMUX_NATIVE_NONE, problem.arg);
    check_tensors("input", {d->in, d->n_in}, in);
    check_tensors("output", {d->out, d->n_out}, out);
    Policy policy;
    policy.device = device ? device : "auto";
    const Router router(rt.registry, rt.kernels, policy);
    const Choice choice = router.choose(*d);
    if (!choice.route) {
      fail(OPMUX_E_UNSUPPORTED, "{}",
           choice.refused.empty() ? "no device runs it" : choice.refused.front().reason);
    }
    std::vector<const void*> in_data;
    std::vector<void*> out_data;
    for (uint32_t i = 0; i < d->n_in; ++i) in_data.push_back(in[i].data);
    for (uint32_t i = 0; i < d->n_out; ++i) out_data.push_back(out[i].data);
    run_eager(*choice.route, rt.kernels, *d, choice.capability, in_data, out_data);
  });
}

opmux_status opmux_context_trace_start(opmux_context c, opmux_err* err) {
  return guard(err, [&] {
    need(c, "context");
    trace::start();
  });
}

opmux_status opmux_context_trace_stop(opmux_context c, const char* path, opmux_err* err) {
  return guard(err, [&] {
    need(c, "context");
    need(path, "path");
    trace::stop();
    trace::write_json(path);
  });
}

}  // extern "C"
