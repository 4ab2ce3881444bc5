// SPDX-License-Identifier: Apache-2.0
// The sub-commands; each adds itself to the program with its options.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/opmux/inputs.hpp"

namespace opmux::cli {

using nlohmann::ordered_json;

// Exit status of a command that ran: 0 right, 1 failed.
struct Outcome {
  int status = 0;
};

void add_devices(CLI::App& app, Outcome& outcome);
void add_ops(CLI::App& app, Outcome& outcome);
void add_run(CLI::App& app, Outcome& outcome);
void add_why(CLI::App& app, Outcome& outcome);
void add_inspect(CLI::App& app, Outcome& outcome);
void add_onnx_test(CLI::App& app, Outcome& outcome);

// Options that several commands share.
struct PlanChoice {
  std::string device = "auto", fallback = "report";
  bool profile = false;
};
void add_device_options(CLI::App& command, PlanChoice& choice);
api::Plan make_plan(const api::Model& model, const PlanChoice& choice);

// Greedy continuation of a prompt; the JSON has prompt_tokens, tokens, text.
ordered_json generate(const api::Model& model, const api::Plan& plan, const std::string& prompt,
                      int64_t tokens);

// One line of JSON to stdout.
void print_json(const ordered_json& json);

}  // namespace opmux::cli
