// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "tools/opmux/commands.hpp"
#include "tools/opmux/terminal.hpp"

namespace opmux::cli {
namespace {

void print_devices(const ordered_json& report) {
  for (const auto& device : report["devices"]) {
    fmt::print("{}  {}\n", device["name"].get<std::string>(), device["description"].get<std::string>());
    Table table({"  route", "alias", "device", "driver", "units", "memory"},
                {false, false, false, false, true, true});
    for (const auto& r : device["routes"]) {
      const auto memory = r["memory_bytes"].get<uint64_t>();
      table.add({"  " + r["name"].get<std::string>(), r["alias"], r["device_name"], r["driver"],
                 std::to_string(r["compute_units"].get<uint32_t>()), memory ? bytes_text(memory) : "?"});
    }
    fmt::print("{}", device["routes"].empty() ? "  no plugin drives it\n" : table.text());
  }
  if (report["unused"].empty()) return;
  fmt::print("not used:\n");
  for (const auto& p : report["unused"]) {
    fmt::print("  {} ({}): {}\n    {}\n", p["name"].get<std::string>(), p["stage"].get<std::string>(),
               p["reason"].get<std::string>(), p["path"].get<std::string>());
  }
}

// Leaves one route in each operator's list. device: its name or alias; "auto" leaves all.
void keep_route(ordered_json& ops, const ordered_json& devices, const std::string& device) {
  if (device == "auto") return;
  std::string alias, known;
  for (const auto& d : devices["devices"]) {
    for (const auto& r : d["routes"]) {
      if (r["name"] == device || r["alias"] == device) alias = r["alias"];
      known += (known.empty() ? "" : ", ") + r["alias"].get<std::string>();
    }
  }
  if (alias.empty()) {
    throw api::Failure(OPMUX_E_NOT_FOUND, fmt::format("there is no device '{}'; there are: {}", device,
                                                      known.empty() ? "none" : known));
  }
  for (auto& op : ops["ops"]) op["routes"] = {{alias, op["routes"][alias]}};
}

void print_ops(const ordered_json& report) {
  std::vector<std::string> header{"operator", "family"};
  const auto& ops = report["ops"];
  if (!ops.empty()) {
    for (const auto& [route, native] : ops[0]["routes"].items()) header.push_back(route);
  }
  Table table(header);
  for (const auto& op : ops) {
    std::vector<std::string> row{op["name"], op["family"]};
    for (size_t i = 2; i < header.size(); ++i)
      row.push_back(op["routes"][header[i]].get<bool>() ? "yes" : "-");
    table.add(row);
  }
  fmt::print("{}", table.text());
}

}  // namespace

void print_json(const ordered_json& json) {
  // File names and metadata need not be UTF-8.
  fmt::print("{}\n", json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

void add_devices(CLI::App& app, Outcome&) {
  struct Options {
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  auto* c = app.add_subcommand(
      "devices", "Every physical device once, its routes, and every plugin not used with the reason");
  c->add_flag("--json", o->json, "Print JSON");
  c->callback([o] {
    const api::Context context;
    const auto report = ordered_json::parse(context.report(OPMUX_REPORT_DEVICES));
    o->json ? print_json(report) : print_devices(report);
  });
}

void add_ops(CLI::App& app, Outcome&) {
  struct Options {
    bool json = false;
    std::string device = "auto";
  };
  auto o = std::make_shared<Options>();
  auto* c = app.add_subcommand("ops", "The operator set and what each route serves natively");
  c->add_option("--device", o->device, "Only this route: its name or alias as `opmux devices` prints them");
  c->add_flag("--json", o->json, "Print JSON");
  c->callback([o] {
    const api::Context context;
    auto report = ordered_json::parse(context.report(OPMUX_REPORT_OPS));
    keep_route(report, ordered_json::parse(context.report(OPMUX_REPORT_DEVICES)), o->device);
    o->json ? print_json(report) : print_ops(report);
  });
}

}  // namespace opmux::cli
