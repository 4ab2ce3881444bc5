// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "tools/opmux/commands.hpp"
#include "tools/opmux/compare.hpp"
#include "tools/opmux/terminal.hpp"

namespace opmux::cli {
namespace {

struct RunOptions {
  std::string model, output, trace;
  std::optional<std::string> prompt;
  InputOptions inputs;
  PlanChoice plan;
  uint32_t repeat = 1;
  int64_t tokens = 48;
  uint64_t seed = 0;
  bool json = false;
};

// Smallest, largest, mean and the place of the largest element, over the numbers that are finite.
ordered_json summary(const opmux_tensor& t) {
  const int64_t n = api::element_count(t.desc);
  double low = INFINITY, high = -INFINITY, sum = 0;
  int64_t best = -1, odd = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double v = element(t, i);
    if (!std::isfinite(v)) {
      ++odd;
      continue;
    }
    sum += v;
    low = std::min(low, v);
    if (v > high) {
      high = v;
      best = i;
    }
  }
  if (best < 0) return {{"elements", n}, {"not_finite", odd}};
  return {{"elements", n}, {"not_finite", odd}, {"min", low},
          {"max", high},   {"argmax", best},    {"mean", sum / static_cast<double>(n - odd)}};
}

ordered_json run_inputs(const api::Context& context, const api::Model& model, const api::Plan& plan,
                        const RunOptions& o) {
  if (!o.output.empty()) check_arrays_path(o.output, model.ports(OPMUX_PORT_OUTPUT).size());
  auto arrays = read_inputs(context, model, o.inputs);
  api::RunContext run(plan);
  for (uint32_t i = 0; i < arrays.size(); ++i) run.bind_input(i, arrays[i].tensor());
  std::vector<uint64_t> times;
  {
    Progress progress(o.repeat);
    for (uint32_t i = 0; i < o.repeat; ++i) {
      if (i) run.truncate_state(0);  // every run begins anew
      const auto begin = std::chrono::steady_clock::now();
      run.run();
      times.push_back(static_cast<uint64_t>((std::chrono::steady_clock::now() - begin).count()));
      progress.step("runs");
    }
  }
  ordered_json result;
  result["first_ns"] = times.front();
  std::sort(times.begin(), times.end());
  result["time_ns"] = times[times.size() / 2];
  ordered_json outputs = ordered_json::array();
  std::vector<std::pair<std::string, opmux_tensor>> files;
  const auto ports = model.ports(OPMUX_PORT_OUTPUT);
  for (uint32_t i = 0; i < ports.size(); ++i) {
    const opmux_tensor t = run.output(i);
    files.emplace_back(api::to_string(ports[i].name), t);
    ordered_json one{{"name", files.back().first}, {"type", desc_text(t.desc)}};
    one.update(summary(t));
    outputs.push_back(std::move(one));
  }
  result["outputs"] = std::move(outputs);
  result["run"] = ordered_json::parse(run.report());
  if (!o.output.empty()) write_arrays(o.output, files);
  return result;
}

void print_run(const ordered_json& result, const RunOptions& o) {
  if (result.contains("text")) {
    fmt::print("{}{}\n", *o.prompt, result["text"].get<std::string>());
    return;
  }
  for (const auto& t : result["outputs"]) {
    fmt::print("{}  {}", t["name"].get<std::string>(), t["type"].get<std::string>());
    if (t.contains("max")) {
      fmt::print("  min {:.6g}  max {:.6g} at {}  mean {:.6g}", t["min"].get<double>(),
                 t["max"].get<double>(), t["argmax"].get<int64_t>(), t["mean"].get<double>());
    }
    if (t["not_finite"].get<int64_t>()) fmt::print("  not finite: {}", t["not_finite"].get<int64_t>());
    fmt::print("\n");
  }
  std::string routes;
  for (const auto& [name, n] : result["run"]["routes"].items()) {
    routes += fmt::format("{}{} on {}", routes.empty() ? "" : ", ", n.get<uint32_t>(), name);
  }
  fmt::print("{}; first run {}, median {}\n", routes, time_text(result["first_ns"].get<uint64_t>()),
             time_text(result["time_ns"].get<uint64_t>()));
  if (o.plan.profile) {
    Table table({"node", "operator", "route", "time"}, {false, false, false, true});
    for (const auto& n : result["run"]["nodes"]) {
      table.add({n["name"], n["op"], n["route"], time_text(n["time_ns"].get<uint64_t>())});
    }
    fmt::print("{}", table.text());
  }
  if (o.plan.fallback != "report") return;
  for (const auto& f : result["run"]["fallbacks"]) {
    fmt::print(stderr, "fallback: '{}' runs on {}: {}\n", f["name"].get<std::string>(),
               f["route"].get<std::string>(), f["reason"].get<std::string>());
  }
}

// What an option would do in vain is refused rather than passed over.
void check_options(const RunOptions& o) {
  if (!o.trace.empty()) check_target(o.trace);
  if (!o.prompt) return;
  const std::pair<bool, const char*> unused[] = {
      {!o.inputs.files.empty(), "--input"},  {o.inputs.random_seed.has_value(), "--random-inputs"},
      {!o.inputs.shapes.empty(), "--shape"}, {!o.output.empty(), "--output"},
      {o.repeat != 1, "--repeat"},           {o.plan.profile, "--profile"}};
  for (const auto& [given, name] : unused) {
    if (given) throw UsageError{fmt::format("{} does not go with --prompt", name)};
  }
}

void run_model(const RunOptions& o) {
  check_options(o);
  const api::Context context;
  if (!o.trace.empty()) api::call(opmux_context_trace_start, context.get());
  const api::Model model(context, o.model);
  const api::Plan plan = make_plan(model, o.plan);
  const ordered_json result =
      o.prompt ? generate(model, plan, *o.prompt, o.tokens) : run_inputs(context, model, plan, o);
  if (!o.trace.empty()) api::call(opmux_context_trace_stop, context.get(), o.trace.c_str());
  o.json ? print_json(result) : print_run(result, o);
}

}  // namespace

