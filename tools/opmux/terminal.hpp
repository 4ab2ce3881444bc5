// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace opmux::cli {

// Wrong use of the program: exit status 2.
struct UsageError {
  std::string text;
};

// Rows under a header, columns as wide as their widest cell; numbers (right[i]) to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> header, std::vector<bool> right = {});
  void add(std::vector<std::string> row);
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<bool> right_;
};

// "12 / 40 resnet50" on the terminal's last line; silent when stderr is no terminal. Gone when destroyed.
class Progress {
 public:
  explicit Progress(uint64_t total);
  ~Progress();
  void step(const std::string& what);

 private:
  bool shown_;
  uint64_t total_, done_ = 0;
};

// "1.2 GiB", "3.4 M", "12 us".
std::string bytes_text(uint64_t bytes);
std::string count_text(uint64_t count);
// "1 node", "2 nodes".
std::string plural(uint64_t count, const std::string& noun);
std::string time_text(uint64_t time_ns);

}  // namespace opmux::cli
