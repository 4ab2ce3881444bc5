// SPDX-License-Identifier: Apache-2.0
// opmux-cts PLUGIN.so: is this plugin what it promises to be?
#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>

#include "tests/conformance/suite.hpp"

namespace {

using namespace opmux::cts;

void declare(CLI::App& app, Options& o) {
  app.add_option("plugin", o.plugin, "the plugin's file")->required()->check(CLI::ExistingFile);
  app.add_option("--filter", o.filter, "glob of test names: 'operator/gather/*'")->capture_default_str();
  app.add_option("--seed", o.seed, "of all random choices")->capture_default_str();
  app.add_option("--device", o.device, "number of the device, as the plugin enumerates")
      ->capture_default_str();
  app.add_option("--reference", o.reference, "the reference plugin, else the one beside PLUGIN");
  app.add_option("--threads", o.threads, "of the host that the suite is for the plugin")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_option("--jobs", o.jobs, "tests at a time")->capture_default_str()->check(CLI::Range(1, 64));
  app.add_option("--every", o.every, "one test of so many, chosen by its name: for slow devices")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  app.add_option("--xfail", o.xfail, "file of expected failures: a glob and the reason on each line");
  app.add_option("--junit", o.junit, "file for the results as JUnit XML");
  app.add_option("--markdown", o.markdown, "file for the table of support and accuracy");
  auto* full = app.add_flag("--full", o.full, "every case instead of a part");
  app.add_flag("--quick", o.quick, "a part of the cases (the default)")->excludes(full);
  auto* tap = app.add_flag("--tap", o.tap, "results as TAP");
  app.add_flag("--json", o.json, "results as JSON")->excludes(tap);
  app.add_flag("--determinism", o.determinism, "only: same bits for 1, 2 and 7 threads");
  app.add_flag("--fail-fast", o.fail_fast, "stop at the first failure");
  app.add_flag("--list", o.list, "print the names of the tests, run none");
}

// The reference plugin lies beside the plugin, or beside this program's plugins.
void find_reference(Options& o) {
  namespace fs = std::filesystem;
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  const char* name = "opmux_reference.so";
  for (const fs::path& folder : {fs::absolute(o.plugin).parent_path(), here / "../lib/opmux"}) {
    if (!o.reference.empty() || !fs::exists(folder / name)) continue;
    o.reference = (folder / name).lexically_normal().string();
  }
  if (o.reference.empty())
    throw std::runtime_error("opmux_reference.so is not beside the plugin; say --reference FILE");
}

int run(Options& o) {
  o.plugin = std::filesystem::absolute(o.plugin).lexically_normal().string();
  find_reference(o);
  Report report(o);
  Suite suite(o, report);
  if (o.determinism) {
    add_determinism_tests(suite);
  } else {
    add_loader_tests(suite);
    add_object_tests(suite);
    add_operator_tests(suite);
    add_accuracy_tests(suite);
    add_promise_tests(suite);
    add_fault_tests(suite);
  }
  if (o.list) {
    suite.print_names();
    return 0;
  }
  suite.run();
  return report.finish();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Conformance suite for backend plugins of Opmux.", "opmux-cts"};
  Options options;
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    return run(options);
  } catch (const std::exception& e) {
    std::cerr << "opmux-cts: " << e.what() << "\n";
    return 1;
  }
}
