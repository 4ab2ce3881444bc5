// SPDX-License-Identifier: Apache-2.0
// Group determinism: the same bits for 1, 2 and 7 threads of the host, whatever order its loops run in.
#include "tests/conformance/suite.hpp"

namespace opmux::cts {
namespace {

constexpr uint32_t kThreads[] = {1, 2, 7};

// One plugin for each number of threads.
struct Hosts {
  explicit Hosts(const Options& o) {
    for (const uint32_t n : kThreads) {
      host.push_back(std::make_unique<Host>(n));
      plugin.push_back(std::make_unique<kit::RawPlugin>(o.plugin, host.back()->api(), o.device));
      lane.push_back(std::make_unique<Lane>(*plugin.back(), *host.back()));
    }
  }
  std::vector<std::unique_ptr<Host>> host;
  std::vector<std::unique_ptr<kit::RawPlugin>> plugin;
  std::vector<std::unique_ptr<Lane>> lane;
};

std::vector<unsigned char> bits_of(Lane& lane, Case& c, const Data& data) {
  const opmux_opd* d = c.d.opd();
  const opmux_cap cap = accepted(lane, d);
  if (!cap.deterministic) throw Skip{"the plugin does not call this case deterministic"};
  const Kernel kernel(lane.plugin, d, cap.impl_key);
  kernel.must_be_prepared();
  lane.set_workspace(cap.ws_min);
  lane.upload(data.image);
  std::string text;
  if (run_kernel(lane, kernel, data, {}, &text) != OPMUX_OK) fail_test("run: %s", text.c_str());
  Data got = data;
  lane.download(got.image);
  return got.image.bytes;
}

void check(Suite& suite, Hosts& hosts, Case c) {
  Random random(c.name, suite.seed());
  Data data(c, hosts.plugin[0]->info.min_align_bytes, random);
  fill_inputs(*c.d.opd(), c.from->in, Flavour::kOrdinary, data.image, data.params, random);
  const std::vector<unsigned char> one = bits_of(*hosts.lane[0], c, data);
  for (size_t i = 1; i < std::size(kThreads); ++i)
    for (int again = 0; again < 2; ++again)
      if (bits_of(*hosts.lane[i], c, data) != one)
        fail_test("other bits with %u threads than with one", kThreads[i]);
}

}  // namespace

void add_determinism_tests(Suite& suite) {
  auto hosts = std::make_shared<Hosts>(suite.options);
  std::vector<std::string> empty;
  std::vector<Case> all = operator_cases(suite.options.full, suite.seed(), "*", empty);
  for (Case& c : pointwise_cases(suite.options.full, suite.seed(), "*")) all.push_back(std::move(c));
  for (Case& c : all) {
    const std::string name = "determinism/" + c.name;
    suite.add_alone(name, [&suite, hosts, c = std::move(c)] { check(suite, *hosts, c); });
  }
}

}  // namespace opmux::cts
