// SPDX-License-Identifier: Apache-2.0
#include "tools/opmux/image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>

#include "tools/opmux/terminal.hpp"

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#include <stb/stb_image.h>

namespace opmux::cli {
namespace {

using api::Failure;

struct Pixels {
  int width = 0, height = 0, channels = 0;
  std::unique_ptr<stbi_uc, void (*)(void*)> data{nullptr, stbi_image_free};

  float at(int y, int x, int c) const {
    return static_cast<float>(data.get()[(y * width + x) * channels + c]);
  }
  // Bilinear sample; coordinates in pixels, centres at halves.
  float sample(float y, float x, int c) const {
    const float fy = std::clamp(y - 0.5f, 0.0f, static_cast<float>(height - 1));
    const float fx = std::clamp(x - 0.5f, 0.0f, static_cast<float>(width - 1));
    const int y0 = static_cast<int>(fy), x0 = static_cast<int>(fx);
    const int y1 = std::min(y0 + 1, height - 1), x1 = std::min(x0 + 1, width - 1);
    const float ty = fy - static_cast<float>(y0), tx = fx - static_cast<float>(x0);
    return (at(y0, x0, c) * (1 - tx) + at(y0, x1, c) * tx) * (1 - ty) +
           (at(y1, x0, c) * (1 - tx) + at(y1, x1, c) * tx) * ty;
  }
};

Pixels load(const std::string& path, int channels) {
  Pixels p;
  int in_file = 0;
  const std::string bytes = read_file(path);
  if (bytes.size() > std::numeric_limits<int>::max())
    throw Failure(OPMUX_E_INVALID, fmt::format("{}: {} bytes are too many for an image", path, bytes.size()));
  p.data.reset(stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                                     static_cast<int>(bytes.size()), &p.width, &p.height, &in_file,
                                     channels));
  if (!p.data) {
    throw Failure(OPMUX_E_INVALID,
                  fmt::format("{}: is not a PNG or JPEG image: {}", path, stbi_failure_reason()));
  }
  p.channels = channels;
  return p;
}

void check_count(const std::vector<float>& values, int channels, const char* what) {
  if (values.size() > 1 && values.size() != static_cast<size_t>(channels))
    throw UsageError{fmt::format("{} has {} values, the image has {}", what, values.size(),
                                 plural(static_cast<uint64_t>(channels), "channel"))};
}

float per_channel(const std::vector<float>& values, int c, float otherwise) {
  return values.empty() ? otherwise : values[values.size() == 1 ? 0 : static_cast<size_t>(c)];
}

}  // namespace

bool is_image(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

Array read_image(const std::string& path, const opmux_port& port, const ImageOptions& options) {
  if (port.rank != 4 || port.dtype != OPMUX_F32) {
    throw Failure(OPMUX_E_INVALID,
                  fmt::format("{}: an image fits f32 inputs of rank 4 only, which '{}' is not", path,
                              api::to_string(port.name)));
  }
  if (std::find(options.std.begin(), options.std.end(), 0.0f) != options.std.end())
    throw UsageError{"--std has a 0, by which nothing can be divided"};
  const bool nhwc = options.layout == "nhwc";
  const int axis_c = nhwc ? 3 : 1, axis_h = nhwc ? 1 : 2, axis_w = nhwc ? 2 : 3;
  const int64_t wanted_c = port.dim[axis_c];
  if (wanted_c != -1 && wanted_c != 1 && wanted_c != 3) {
    throw Failure(OPMUX_E_INVALID,
                  fmt::format("{}: the input has {} channels, images have 1 or 3", path, wanted_c));
  }
  const Pixels p = load(path, wanted_c == 1 ? 1 : 3);
  check_count(options.mean, p.channels, "--mean");
  check_count(options.std, p.channels, "--std");
  const int64_t h = port.dim[axis_h] < 0 ? p.height : port.dim[axis_h];
  const int64_t w = port.dim[axis_w] < 0 ? p.width : port.dim[axis_w];
  const int64_t dims_nchw[] = {1, p.channels, h, w}, dims_nhwc[] = {1, h, w, p.channels};
  Array a = make_array(OPMUX_F32, nhwc ? dims_nhwc : dims_nchw);
  auto* out = reinterpret_cast<float*>(a.bytes.data());
  const float sy = static_cast<float>(p.height) / static_cast<float>(h),
              sx = static_cast<float>(p.width) / static_cast<float>(w);
  for (int64_t y = 0; y < h; ++y) {
    for (int64_t x = 0; x < w; ++x) {
      for (int c = 0; c < p.channels; ++c) {
        const float v =
            p.sample((static_cast<float>(y) + 0.5f) * sy, (static_cast<float>(x) + 0.5f) * sx, c) / 255.0f;
        const float scaled = (v - per_channel(options.mean, c, 0)) / per_channel(options.std, c, 1);
        out[nhwc ? (y * w + x) * p.channels + c : (c * h + y) * w + x] = scaled;
      }
    }
  }
  return a;
}

}  // namespace opmux::cli
