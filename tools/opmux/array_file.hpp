// SPDX-License-Identifier: Apache-2.0
// Tensors in files: NumPy .npy and .npz, ONNX .pb.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "opmux/opmux.hpp"

namespace opmux::cli {

// Contiguous tensor with its own bytes.
struct Array {
  opmux_tdesc desc{};
  std::vector<std::byte> bytes;

  opmux_tensor tensor() { return {desc, bytes.data()}; }
};

uint64_t size_bytes(const opmux_tdesc& d);
Array make_array(uint32_t dtype, std::span<const int64_t> dims);

// By the file's ending; .npz needs the member's name (NAME.npz:member or the name of the input). Throws
// api::Failure with one sentence.
Array read_array(const api::Context& context, const std::string& path, const std::string& member);
// Format of numpy.lib.format, version 1.0; types without a NumPy name are refused.
std::string npy_bytes(const opmux_tdesc& d, const void* data);
Array parse_npy(std::span<const char> bytes, const std::string& name);
// Writes a .npz (stored, not compressed), or a .npy when there is one array and the path says so. Atomic: by
// a new file that is renamed.
void write_arrays(const std::string& path, const std::vector<std::pair<std::string, opmux_tensor>>& arrays);

}  // namespace opmux::cli
