// SPDX-License-Identifier: Apache-2.0
#include "tools/opmux/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "opmux/opmux.hpp"

namespace opmux::cli {

Tokenizer::Tokenizer(const std::string& metadata) {
  if (metadata.empty()) {
    throw api::Failure(OPMUX_E_INVALID,
                       "the model has no metadata 'opmux.tokenizer', so --prompt cannot be used");
  }
  const auto json = nlohmann::json::parse(metadata, nullptr, false);
  if (json.is_discarded() || json.value("type", "") != "greedy-longest" || !json.contains("vocabulary")) {
    throw api::Failure(OPMUX_E_UNSUPPORTED, "the model's tokenizer is not of type 'greedy-longest'");
  }
  vocabulary_ = json["vocabulary"].get<std::vector<std::string>>();
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
                         fmt::format("character {} of the prompt is not in the model's vocabulary", at));
    }
    ids.push_back(ids_.at(text.substr(at, length)));
    at += length;
  }
  return ids;
}

std::string Tokenizer::decode(int64_t token) const { return vocabulary_.at(static_cast<size_t>(token)); }

}  // namespace opmux::cli
