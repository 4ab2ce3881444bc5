// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace opmux::cli {

// Text to tokens by the vocabulary in a model's metadata (samples/models/README.md): at each place the
// longest entry that fits.
class Tokenizer {
 public:
  // metadata: {"type": "greedy-longest", "vocabulary": [...]}; throws api::Failure when it is anything else.
  explicit Tokenizer(const std::string& metadata);
  std::vector<int64_t> encode(const std::string& text) const;
  std::string decode(int64_t token) const;
  size_t size() const { return vocabulary_.size(); }

 private:
  std::vector<std::string> vocabulary_;
  std::unordered_map<std::string, int64_t> ids_;
  size_t longest_ = 0;
};

}  // namespace opmux::cli
