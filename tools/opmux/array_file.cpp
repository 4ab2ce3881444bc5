// SPDX-License-Identifier: Apache-2.0
#include "tools/opmux/array_file.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>

#include "tools/opmux/compare.hpp"
#include "tools/opmux/terminal.hpp"

namespace opmux::cli {
namespace {

using api::Failure;

struct TypeName {
  uint32_t dtype;
  const char* text;
};
constexpr TypeName kTypes[] = {{OPMUX_F64, "<f8"}, {OPMUX_F32, "<f4"}, {OPMUX_F16, "<f2"},
                               {OPMUX_I64, "<i8"}, {OPMUX_I32, "<i4"}, {OPMUX_I16, "<i2"},
                               {OPMUX_I8, "|i1"},  {OPMUX_U64, "<u8"}, {OPMUX_U32, "<u4"},
                               {OPMUX_U16, "<u2"}, {OPMUX_U8, "|u1"},  {OPMUX_BOOL, "|b1"}};
constexpr size_t kMaxHeader = 1 << 16;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Failure(OPMUX_E_INVALID, fmt::format("{}: {}", name, why));
}

uint64_t size_bytes(const opmux_tdesc& d) {
  const auto count = static_cast<uint64_t>(api::element_count(d));
  if (count > std::numeric_limits<int64_t>::max() / 64) {
    throw Failure(OPMUX_E_OUT_OF_MEMORY, fmt::format("there is no memory for {}", desc_text(d)));
  }
  return (count * OPMUX_DTYPE_BITS(d.dtype) + 7) / 8;
}

// Value of a key in the header's Python dictionary literal, up to the next comma outside brackets.
std::string header_value(const std::string& header, const std::string& key, const std::string& name) {
  const size_t at = header.find("'" + key + "':");
  if (at == std::string::npos) refuse(name, fmt::format("the header has no '{}'", key));
  size_t begin = at + key.size() + 3, end = begin;
  for (int depth = 0; end < header.size(); ++end) {
    if (header[end] == '(') ++depth;
    if (header[end] == ')') --depth;
    if ((header[end] == ',' && depth == 0) || header[end] == '}') break;
  }
  std::string value = header.substr(begin, end - begin);
  value.erase(0, value.find_first_not_of(' '));
  value.erase(value.find_last_not_of(' ') + 1);
  return value;
}

std::vector<int64_t> parse_shape(const std::string& text, const std::string& name) {
  std::vector<int64_t> dims;
  std::string digits;
  for (char c : text) {
    if (c >= '0' && c <= '9') {
      digits += c;
      if (digits.size() > 18) refuse(name, fmt::format("an extent in shape {} is beyond reason", text));
    } else if (!digits.empty()) {
      dims.push_back(std::stoll(digits));
      digits.clear();
    } else if (c == '-') {
      refuse(name, fmt::format("shape {} has a negative extent", text));
    }
  }
  if (dims.size() > OPMUX_MAX_RANK)
    refuse(name, fmt::format("rank {} is beyond the limit of 8", dims.size()));
  return dims;
}

void check_source(const std::string& path) {
  std::error_code ec;
  const auto kind = std::filesystem::status(path, ec).type();
  if (kind == std::filesystem::file_type::directory)
    throw Failure(OPMUX_E_IO, fmt::format("{}: is a folder", path));
  if (access(path.c_str(), R_OK) != 0)
    throw Failure(OPMUX_E_IO, fmt::format("{}: {}", path, std::strerror(errno)));
}

struct ZipCloser {
  void operator()(zip_t* z) const { zip_discard(z); }
  void operator()(zip_file_t* f) const { zip_fclose(f); }
};

Array read_npz(const std::string& path, const std::string& member) {
  check_source(path);
  int code = 0;
  std::unique_ptr<zip_t, ZipCloser> zip(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!zip) refuse(path, "is not a .npz file, or damaged or cut off");
  const std::string file = member + ".npy";
  zip_stat_t stat{};
  if (zip_stat(zip.get(), file.c_str(), 0, &stat) != 0) {
    std::string names;
    for (zip_int64_t i = 0; i < zip_get_num_entries(zip.get(), 0); ++i) {
      const std::string name = zip_get_name(zip.get(), static_cast<zip_uint64_t>(i), 0);
      names += (i ? ", " : "") + name.substr(0, name.rfind(".npy"));
    }
    refuse(path, fmt::format("has no array '{}'; it has {}", member, names.empty() ? "none" : names));
  }
  std::unique_ptr<zip_file_t, ZipCloser> in(zip_fopen(zip.get(), file.c_str(), 0));
  std::string bytes;
  char chunk[1 << 16];
  for (zip_int64_t n = 0; in && (n = zip_fread(in.get(), chunk, sizeof chunk)) != 0;) {
    if (n < 0) refuse(path, fmt::format("array '{}' cannot be unpacked", member));
    bytes.append(chunk, static_cast<size_t>(n));
  }
  return parse_npy(bytes, path + ":" + member);
}

// Writes the file `fresh`, which becomes `path`; messages name the latter.
void write_npz(const std::string& fresh, const std::string& path,
               const std::vector<std::pair<std::string, std::string>>& members) {
  int code = 0;
  std::unique_ptr<zip_t, ZipCloser> zip(zip_open(fresh.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!zip) throw Failure(OPMUX_E_IO, fmt::format("{}: cannot be created", path));
  for (const auto& [name, bytes] : members) {
    zip_source_t* source = zip_source_buffer(zip.get(), bytes.data(), bytes.size(), 0);
    const zip_int64_t index =
        source ? zip_file_add(zip.get(), (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) throw Failure(OPMUX_E_IO, fmt::format("{}: {}", path, zip_strerror(zip.get())));
    zip_set_file_compression(zip.get(), static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
  }
  if (zip_close(zip.get()) != 0)
    throw Failure(OPMUX_E_IO, fmt::format("{}: {}", path, zip_strerror(zip.get())));
  (void)zip.release();
}

// Removes the unfinished file unless it was renamed.
class Unfinished {
 public:
  explicit Unfinished(std::string path) : path_(std::move(path)) {}
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() {
    std::error_code ec;
    std::filesystem::remove(path_, ec);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// First axis fastest, as `fortran_order` says.
void reverse_strides(opmux_tdesc& d) {
  int64_t stride = 1;
  for (uint32_t i = 0; i < d.rank; ++i) {
    d.stride[i] = stride;
    stride *= std::max<int64_t>(d.dim[i], 1);
  }
}

}  // namespace

Array make_array(uint32_t dtype, std::span<const int64_t> dims) {
  Array a;
  a.desc = api::desc(dtype, dims);
  const uint64_t size = size_bytes(a.desc);
  try {
    a.bytes.resize(size);
  } catch (const std::bad_alloc&) {
    throw Failure(OPMUX_E_OUT_OF_MEMORY,
                  fmt::format("there is no memory for {}, {} bytes", desc_text(a.desc), size));
  }
  return a;
}

std::string read_file(const std::string& path) {
  check_source(path);
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Failure(OPMUX_E_IO, fmt::format("{}: {}", path, std::strerror(errno)));
  return {std::istreambuf_iterator<char>(in), {}};
}

Array parse_npy(std::span<const char> bytes, const std::string& name) {
  constexpr char kMagic[] = "\x93NUMPY";
  if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic, 6) != 0) refuse(name, "is not a .npy file");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(bytes[i])); };
  const bool wide = byte(6) >= 2;
  if (wide && bytes.size() < 12) refuse(name, "ends within the .npy header");
  const size_t length =
      wide ? byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24 : byte(8) | byte(9) << 8;
  const size_t start = wide ? 12 : 10;
  if (length > kMaxHeader || start + length > bytes.size()) refuse(name, "ends within the .npy header");
  const std::string header(bytes.data() + start, length);
  std::string descr = header_value(header, "descr", name);
  const std::string order = header_value(header, "fortran_order", name);
  if (order != "False" && order != "True")
    refuse(name, fmt::format("fortran_order is neither True nor False: {}", order));
  const auto dims = parse_shape(header_value(header, "shape", name), name);
  for (const TypeName& t : kTypes) {
    if (descr != "'" + std::string(t.text) + "'") continue;
    double total = OPMUX_DTYPE_BITS(t.dtype) / 8;
    for (int64_t n : dims) total *= static_cast<double>(n);
    const size_t have = bytes.size() - start - length;
    if (total != static_cast<double>(have)) {
      refuse(name, fmt::format("shape and type need {:.0f} bytes, the file holds {}", total, have));
    }
    Array a = make_array(t.dtype, dims);
    if (have) std::memcpy(a.bytes.data(), bytes.data() + start + length, have);
    if (order == "True") reverse_strides(a.desc);
    return a;
  }
  refuse(name, fmt::format("elements of type {} are not supported", descr));
}

std::string npy_bytes(const opmux_tdesc& d, const void* data) {
  const TypeName* type = nullptr;
  for (const TypeName& t : kTypes) {
    if (t.dtype == d.dtype) type = &t;
  }
  if (!type)
    throw Failure(OPMUX_E_UNSUPPORTED, fmt::format("NumPy has no type for {}", opmux_dtype_text(d.dtype)));
  std::string shape;
  for (uint32_t i = 0; i < d.rank; ++i)
    shape += std::to_string(d.dim[i]) + (d.rank == 1 || i + 1 < d.rank ? ", " : "");
  if (shape.ends_with(", ") && d.rank == 1) shape.pop_back();
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type->text, shape);
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size() & 0xff);
  out += static_cast<char>(header.size() >> 8);
  out += header;
  out.append(static_cast<const char*>(data), size_bytes(d));
  return out;
}

