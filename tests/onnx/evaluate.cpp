// SPDX-License-Identifier: Apache-2.0
#include "tests/onnx/evaluate.hpp"

#include "host/onnx/read.hpp"
#include "host/router/eager.hpp"
#include "tests/support/paths.h"

namespace opmux::test {
namespace {

struct Host {
  Host() : registry(options()), evaluator(registry, kernels) {}

  static LoaderOptions options() {
    LoaderOptions o;
    o.plugins = {plugin_dir() + "/opmux_reference.so"};
    o.search = false;
    o.probe = false;
    o.use_cache = false;
    return o;
  }

  Registry registry;
  KernelCache kernels;
  HostEvaluator evaluator;
};

}  // namespace

Evaluator& reference() {
  static Host host;
  return host.evaluator;
}

std::shared_ptr<const SourceModel> read(const ModelWriter& writer) {
  const std::string bytes = writer.bytes();
  return read_onnx_bytes(std::as_bytes(std::span(bytes)));
}

std::vector<HostTensor> evaluate(const SourceModel& model, const std::vector<NamedHostTensor>& inputs) {
  const Graph graph = import_onnx(model, {}, inputs, &reference());
  std::vector<HostTensor> out;
  for (const Port& p : graph.outputs) {
    if (!graph.is_constant(p.value)) fail(OPMUX_E_INTERNAL, "output '{}' was not folded", p.name);
    out.push_back(to_contiguous(graph.constant(p.value)));
  }
  return out;
}

Graph import(const ModelWriter& writer, const std::vector<NamedTensorDesc>& inputs) {
  const auto model = read(writer);
  return import_onnx(*model, inputs, {}, &reference());
}

}  // namespace opmux::test
