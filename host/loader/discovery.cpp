// SPDX-License-Identifier: Apache-2.0
#include "host/loader/discovery.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "host/platform/environment.hpp"
#include "host/platform/error.hpp"
#include "host/platform/file.hpp"
#include "host/platform/library_path.hpp"

namespace opmux {
namespace {

namespace fs = std::filesystem;

#if defined(__x86_64__)
constexpr const char* kTriplet = "x86_64-linux-gnu";
#elif defined(__aarch64__)
constexpr const char* kTriplet = "aarch64-linux-gnu";
#else
constexpr const char* kTriplet = "riscv64-linux-gnu";
#endif
constexpr std::string_view kSideSuffix = ".opmux.json";
constexpr uint64_t kSideLimitBytes = 1 << 20;

struct Place {
  std::string path;
  bool named;  // by the user: its absence is worth a word
};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::vector<Place> places(const LoaderOptions& options) {
  std::vector<Place> out;
  for (const auto& path : options.plugins) out.push_back({path, true});
  if (!options.search) return out;
  for (auto& path : split(environment::get("OPMUX_PLUGIN_PATH").value_or(""), ':'))
    out.push_back({path, true});
  const std::string abi = fmt::format("abi{}", OPMUX_ABI_MAJOR);
  auto data = environment::get("XDG_DATA_HOME");
  if (const auto home = environment::get("HOME"); !data && home) data = *home + "/.local/share";
  if (data && !environment::privileged()) out.push_back({*data + "/opmux/plugins/" + abi, false});
  out.push_back({"/etc/opmux/plugins.d", false});
  out.push_back({"/usr/local/lib/opmux/" + abi, false});
  out.push_back({fmt::format("/usr/lib/{}/opmux/{}", kTriplet, abi), false});
  if (const auto own = library_dir(); !own.empty()) out.push_back({own + "/opmux", false});
  return out;
}

// Collects candidates from places; knows which files and names were met.
class Search {
 public:
  Search(const LoaderOptions& options, std::vector<Refusal>& refusals)
      : options_(options),
        refusals_(refusals),
        filter_(options.plugin_filter.empty() ? environment::get("OPMUX_PLUGINS").value_or("")
                                              : options.plugin_filter) {}

  void visit(const Place& place) {
    if (!fs::path(place.path).is_absolute()) {
      refuse("", place.path, "file", "not an absolute path");
      return;
    }
    std::error_code error;
    if (fs::is_directory(place.path, error)) {
      visit_directory(place.path);
    } else if (fs::exists(place.path, error)) {
      visit_file(place.path, 0);
    } else if (place.named) {
      refuse("", place.path, "file", "no such file or directory");
    }
  }

  std::vector<Candidate> take() {
    std::ranges::sort(found_, [](const Candidate& a, const Candidate& b) {
      return std::tie(b.priority, a.manifest.name) < std::tie(a.priority, b.manifest.name);
    });
    return std::move(found_);
  }

 private:
  void refuse(std::string plugin, const std::string& path, const char* stage, std::string reason) {
    if (plugin.empty()) plugin = fs::path(path).filename().string();
    refusals_.push_back({std::move(plugin), path, stage, std::move(reason)});
  }

  void visit_directory(const std::string& directory) {
    std::vector<std::string> sides, libraries;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(kSideSuffix)) sides.push_back(entry.path().string());
      if (name.starts_with("opmux_") && name.ends_with(".so")) libraries.push_back(entry.path().string());
    }
    if (error) refuse("", directory, "file", fmt::format("cannot be listed: {}", error.message()));
    std::ranges::sort(sides);
    std::ranges::sort(libraries);
    for (const auto& side : sides) visit_side(side);
    for (const auto& library : libraries) visit_file(library, 0);
  }

  void visit_side(const std::string& side) {
    try {
      const auto bytes = read_file(side, kSideLimitBytes);
      const auto json = nlohmann::json::parse(reinterpret_cast<const char*>(bytes.data()),
                                              reinterpret_cast<const char*>(bytes.data()) + bytes.size());
      const auto library = fs::path(side).parent_path() / json.at("library").get<std::string>();
      visit_file(library.lexically_normal().string(), json.value("priority", int64_t{0}));
    } catch (const std::exception& e) {
      refuse("", side, "file", fmt::format("not a sound side file: {}", e.what()));
    }
  }

  void visit_file(const std::string& path, int64_t priority) {
    const std::string identity = file_identity(path);
    if (!identity.empty() && !files_.insert(identity).second) return;
    Candidate candidate{path, {}, priority};
    const char* stage = "file";
    std::string name;
    try {
      const MappedFile file(path);
      stage = "manifest";
      candidate.manifest = read_manifest(file.bytes());
      name = candidate.manifest.name;
      stage = "filter";
      if (!matches_filter(filter_, {name})) fail(OPMUX_E_NOT_FOUND, "excluded by the filter '{}'", filter_);
      stage = "version";
      check_version(options_.abi, candidate.manifest);
      stage = "sanitizer";
      check_sanitizer(candidate.manifest);
      stage = "duplicate";
      if (const auto [first, fresh] = names_.emplace(name, path); !fresh) {
        fail(OPMUX_E_INVALID, "another plugin of this name was found first: {}", first->second);
      }
    } catch (const Error& e) {
      refuse(name, path, stage, e.text());
      return;
    }
    found_.push_back(std::move(candidate));
  }

  const LoaderOptions& options_;
  std::vector<Refusal>& refusals_;
  std::string filter_;
  std::set<std::string> files_;
  std::map<std::string, std::string> names_;
  std::vector<Candidate> found_;
};

}  // namespace

bool matches_filter(std::string_view filter, const std::vector<std::string>& names) {
  const auto hits = [&](const std::string& glob) {
    return std::ranges::any_of(names,
                               [&](const auto& name) { return fnmatch(glob.c_str(), name.c_str(), 0) == 0; });
  };
  bool positive = false, in = false;
  for (const std::string& glob : split(filter, ',')) {
    if (glob.front() == '!') {
      if (hits(glob.substr(1))) return false;
    } else {
      positive = true;
      in = in || hits(glob);
    }
  }
  return in || !positive;
}

std::vector<Candidate> discover(const LoaderOptions& options, std::vector<Refusal>& refusals) {
  Search search(options, refusals);
  for (const Place& place : places(options)) search.visit(place);
  return search.take();
}

}  // namespace opmux
