// SPDX-License-Identifier: Apache-2.0
// usage: onnx_node_suite FOLDER...: runs ONNX backend test folders through import and the reference, one line
// each
// ("pass NAME", "fail NAME: why", "none NAME: why"), then the counts.
#include <fmt/format.h>

#include <filesystem>

#include "tests/onnx/node_suite.hpp"

int main(int argc, char** argv) {
  using opmux::test::Verdict;
  int counts[3] = {};
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path folder = argv[i];
    const auto outcome = opmux::test::run_folder(folder.string());
    static constexpr const char* kWords[] = {"pass", "fail", "none"};
    const auto v = static_cast<int>(outcome.verdict);
    ++counts[v];
    fmt::print("{} {}{}{}\n", kWords[v], folder.filename().string(), outcome.text.empty() ? "" : ": ",
               outcome.text);
  }
  fmt::print("{} passed, {} failed, {} not supported\n", counts[0], counts[1], counts[2]);
  return 0;
}
