// SPDX-License-Identifier: Apache-2.0
#include "host/probe/crash_report.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "host/loader/probe_protocol.hpp"

namespace opmux::probe {
namespace {

constexpr std::array kSignals = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
constexpr int kFrames = 64;

int g_pipe = -1;
void* g_own_base = nullptr;

void* fault_address(const void* context) {
  const auto* c = static_cast<const ucontext_t*>(context);
#if defined(__x86_64__)
  return reinterpret_cast<void*>(c->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void*>(c->uc_mcontext.pc);
#else
  (void)c;
  return nullptr;
#endif
}

const char* base_name(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

// The C and C++ run-times only carry out what a driver asked of them (abort, memcpy to a bad address).
bool is_runtime(const char* name) {
  for (const char* prefix : {"libc.so", "libc-", "libstdc++.so", "libgcc_s.so", "libpthread", "libm.so",
                             "ld-linux", "linux-vdso"}) {
    if (std::strncmp(name, prefix, std::strlen(prefix)) == 0) return true;
  }
  return false;
}

// The library of one address, or NULL when it is none that could be at fault.
const char* suspect(void* address) {
  Dl_info info{};
  if (address == nullptr || dladdr(address, &info) == 0 || info.dli_fname == nullptr) return nullptr;
  const char* name = base_name(info.dli_fname);
  return info.dli_fbase == g_own_base || is_runtime(name) ? nullptr : name;
}

const char* find_culprit(const void* context) {
  if (const char* name = suspect(fault_address(context))) return name;
  std::array<void*, kFrames> frames{};
  const int count = backtrace(frames.data(), kFrames);
  for (int i = 0; i < count; ++i) {
    if (const char* name = suspect(frames[static_cast<size_t>(i)])) return name;
  }
  return "";
}

// Only what may be called in a handler; backtrace and dladdr are safe enough in a process that dies anyway.
void on_crash(int number, siginfo_t*, void* context) {
  const char* library = find_culprit(context);
  std::array<char, 512> line{};
  size_t at = 0;
  line[at++] = kCrash;
  line[at++] = ' ';
  if (number >= 10) line[at++] = static_cast<char>('0' + number / 10);
  line[at++] = static_cast<char>('0' + number % 10);
  line[at++] = ' ';
  const size_t length = std::strlen(library);
  for (size_t i = 0; i < length && at + 1 < line.size(); ++i)
    line[at++] = library[i] < 0x20 ? '?' : library[i];
  line[at++] = '\n';
  [[maybe_unused]] const ssize_t written = ::write(g_pipe, line.data(), at);
  signal(number, SIG_DFL);
  raise(number);
}

}  // namespace

void report_crashes(int pipe_fd) {
  g_pipe = pipe_fd;
  Dl_info own{};
  if (dladdr(reinterpret_cast<void*>(&on_crash), &own) != 0) g_own_base = own.dli_fbase;
  std::array<void*, 2> warm{};
  backtrace(warm.data(), warm.size());     // loads libgcc now, not in the handler
  static std::array<char, 1 << 16> stack;  // a stack overflow leaves none of the usual one
  stack_t alternate{};
  alternate.ss_sp = stack.data();
  alternate.ss_size = stack.size();
  sigaltstack(&alternate, nullptr);
  struct sigaction action{};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
  for (const int number : kSignals) sigaction(number, &action, nullptr);
}

}  // namespace opmux::probe
