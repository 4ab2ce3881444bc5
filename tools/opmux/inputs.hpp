// SPDX-License-Identifier: Apache-2.0
// What a model gets: files, random values, and extents for symbolic dims.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "opmux/opmux.hpp"
#include "tools/opmux/array_file.hpp"
#include "tools/opmux/image.hpp"

namespace opmux::cli {

struct InputOptions {
  std::vector<std::string> files;   // NAME=FILE
  std::vector<std::string> shapes;  // NAME=1x3x224x224 or SYMBOL=4
  std::optional<uint64_t> random_seed;
  ImageOptions image;
};

// Descriptors of all inputs: from --shape, then symbols, then 1 for what is symbolic.
std::vector<opmux_tdesc> input_descs(const api::Model& model, const std::vector<std::string>& shapes);

// One array per input of the model, in order. A missing input is an error unless random values are wanted:
// floats uniform in [-1, 1), integers and bool 0 or 1 (safe as indices), from the seed and the input's place.
std::vector<Array> read_inputs(const api::Context& context, const api::Model& model,
                               const InputOptions& options);

}  // namespace opmux::cli
