// SPDX-License-Identifier: Apache-2.0
// opmux: the command line program. Results go to stdout, errors to stderr in one sentence; exit status 0
// right, 1 ran and failed, 2 wrong use.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "tools/opmux/commands.hpp"
#include "tools/opmux/terminal.hpp"

namespace {

constexpr int kFailed = 1, kUsage = 2;

// What CLI11 says of an unknown command names neither it nor the known ones.
void check_command(const CLI::App& app, int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  if (word.starts_with('-')) return;
  std::string known;
  for (const CLI::App* c : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (c->get_name() == word) return;
    known += (known.empty() ? "" : ", ") + c->get_name();
  }
  if (word.empty()) throw opmux::cli::UsageError{fmt::format("a command is missing; there are: {}", known)};
  throw opmux::cli::UsageError{fmt::format("there is no command '{}'; there are: {}", word, known)};
}

// A full disk or a closed descriptor is noticed here at the latest.
void flush_results() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    throw opmux::api::Failure(
        OPMUX_E_IO, fmt::format("the results cannot be written to stdout: {}", std::strerror(errno)));
  }
}

int run(CLI::App& app, int argc, char** argv) {
  try {
    check_command(app, argc, argv);
    app.parse(argc, argv);
    flush_results();
    return 0;
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    const auto used = app.get_subcommands();
    fmt::print(stderr, "opmux: {}; `opmux {}--help` tells more\n", e.what(),
               used.empty() ? "" : used.front()->get_name() + " ");
    return kUsage;
  } catch (const opmux::cli::UsageError& e) {
    fmt::print(stderr, "opmux: {}\n", e.text);
    return kUsage;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "opmux: out of memory\n");
    return kFailed;
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
