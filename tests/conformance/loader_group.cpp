// SPDX-License-Identifier: Apache-2.0
// Group loader: negotiation, tables, life cycle, and what must not cross the line. Runs alone, with the
// plugin opened anew for each test.
#include <dlfcn.h>
#include <elf.h>
#include <fenv.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <clocale>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/conformance/suite.hpp"

namespace opmux::cts {
namespace {

using kit::RawPlugin;

opmux_answer negotiate(const std::string& path, uint32_t low, uint32_t high, uint32_t minor,
                       uint32_t offer_size = sizeof(opmux_offer),
                       uint32_t answer_size = sizeof(opmux_answer)) {
  opmux_offer offer{};
  offer.h.size = offer_size;
  offer.major_min = low;
  offer.major_max = high;
  offer.minor = minor;
  offer.host_version = {"opmux-cts", 9};
  opmux_answer answer{};
  answer.h.size = answer_size;
  RawPlugin::entry(path)(&offer, &answer);
  return answer;
}

void add_negotiation(Suite& suite, const std::string& path) {
  struct Offer {
    const char* name;
    uint32_t low, high, minor;
    bool fits;
  };
  const uint32_t M = OPMUX_ABI_MAJOR, m = OPMUX_ABI_MINOR;
  for (const Offer& o :
       {Offer{"the suite's own version", M, M, m, true}, Offer{"a later major only", M + 1, M + 1, 0, false},
        Offer{"majors far ahead", 7, 9, 0, false}, Offer{"an empty range", M + 2, M + 1, 0, false},
        Offer{"another minor of major 0", 0, 0, m + 1, false}})
    suite.add_alone(std::string("loader/negotiation/") + o.name, [path, o] {
      const opmux_answer a = negotiate(path, o.low, o.high, o.minor);
      if ((a.status == OPMUX_OK) != o.fits)
        fail_test("the offer %u..%u.%u is answered with status %u", o.low, o.high, o.minor, a.status);
      if (!o.fits && a.status != OPMUX_E_VERSION)
        fail_test("refuses with status %u, not E_VERSION", a.status);
      if (a.need_min > a.need_max)
        fail_test("needs majors %u..%u, which is no range", a.need_min, a.need_max);
      if (o.fits && !a.core) fail_test("accepts without a CORE table");
      if (!o.fits && a.core) fail_test("refuses, but gives a CORE table");
    });
  for (const uint32_t size : {16u, 20u, 32u, 48u, 64u, 96u})
    suite.add_alone("loader/negotiation/an answer of " + std::to_string(size) + " bytes", [path, size] {
      // What lies behind the stated size must stay.
      opmux_offer offer{};
      offer.h.size = sizeof offer;
      offer.major_min = offer.major_max = OPMUX_ABI_MAJOR;
      offer.minor = OPMUX_ABI_MINOR;
      unsigned char room[sizeof(opmux_answer) + 64];
      std::fill(std::begin(room), std::end(room), static_cast<unsigned char>(0xa5));
      opmux_answer head{};
      head.h.size = size;
      std::copy_n(reinterpret_cast<unsigned char*>(&head.h), sizeof head.h, room);
      RawPlugin::entry(path)(&offer, reinterpret_cast<opmux_answer*>(room));
      for (size_t i = size; i < sizeof room; ++i)
        if (room[i] != 0xa5) fail_test("byte %zu was written, the answer has %u", i, size);
    });
  suite.add_alone("loader/negotiation/a short offer is refused", [path] {
    if (negotiate(path, OPMUX_ABI_MAJOR, OPMUX_ABI_MAJOR, OPMUX_ABI_MINOR, 16).status == OPMUX_OK)
      fail_test("an offer of 16 bytes states no version, but is accepted");
  });
  suite.add_alone("loader/negotiation/name, version and sanitizer are stated", [path] {
    const opmux_answer a = negotiate(path, OPMUX_ABI_MAJOR, OPMUX_ABI_MAJOR, OPMUX_ABI_MINOR);
    const std::string name(a.name.data, a.name.size);
    if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") != std::string::npos)
      fail_test("the name is '%s', must be [a-z0-9_-]+", name.c_str());
    if (a.version.size == 0) fail_test("there is no version");
    if (a.sanitizer > OPMUX_SAN_THREAD) fail_test("sanitizer is %u", a.sanitizer);
  });
}

// Names of the dynamic symbols that the file defines for others.
std::vector<std::string> exported(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  if (bytes.size() < sizeof(Elf64_Ehdr)) fail_test("is no ELF file");
  const auto at = [&](uint64_t offset, uint64_t size) {
    if (offset > bytes.size() || size > bytes.size() - offset) fail_test("is cut off");
    return bytes.data() + offset;
  };
  Elf64_Ehdr head;
  std::copy_n(bytes.data(), sizeof head, reinterpret_cast<char*>(&head));
  std::vector<std::string> names;
  const auto section = [&](uint32_t i) {
    Elf64_Shdr s;
    std::copy_n(at(head.e_shoff + uint64_t{i} * head.e_shentsize, sizeof s), sizeof s,
                reinterpret_cast<char*>(&s));
    return s;
  };
  for (uint32_t i = 0; i < head.e_shnum; ++i) {
    const Elf64_Shdr s = section(i);
    if (s.sh_type != SHT_DYNSYM) continue;
    const Elf64_Shdr text = section(s.sh_link);
    for (uint64_t k = 1; k < s.sh_size / sizeof(Elf64_Sym); ++k) {
      Elf64_Sym symbol;
      std::copy_n(at(s.sh_offset + k * sizeof symbol, sizeof symbol), sizeof symbol,
                  reinterpret_cast<char*>(&symbol));
      if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) continue;
      names.emplace_back(at(text.sh_offset + symbol.st_name, 1));
    }
  }
  return names;
}

size_t threads_now() {
  size_t n = 0;
  for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

// State of the thread and the process that a call must leave alone.
struct World {
  int rounding = fegetround();
  unsigned exceptions = static_cast<unsigned>(fegetexcept());
  cpu_set_t affinity{};
  std::string locale = std::setlocale(LC_ALL, nullptr);
  struct sigaction handler[32] = {};
  World() {
    sched_getaffinity(0, sizeof affinity, &affinity);
    for (int s = 1; s < 32; ++s) sigaction(s, nullptr, &handler[s]);
  }
  void compare(const char* what) const {
    const World now;
    if (now.rounding != rounding) fail_test("%s changes the rounding mode", what);
    if (now.exceptions != exceptions) fail_test("%s unmasks floating-point exceptions", what);
    if (!CPU_EQUAL(&now.affinity, &affinity)) fail_test("%s changes the CPU affinity", what);
    if (now.locale != locale) fail_test("%s changes the locale", what);
    for (int s = 1; s < 32; ++s)
      if (now.handler[s].sa_handler != handler[s].sa_handler)
        fail_test("%s installs a handler of signal %d", what, s);
    // Are subnormal numbers still numbers?
    volatile double least = 0x1p-1074;
    if (least + 0 == 0 || least * 1.0 == 0) fail_test("%s turns on flushing of subnormal numbers", what);
  }
};

// A whole life of the plugin, with one run of an operator in it.
void live(const std::string& path, uint32_t device, Host& host) {
  RawPlugin p(path, host.api(), device);
  Lane lane(p, host);
  kit::Desc<opmux_op_fill> d(OPMUX_OP_FILL);
  d.in(kit::tensor(OPMUX_F32, {})).out(kit::tensor(OPMUX_F32, {33}));
  const opmux_cap cap = p.query(d.opd());
  if (cap.verdict != OPMUX_YES) return;
  const Kernel kernel(p, d.opd(), cap.impl_key);
  kernel.must_be_prepared();
}

void add_life(Suite& suite, const std::string& path) {
  const uint32_t device = suite.options.device;
  suite.add_alone("loader/life/exports one symbol", [path] {
    const std::vector<std::string> names = exported(path);
    for (const std::string& n : names)
      if (n != OPMUX_PLUGIN_SYMBOL) fail_test("exports %s beside %s", n.c_str(), OPMUX_PLUGIN_SYMBOL);
    if (names.size() != 1) fail_test("exports %zu symbols", names.size());
  });
  suite.add_alone("loader/life/all that is taken from the host is given back", [path, device] {
    Host host(2);
    live(path, device, host);
    if (host.live_blocks() != 0 || host.live_bytes() != 0)
      fail_test("%lld blocks of %lld bytes are left", static_cast<long long>(host.live_blocks()),
                static_cast<long long>(host.live_bytes()));
    if (host.misuse() != 0)
      fail_test("a block was freed with another size or alignment than it was taken with");
  });
  suite.add_alone("loader/life/can be opened twenty times", [path, device] {
    for (int i = 0; i < 20; ++i) {
      Host host(1);
      live(path, device, host);
    }
  });
  suite.add_alone("loader/life/two at a time", [path, device] {
    Host a(1), b(2);
    RawPlugin first(path, a.api(), device);
    live(path, device, b);
    Lane lane(first, a);
  });
}

void add_side_effects(Suite& suite, const std::string& path) {
  const uint32_t device = suite.options.device;
  suite.add_alone("loader/life/no stray threads", [path, device] {
    Host warm(1);
    live(path, device, warm);  // what a driver starts once for the process is its own business
    const size_t before = threads_now();
    {
      Host host(1);
      live(path, device, host);
    }
    for (int i = 0; i < 100 && threads_now() > before; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (threads_now() > before)
      fail_test("%zu threads are left after close, there were %zu", threads_now(), before);
  });
  suite.add_alone("loader/life/leaves signals, rounding, locale and affinity alone", [path, device] {
    const World before;
    Host host(1);
    live(path, device, host);
    before.compare("a life of the plugin");
  });
  suite.add_alone("loader/life/open without memory fails cleanly", [path, device] {
    for (int64_t n = 0; n < 12; ++n) {
      Host host(1);
      host.fail_after = n;
      try {
        live(path, device, host);
      } catch (const std::exception&) {
      } catch (const Failure&) {
      }
      if (host.live_blocks() != 0)
        fail_test("when allocation %lld fails, %lld blocks are left", static_cast<long long>(n + 1),
                  static_cast<long long>(host.live_blocks()));
    }
  });
  suite.add_alone("loader/life/a child of fork ends in peace", [path, device] {
    Host host(1);
    const RawPlugin p(path, host.api(), device);
    const pid_t child = fork();
    if (child == 0) _exit(0);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
      fail_test("the child ends with status %d", status);
  });
}

void add_unload(Suite& suite, const std::string& path) {
  suite.add_alone("loader/life/unload and reload a hundred times", [path, device = suite.options.device] {
    const opmux_answer a = negotiate(path, OPMUX_ABI_MAJOR, OPMUX_ABI_MAJOR, OPMUX_ABI_MINOR);
    if ((a.flags & OPMUX_PF_UNLOADABLE) == 0) throw Skip{"the plugin does not claim UNLOADABLE"};
    // In a copy of its own name, which nothing else in this process holds.
    namespace fs = std::filesystem;
    const fs::path copy = fs::temp_directory_path() / ("opmux-cts-" + std::to_string(getpid()) + ".so");
    fs::copy_file(path, copy, fs::copy_options::overwrite_existing);
    std::string wrong;
    for (int i = 0; i < 100 && wrong.empty(); ++i) {
      void* lib = dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (!lib || !dlsym(lib, OPMUX_PLUGIN_SYMBOL)) wrong = "cannot be loaded";
      if (lib) dlclose(lib);
      if (wrong.empty() && dlopen(copy.c_str(), RTLD_NOW | RTLD_NOLOAD)) wrong = "stays mapped after dlclose";
    }
    fs::remove(copy);
    if (!wrong.empty()) fail_test("%s", wrong.c_str());
    (void)device;
  });
}

void add_tables(Suite& suite, const std::string& path) {
  constexpr std::pair<uint32_t, const char*> kTables[] = {
      {OPMUX_I_DEV, "DEV"}, {OPMUX_I_MEM, "MEM"}, {OPMUX_I_QUEUE, "QUEUE"}, {OPMUX_I_OP, "OP"}};
  for (const auto& [id, name] : kTables)
    suite.add_alone(std::string("loader/tables/") + name, [path, id = id, name = name] {
      const opmux_answer a = negotiate(path, OPMUX_ABI_MAJOR, OPMUX_ABI_MAJOR, OPMUX_ABI_MINOR);
      const opmux_hdr* t = a.core ? a.core->interface_(id) : nullptr;
      if (!t) fail_test("the table %s is missing", name);
      if (t->tag != id) fail_test("the table %s has tag 0x%x", name, t->tag);
      if (t->size < sizeof(opmux_hdr) + sizeof(void*)) fail_test("the table %s has %u bytes", name, t->size);
      if (a.core->interface_(id) != t) fail_test("the table %s moves", name);
    });
  for (const uint32_t id : {0u, OPMUX_I_HOST, 0x4f50ffffu, 0xffffffffu})
    suite.add_alone("loader/tables/none for id " + std::to_string(id), [path, id] {
      const opmux_answer a = negotiate(path, OPMUX_ABI_MAJOR, OPMUX_ABI_MAJOR, OPMUX_ABI_MINOR);
      if (a.core->interface_(id)) fail_test("gives a table for id 0x%x", id);
    });
}

}  // namespace

void add_loader_tests(Suite& suite) {
  const std::string path = suite.options.plugin;
  add_negotiation(suite, path);
  add_tables(suite, path);
  add_life(suite, path);
  add_side_effects(suite, path);
  add_unload(suite, path);
}

}  // namespace opmux::cts
