// SPDX-License-Identifier: Apache-2.0
#include "tools/opmux/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "opmux/opmux.hpp"

namespace opmux::cli {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

size_t characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

// The UTF-8 character at a place in quotes, or its first byte in hexadecimal when it cannot be shown.
std::string character(const std::string& text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
  size_t have = 1;
  while (at + have < text.size() && have < length && continues(text[at + have])) ++have;
  const bool shown =
      first < 0x80 ? first >= 0x20 && first != 0x7f : length > 1 && first < 0xf5 && have == length;
  return shown ? "'" + text.substr(at, length) + "'" : fmt::format("byte 0x{:02x}", first);
}

}  // namespace

Tokenizer::Tokenizer(const std::string& metadata) {
  if (metadata.empty()) {
    throw api::Failure(OPMUX_E_INVALID,
                       "the model has no metadata 'opmux.tokenizer', so --prompt cannot be used");
  }
  const auto json = nlohmann::json::parse(metadata, nullptr, false);
  const auto list = json.is_object() ? json.find("vocabulary") : json.end();
  if (list == json.end() || !list->is_array() || !json.contains("type") || json["type"] != "greedy-longest") {
    throw api::Failure(
        OPMUX_E_UNSUPPORTED,
        "the model's metadata 'opmux.tokenizer' describes no vocabulary of type 'greedy-longest'");
  }
  for (const auto& entry : *list) {
    if (!entry.is_string())
      throw api::Failure(OPMUX_E_INVALID,
                         fmt::format("entry {} of the model's vocabulary is no text", vocabulary_.size()));
    vocabulary_.push_back(entry.get<std::string>());
  }
  for (size_t i = 0; i < vocabulary_.size(); ++i) {
    ids_.emplace(vocabulary_[i], static_cast<int64_t>(i));
    longest_ = std::max(longest_, vocabulary_[i].size());
  }
}

std::vector<int64_t> Tokenizer::encode(const std::string& text) const {
  std::vector<int64_t> ids;
  for (size_t at = 0; at < text.size();) {
    size_t length = std::min(longest_, text.size() - at);
    while (length && !ids_.contains(text.substr(at, length))) --length;
    if (!length) {
      throw api::Failure(OPMUX_E_INVALID,
                         fmt::format("character {} of the prompt, {}, is not in the model's vocabulary",
                                     characters(text.substr(0, at)) + 1, character(text, at)));
    }
    ids.push_back(ids_.at(text.substr(at, length)));
    at += length;
  }
  return ids;
}

std::string Tokenizer::decode(int64_t token) const {
  if (token < 0 || static_cast<size_t>(token) >= vocabulary_.size()) {
    throw api::Failure(OPMUX_E_INVALID, fmt::format("the model chose token {}, its vocabulary has {}", token,
                                                    vocabulary_.size()));
  }
  return vocabulary_[static_cast<size_t>(token)];
}

}  // namespace opmux::cli
