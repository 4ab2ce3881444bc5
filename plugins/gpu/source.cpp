// SPDX-License-Identifier: Apache-2.0
#include "gpu/source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace opmux::gpu {
namespace {

// How an element lies in a buffer, in both languages, and how it becomes a number and back ($ is the value).
// Elements below a byte lie in words; their stores put them in by atomics, since lanes share a word.
struct Storage {
  uint32_t dtype;
  Kind kind;
  const char *opencl, *glsl, *load, *store;
};
#define SMALL_FLOAT(dtype, f) \
  {dtype, Kind::kFloat, "uchar", "uint8_t", "gk_" f "_float(GK_U32($))", "GK_AS_U8(gk_" f "_bits($, false))"}
constexpr Storage kStorage[] = {
    {OPMUX_F32, Kind::kFloat, "float", "float", "$", "$"},
    {OPMUX_F16, Kind::kFloat, "ushort", "uint16_t", "gk_f16_float(GK_U32($))", "GK_AS_U16(gk_f16_bits($))"},
    {OPMUX_BF16, Kind::kFloat, "ushort", "uint16_t", "gk_bf16_float(GK_U32($))",
     "GK_AS_U16(gk_bf16_bits($))"},
    {OPMUX_F64, Kind::kDouble, "double", "double", "$", "$"},
    {OPMUX_I8, Kind::kInt, "char", "int8_t", "GK_I32($)", "GK_AS_I8($)"},
    {OPMUX_I16, Kind::kInt, "short", "int16_t", "GK_I32($)", "GK_AS_I16($)"},
    {OPMUX_I32, Kind::kInt, "int", "int", "$", "$"},
    {OPMUX_I64, Kind::kLong, "long", "int64_t", "$", "$"},
    {OPMUX_U8, Kind::kUint, "uchar", "uint8_t", "GK_U32($)", "GK_AS_U8($)"},
    {OPMUX_U16, Kind::kUint, "ushort", "uint16_t", "GK_U32($)", "GK_AS_U16($)"},
    {OPMUX_U32, Kind::kUint, "uint", "uint", "$", "$"},
    {OPMUX_U64, Kind::kUlong, "ulong", "uint64_t", "$", "$"},
    {OPMUX_BOOL, Kind::kBool, "uchar", "uint8_t", "(GK_U32($) != 0u)", "GK_AS_U8(($) ? 1u : 0u)"},
    {kRaw64, Kind::kPair, "uint2", "uvec2", "$", "$"},
    SMALL_FLOAT(OPMUX_E4M3FN, "e4m3fn"),
    SMALL_FLOAT(OPMUX_E5M2, "e5m2"),
    SMALL_FLOAT(OPMUX_E4M3FNUZ, "e4m3fnuz"),
    SMALL_FLOAT(OPMUX_E5M2FNUZ, "e5m2fnuz"),
    {OPMUX_E8M0, Kind::kFloat, "uchar", "uint8_t", "gk_e8m0_float(GK_U32($))",
     "GK_AS_U8(gk_e8m0_bits($, false, 0))"},
    {OPMUX_E2M1, Kind::kFloat, "uint", "uint", "gk_e2m1_float($)", "gk_e2m1_bits($, false)"},
    {OPMUX_I4, Kind::kInt, "uint", "uint", "(GK_I32(($) << 28u) >> 28u)", "(GK_U32($) & 15u)"},
    {OPMUX_I2, Kind::kInt, "uint", "uint", "(GK_I32(($) << 30u) >> 30u)", "(GK_U32($) & 3u)"},
    {OPMUX_U4, Kind::kUint, "uint", "uint", "$", "(($) & 15u)"},
    {OPMUX_U2, Kind::kUint, "uint", "uint", "$", "(($) & 3u)"},
};

const Storage* storage_of(uint32_t dtype) {
  const auto* s = std::ranges::find(kStorage, dtype, &Storage::dtype);
  return s == std::end(kStorage) ? nullptr : s;
}

std::string put(const char* pattern, const std::string& value) {
  std::string text;
  for (const char* c = pattern; *c; ++c) text += *c == '$' ? value : std::string(1, *c);
  return text;
}

const std::string& part(std::string_view name) {
  for (const TextPart& p : text_parts())
    if (p.name == name) return p.text;
  throw std::logic_error(fmt::format("no kernel text is called {}", name));
}

bool is_part_of_byte(uint32_t dtype) { return dtype != kRaw64 && OPMUX_DTYPE_BITS(dtype) < 8; }

bool is_small_float(uint32_t dtype) {
  return dtype != kRaw64 && OPMUX_DTYPE_CLASS(dtype) == OPMUX_CLASS_FLOAT && OPMUX_DTYPE_BITS(dtype) <= 8;
}

// Macros for a buffer or a type: its name as the computing type, a conversion to it, loads and stores.
std::string type_macros(const std::string& name, uint32_t dtype) {
  const Storage& s = *storage_of(dtype);
  const bool part = is_part_of_byte(dtype);
  const uint32_t bits = OPMUX_DTYPE_BITS(dtype);
  const std::string at = part ? fmt::format("GK_PART({}, i, {}u)", name, bits) : name + "[i]";
  const std::string store = put(s.store, "(v)");
  return fmt::format("#define T_{0} {1}\n#define TO_{0}(v) {2}(v)\n#define LD_{0}(i) {3}\n", name,
                     kind_name(s.kind), conversion(s.kind), put(s.load, at)) +
         (part ? fmt::format("#define ST_{0}(i, v) GK_PUT_PART({0}, i, {1}u, {2})\n", name, bits, store)
               : fmt::format("#define ST_{0}(i, v) {0}[i] = {1}\n", name, store));
}

std::string shared_text(const Source& s, Language language) {
  std::string text;
  for (const auto& a : s.file->shared)
    text += fmt::format("{} {} {}[{}];\n", language == Language::kGlsl ? "shared" : "__local", a.type, a.name,
                        a.count);
  return text;
}

// Literals of f64 end in d; GLSL wants lf, OpenCL C nothing.
std::string with_f64_literals(const std::string& text, Language language) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    const bool number = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    if (number || is_word(text[i])) {
      while (end < text.size() &&
             (is_word(text[end]) || (number && text[end] == '.') ||
              (number && (text[end] == '-' || text[end] == '+') && text[end - 1] == 'e')))
        ++end;
    }
    const bool hex = number && text.compare(i, 2, "0x") == 0;
    const bool literal = number && !hex && text[end - 1] == 'd';
    out.append(text, i, end - i - (literal ? 1 : 0));
    if (literal && language == Language::kGlsl) out += "lf";
    i = end;
  }
  return out;
}

