// SPDX-License-Identifier: Apache-2.0
#include "tests/onnx/node_suite.hpp"

#include <cmath>
#include <filesystem>

#include "host/onnx/read.hpp"
#include "kit/schema/schema.hpp"
#include "tests/onnx/evaluate.hpp"

namespace opmux::test {
namespace {

namespace fs = std::filesystem;

std::string compare(const HostTensor& have, const HostTensor& want, size_t output) {
  const std::string who = fmt::format("output {}", output);
  if (have.desc().dtype != want.desc().dtype || !same_shape(have.desc(), want.desc())) {
    return fmt::format("{} is {}, expected {}", who, to_string(have.desc()), to_string(want.desc()));
  }
  const uint32_t dtype = want.desc().dtype;
  if (OPMUX_DTYPE_BITS(dtype) < 8) {
    const auto n = static_cast<std::ptrdiff_t>(packed_bytes(want.desc()));
    return std::equal(have.data(), have.data() + n, want.data()) ? "" : who + " has other bits";
  }
  const auto h = have.to_double(), w = want.to_double();
  const bool exact = OPMUX_DTYPE_CLASS(dtype) != OPMUX_CLASS_FLOAT;
  const bool narrow = OPMUX_DTYPE_BITS(dtype) < 32;
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < h.size(); ++i) {
    if (std::isnan(h[i]) && std::isnan(w[i])) continue;
    if (h[i] == w[i]) continue;
    const double error = std::abs(h[i] - w[i]);
    const double bound = exact ? 0 : (narrow ? 1e-2 : 1e-3) * std::abs(w[i]) + (narrow ? 1e-2 : 1e-7);
    if (error <= bound) continue;
    const double excess = std::isnan(error) ? INFINITY : error;
    if (excess > worst) worst = excess, at = i;
  }
  if (worst == 0) return "";
  return fmt::format("{} element {} is {}, expected {}", who, at, h[at], w[at]);
}

std::vector<HostTensor> tensors(const fs::path& folder, const char* kind) {
  std::vector<HostTensor> out;
  for (size_t i = 0;; ++i) {
    const fs::path file = folder / fmt::format("{}_{}.pb", kind, i);
    if (!fs::exists(file)) return out;
    // An absent optional operand is an empty file.
    out.push_back(fs::file_size(file) == 0 ? HostTensor() : read_onnx_tensor(file.string()).tensor);
  }
}

Outcome run_data(const SourceModel& model, const fs::path& data) {
  const auto given = tensors(data, "input"), want = tensors(data, "output");
  std::vector<NamedHostTensor> inputs;
  for (size_t i = 0; i < model.graph.inputs.size() && i < given.size(); ++i) {
    if (given[i]) inputs.push_back({model.graph.inputs[i].name, given[i]});
  }
  const auto have = evaluate(model, inputs);
  for (size_t i = 0; i < want.size(); ++i) {
    if (i >= have.size()) return {Verdict::kFailed, fmt::format("only {} outputs", have.size())};
    if (std::string text = compare(have[i], want[i], i); !text.empty()) return {Verdict::kFailed, text};
  }
  return {};
}

}  // namespace

Outcome run_folder(const std::string& folder) {
  try {
    const auto model = read_onnx(folder + "/model.onnx");
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!entry.is_directory()) continue;
      if (Outcome o = run_data(*model, entry.path()); o.verdict != Verdict::kPassed) return o;
    }
    return {};
  } catch (const Error& e) {
    return {e.code() == OPMUX_E_UNSUPPORTED ? Verdict::kUnsupported : Verdict::kFailed, e.text()};
  }
}

}  // namespace opmux::test
