// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "host/kernel/kernel_cache.hpp"

namespace opmux {
namespace {

std::string feature_names(uint64_t bits) {
  constexpr std::pair<uint64_t, const char*> kNames[] = {{OPMUX_FEAT_F16, "16-bit floats"},
                                                         {OPMUX_FEAT_F64, "64-bit floats"},
                                                         {OPMUX_FEAT_I8_DOT, "8-bit dot products"},
                                                         {OPMUX_FEAT_SUBGROUP, "sub-groups"},
                                                         {OPMUX_FEAT_I64, "64-bit integers"}};
  for (const auto& [bit, name] : kNames) {
    if ((bits & bit) != 0) return name;
  }
  return fmt::format("feature {:#x}", bits);
}

std::string operand(const opmux_cap& cap) {
  return cap.why_arg == OPMUX_NO_ARG ? std::string("the descriptor") : fmt::format("operand {}", cap.why_arg);
}

std::string reason(const opmux_opd& d, const opmux_cap& cap) {
  const int64_t have = cap.why_have, limit = cap.why_limit;
  switch (cap.why) {
    case OPMUX_WHY_OP:
      return "it has no such operator";
    case OPMUX_WHY_REVISION:
      return fmt::format("revision {} is asked, limit {}", d.rev, limit);
    case OPMUX_WHY_DTYPE:
      return fmt::format("{} has type {}", operand(cap), schema::dtype_name(static_cast<uint32_t>(have)));
    case OPMUX_WHY_RANK:
      return fmt::format("{} has rank {}, limit {}", operand(cap), have, limit);
    case OPMUX_WHY_DIM:
      return fmt::format("{} dim {} is {}, limit {}", operand(cap), cap.why_axis, have, limit);
    case OPMUX_WHY_STRIDE:
      return fmt::format("{} has stride {} at axis {}", operand(cap), have, cap.why_axis);
    case OPMUX_WHY_ATTR:
      return fmt::format("the attribute at byte {} is {}, limit {}", cap.why_arg, have, limit);
    case OPMUX_WHY_MEMORY:
      return fmt::format("{} takes {} bytes, limit {}", operand(cap), have, limit);
    case OPMUX_WHY_FEATURE:
      return fmt::format("the device has no {}", feature_names(static_cast<uint64_t>(have)));
    case OPMUX_WHY_ACCURACY:
      return "it cannot reach the accuracy that is asked";
    case OPMUX_WHY_PROGRAM:
      return fmt::format("program {} cannot be run from instruction {}", cap.why_arg, have);
    case OPMUX_WHY_INVALID: {
      schema::Problem problem;
      if (!schema::validate(d, problem) && problem.text[0] != '\0') return problem.text;
      return "the descriptor makes no sense to it";
    }
    case OPMUX_WHY_ALIAS:
      return fmt::format("{} may not share its memory", operand(cap));
    case OPMUX_WHY_LAYOUT:
      return fmt::format("{} has layout {}", operand(cap), have);
    case OPMUX_WHY_QUANT:
      return fmt::format("{} has quantisation scheme {:#x}", operand(cap), static_cast<uint64_t>(have));
    default:
      return "it gave no reason";
  }
}

std::string sentence(const Route& route, const opmux_opd& d, const std::string& why) {
  return fmt::format("{} refused {}: {}", route.alias(), operator_name(d.op), why);
}

}  // namespace

std::string operator_name(uint32_t op) {
  const schema::OpInfo* info = schema::find(op);
  if (info == nullptr) return fmt::format("operator 0x{:08x}", op);
  std::string name = info->name;
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

std::string reason_sentence(const Route& route, const opmux_opd& d, const opmux_cap& cap) {
  return sentence(route, d, reason(d, cap));
}

std::string reason_sentence(const Route& route, const opmux_opd& d, const Capability& capability) {
  return sentence(route, d, capability.note.empty() ? reason(d, capability.cap) : capability.note);
}

}  // namespace opmux
