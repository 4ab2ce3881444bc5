// SPDX-License-Identifier: Apache-2.0
// The text of a kernel: a file of kernels/body with its element types chosen, in the language of a device.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "opmux/types.h"

namespace opmux::gpu {

enum class Access { kIn, kOut, kBoth };
enum class Language { kOpenCl, kGlsl };

// What kernels/embed.py read in a kernel file.
struct KernelFile {
  struct Buffer {
    std::string name;
    Access access;
  };
  struct Shared {
    std::string name, type, count;
  };
  struct Param {
    std::string name;
    uint32_t words;
  };
  std::string name;
  uint32_t group;
  std::vector<Buffer> buffers;
  std::vector<std::string> types;
  std::vector<Shared> shared;
  std::vector<Param> params;
  std::vector<std::string> parts;
  bool program, faults;
  std::string body;
};
struct TextPart {
  std::string name, text;
};
const std::vector<KernelFile>& kernel_files();  // generated
const std::vector<TextPart>& text_parts();      // generated
const KernelFile& kernel_file(std::string_view name);

// Types beside OPMUX_*: 64 bits that are only moved.
inline constexpr uint32_t kRaw64 = 0xffff0040u;

// In which type of the languages elements are computed.
enum class Kind { kFloat, kDouble, kInt, kUint, kLong, kUlong, kBool, kPair, kNone };
Kind kind_of(uint32_t dtype);  // kNone: kernels do not know the type
uint32_t element_bytes(uint32_t dtype);
// The type to move elements of `dtype` by; OPMUX_NONE where they are below a byte or beyond 8.
uint32_t raw_type(uint32_t dtype);
// Integers as unsigned ones of their size, so that both have one text, where words say what the sign is;
// others as they are.
uint32_t lying_type(uint32_t dtype);
// A conversion by name, as in GK_F32(x).
const char* conversion(Kind kind);
const char* kind_name(Kind kind);

// One kernel with all that its text depends on.
struct Source {
  const KernelFile* file = nullptr;
  std::map<std::string, uint32_t> types;  // of buffers and of the file's own
  std::map<std::string, std::string> defines;
  uint32_t operands = 0, results = 0;  // buffers x0.. and y0.. of the program
  std::string program;                 // its statements
  std::string functions;               // that other definitions use
  std::set<std::string> parts;         // texts that they need
  bool doubles = false, longs = false;

  struct Bound {
    std::string name;
    uint32_t dtype;
    Access access;
  };
  // Binding 0 is the code; these follow it.
  std::vector<Bound> bindings() const;
  // Where each word of the code lies, and how many there are.
  std::vector<KernelFile::Param> params() const;
  std::string text(Language language) const;
};

}  // namespace opmux::gpu
