// SPDX-License-Identifier: Apache-2.0
#include "host/loader/probe.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "host/loader/inventory.hpp"
#include "host/loader/probe_process.hpp"
#include "host/platform/library_path.hpp"
#include "host/platform/log.hpp"

namespace opmux {
namespace {

constexpr int kPollMs = 25;
constexpr size_t kMaxBadDevices = 8;

// libexec relative to libopmux: beside lib, or beside the lib that holds a folder per architecture.
std::string find_program(const LoaderOptions& options) {
  if (!options.probe_program.empty()) return options.probe_program;
  const std::string own = library_dir();
  for (const char* up : {"/../libexec/opmux/opmux-probe", "/../../libexec/opmux/opmux-probe"}) {
    std::error_code error;
    const auto path = std::filesystem::canonical(own + up, error);
    if (!error) return path.string();
  }
  return {};
}

// The probes of one candidate: again without a device at which the program crashed or hung.
class Trial {
 public:
  Trial(const LoaderOptions& options, std::string program, std::string cache, const Candidate& candidate)
      : options_(options), program_(std::move(program)), cache_(std::move(cache)), candidate_(candidate) {
    start();
  }

  bool finished() const { return finished_; }
  void add_to(std::vector<pollfd>& set) const { process_->add_to(set); }

  void pump() {
    if (finished_) return;
    process_->pump();
    if (process_->finished()) conclude();
  }

  // Nothing when no child could be started.
  const std::optional<ProbeOutcome>& outcome() const { return outcome_; }

 private:
  void start() {
    std::vector<std::string> arguments{
        candidate_.path,
        fmt::format("--abi={},{},{}", options_.abi.major_min, options_.abi.major_max, options_.abi.minor)};
    if (!cache_.empty()) arguments.push_back("--cache=" + cache_);
    for (const auto& [key, value] : options_.config) arguments.push_back("--config=" + key + "=" + value);
    for (const auto& [device, reason] : bad_) arguments.push_back(fmt::format("--skip={}", device));
    process_ = std::make_unique<ProbeProcess>(program_, std::move(arguments), options_.limits);
    if (!process_->started()) give_up(process_->start_failure());
  }

  void give_up(const std::string& why) {
    finished_ = true;
    log::warning("probe", "{}; {} is opened in this process, unprotected from its drivers", why,
                 candidate_.manifest.name);
  }

  void conclude() {
    if (!process_->spoke()) {
      give_up(process_->outcome().refusal);
      return;
    }
    ProbeOutcome outcome = process_->outcome();
    const auto fatal = process_->fatal_device();
    if (fatal && bad_.size() < kMaxBadDevices && bad_.emplace(*fatal, outcome.refusal).second) {
      start();
      return;
    }
    outcome.bad_devices.merge(bad_);
    outcome_ = std::move(outcome);
    finished_ = true;
  }

  const LoaderOptions& options_;
  std::string program_, cache_;
  const Candidate& candidate_;
  std::unique_ptr<ProbeProcess> process_;
  std::map<uint32_t, std::string> bad_;
  std::optional<ProbeOutcome> outcome_;
  bool finished_ = false;
};

void pump_all(std::vector<std::unique_ptr<Trial>>& trials) {
  for (;;) {
    std::vector<pollfd> set;
    bool running = false;
    for (const auto& trial : trials) {
      if (!trial || trial->finished()) continue;
      running = true;
      trial->add_to(set);
    }
    if (!running) return;
    poll(set.data(), set.size(), kPollMs);
    for (const auto& trial : trials) {
      if (trial) trial->pump();
    }
  }
}

}  // namespace

std::vector<std::optional<ProbeOutcome>> probe_all(const LoaderOptions& options, const std::string& cache,
                                                   std::span<const Candidate> candidates) {
  std::vector<std::optional<ProbeOutcome>> out(candidates.size());
  std::vector<std::unique_ptr<Trial>> trials(candidates.size());
  const auto wanted = [&](const Candidate& c) {
    return options.probe && (c.manifest.flags & OPMUX_PF_PROBE) != 0;
  };
  if (std::ranges::none_of(candidates, wanted)) return out;
  const Inventory inventory(cache);
  const std::string program = find_program(options);
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!wanted(candidates[i])) continue;
    out[i] = inventory.find(candidates[i], options.config);
    if (out[i]) continue;
    if (program.empty()) {
      log::warning("probe",
                   "there is no opmux-probe; {} is opened in this process, unprotected from its drivers",
                   candidates[i].manifest.name);
      continue;
    }
    trials[i] = std::make_unique<Trial>(options, program, cache, candidates[i]);
  }
  pump_all(trials);
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!trials[i] || !trials[i]->outcome()) continue;
    out[i] = trials[i]->outcome();
    inventory.store(candidates[i], options.config, *out[i]);
  }
  return out;
}

}  // namespace opmux
