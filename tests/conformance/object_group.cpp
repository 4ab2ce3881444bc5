// SPDX-License-Identifier: Apache-2.0
// Group object: memory, copies, queues, timelines, recordings, kernels on many threads.
#include <algorithm>

#include "tests/conformance/prepared.hpp"

namespace opmux::cts {
namespace {

using Bytes = std::vector<unsigned char>;

class Block {
 public:
  Block(Lane& lane, uint32_t kind, uint64_t size, uint64_t align = 64) : plugin_(lane.plugin) {
    kit::RawError err;
    ok(plugin_.mem.alloc(plugin_.device, kind, size, align, &mem, err), err, "mem.alloc");
  }
  ~Block() { plugin_.mem.free_(plugin_.device, mem); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  opmux_mem mem = 0;

 private:
  const kit::RawPlugin& plugin_;
};

void copy(Lane& lane, const CopySource& from, const CopyTarget& to, uint64_t size) {
  kit::RawError err;
  const opmux_copy c = copy_of(from, to, size);
  ok(lane.plugin.queue.copy(lane.queue, &c, 1, err), err, "copy");
}
Bytes random_bytes(uint64_t n, Random& r) {
  Bytes b(n);
  for (unsigned char& v : b) v = static_cast<unsigned char>(r.bits());
  return b;
}

// ---- Memory

void add_memory(Suite& suite) {
  for (const uint32_t kind : {OPMUX_MEM_DEVICE, OPMUX_MEM_HOST})
    for (const uint64_t size : {0u, 1u, 3u, 64u, 4095u, 4096u, 4097u, 1u << 20})
      for (const uint64_t align : {1u, 16u, 256u, 4096u}) {
        const std::string name = "object/memory/kind " + std::to_string(kind) + ", " + std::to_string(size) +
                                 " bytes at " + std::to_string(align);
        suite.add(name, [=](Lane& lane) {
          const Block b(lane, kind, size, align);
          if (b.mem == 0) fail_test("a block is 0, which means none");
          void* p = nullptr;
          if (!lane.plugin.mem.map || lane.plugin.mem.map(lane.plugin.device, b.mem, &p, nullptr) != OPMUX_OK)
            return;
          if (reinterpret_cast<uintptr_t>(p) % align != 0) fail_test("the block is mapped at %p", p);
          std::fill_n(static_cast<unsigned char*>(p), size, static_cast<unsigned char>(1));
        });
      }
  struct Bad {
    const char* name;
    uint32_t kind;
    uint64_t size, align;
  };
  for (const Bad& b :
       {Bad{"an unknown kind", 77, 64, 64}, Bad{"an alignment that is no power of two", 1, 64, 48},
        Bad{"2^62 bytes", 1, uint64_t{1} << 62, 64}})
    suite.add(std::string("object/memory/refuses ") + b.name, [b](Lane& lane) {
      kit::RawError err;
      opmux_mem mem = 0;
      const opmux_status s = lane.plugin.mem.alloc(lane.plugin.device, b.kind, b.size, b.align, &mem, err);
      if (s == OPMUX_OK) {
        lane.plugin.mem.free_(lane.plugin.device, mem);
        fail_test("accepted");
      }
      if (err.text().empty()) fail_test("refused without a sentence");
    });
  suite.add("object/memory/host memory that is imported is used in place", [&suite](Lane& lane) {
    if (!lane.plugin.mem.import_host) throw Skip{"no import_host"};
    Random r("import", suite.seed());
    alignas(4096) static thread_local unsigned char page[8192];
    const Bytes sent = random_bytes(sizeof page, r);
    std::copy(sent.begin(), sent.end(), page);
    opmux_mem mem = 0;
    kit::RawError err;
    const opmux_status s = lane.plugin.mem.import_host(lane.plugin.device, page, sizeof page, &mem, err);
    if (OPMUX_CODE(s) == OPMUX_E_UNSUPPORTED) throw Skip{err.text()};
    ok(s, err, "import_host");
    Bytes got(sizeof page);
    copy(lane, {mem, nullptr, 0}, {0, got.data(), 0}, got.size());
    finish(lane);
    lane.plugin.mem.free_(lane.plugin.device, mem);
    if (got != sent) fail_test("other bytes come back");
  });
  suite.add("object/memory/status says how much is free", [](Lane& lane) {
    kit::RawError err;
    uint64_t bytes = 0;
    ok(lane.plugin.dev.status(lane.plugin.device, &bytes, err), err, "dev.status");
    ok(lane.plugin.dev.status(lane.plugin.device, &bytes, nullptr), err,
       "dev.status without an error record");
  });
}

// ---- Copies

// Kinds of an end: 0 plain host memory, then OPMUX_MEM_*.
void check_copy(Suite& suite, Lane& lane, uint32_t from, uint32_t to, uint64_t size, uint64_t a, uint64_t b) {
  Random r("copy" + std::to_string(from * 10 + to) + std::to_string(size + a * 3 + b), suite.seed());
  const uint64_t room = size + 64;
  Bytes source = random_bytes(room, r), target = random_bytes(room, r), got(room);
  const Block first(lane, std::max(from, 1u), room), second(lane, std::max(to, 1u), room);
  copy(lane, {0, source.data(), 0}, {first.mem, nullptr, 0}, room);
  copy(lane, {0, target.data(), 0}, {second.mem, nullptr, 0}, room);
  Bytes plain = target;
  const CopySource begin = from ? CopySource{first.mem, nullptr, a} : CopySource{0, source.data(), a};
  const CopyTarget end = to ? CopyTarget{second.mem, nullptr, b} : CopyTarget{0, plain.data(), b};
  copy(lane, begin, end, size);
  finish(lane);
  if (to) {
    copy(lane, {second.mem, nullptr, 0}, {0, got.data(), 0}, room);
    finish(lane);
  } else {
    got = plain;
  }
  Bytes want = target;
  std::copy_n(source.begin() + static_cast<int64_t>(a), size, want.begin() + static_cast<int64_t>(b));
  if (got != want) fail_test("other bytes arrive, or bytes beside them were written");
}

void add_copies(Suite& suite) {
  constexpr const char* kKind[] = {"plain", "device", "host"};
  for (uint32_t from = 0; from < 3; ++from)
    for (uint32_t to = 0; to < 3; ++to)
      for (const uint64_t size : {0u, 1u, 7u, 64u, 4097u, 1u << 20})
        for (const auto& [a, b] : {std::pair<uint64_t, uint64_t>{0, 0}, {1, 0}, {3, 64}}) {
          if (from == 0 && to == 0) continue;
          suite.add(std::string("object/copy/") + kKind[from] + " to " + kKind[to] + ", " +
                        std::to_string(size) + " bytes from " + std::to_string(a) + " to " +
                        std::to_string(b),
                    [&suite, from, to, size, a = a, b = b](Lane& lane) {
                      check_copy(suite, lane, from, to, size, a, b);
                    });
        }
  suite.add("object/copy/many in one call, as far apart as the first one says", [&suite](Lane& lane) {
    Random r("many", suite.seed());
    const Block block(lane, OPMUX_MEM_DEVICE, 4096);
    Bytes sent = random_bytes(4096, r), got(4096);
    struct Wide {
      opmux_copy c;
      uint64_t later[3];  // of a newer host
    };
    std::vector<Wide> all(16);
    for (uint64_t i = 0; i < 16; ++i) {
      all[i].c = copy_of({0, sent.data(), i * 256}, {block.mem, nullptr, i * 256}, 256);
      all[i].c.h.size = sizeof(Wide);
    }
    kit::RawError err;
    ok(lane.plugin.queue.copy(lane.queue, &all[0].c, 16, err), err, "copy");
    copy(lane, {block.mem, nullptr, 0}, {0, got.data(), 0}, 4096);
    finish(lane);
    if (got != sent) fail_test("other bytes arrive");
  });
  suite.add("object/copy/without a source is refused", [](Lane& lane) {
    const Block block(lane, OPMUX_MEM_DEVICE, 64);
    kit::RawError err;
    const opmux_copy c = copy_of({}, {block.mem, nullptr, 0}, 64);
    if (lane.plugin.queue.copy(lane.queue, &c, 1, err) == OPMUX_OK) fail_test("accepted");
  });
}

}  // namespace

void add_object_tests(Suite& suite) {
  add_memory(suite);
  add_copies(suite);
  add_run_tests(suite);
  add_timeline_tests(suite);
  suite.add("object/queue/flags that nobody knows are refused", [](Lane& lane) {
    opmux_queue q = nullptr;
    kit::RawError err;
    if (lane.plugin.queue.create(lane.plugin.device, 0x8000, &q, err) == OPMUX_OK) {
      lane.plugin.queue.destroy(q);
      fail_test("accepted");
    }
  });
  suite.add("object/device/a number that is not there is refused", [](Lane& lane) {
    opmux_dev dev = nullptr;
    kit::RawError err;
    if (lane.plugin.dev.open(lane.plugin.plugin, 100000, &dev, err) == OPMUX_OK) fail_test("accepted");
    if (err.text().empty()) fail_test("refused without a sentence");
  });
}

}  // namespace opmux::cts
