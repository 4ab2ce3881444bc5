// SPDX-License-Identifier: Apache-2.0
#include "tools/opmux/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "tools/opmux/terminal.hpp"

namespace opmux::cli {
namespace {

std::pair<std::string, std::string> split(const std::string& text, const char* option) {
  const size_t at = text.rfind('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    throw UsageError{fmt::format("{} wants NAME=VALUE, not '{}'", option, text)};
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

std::vector<int64_t> parse_dims(const std::string& text) {
  std::vector<int64_t> dims;
  size_t at = 0;
  while (at <= text.size()) {
    const size_t end = std::min(text.find_first_of("x,", at), text.size());
    const std::string part = text.substr(at, end - at);
    if (part.empty() || part.size() > 18 || part.find_first_not_of("0123456789") != std::string::npos) {
      throw UsageError{fmt::format("--shape: '{}' is no list of extents like 1x3x224x224", text)};
    }
    dims.push_back(std::stoll(part));
    at = end + 1;
  }
  return dims;
}

template <class T>
void fill(Array& a, std::mt19937_64& random, double low, double high) {
  auto* p = reinterpret_cast<T*>(a.bytes.data());
  for (int64_t i = 0; i < api::element_count(a.desc); ++i) {
    const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
    p[i] = static_cast<T>(low + (high - low) * unit);
  }
}

Array random_array(const opmux_tdesc& d, uint64_t seed, const std::string& name) {
  Array a = make_array(d.dtype, {d.dim, d.rank});
  std::mt19937_64 random(seed);
  switch (d.dtype) {
    case OPMUX_F64:
      fill<double>(a, random, -1, 1);
      break;
    case OPMUX_F32:
      fill<float>(a, random, -1, 1);
      break;
    case OPMUX_I64:
      fill<int64_t>(a, random, 0, 2);
      break;
    case OPMUX_I32:
      fill<int32_t>(a, random, 0, 2);
      break;
    case OPMUX_I16:
      fill<int16_t>(a, random, 0, 2);
      break;
    case OPMUX_I8:
      fill<int8_t>(a, random, 0, 2);
      break;
    case OPMUX_U64:
      fill<uint64_t>(a, random, 0, 2);
      break;
    case OPMUX_U32:
      fill<uint32_t>(a, random, 0, 2);
      break;
    case OPMUX_U16:
      fill<uint16_t>(a, random, 0, 2);
      break;
    case OPMUX_U8:
    case OPMUX_BOOL:
      fill<uint8_t>(a, random, 0, 2);
      break;
    case OPMUX_NONE:
      throw api::Failure(OPMUX_E_UNSUPPORTED,
                         fmt::format("input '{}': its element type (strings, say) is not supported", name));
    default:
      throw api::Failure(OPMUX_E_UNSUPPORTED, fmt::format("input '{}': no random values of type {}", name,
                                                          opmux_dtype_text(d.dtype)));
  }
  return a;
}

size_t index_of(const std::vector<opmux_port>& ports, const std::string& name) {
  const auto at = std::find_if(ports.begin(), ports.end(),
                               [&](const opmux_port& p) { return api::to_string(p.name) == name; });
  if (at != ports.end()) return static_cast<size_t>(at - ports.begin());
  std::string names;
  for (const opmux_port& p : ports) names += (names.empty() ? "" : ", ") + api::to_string(p.name);
  throw UsageError{
      fmt::format("the model has no input '{}'; it has {}", name, names.empty() ? "none" : names)};
}

// The input and the file of NAME=FILE. Names and files may have '=' in them: the shortest name that the model
// knows counts.
std::pair<size_t, std::string> input_file(const std::vector<opmux_port>& ports, const std::string& text) {
  for (size_t at = text.find('='); at != std::string::npos; at = text.find('=', at + 1)) {
    for (size_t i = 0; i < ports.size(); ++i) {
      if (at + 1 < text.size() && api::to_string(ports[i].name) == text.substr(0, at))
        return {i, text.substr(at + 1)};
    }
  }
  const size_t at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    throw UsageError{fmt::format("--input wants NAME=FILE, not '{}'", text)};
  return {index_of(ports, text.substr(0, at)), text.substr(at + 1)};
}

}  // namespace

std::vector<opmux_tdesc> input_descs(const api::Model& model, const std::vector<std::string>& shapes) {
  const auto ports = model.ports(OPMUX_PORT_INPUT);
  std::map<std::string, std::vector<int64_t>> given;
  for (const std::string& s : shapes) {
    const auto [name, dims] = split(s, "--shape");
    given[name] = parse_dims(dims);
  }
  std::vector<opmux_tdesc> descs;
  std::map<std::string, bool> used;
  for (const opmux_port& p : ports) {
    const std::string name = api::to_string(p.name);
    std::vector<int64_t> dims;
    if (const auto at = given.find(name); at != given.end()) {
      dims = at->second;
      used[name] = true;
    } else if (p.rank == 0xffffffffu) {
      throw UsageError{fmt::format("input '{}' has no shape in the model; give --shape {}=...", name, name)};
    } else {
      for (uint32_t i = 0; i < p.rank; ++i) {
        const std::string symbol = api::to_string(p.symbol[i]);
        const auto at_symbol = given.find(symbol);
        const bool known = p.dim[i] < 0 && at_symbol != given.end() && at_symbol->second.size() == 1;
        if (known) used[symbol] = true;
        dims.push_back(p.dim[i] >= 0 ? p.dim[i] : known ? at_symbol->second[0] : 1);
      }
    }
    descs.push_back(api::desc(p.dtype, dims));
  }
  for (const auto& [name, dims] : given) {
    if (!used[name])
      throw UsageError{fmt::format("--shape {}: no input and no symbolic dim has this name", name)};
  }
  return descs;
}

std::vector<Array> read_inputs(const api::Context& context, const api::Model& model,
                               const InputOptions& options) {
  const auto ports = model.ports(OPMUX_PORT_INPUT);
  std::vector<std::optional<Array>> arrays(ports.size());
  if (!options.shapes.empty() && !options.random_seed)
    throw UsageError{"--shape is for --random-inputs SEED; files have shapes of their own"};
  for (const std::string& text : options.files) {
    const auto [i, file] = input_file(ports, text);
    const std::string name = api::to_string(ports[i].name);
    if (arrays[i]) throw UsageError{fmt::format("--input gives '{}' twice", name)};
    arrays[i] = is_image(file) ? read_image(file, ports[i], options.image) : read_array(context, file, name);
  }
  std::vector<opmux_tdesc> descs;
  if (options.random_seed) descs = input_descs(model, options.shapes);
  std::vector<Array> out;
  for (size_t i = 0; i < ports.size(); ++i) {
    const std::string name = api::to_string(ports[i].name);
    if (!arrays[i] && !options.random_seed) {
      throw UsageError{
          fmt::format("input '{}' is missing: give --input {}=FILE, or --random-inputs SEED", name, name)};
    }
    out.push_back(arrays[i] ? std::move(*arrays[i]) : random_array(descs[i], *options.random_seed + i, name));
  }
  return out;
}

}  // namespace opmux::cli
