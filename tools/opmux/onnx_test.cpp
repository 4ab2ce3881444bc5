// SPDX-License-Identifier: Apache-2.0
// Runs folders of the ONNX backend suite: model.onnx with test_data_set_*/input_*.pb and output_*.pb.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "tools/opmux/commands.hpp"
#include "tools/opmux/compare.hpp"
#include "tools/opmux/terminal.hpp"

namespace opmux::cli {
namespace {

namespace fs = std::filesystem;

struct Result {
  std::string name, verdict, reason;  // verdict: passed, failed, unsupported, drawn
  ordered_json operators = nullptr;   // of the model, with their number; null when it cannot be read
};

std::vector<fs::path> sorted_matches(const fs::path& dir, const std::string& prefix) {
  std::vector<fs::path> found;
  for (const auto& e : fs::directory_iterator(dir)) {
    if (e.path().filename().string().starts_with(prefix)) found.push_back(e.path());
  }
  // input_10 comes after input_9.
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    const auto x = a.string(), y = b.string();
    return x.size() != y.size() ? x.size() < y.size() : x < y;
  });
  return found;
}

std::vector<fs::path> test_folders(const fs::path& root) {
  std::vector<fs::path> found;
  if (fs::exists(root / "model.onnx")) return {root};
  for (const auto& e : fs::recursive_directory_iterator(root)) {
    if (e.path().filename() == "model.onnx") found.push_back(e.path().parent_path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Operators whose values another implementation draws otherwise.
bool draws(const ordered_json& operators) {
  constexpr const char* kDrawing[] = {"Bernoulli",        "Dropout",       "Multinomial",      "RandomNormal",
                                      "RandomNormalLike", "RandomUniform", "RandomUniformLike"};
  return std::any_of(std::begin(kDrawing), std::end(kDrawing),
                     [&](const char* name) { return operators.contains(name); });
}

std::string run_set(const api::Context& context, const api::Model& model, const api::Plan& plan,
                    const fs::path& set, const Tolerance& tolerance) {
  const auto inputs = sorted_matches(set, "input_");
  const size_t wanted = model.ports(OPMUX_PORT_INPUT).size();
  if (inputs.size() != wanted)
    return fmt::format("the model has {}, the folder {}", plural(wanted, "input"), inputs.size());
  std::vector<Array> arrays;
  for (const fs::path& p : inputs) arrays.push_back(read_array(context, p.string(), ""));
  api::RunContext run(plan);
  for (uint32_t i = 0; i < arrays.size(); ++i) run.bind_input(i, arrays[i].tensor());
  run.run();
  const auto ports = model.ports(OPMUX_PORT_OUTPUT);
  const auto outputs = sorted_matches(set, "output_");
  if (outputs.size() != ports.size())
    return fmt::format("the model has {}, the folder {}", plural(ports.size(), "output"), outputs.size());
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    Array want = read_array(context, outputs[i].string(), "");
    const std::string wrong = mismatch(run.output(i), want.tensor(), tolerance);
    if (!wrong.empty()) return fmt::format("output '{}' {}", api::to_string(ports[i].name), wrong);
  }
  return {};
}

Result run_folder(const api::Context& context, const fs::path& folder, const PlanChoice& choice,
                  const Tolerance& tolerance) {
  Result r{folder.filename().string(), "passed", {}};
  const auto become = [&](const char* verdict, std::string reason) {
    r.verdict = verdict;
    r.reason = std::move(reason);
    return r;
  };
  try {
    const api::Model model(context, (folder / "model.onnx").string());
    const auto report = ordered_json::parse(model.report());
    r.operators = report["operators"];
    const auto& states = report["states"];
    if (!states.empty()) {
      return become("unsupported",
                    fmt::format("'{}' is a state, which the runtime keeps itself and a test cannot give",
                                states[0]["past"].get<std::string>()));
    }
    const api::Plan plan = make_plan(model, choice);
    const auto sets = sorted_matches(folder, "test_data_set_");
    if (sets.empty()) return become("failed", "there is no test_data_set_ folder");
    for (const fs::path& set : sets) {
      std::string wrong = run_set(context, model, plan, set, tolerance);
      if (!wrong.empty() && draws(r.operators)) {
        Tolerance drawn = tolerance;
        drawn.any_value = true;
        wrong = run_set(context, model, plan, set, drawn);
        if (wrong.empty())
          become("drawn", "its values are drawn at random, so only their type and shape were compared");
      }
      if (!wrong.empty()) return become("failed", set.filename().string() + ": " + wrong);
    }
  } catch (const api::Failure& f) {
    return become(f.code() == OPMUX_E_UNSUPPORTED ? "unsupported" : "failed", f.what());
  }
  return r;
}

struct TestOptions {
  std::string dir;
  PlanChoice plan;
  Tolerance tolerance;
  std::string filter;
  bool json = false, verbose = false;
};

int run_tests(const TestOptions& o) {
  if (!fs::is_directory(o.dir)) throw UsageError{fmt::format("{} is not a folder", o.dir)};
  auto folders = test_folders(o.dir);
  std::erase_if(folders,
                [&](const fs::path& p) { return p.filename().string().find(o.filter) == std::string::npos; });
  if (folders.empty()) throw UsageError{fmt::format("{} has no folder with a model.onnx that fits", o.dir)};
  const api::Context context;
  std::map<std::string, int> count{{"passed", 0}, {"failed", 0}, {"unsupported", 0}, {"drawn", 0}};
  ordered_json cases = ordered_json::array();
  {
    Progress progress(folders.size());
    for (const fs::path& folder : folders) {
      progress.step(folder.filename().string());
      const Result r = run_folder(context, folder, o.plan, o.tolerance);
      ++count[r.verdict];
      cases.push_back({{"name", r.name},
                       {"folder", folder.lexically_relative(o.dir).string()},
                       {"verdict", r.verdict},
                       {"reason", r.reason},
                       {"operators", r.operators}});
    }
  }
  if (o.json) {
    print_json({{"passed", count["passed"]},
                {"failed", count["failed"]},
                {"unsupported", count["unsupported"]},
                {"drawn", count["drawn"]},
                {"cases", cases}});
  } else {
    for (const auto& c : cases) {
      if (c["verdict"] == "passed" && !o.verbose) continue;
      fmt::print("{:<11}  {}{}{}\n", c["verdict"].get<std::string>(), c["name"].get<std::string>(),
                 c["reason"].get<std::string>().empty() ? "" : ": ", c["reason"].get<std::string>());
    }
    fmt::print("{} passed, {} failed, {} unsupported{}\n", count["passed"], count["failed"],
               count["unsupported"],
               count["drawn"] ? fmt::format(", {} drawn at random", count["drawn"]) : "");
  }
  return count["failed"] ? 1 : 0;
}

}  // namespace

void add_onnx_test(CLI::App& app, Outcome& outcome) {
  auto o = std::make_shared<TestOptions>();
  auto* c =
      app.add_subcommand("onnx-test", "Runs ONNX backend test folders; a wrong result is exit status 1");
  c->add_option("DIR", o->dir, "A test folder, or a folder of them at any depth")->required();
  add_device_options(*c, o->plan);
  c->add_option("--filter", o->filter, "Only folders whose name contains this");
  c->add_option("--rtol", o->tolerance.relative, "Relative tolerance")->capture_default_str();
  c->add_option("--atol", o->tolerance.absolute, "Absolute tolerance")->capture_default_str();
  c->add_flag("--verbose", o->verbose, "List what passed too");
  c->add_flag("--json", o->json, "Print JSON");
  c->callback([o, &outcome] { outcome.status = run_tests(*o); });
}

}  // namespace opmux::cli
