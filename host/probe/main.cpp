// SPDX-License-Identifier: Apache-2.0
// opmux-probe PLUGIN [--abi=MIN,MAX,MINOR] [--cache=DIR] [--config=KEY=VALUE]... [--skip=DEVICE]...
//
// Loads one plugin, tries its devices and reports through descriptor 3, so that a driver that crashes or
// hangs takes this process with it and not the application. Started by libopmux only.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "host/loader/blob_cache.hpp"
#include "host/loader/probe_protocol.hpp"
#include "host/loader/probe_work.hpp"
#include "host/platform/cache_dir.hpp"
#include "host/platform/file.hpp"
#include "host/probe/crash_report.hpp"

namespace opmux {
namespace {

constexpr uint64_t kBlobLimitBytes = uint64_t{256} << 20;

struct Arguments {
  std::string plugin, cache;
  AbiRange abi;
  Config config;
  std::set<uint32_t> skip;
};

void take(Arguments& out, std::string_view option, const std::string& value) {
  if (option == "--cache") out.cache = value;
  if (option == "--skip") out.skip.insert(static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10)));
  if (option == "--config") {
    const size_t at = value.find('=');
    if (at != std::string::npos) out.config[value.substr(0, at)] = value.substr(at + 1);
  }
  if (option == "--abi") {
    std::sscanf(value.c_str(), "%u,%u,%u", &out.abi.major_min, &out.abi.major_max, &out.abi.minor);
  }
}

Arguments parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    const size_t at = text.find('=');
    if (text.starts_with("--") && at != std::string::npos) {
      take(out, std::string_view(text).substr(0, at), text.substr(at + 1));
    } else {
      out.plugin = text;
    }
  }
  return out;
}

void send(char letter, std::string_view data) {
  const std::string line = fmt::format("{} {}\n", letter, data);
  size_t at = 0;
  while (at < line.size()) {
    const ssize_t put = ::write(probe::kPipeFd, line.data() + at, line.size() - at);
    if (put <= 0) _exit(3);  // the host is gone
    at += static_cast<size_t>(put);
  }
}

class PipeSink : public ProbeSink {
 public:
  void stage(ProbeStage stage, uint32_t device) override {
    send(probe::kStage, fmt::format("{} {}", static_cast<uint32_t>(stage), device));
  }
  void info(const opmux_devinfo& info) override { send(probe::kInfo, probe::to_hex(info)); }
  void bad_device(uint32_t device, const std::string& reason) override {
    send(probe::kBad, fmt::format("{} {}", device, probe::one_line(reason)));
  }
};

std::shared_ptr<BlobCache> open_blobs(const std::string& cache) {
  std::string why;
  if (cache.empty() || !make_private_dir(cache + "/blobs", why)) return nullptr;
  return std::make_shared<BlobCache>(cache + "/blobs", kBlobLimitBytes);
}

// The plugin lives until the process ends: closing is not what a probe is about, and drivers that crash in it
// do no harm to the host.
[[noreturn]] void run(const Arguments& arguments) {
  try {
    Plugin::Origin origin{{}, arguments.plugin, arguments.abi, arguments.config, open_blobs(arguments.cache)};
    origin.manifest = read_manifest(MappedFile(arguments.plugin).bytes());
    PipeSink sink;
    probe_plugin(*new Plugin(std::move(origin)), arguments.skip, sink);
  } catch (const std::exception& e) {
    send(probe::kRefusal, probe::one_line(e.what()));
  }
  send(probe::kDone, "");
  _exit(0);
}

}  // namespace
}  // namespace opmux

int main(int argc, char** argv) {
  using namespace opmux;
  const Arguments arguments = parse(argc, argv);
  if (arguments.plugin.empty() || fcntl(probe::kPipeFd, F_SETFD, FD_CLOEXEC) != 0) {
    std::fputs("opmux-probe: this program is started by libopmux, not by hand\n", stderr);
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(SIGPIPE, SIG_IGN);
  probe::report_crashes(probe::kPipeFd);
  run(arguments);
}