const char* const kGlslHead =
    "#version 450\n#extension GL_EXT_shader_8bit_storage : require\n"
    "#extension GL_EXT_shader_16bit_storage : require\n";

std::string glsl_entry(const Source& s, const std::string& body) {
  std::string text = "layout(std430, set = 0, binding = 0) readonly buffer GkCode { uint code[]; };\n";
  uint32_t binding = 1;
  for (const auto& b : s.bindings()) {
    const bool whole = b.access == Access::kOut && !is_part_of_byte(b.dtype);
    // Lanes read what others wrote where access is both.
    const char* access = b.access == Access::kIn ? "readonly " : whole ? "writeonly " : "coherent ";
    text += fmt::format("layout(std430, set = 0, binding = {}) {}buffer GkB_{} {{ {} {}[]; }};\n", binding++,
                        access, b.name, storage_of(b.dtype)->glsl, b.name);
  }
  return text +
         fmt::format("layout(push_constant) uniform GkParams {{ uint first; uint base[{}]; }} p;\n",
                     binding) +
         shared_text(s, Language::kGlsl) +
         fmt::format("layout(local_size_x = {}) in;\nvoid main() {{\n{}}}\n", s.file->group, body);
}

std::string opencl_entry(const Source& s, const std::string& body) {
  const auto bindings = s.bindings();
  std::string text =
      fmt::format("typedef struct {{ uint first; uint base[{}]; }} gk_params;\n", bindings.size() + 1);
  text += fmt::format(
      "__kernel __attribute__((reqd_work_group_size({}, 1, 1)))\nvoid main_(__global const uint *code,\n",
      s.file->group);
  for (const auto& b : bindings)
    text += fmt::format("__global {}{} *{},\n", b.access == Access::kIn ? "const " : "",
                        storage_of(b.dtype)->opencl, b.name);
  return text + "const gk_params p) {\n" + shared_text(s, Language::kOpenCl) + body + "}\n";
}

}  // namespace

const KernelFile& kernel_file(std::string_view name) {
  for (const KernelFile& k : kernel_files())
    if (k.name == name) return k;
  throw std::logic_error(fmt::format("no kernel is called {}", name));
}

Kind kind_of(uint32_t dtype) {
  const Storage* s = storage_of(dtype);
  return s ? s->kind : Kind::kNone;
}

uint32_t element_bytes(uint32_t dtype) { return dtype == kRaw64 ? 8 : OPMUX_DTYPE_BITS(dtype) / 8; }

