// SPDX-License-Identifier: Apache-2.0
// What is said of a model without running it: why and inspect.
#include <fmt/format.h>

#include <map>

#include "tools/opmux/commands.hpp"
#include "tools/opmux/terminal.hpp"

namespace opmux::cli {
namespace {

std::string port_text(const opmux_port& p) {
  if (p.rank == 0xffffffffu) return fmt::format("{} of unstated shape", opmux_dtype_text(p.dtype));
  std::string dims;
  for (uint32_t i = 0; i < p.rank; ++i) {
    const std::string symbol = api::to_string(p.symbol[i]);
    dims += i ? ", " : "";
    dims += p.dim[i] >= 0 ? std::to_string(p.dim[i]) : symbol.empty() ? "?" : symbol;
  }
  return fmt::format("{}[{}]", opmux_dtype_text(p.dtype), dims);
}

ordered_json ports_json(const api::Model& model, uint32_t kind) {
  ordered_json all = ordered_json::array();
  for (const opmux_port& p : model.ports(kind)) {
    all.push_back({{"name", api::to_string(p.name)}, {"type", port_text(p)}});
  }
  return all;
}

// "placed by price: 5 nodes on cpu0/cpu, 2 on gpu0/vulkan, 1.2 ms predicted, 3.4 ms without a split".
std::string price_text(const ordered_json& report) {
  std::map<std::string, uint64_t> routes;
  for (const auto& n : report["nodes"]) ++routes[n["route"].get<std::string>()];
  std::string text;
  for (const auto& [route, n] : routes)
    text += fmt::format("{}{} on {}", text.empty() ? "placed by price: " : ", ", plural(n, "node"), route);
  const auto& placed = report["placed"];
  text += fmt::format("{}{} predicted", text.empty() ? "" : ", ",
                      time_text(placed["predicted_ns"].get<uint64_t>()));
  if (placed["split"].get<bool>())
    text += fmt::format(", {} without a split", time_text(placed["unsplit_ns"].get<uint64_t>()));
  return text;
}

void print_why(const ordered_json& report) {
  Table table({"node", "operator", "output", "route", "cost", "why"},
              {false, false, false, false, true, false});
  for (const auto& n : report["nodes"]) {
    const auto cost = n["cost_ns"].get<uint64_t>();
    const std::string reason = n["reason"];
    std::string why = reason;
    const auto offers = n.value("offers", ordered_json::array());
    for (size_t i = 1; i < offers.size(); ++i) {  // the first is in the reason
      why += fmt::format("; {} asks {}", offers[i]["route"].get<std::string>(),
                         time_text(offers[i]["cost_ns"].get<uint64_t>()));
    }
    for (const auto& r : n["refused"]) {
      if (r["reason"] != reason) why += "; " + r["reason"].get<std::string>();
    }
    table.add({n["name"], n["op"], n["output"], n["alias"], cost ? time_text(cost) : "?", why});
  }
  fmt::print("{}", table.text());
  for (const auto& n : report.value("later", ordered_json::array())) {
    fmt::print("  {} ({}) is built by the run: {}\n", n["name"].get<std::string>(),
               n["op"].get<std::string>(), n["reason"].get<std::string>());
  }
  const auto& f = report["fallback"];
  const auto copies = report["copies"]["count"].get<uint32_t>();
  fmt::print("{}; {} between memories, {} a run\n",
             report["placed"]["by"] == "price"
                 ? price_text(report)
                 : fmt::format("{} of {} run elsewhere than on {}", f["nodes"].get<uint32_t>(),
                               plural(f["of"].get<uint32_t>(), "node"), report["device"].get<std::string>()),
             copies == 1 ? "1 copy" : fmt::format("{} copies", copies),
             bytes_text(report["copies"]["bytes"].get<uint64_t>()));
}

void print_inspect(const ordered_json& j) {
  fmt::print("{}\n", j["path"].get<std::string>());
  for (const auto& p : j["inputs"])
    fmt::print("  input   {}  {}\n", p["name"].get<std::string>(), p["type"].get<std::string>());
  for (const auto& p : j["outputs"])
    fmt::print("  output  {}  {}\n", p["name"].get<std::string>(), p["type"].get<std::string>());
  for (const auto& s : j["states"]) {
    fmt::print("  state   {} -> {}  {} rows\n", s["past"].get<std::string>(), s["present"].get<std::string>(),
               s["capacity"].get<int64_t>());
  }
  fmt::print("{}, {} parameters ({})\n", plural(j["nodes"].get<uint64_t>(), "node"),
             count_text(j["parameters"].get<uint64_t>()), bytes_text(j["parameter_bytes"].get<uint64_t>()));
  Table table({"  operator", "nodes"}, {false, true});
  for (const auto& [name, n] : j["operators"].items())
    table.add({"  " + name, std::to_string(n.get<uint32_t>())});
  fmt::print("{}", table.text());
  const auto& plan = j["plan"];
  if (plan.is_null()) {
    fmt::print("no plan: {}\n", j["no_plan"].get<std::string>());
    return;
  }
  uint64_t arena = 0;
  for (const auto& s : plan["memory"]["spaces"]) arena += s["arena_bytes"].get<uint64_t>();
  const std::string flops = count_text(plan["flops"].get<uint64_t>());
  fmt::print(
      "planned: {} after fusion, {}{}FLOP, {} activations at the peak, {} constants packed or on "
      "devices, {} workspace\n",
      plural(plan["nodes"].size(), "node"), flops, flops.find(' ') == std::string::npos ? " " : "",
      bytes_text(arena), bytes_text(plan["memory"]["constant_bytes"].get<uint64_t>()),
      bytes_text(plan["memory"]["workspace_bytes"].get<uint64_t>()));
}

struct ModelOptions {
  std::string model;
  std::vector<std::string> shapes;
  PlanChoice plan;
  bool json = false;
};

void add_model_options(CLI::App& c, ModelOptions& o) {
  c.add_option("MODEL", o.model, "ONNX file")->required();
  c.add_option("--shape", o.shapes,
               "NAME=1x3x224x224 of an input, or SYMBOL=4; symbolic dims are 1 otherwise");
  add_device_options(c, o.plan);
  c.add_flag("--json", o.json, "Print JSON");
}

}  // namespace

void add_device_options(CLI::App& command, PlanChoice& choice) {
  command.add_option("--device", choice.device, "Route or alias as `opmux devices` prints it, or auto")
      ->capture_default_str();
  command.add_option("--fallback", choice.fallback, "When the device refuses a node: forbid, report, allow")
      ->check(CLI::IsMember({"forbid", "report", "allow"}))
      ->capture_default_str();
}

api::Plan make_plan(const api::Model& model, const PlanChoice& choice) {
  const uint32_t fallback = choice.fallback == "forbid"  ? OPMUX_FALLBACK_FORBID
                            : choice.fallback == "allow" ? OPMUX_FALLBACK_ALLOW
                                                         : OPMUX_FALLBACK_REPORT;
  return api::Plan(model, choice.device, fallback, choice.profile);
}

void add_why(CLI::App& app, Outcome&) {
  auto o = std::make_shared<ModelOptions>();
  auto* c = app.add_subcommand("why",
                               "Per node: where it runs, what it costs there, who refused it and the reason");
  add_model_options(*c, *o);
  c->callback([o] {
    const api::Context context;
    const api::Model model(context, o->model);
    const auto descs = input_descs(model, o->shapes);
    const auto report = ordered_json::parse(make_plan(model, o->plan).report(descs));
    o->json ? print_json(report) : print_why(report);
  });
}

namespace {

// What is asked for by an option must work; else a model that cannot be planned is still worth looking at.
void add_plan(ordered_json& report, const api::Model& model, const ModelOptions& o) {
  const bool asked = !o.shapes.empty() || o.plan.device != "auto";
  report["plan"] = nullptr;
  try {
    report["plan"] = ordered_json::parse(make_plan(model, o.plan).report(input_descs(model, o.shapes)));
  } catch (const UsageError& e) {
    if (asked) throw;
    report["no_plan"] = e.text;
  } catch (const api::Failure& e) {
    if (asked) throw;
    report["no_plan"] = e.what();
  }
}

}  // namespace

void add_inspect(CLI::App& app, Outcome&) {
  auto o = std::make_shared<ModelOptions>();
  auto* c =
      app.add_subcommand("inspect", "Inputs, outputs, operators, parameters, FLOP and memory as planned");
  add_model_options(*c, *o);
  c->callback([o] {
    const api::Context context;
    const api::Model model(context, o->model);
    auto report = ordered_json::parse(model.report());
    report["inputs"] = ports_json(model, OPMUX_PORT_INPUT);
    report["outputs"] = ports_json(model, OPMUX_PORT_OUTPUT);
    add_plan(report, model, *o);
    o->json ? print_json(report) : print_inspect(report);
  });
}

}  // namespace opmux::cli
