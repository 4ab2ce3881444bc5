// SPDX-License-Identifier: Apache-2.0
// Greedy text generation with a model whose key/value state lies in the run context.
#include <fmt/format.h>

#include <numeric>

#include "tools/opmux/commands.hpp"
#include "tools/opmux/terminal.hpp"
#include "tools/opmux/tokenizer.hpp"

namespace opmux::cli {
namespace {

size_t port_named(const api::Model& model, uint32_t kind, const std::string& name) {
  const auto ports = model.ports(kind);
  for (size_t i = 0; i < ports.size(); ++i) {
    if (api::to_string(ports[i].name) == name) return i;
  }
  throw api::Failure(OPMUX_E_INVALID, fmt::format("the model has no {} '{}', which --prompt needs",
                                                  kind == OPMUX_PORT_INPUT ? "input" : "output", name));
}

int64_t best_of_last_row(const opmux_tensor& logits) {
  const int64_t vocabulary = logits.desc.dim[logits.desc.rank - 1];
  const float* row = static_cast<const float*>(logits.data) + api::element_count(logits.desc) - vocabulary;
  return std::max_element(row, row + vocabulary) - row;
}

// The last token written is not read again, so it needs no row of the state.
void check_capacity(const api::Model& model, size_t prompt_tokens, int64_t count) {
  const auto states = ordered_json::parse(model.report())["states"];
  if (states.empty()) throw api::Failure(OPMUX_E_INVALID, "the model has no state, which --prompt needs");
  const auto capacity = states[0]["capacity"].get<int64_t>();
  if (static_cast<int64_t>(prompt_tokens) + count - 1 > capacity) {
    throw api::Failure(OPMUX_E_INVALID,
                       fmt::format("a prompt of {} and {} more do not fit into the model's state of {}; "
                                   "shorten the prompt or --tokens",
                                   plural(prompt_tokens, "token"), count, capacity));
  }
}

}  // namespace

ordered_json generate(const api::Model& model, const api::Plan& plan, const std::string& prompt,
                      int64_t count) {
  const Tokenizer tokenizer(model.metadata("opmux.tokenizer"));
  const auto prompt_tokens = tokenizer.encode(prompt);
  if (prompt_tokens.empty()) throw api::Failure(OPMUX_E_INVALID, "the prompt is empty");
  const auto tokens_in = static_cast<uint32_t>(port_named(model, OPMUX_PORT_INPUT, "tokens"));
  const auto positions_in = static_cast<uint32_t>(port_named(model, OPMUX_PORT_INPUT, "positions"));
  const auto logits_out = static_cast<uint32_t>(port_named(model, OPMUX_PORT_OUTPUT, "logits"));
  const opmux_port logits_port = model.ports(OPMUX_PORT_OUTPUT)[logits_out];
  if (logits_port.dtype != OPMUX_F32) throw api::Failure(OPMUX_E_UNSUPPORTED, "output 'logits' is not f32");

  check_capacity(model, prompt_tokens.size(), count);
  api::RunContext run(plan);
  std::vector<int64_t> step = prompt_tokens, positions(step.size()), tokens;
  std::iota(positions.begin(), positions.end(), 0);
  std::string text;
  while (static_cast<int64_t>(tokens.size()) < count) {
    const int64_t dims[] = {1, static_cast<int64_t>(step.size())};
    run.bind_input(tokens_in, api::tensor(OPMUX_I64, dims, step.data()));
    run.bind_input(positions_in, api::tensor(OPMUX_I64, dims, positions.data()));
    run.run();
    tokens.push_back(best_of_last_row(run.output(logits_out)));
    text += tokenizer.decode(tokens.back());
    positions.assign(1, static_cast<int64_t>(prompt_tokens.size() + tokens.size()) - 1);
    step.assign(1, tokens.back());
  }
  return {{"prompt", prompt},
          {"prompt_tokens", prompt_tokens},
          {"tokens", tokens},
          {"text", text},
          {"run", ordered_json::parse(run.report())}};
}

}  // namespace opmux::cli
