// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "opmux/plugin.h"

// What the probe program tells the host through a pipe: lines of a letter and its data. The program may die
// within a line, or be another program altogether, so the reader trusts nothing.
namespace opmux::probe {

constexpr int kPipeFd = 3;
constexpr size_t kMaxLine = 4096;

constexpr char kStage = 'S';    // stage number, device
constexpr char kInfo = 'I';     // opmux_devinfo in hex
constexpr char kBad = 'B';      // device, reason
constexpr char kRefusal = 'F';  // reason
constexpr char kCrash = 'C';    // signal, library
constexpr char kDone = 'D';

std::string to_hex(const opmux_devinfo& info);
// Nothing when the text is no devinfo of this build.
std::optional<opmux_devinfo> from_hex(std::string_view text);

// The text on one line of at most kMaxLine bytes.
std::string one_line(std::string_view text);

}  // namespace opmux::probe
