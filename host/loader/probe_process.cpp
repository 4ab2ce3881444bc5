// SPDX-License-Identifier: Apache-2.0
#include "host/loader/probe_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "host/loader/probe_protocol.hpp"
#include "host/platform/clock.hpp"
#include "host/platform/error.hpp"

namespace opmux {
namespace {

constexpr uint64_t kWallFactor = 10;  // whatever the charge says, no stage lasts longer than this many limits
constexpr uint64_t kReapNs = 2'000'000'000;
constexpr size_t kLastWords = 300;
constexpr uint32_t kMaxInfos = 256;

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

std::string signal_text(int number) {
  const char* name = sigabbrev_np(number);
  return name == nullptr ? fmt::format("signal {}", number) : fmt::format("signal {}, SIG{}", number, name);
}

// The first number of `text`, which is shortened by it and the blank behind.
bool take_number(std::string_view& text, uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return true;
}

// posix_spawn with the pipe as descriptor 3, nothing on stdin and stdout, and a process group of its own, so
// that what a driver starts can be killed with it.
int spawn(const std::string& program, const std::vector<std::string>& arguments, int pipe_fd, int stderr_fd,
          pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, stderr_fd, 2);
  posix_spawn_file_actions_adddup2(&actions, pipe_fd, probe::kPipeFd);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const int error = posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Two descriptors above the standard ones, so that the dup2 in the child cannot overwrite one with the other.
bool make_pipe(std::array<int, 2>& ends) {
  std::array<int, 2> low{-1, -1};
  if (pipe2(low.data(), O_CLOEXEC) != 0) return false;
  for (size_t i = 0; i < 2; ++i) {
    ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 16);
    ::close(low[i]);
  }
  if (ends[0] >= 0 && ends[1] >= 0) {
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return true;
  }
  close_fd(ends[0]);
  close_fd(ends[1]);
  return false;
}

}  // namespace

ProbeProcess::ProbeProcess(std::string program, std::vector<std::string> arguments, const ProbeLimits& limits)
    : limits_(limits) {
  std::array<int, 2> data{-1, -1}, words{-1, -1};
  if (!make_pipe(data) || !make_pipe(words)) {
    start_failure_ = fmt::format("cannot make a pipe: {}", std::strerror(errno));
  } else {
    const int error = spawn(program, arguments, data[1], words[1], pid_);
    if (error != 0) {
      pid_ = -1;
      start_failure_ = fmt::format("{} cannot be started: {}", program, std::strerror(error));
    }
  }
  close_fd(data[1]);
  close_fd(words[1]);
  pipe_ = data[0];
  stderr_ = words[0];
  if (pid_ > 0) clock_.emplace(pid_);
  stage_begin_ns_ = now_ns();
}

ProbeProcess::~ProbeProcess() {
  if (pid_ > 0 && !status_) {
    kill_group();
    reap(kReapNs);
  }
  close_fd(pipe_);
  close_fd(stderr_);
}

void ProbeProcess::add_to(std::vector<pollfd>& set) const {
  if (finished_) return;
  if (pipe_ >= 0) set.push_back({pipe_, POLLIN, 0});
  if (stderr_ >= 0) set.push_back({stderr_, POLLIN, 0});
}

void ProbeProcess::pump() {
  if (finished_) return;
  read_stderr();
  read_pipe();
  if (done_ || pipe_ < 0) {
    on_end();
  } else {
    watch_limit();
  }
}

void ProbeProcess::read_stderr() {
  std::array<char, 4096> buffer{};
  while (stderr_ >= 0) {
    const ssize_t got = ::read(stderr_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) {
      close_fd(stderr_);
      return;
    }
    last_words_.append(buffer.data(), static_cast<size_t>(got));
    if (last_words_.size() > kLastWords) last_words_.erase(0, last_words_.size() - kLastWords);
  }
}

void ProbeProcess::read_pipe() {
  std::array<char, 4096> buffer{};
  while (pipe_ >= 0) {
    const ssize_t got = ::read(pipe_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) {
      close_fd(pipe_);
      return;
    }
    for (const char c : std::string_view(buffer.data(), static_cast<size_t>(got))) {
      if (c == '\n') {
        take_line(line_);
        line_.clear();
      } else if (line_.size() < probe::kMaxLine) {
        line_ += c;
      }
    }
  }
}

