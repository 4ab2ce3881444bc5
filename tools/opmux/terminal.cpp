// SPDX-License-Identifier: Apache-2.0
#include "tools/opmux/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace opmux::cli {

Table::Table(std::vector<std::string> header, std::vector<bool> right) : right_(std::move(right)) {
  right_.resize(header.size(), false);
  rows_.push_back(std::move(header));
}

void Table::add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

std::string Table::text() const {
  std::vector<size_t> width(rows_[0].size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line +=
          right_[i] ? fmt::format("{:>{}}  ", row[i], width[i]) : fmt::format("{:<{}}  ", row[i], width[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

Progress::Progress(uint64_t total) : shown_(isatty(STDERR_FILENO) != 0), total_(total) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::step(const std::string& what) {
  ++done_;
  if (!shown_) return;
  constexpr uint64_t kCells = 24;
  const uint64_t full = total_ ? std::min(done_, total_) * kCells / total_ : 0;
  const std::string bar = std::string(full, '=') + std::string(kCells - full, ' ');
  fmt::print(stderr, "\r\033[K[{}] {} / {} {}", bar, done_, total_, what);
  std::fflush(stderr);
}

namespace {

std::string scaled(double value, double base, const char* const* units) {
  while (value >= base && units[1]) {
    value /= base;
    ++units;
  }
  const std::string number =
      value < 10 && (*units)[0] ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
  return number + " " + *units;
}

}  // namespace

std::string bytes_text(uint64_t bytes) {
  static const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB", nullptr};
  return bytes < 1024 ? fmt::format("{} B", bytes) : scaled(static_cast<double>(bytes), 1024, units);
}

std::string count_text(uint64_t count) {
  static const char* const units[] = {"", "k", "M", "G", "T", nullptr};
  if (count < 1000) return std::to_string(count);
  return scaled(static_cast<double>(count), 1000, units);
}

std::string plural(uint64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string time_text(uint64_t time_ns) {
  static const char* const units[] = {"ns", "us", "ms", "s", nullptr};
  return scaled(static_cast<double>(time_ns), 1000, units);
}

}  // namespace opmux::cli