uint32_t raw_type(uint32_t dtype) {
  switch (OPMUX_DTYPE_BITS(dtype)) {
    case 8:
      return OPMUX_U8;
    case 16:
      return OPMUX_U16;
    case 32:
      return OPMUX_U32;
    case 64:
      return kRaw64;
    default:
      return OPMUX_NONE;
  }
}

uint32_t lying_type(uint32_t dtype) {
  switch (dtype) {
    case OPMUX_I8:
      return OPMUX_U8;
    case OPMUX_I16:
      return OPMUX_U16;
    case OPMUX_I32:
      return OPMUX_U32;
    case OPMUX_I64:
      return OPMUX_U64;
    default:
      return dtype;
  }
}

const char* conversion(Kind kind) {
  constexpr const char* kNames[] = {"GK_F32", "GK_F64", "GK_I32",  "GK_U32", "GK_I64",
                                    "GK_U64", "bool",   "GK_PAIR", ""};
  return kNames[static_cast<uint32_t>(kind)];
}

const char* kind_name(Kind kind) {
  constexpr const char* kNames[] = {"float",    "double", "int",     "uint", "gk_long",
                                    "gk_ulong", "bool",   "gk_pair", ""};
  return kNames[static_cast<uint32_t>(kind)];
}

std::vector<Source::Bound> Source::bindings() const {
  std::vector<Bound> all;
  for (const auto& b : file->buffers) all.push_back({b.name, types.at(b.name), b.access});
  for (uint32_t i = 0; i < operands; ++i)
    all.push_back({fmt::format("x{}", i), types.at(fmt::format("x{}", i)), Access::kIn});
  for (uint32_t i = 0; i < results; ++i)
    all.push_back({fmt::format("y{}", i), types.at(fmt::format("y{}", i)), Access::kOut});
  if (file->faults) all.push_back({"fault", OPMUX_U32, Access::kBoth});
  return all;
}

std::vector<KernelFile::Param> Source::params() const {
  auto all = file->params;
  if (file->program) {
    all.push_back({"xs", 8 * operands});
    all.push_back({"ys", 8 * results});
  }
  if (file->faults) all.push_back({"fault", 1});
  return all;
}

std::string Source::text(Language language) const {
  std::string text = language == Language::kGlsl ? kGlslHead : "";
  bool longs_used = longs, doubles_used = doubles, small_floats = false;
  for (const auto& [name, dtype] : types) {
    const Kind kind = kind_of(dtype);
    longs_used |= kind == Kind::kLong || kind == Kind::kUlong;
    doubles_used |= kind == Kind::kDouble;
    small_floats |= is_small_float(dtype);
  }
  if (language == Language::kGlsl) {
    if (longs_used || doubles_used)
      text += "#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require\n";
    text += "#define GK_GLSL 1\n";
  } else if (doubles_used) {
    text += "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n";
  }
  text += fmt::format("#define GK_GROUP_SIZE {}\n", file->group) + part("dialect.h") + part("functions.h");
  if (longs_used || doubles_used) text += part("wide.h");
  if (doubles_used) text += part("double.h");
  std::set<std::string> needed = parts;
  if (small_floats) needed.insert("small_floats.h");
  for (const std::string& name : file->parts) text += part(name);
  for (const std::string& name : needed) text += part(name);
  text += functions;
  for (const auto& [name, value] : defines) text += fmt::format("#define {} {}\n", name, value);
  for (const auto& [name, dtype] : types) text += type_macros(name, dtype);
  uint32_t at = 0, binding = 1;
  for (const auto& b : bindings()) text += fmt::format("#define B_{} p.base[{}]\n", b.name, binding++);
  for (const auto& w : params()) {
    text += fmt::format("#define P_{} {}\n", w.name, at);
    at += w.words;
  }
  const size_t first = file->buffers.size() + 1;
  text += fmt::format("#define GK_N_X {}\n#define GK_N_Y {}\n#define GK_FIRST_X {}\n#define GK_FIRST_Y {}\n",
                      std::max(operands, 1u), std::max(results, 1u), first, first + operands);
  if (file->faults) text += "#define GK_FAULT() GK_ATOMIC_MAX(fault, B_fault, GK_CODE(P_fault))\n";
  std::string body = file->body;
  const std::string mark = "//@program\n";
  if (const size_t where = body.find(mark); where != std::string::npos)
    body.replace(where, mark.size(), program);
  text += language == Language::kGlsl ? glsl_entry(*this, body) : opencl_entry(*this, body);
  return doubles_used ? with_f64_literals(text, language) : text;
}

}  // namespace opmux::gpu
