// SPDX-License-Identifier: Apache-2.0
#include "host/loader/inventory.hpp"

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "host/loader/probe_protocol.hpp"
#include "host/platform/cache_dir.hpp"
#include "host/platform/environment.hpp"
#include "host/platform/error.hpp"
#include "host/platform/file.hpp"
#include "host/platform/hash.hpp"
#include "host/platform/log.hpp"

namespace opmux {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr uint64_t kLimitBytes = 4 << 20;
constexpr int64_t kRefusalSeconds = 600;
constexpr uint64_t kChecksumSeed = 0x494e56;

// Variables that choose or steer drivers.
constexpr std::array<std::string_view, 14> kVariables = {"OCL_",     "OPENCL_", "POCL_",  "VK_", "CUDA_",
                                                         "NVIDIA_",  "ROC",     "HIP_",   "LP_", "ZE_",
                                                         "GALLIUM_", "MESA_",   "LIBGL_", "LD_"};

void add_file(std::string& out, const fs::path& path) {
  out += path.string() + "=" + file_identity(path.string()) + "\n";
}

void add_directory(std::string& out, const char* directory, std::string_view prefix) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().filename().string().starts_with(prefix)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const auto& file : files) add_file(out, file);
}

// Names only: the entries of sysfs and devtmpfs are made anew at each boot.
void add_names(std::string& out, const char* directory, std::string_view prefix) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().filename().string().starts_with(prefix))
      names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  out += std::string(directory) + "=";
  for (const auto& name : names) out += name + " ";
  out += "\n";
}

void add_environment(std::string& out, std::string_view prefix) {
  std::vector<std::string> found;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::string_view(*entry).starts_with(prefix)) found.emplace_back(*entry);
  }
  std::ranges::sort(found);
  for (const auto& text : found) out += text + "\n";
}

std::string describe_machine() {
  std::string out = fmt::format("opmux={} devinfo={}\n", OPMUX_VERSION_TEXT, sizeof(opmux_devinfo));
  utsname name{};
  if (uname(&name) == 0) out += fmt::format("kernel={} {} {}\n", name.release, name.version, name.machine);
  out += fmt::format("cpus={}\n", sysconf(_SC_NPROCESSORS_ONLN));
  add_names(out, "/sys/bus/pci/devices", "");
  add_names(out, "/dev", "nvidia");
  add_names(out, "/dev", "kfd");
  add_names(out, "/dev/dri", "");
  add_names(out, "/sys/module", "nvidia");
  for (const char* directory : {"/etc/OpenCL/vendors", "/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d"}) {
    add_directory(out, directory, "");
  }
  add_file(out, "/etc/ld.so.cache");  // rewritten whenever a package brings a library
  add_file(out, "/usr/local/cuda");
  for (const auto variable : kVariables) add_environment(out, variable);
  return out;
}

std::string key_of(const std::string& machine, const Candidate& candidate, const Config& config) {
  const auto& m = candidate.manifest;
  std::string key = fmt::format("{} {} {} {} {}\n", m.name, m.version, m.build_id, candidate.path,
                                file_identity(candidate.path));
  for (const auto& [name, value] : config) {
    if (name.starts_with(m.name + ".")) key += fmt::format("{}={}\n", name, value);
  }
  std::string prefix = "OPMUX_" + m.name + "_";
  std::ranges::transform(prefix, prefix.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  add_environment(key, prefix);
  return machine + key;
}

nlohmann::json to_json(const ProbeOutcome& outcome) {
  nlohmann::json out = {
      {"refusal", outcome.refusal}, {"infos", nlohmann::json::array()}, {"bad", nlohmann::json::array()}};
  for (const auto& info : outcome.infos) out["infos"].push_back(probe::to_hex(info));
  for (const auto& [device, reason] : outcome.bad_devices) out["bad"].push_back({device, reason});
  return out;
}

ProbeOutcome from_json(const nlohmann::json& in) {
  ProbeOutcome out;
  out.cached = true;
  out.refusal = in.at("refusal").get<std::string>();
  for (const auto& text : in.at("infos")) {
    const auto info = probe::from_hex(text.get<std::string>());
    if (!info) fail(OPMUX_E_INVALID, "a device entry is damaged");
    out.infos.push_back(*info);
  }
  for (const auto& bad : in.at("bad"))
    out.bad_devices[bad.at(0).get<uint32_t>()] = bad.at(1).get<std::string>();
  return out;
}

std::string dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string checksum(const nlohmann::json& payload) {
  return fmt::format("{:016x}", checksum64(dump(payload), kChecksumSeed));
}

}  // namespace

Inventory::Inventory(const std::string& cache) {
  std::string why;
  if (cache.empty()) return;
  if (!make_private_dir(cache + "/inventory", why)) {
    log::warning("inventory", "{}", why);
    return;
  }
  directory_ = cache + "/inventory";
  machine_ = describe_machine();
}

std::string Inventory::path_of(const Candidate& candidate) const {
  return fmt::format("{}/{}-{:016x}.json", directory_, candidate.manifest.name, checksum64(candidate.path));
}

std::optional<ProbeOutcome> Inventory::find(const Candidate& candidate, const Config& config) const {
  if (directory_.empty()) return std::nullopt;
  const std::string path = path_of(candidate);
  struct stat st{};
  if (lstat(path.c_str(), &st) != 0) return std::nullopt;
  try {
    if (st.st_uid != geteuid())
      fail(OPMUX_E_INVALID, "it belongs to user {}, we are {}", st.st_uid, geteuid());
    const auto bytes = read_file(path, kLimitBytes);
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const auto file = nlohmann::json::parse(text, text + bytes.size());
    const auto& payload = file.at("payload");
    if (file.at("format").get<int>() != kFormat) fail(OPMUX_E_INVALID, "its format is not {}", kFormat);
    if (file.at("checksum").get<std::string>() != checksum(payload))
      fail(OPMUX_E_INVALID, "its checksum is wrong");
    if (payload.at("key").get<std::string>() != key_of(machine_, candidate, config)) return std::nullopt;
    ProbeOutcome outcome = from_json(payload.at("outcome"));
    const int64_t age = static_cast<int64_t>(std::time(nullptr)) - payload.at("time").get<int64_t>();
    const bool bad = !outcome.refusal.empty() || !outcome.bad_devices.empty();
    if (bad && (age < 0 || age > kRefusalSeconds)) return std::nullopt;
    return outcome;
  } catch (const std::exception& e) {
    log::warning("inventory", "{} is ignored: {}", path, e.what());
    return std::nullopt;
  }
}

void Inventory::store(const Candidate& candidate, const Config& config, const ProbeOutcome& outcome) const {
  if (directory_.empty()) return;
  try {
    const nlohmann::json payload = {{"key", key_of(machine_, candidate, config)},
                                    {"time", static_cast<int64_t>(std::time(nullptr))},
                                    {"outcome", to_json(outcome)}};
    const std::string text =
        dump({{"format", kFormat}, {"checksum", checksum(payload)}, {"payload", payload}});
    write_file_atomic(path_of(candidate), std::as_bytes(std::span(text.data(), text.size())));
  } catch (const std::exception& e) {
    log::warning("inventory", "{}", e.what());
  }
}

}  // namespace opmux
