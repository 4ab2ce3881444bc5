// SPDX-License-Identifier: Apache-2.0
#include "tools/opmux/image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO_WRITE
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
  p.data.reset(stbi_load(path.c_str(), &p.width, &p.height, &in_file, channels));
  if (!p.data) throw Failure(OPMUX_E_IO, fmt::format("{}: {}", path, stbi_failure_reason()));
  p.channels = channels;
  return p;
}

float per_channel(const std::vector<float>& values, int c, float otherwise, const char* what) {
  if (values.empty()) return otherwise;
  if (values.size() == 1) return values[0];
  if (static_cast<size_t>(c) >= values.size()) {
    throw Failure(OPMUX_E_INVALID,
                  fmt::format("{} values for {}, the image has more channels", values.size(), what));
  }
  return values[static_cast<size_t>(c)];
}

}  // namespace

bool is_image(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

Array read_image(const std::string& path, const opmux_port& port, const ImageOptions& options) {
  if (port.rank != 4 || port.dtype != OPMUX_F32) {
    throw Failure(OPMUX_E_INVALID, fmt::format("{}: an image fits f32 inputs of rank 4 only", path));
  }
  const bool nhwc = options.layout == "nhwc";
  const int axis_c = nhwc ? 3 : 1, axis_h = nhwc ? 1 : 2, axis_w = nhwc ? 2 : 3;
  const int64_t wanted_c = port.dim[axis_c];
  if (wanted_c != -1 && wanted_c != 1 && wanted_c != 3) {
    throw Failure(OPMUX_E_INVALID,
                  fmt::format("{}: the input has {} channels, images have 1 or 3", path, wanted_c));
  }
  const Pixels p = load(path, wanted_c == 1 ? 1 : 3);
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
        const float scaled =
            (v - per_channel(options.mean, c, 0, "--mean")) / per_channel(options.std, c, 1, "--std");
        out[nhwc ? (y * w + x) * p.channels + c : (c * h + y) * w + x] = scaled;
      }
    }
  }
  return a;
}

}  // namespace opmux::cli