Array read_array(const api::Context& context, const std::string& path, const std::string& member) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".npy") return parse_npy(read_file(path), path);
  if (ending == ".npz") return read_npz(path, member);
  if (ending == ".pb") {
    opmux_array handle = nullptr;
    api::call(opmux_array_load_pb, context.get(), path.c_str(), &handle);
    const api::Handle<opmux_array, opmux_array_destroy> held(handle);
    const opmux_tensor t = opmux_array_tensor(handle);
    Array a;
    a.desc = t.desc;
    a.bytes.resize(size_bytes(t.desc));
    if (!a.bytes.empty()) std::memcpy(a.bytes.data(), t.data, a.bytes.size());
    return a;
  }
  refuse(path, "is none of .npy, .npz, .pb, .png, .jpg");
}

void check_target(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec))
    throw Failure(OPMUX_E_IO, fmt::format("{}: is a folder", path));
  if (access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0)
    throw Failure(OPMUX_E_IO, fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
}

void check_arrays_path(const std::string& path, size_t count) {
  const bool npy = path.ends_with(".npy");
  if (npy && count != 1)
    throw UsageError{fmt::format("{}: a .npy file holds one array, there are {}; name it .npz", path, count)};
  if (!npy && !path.ends_with(".npz"))
    throw UsageError{fmt::format("{}: outputs are written to .npz files, a single one to .npy too", path)};
  check_target(path);
}

void write_arrays(const std::string& path, const std::vector<std::pair<std::string, opmux_tensor>>& arrays) {
  check_arrays_path(path, arrays.size());
  const Unfinished fresh(path + "." + std::to_string(getpid()) + ".new");
  if (path.ends_with(".npy")) {
    std::ofstream out(fresh.path(), std::ios::binary);
    out << npy_bytes(arrays[0].second.desc, arrays[0].second.data);
    if (!out.flush())
      throw Failure(OPMUX_E_IO, fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  } else {
    std::vector<std::pair<std::string, std::string>> members;
    for (const auto& [name, t] : arrays) members.emplace_back(name, npy_bytes(t.desc, t.data));
    write_npz(fresh.path(), path, members);
  }
  std::error_code ec;
  std::filesystem::rename(fresh.path(), path, ec);
  if (ec) throw Failure(OPMUX_E_IO, fmt::format("{}: cannot be written: {}", path, ec.message()));
}

}  // namespace opmux::cli