void add_run(CLI::App& app, Outcome&) {
  auto o = std::make_shared<RunOptions>();
  auto* c = app.add_subcommand("run", "Runs an ONNX model");
  c->add_option("MODEL", o->model, "ONNX file")->required();
  c->add_option("--input", o->inputs.files, "NAME=FILE: .npy, .npz, ONNX .pb, or an image (PNG, JPEG)");
  auto* seed = c->add_option("--random-inputs", o->seed, "Seed: what no --input names gets random values");
  c->add_option("--shape", o->inputs.shapes, "With random inputs: NAME=1x3x224x224 or SYMBOL=4");
  c->add_option("--output", o->output, "Write the outputs to a .npz file");
  add_device_options(*c, o->plan);
  c->add_option("--repeat", o->repeat, "Runs; the median time is reported")
      ->check(CLI::Range(1u, 1000000u))
      ->capture_default_str();
  c->add_flag("--profile", o->plan.profile, "Time of each node");
  c->add_option("--trace", o->trace, "Write host and device spans as Chrome trace JSON");
  c->add_option("--mean", o->inputs.image.mean, "Images: mean per channel, of values in [0, 1]")
      ->delimiter(',');
  c->add_option("--std", o->inputs.image.std, "Images: standard deviation per channel")->delimiter(',');
  c->add_option("--layout", o->inputs.image.layout, "Images: nchw or nhwc")
      ->check(CLI::IsMember({"nchw", "nhwc"}))
      ->capture_default_str();
  c->add_option("--prompt", o->prompt,
                "Text that a language model with a tokenizer in its metadata goes on with");
  c->add_option("--tokens", o->tokens, "With --prompt: tokens to add")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 20))
      ->capture_default_str();
  c->add_flag("--json", o->json, "Print JSON");
  c->callback([o, seed] {
    if (seed->count()) o->inputs.random_seed = o->seed;
    run_model(*o);
  });
}

}  // namespace opmux::cli
