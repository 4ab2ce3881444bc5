// SPDX-License-Identifier: Apache-2.0
// opmux: the command line program. Results go to stdout, errors to stderr in one sentence; exit status 0
// right, 1 ran and failed, 2 wrong use.
#include <fmt/format.h>

#include <cstdio>

#include "tools/opmux/commands.hpp"
#include "tools/opmux/terminal.hpp"

namespace {

constexpr int kFailed = 1, kUsage = 2;

int run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    fmt::print(stderr, "opmux: {}; `opmux --help` tells more\n", e.what());
    return kUsage;
  } catch (const opmux::cli::UsageError& e) {
    fmt::print(stderr, "opmux: {}\n", e.text);
    return kUsage;
  } catch (const std::exception& e) {
    fmt::print(stderr, "opmux: {}\n", e.what());
    return kFailed;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Opmux: one program, every device", "opmux");
  app.set_version_flag("--version", opmux_version());
  app.require_subcommand(1);
  opmux::cli::Outcome outcome;
  opmux::cli::add_devices(app, outcome);
  opmux::cli::add_ops(app, outcome);
  opmux::cli::add_run(app, outcome);
  opmux::cli::add_why(app, outcome);
  opmux::cli::add_inspect(app, outcome);
  opmux::cli::add_onnx_test(app, outcome);
  const int status = run(app, argc, argv);
  return status ? status : outcome.status;
}