void ProbeProcess::take_line(std::string_view line) {
  if (line.empty()) return;
  spoke_ = true;
  std::string_view rest = line.substr(std::min<size_t>(2, line.size()));
  uint32_t number = 0;
  switch (line.front()) {
    case probe::kStage:
      take_stage(rest);
      break;
    case probe::kInfo:
      if (const auto info = probe::from_hex(rest); info && outcome_.infos.size() < kMaxInfos)
        outcome_.infos.push_back(*info);
      break;
    case probe::kBad:
      if (take_number(rest, number)) outcome_.bad_devices[number] = rest;
      break;
    case probe::kRefusal:
      outcome_.refusal = rest;
      break;
    case probe::kCrash:
      if (take_number(rest, number)) crash_signal_ = static_cast<int>(number);
      crash_library_ = rest;
      break;
    case probe::kDone:
      done_ = true;
      break;
    default:
      break;
  }
}

void ProbeProcess::take_stage(std::string_view rest) {
  uint32_t stage = 0, device = 0;
  if (!take_number(rest, stage) || stage >= kProbeStages || !take_number(rest, device)) return;
  stage_ = static_cast<ProbeStage>(stage);
  device_ = device;
  charged_ns_ = 0;
  stage_begin_ns_ = now_ns();
}

uint64_t ProbeProcess::limit_ns() const {
  switch (stage_) {
    case ProbeStage::kLoad:
    case ProbeStage::kOpen:
    case ProbeStage::kEnumerate:
      return limits_.load_ns;
    case ProbeStage::kPrepare:
    case ProbeStage::kRun:
      return limits_.compile_ns;
    default:
      return limits_.device_ns;
  }
}

void ProbeProcess::watch_limit() {
  charged_ns_ += clock_->charge();
  const uint64_t limit = limit_ns();
  if (charged_ns_ < limit && now_ns() - stage_begin_ns_ < kWallFactor * limit) return;
  kill_group();
  reap(kReapNs);
  end_with(fmt::format("hung: no end within {:.3g} s", static_cast<double>(limit) / 1e9));
}

void ProbeProcess::on_end() {
  if (!reap(kReapNs)) {
    kill_group();
    reap(kReapNs);
  }
  read_stderr();
  if (done_) {
    finished_ = true;
    return;
  }
  // The status is lost when the application waits for all children or ignores SIGCHLD.
  if (crash_signal_ == 0 && status_ && WIFSIGNALED(*status_)) crash_signal_ = WTERMSIG(*status_);
  if (crash_signal_ != 0) {
    const std::string where = crash_library_.empty() ? std::string() : " in " + crash_library_;
    end_with(fmt::format("crashed ({}){}", signal_text(crash_signal_), where));
  } else if (status_ && WIFEXITED(*status_)) {
    end_with(fmt::format("ended with status {}", WEXITSTATUS(*status_)));
  } else {
    end_with("ended without a word");
  }
}

// Nothing of an unfinished run is used: the reason either names the device, which the next run then leaves
// alone, or refuses the plugin.
void ProbeProcess::end_with(std::string what) {
  finished_ = true;
  std::string reason = fmt::format("probe {} while {}", what, stage_text(stage_, device_));
  if (!last_words_.empty()) reason += fmt::format("; it said: {}", probe::one_line(last_words_));
  while (reason.ends_with(' ')) reason.pop_back();
  if (stage_ >= ProbeStage::kOpenDevice) fatal_device_ = device_;
  outcome_.refusal = std::move(reason);
}

bool ProbeProcess::reap(uint64_t patience_ns) {
  const uint64_t begin = now_ns();
  while (pid_ > 0 && !status_) {
    int status = 0;
    const pid_t got = waitpid(pid_, &status, WNOHANG);
    if (got == pid_) {
      status_ = status;
    } else if (got < 0 && errno != EINTR) {
      pid_ = -1;  // somebody else took it
    } else if (now_ns() - begin > patience_ns) {
      return false;
    } else {
      usleep(1000);
    }
  }
  return true;
}

void ProbeProcess::kill_group() {
  if (pid_ > 0 && !status_) kill(-pid_, SIGKILL);
}

}  // namespace opmux
