// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tools/opmux/array_file.hpp"

namespace opmux::cli {

struct ImageOptions {
  std::vector<float> mean, std;  // per channel, in units of [0, 1]; one value serves all, none: 0 and 1
  std::string layout = "nchw";   // nchw, nhwc
};

bool is_image(const std::string& path);

// PNG or JPEG as f32 [1, C, H, W] (or NHWC) with values (pixel / 255 - mean) / std. The input's own dims say
// C, H and W where they are fixed: grey or colour is chosen by C, another size is resampled (bilinear).
Array read_image(const std::string& path, const opmux_port& port, const ImageOptions& options);

}  // namespace opmux::cli
