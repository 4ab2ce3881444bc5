// SPDX-License-Identifier: Apache-2.0
// Loads digits.onnx, gives it one handwritten digit, prints what it reads, where each node ran and why there.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "opmux/opmux.hpp"

namespace {

// A held-out image of the data set: 8 rows of 8 pixels, ink from 0 to g (16).
constexpr const char* kDigit[8] = {"008gef00", "00dbfb00", "04e1d500", "0378g430",
                                   "00eggd70", "005d2000", "006a0000", "00a60000"};

std::vector<float> pixels() {
  std::vector<float> values;
  for (const char* row : kDigit) {
    for (; *row; ++row) values.push_back(static_cast<float>(*row <= '9' ? *row - '0' : *row - 'a' + 10) / 16);
  }
  return values;
}

// One line per node: where it runs and why it does not run elsewhere.
void print_placement(const opmux::api::Plan& plan, const opmux_tensor& image) {
  const auto report = nlohmann::json::parse(plan.report({&image.desc, 1}));
  for (const auto& node : report["nodes"]) {
    std::printf("  %-10s on %-14s %s\n", node["op"].get<std::string>().c_str(),
                node["route"].get<std::string>().c_str(), node["reason"].get<std::string>().c_str());
  }
}

void run(const std::string& path, const std::string& device) {
  const opmux::api::Context context;  // finds the plugins that were installed with the library
  const opmux::api::Model model(context, path);
  const opmux::api::Plan plan(model, device);
  opmux::api::RunContext runs(plan);

  std::vector<float> values = pixels();
  const int64_t dims[] = {1, 1, 8, 8};
  const opmux_tensor image = opmux::api::tensor(OPMUX_F32, dims, values.data());
  runs.bind_input(0, image);
  runs.run();

  const opmux_tensor answer = runs.output(0);  // f32 [1, 10], valid until the next run
  const auto* probability = static_cast<const float*>(answer.data);
  const auto* best = std::max_element(probability, probability + opmux::api::element_count(answer.desc));
  std::printf("reads %d with probability %.3f\n", static_cast<int>(best - probability),
              static_cast<double>(*best));
  print_placement(plan, image);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: run_model digits.onnx [DEVICE]\n");
    return 2;
  }
  try {
    run(argv[1], argc > 2 ? argv[2] : "auto");
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "run_model: %s\n", e.what());
    return 1;
  }
}
