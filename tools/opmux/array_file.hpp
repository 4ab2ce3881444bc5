// SPDX-License-Identifier: Apache-2.0
// Tensors in files: NumPy .npy and .npz, ONNX .pb.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "opmux/opmux.hpp"

namespace opmux::cli {

// Tensor with its own bytes; dense, in C order unless it came from a file in Fortran order.
struct Array {
  opmux_tdesc desc{};
  std::vector<std::byte> bytes;

  opmux_tensor tensor() { return {desc, bytes.data()}; }
};

// Throws api::Failure when there is no memory for so many elements.
Array make_array(uint32_t dtype, std::span<const int64_t> dims);

// The whole file. Throws api::Failure.
std::string read_file(const std::string& path);

// By the file's ending; of a .npz file the array `member`. Throws api::Failure with one sentence.
Array read_array(const api::Context& context, const std::string& path, const std::string& member);
// Format of numpy.lib.format, version 1.0; types without a NumPy name are refused.
std::string npy_bytes(const opmux_tdesc& d, const void* data);
Array parse_npy(std::span<const char> bytes, const std::string& name);
// Whether write_arrays could write `count` arrays there, said before the work is done. Throws UsageError for
// an ending that does not fit, api::Failure for a place that cannot be written.
void check_arrays_path(const std::string& path, size_t count);
// Throws api::Failure when the folder of a file to be written is not there or not ours to write.
void check_target(const std::string& path);
// Writes a .npz (stored, not compressed), or a .npy when there is one array and the path says so. Atomic: by
// a new file that is renamed; a failure leaves nothing behind.
void write_arrays(const std::string& path, const std::vector<std::pair<std::string, opmux_tensor>>& arrays);

}  // namespace opmux::cli
