// SPDX-License-Identifier: Apache-2.0
// A raw host of a version that does not exist, against plugins of the same and of another version: every
// structure carries poison in the members that only its own version knows, and guard bytes behind it.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "opmux/ops.h"
#include "opmux/plugin.h"

namespace {

constexpr int kPoison = 0xa5;

// A plugin of the same grown version may write what this side has poisoned: it knows those members.
bool g_plugin_knows = false;

template <class T>
concept Grown = requires(T t) { t.future_; };
template <class T>
concept GrownTable = requires(T t) { t.future_0; };

template <class T>
std::span<std::byte> unknown_part(T& t) {
  std::byte* at = nullptr;
  if constexpr (Grown<T>) at = reinterpret_cast<std::byte*>(&t.future_);
  if constexpr (GrownTable<T>) at = reinterpret_cast<std::byte*>(&t.future_0);
  return at == nullptr ? std::span<std::byte>()
                       : std::span(at, reinterpret_cast<std::byte*>(&t) + sizeof(T) - at);
}

// n structures with guard bytes behind each; the stride is not the size of T, as with a client of another
// version.
template <class T>
class Guarded {
 public:
  explicit Guarded(uint32_t n = 1) : bytes_(n * kStride, std::byte{0x5c}) {
    for (uint32_t i = 0; i < n; ++i) {
      T t{};
      t.h.size = sizeof(T);
      for (std::byte& b : unknown_part(t)) b = std::byte{kPoison};
      std::memcpy(bytes_.data() + i * kStride, &t, sizeof(T));
    }
  }
  ~Guarded() {
    for (size_t at = 0; at < bytes_.size(); at += kStride) {
      for (size_t i = sizeof(T); i < kStride; ++i)
        EXPECT_EQ(bytes_[at + i], std::byte{0x5c}) << "behind the structure";
      if (g_plugin_knows) continue;
      for (std::byte b : unknown_part((*this)[at / kStride]))
        EXPECT_EQ(b, std::byte{kPoison}) << "in the unknown part";
    }
  }
  T& operator[](size_t i) { return *reinterpret_cast<T*>(bytes_.data() + i * kStride); }
  T* operator->() { return &(*this)[0]; }
  T* get() { return &(*this)[0]; }
  static constexpr uint32_t kStride = sizeof(T) + 48;

 private:
  alignas(8) std::vector<std::byte> bytes_;
};

struct Error : Guarded<opmux_err> {
  Error() {
    (*this)->msg = text;
    (*this)->msg_cap = sizeof(text);
  }
  std::string said() { return {text, (*this)->msg_len}; }
  char text[256] = {};
};

opmux_plugin_query_fn entry(const std::string& path) {
  void* lib = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (lib == nullptr) throw std::runtime_error(dlerror());
  return reinterpret_cast<opmux_plugin_query_fn>(dlsym(lib, OPMUX_PLUGIN_SYMBOL));
}

template <class T>
T fetch(const opmux_hdr* h) {
  T t{};
  if (h != nullptr) std::memcpy(&t, h, std::min<size_t>(h->size, sizeof(T)));
  return t;
}

struct Host {
  Host() {
    api->h.tag = OPMUX_I_HOST;
    api->alloc = [](opmux_host, uint64_t size, uint64_t align) {
      return std::aligned_alloc(align, (size + align - 1) / align * align);
    };
    api->free_ = [](opmux_host, void* p, uint64_t, uint64_t) { std::free(p); };
    api->parallel = [](opmux_host, uint64_t n, uint64_t grain, opmux_body body, void* ctx) -> opmux_status {
      for (uint64_t at = 0; at < n; at += grain) body(ctx, at, std::min(n, at + grain), 0);
      return OPMUX_OK;
    };
  }
  Guarded<opmux_host_api> api;
};

// A plugin of some version, open.
struct Session {
  explicit Session(const std::string& path) {
    Guarded<opmux_offer> offer;
    offer->major_min = offer->major_max = OPMUX_ABI_MAJOR;
    offer->minor = OPMUX_ABI_MINOR;
    entry(path)(offer.get(), answer.get());
    if (answer->status != OPMUX_OK) return;
    core = fetch<opmux_core_api>(&answer->core->h);
    EXPECT_EQ(core.open(host.api.get(), &plugin, err.get()), OPMUX_OK) << err.said();
    dev = fetch<opmux_dev_api>(core.interface_(OPMUX_I_DEV));
    mem = fetch<opmux_mem_api>(core.interface_(OPMUX_I_MEM));
    queue = fetch<opmux_queue_api>(core.interface_(OPMUX_I_QUEUE));
    op = fetch<opmux_op_api>(core.interface_(OPMUX_I_OP));
    uint32_t count = 0;
    EXPECT_EQ(dev.enumerate(plugin, info.get(), info.kStride, 2, &count, err.get()), OPMUX_OK) << err.said();
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(dev.open(plugin, info[0].index, &device, err.get()), OPMUX_OK) << err.said();
    EXPECT_EQ(queue.create(device, 0, &line, err.get()), OPMUX_OK) << err.said();
  }
  ~Session() {
    if (line != nullptr) queue.destroy(line);
    if (device != nullptr) dev.close(device);
    if (plugin != nullptr) core.close(plugin);
  }
  Host host;
  Guarded<opmux_answer> answer;
  Guarded<opmux_devinfo> info{2};
  Error err;
  opmux_core_api core{};
  opmux_dev_api dev{};
  opmux_mem_api mem{};
  opmux_queue_api queue{};
  opmux_op_api op{};
  opmux_plugin plugin = nullptr;
  opmux_dev device = nullptr;
  opmux_queue line = nullptr;
};

// fill of a line of n numbers; the part that only this version knows is zero, as the rule for descriptors
// asks.
struct Fill {
  explicit Fill(int64_t n) {
    d.o.h.size = sizeof(d);
    d.o.op = OPMUX_OP_FILL;
    d.o.rev = 1;
    d.o.n_in = d.o.n_out = 1;
    in.dtype = out.dtype = OPMUX_F32;
    out.rank = 1;
    out.dim[0] = n;
    out.stride[0] = 1;
    d.o.in = &in;
    d.o.out = &out;
  }
  opmux_op_fill d{};
  opmux_tdesc in{}, out{};
};

opmux_bind bind(void* p) {
  opmux_bind b{};
  b.mem = static_cast<opmux_mem>(reinterpret_cast<uintptr_t>(p));
  return b;
}

class Version : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { g_plugin_knows = std::string(GetParam()) == PLUGIN_V1_999; }
  void TearDown() override { g_plugin_knows = false; }
};
INSTANTIATE_TEST_SUITE_P(Plugins, Version, testing::Values(PLUGIN_V1_0, PLUGIN_V1_999),
                         [](const auto& i) { return i.index == 0 ? "v1_0" : "v1_999"; });

TEST_P(Version, IsAcceptedWithinOneMajor) {
  Session s(GetParam());
  EXPECT_EQ(s.answer->status, OPMUX_OK);
  EXPECT_EQ(s.answer->major, 1u);
  EXPECT_EQ(s.answer->minor, std::string(GetParam()) == PLUGIN_V1_0 ? 0u : 999u);
  EXPECT_EQ(std::string(s.answer->name.data, s.answer->name.size), "synthetic");
}

TEST_P(Version, DescribesItsDevice) {
  Session s(GetParam());
  EXPECT_STREQ(s.info[0].name, "synthetic");
  EXPECT_EQ(s.info[0].kind, OPMUX_DEV_CPU);
  EXPECT_NE(s.info[0].flags & OPMUX_DF_HOST_MEMORY, 0u);
}

TEST_P(Version, AnswersManyQueriesAtOnce) {
  Session s(GetParam());
  Fill good(5), wrong(5), last(6);
  wrong.out.rank = 0;
  wrong.out.dim[0] = wrong.out.stride[0] = 0;
  const opmux_opd* d[] = {&good.d.o, &wrong.d.o, &last.d.o};
  Guarded<opmux_cap> cap(3);
  ASSERT_EQ(s.op.query(s.info.get(), 3, d, cap.get(), cap.kStride, s.err.get()), OPMUX_OK) << s.err.said();
  EXPECT_EQ(cap[0].verdict, OPMUX_YES);
  EXPECT_EQ(cap[0].impl_key, 1u);
  EXPECT_EQ(cap[1].verdict, OPMUX_NO);
  EXPECT_EQ(cap[1].why, OPMUX_WHY_RANK);
  EXPECT_EQ(cap[2].verdict, OPMUX_YES);
}

TEST_P(Version, RunsRecordsAndReplays) {
  Session s(GetParam());
  Fill fill(5);
  opmux_kernel kernel = nullptr;
  ASSERT_EQ(s.op.prepare(s.device, &fill.d.o, 1, &kernel, s.err.get()), OPMUX_OK) << s.err.said();
  float value[2] = {3, 4}, y[3][5] = {};
  opmux_bind arg[2][2] = {{bind(&value[0]), bind(y[0])}, {bind(&value[1]), bind(y[1])}};
  Guarded<opmux_run> run(2);
  for (int i = 0; i < 2; ++i) {
    run[i].arg = arg[i];
    run[i].n_arg = 2;
    run[i].kernel = kernel;
  }
  ASSERT_EQ(s.queue.enqueue_many(s.line, run.get(), run.kStride, 2, s.err.get()), OPMUX_OK) << s.err.said();
  ASSERT_EQ(s.queue.finish(s.line, UINT64_MAX, s.err.get()), OPMUX_OK) << s.err.said();
  EXPECT_EQ(y[0][4], 3);
  EXPECT_EQ(y[1][4], 4);
  opmux_commands commands = nullptr;
  ASSERT_EQ(s.queue.record(s.line, run.get(), run.kStride, 2, &commands, s.err.get()), OPMUX_OK)
      << s.err.said();
  const opmux_rebind rebind{1, 1, bind(y[2])};
  ASSERT_EQ(s.queue.replay(s.line, commands, &rebind, 1, s.err.get()), OPMUX_OK) << s.err.said();
  EXPECT_EQ(y[2][0], 4);
  s.queue.release(commands);
  s.op.release(kernel);
}

TEST_P(Version, CopiesSeveralBlocks) {
  Session s(GetParam());
  const char from[2][4] = {"abc", "xyz"};
  char to[2][4] = {};
  // An array of copies has no stride of its own: its elements lie the first one's size apart.
  opmux_copy copies[2]{};
  for (int i = 0; i < 2; ++i) {
    copies[i].h.size = sizeof(opmux_copy);
    for (std::byte& b : unknown_part(copies[i])) b = std::byte{kPoison};
    copies[i].src_host = from[i];
    copies[i].dst = bind(to[i]).mem;
    copies[i].size_bytes = 4;
  }
  ASSERT_EQ(s.queue.copy(s.line, copies, 2, s.err.get()), OPMUX_OK) << s.err.said();
  EXPECT_STREQ(to[0], "abc");
  EXPECT_STREQ(to[1], "xyz");
}

TEST_P(Version, ReportsFailuresInTheCallersRecord) {
  Session s(GetParam());
  Fill wrong(5);
  wrong.out.rank = 0;
  wrong.out.dim[0] = wrong.out.stride[0] = 0;
  opmux_kernel kernel = nullptr;
  EXPECT_EQ(s.op.prepare(s.device, &wrong.d.o, 1, &kernel, s.err.get()), OPMUX_E_UNSUPPORTED);
  EXPECT_EQ(s.err->code, OPMUX_E_UNSUPPORTED);
  EXPECT_NE(s.err.said(), "");
}

TEST_P(Version, RefusesADescriptorWhoseUnknownPartIsSet) {
  const bool plugin_grown = std::string(GetParam()) == PLUGIN_V1_999;
  if constexpr (Grown<opmux_op_fill>) {
    Session s(GetParam());
    Fill fill(5);
    unknown_part(fill.d)[17] = std::byte{1};
    const opmux_opd* d = &fill.d.o;
    Guarded<opmux_cap> cap;
    ASSERT_EQ(s.op.query(s.info.get(), 1, &d, cap.get(), cap.kStride, s.err.get()), OPMUX_OK);
    // A plugin of the same version knows these bytes.
    EXPECT_EQ(cap->verdict, plugin_grown ? OPMUX_YES : OPMUX_NO);
    if (!plugin_grown) {
      EXPECT_EQ(cap->why, OPMUX_WHY_ATTR);
      EXPECT_GE(cap->why_arg, sizeof(opmux_opd));
    }
  } else {
    // The smaller structure of an older host is read as one with zeros behind it.
    Session s(GetParam());
    Fill fill(5);
    opmux_kernel kernel = nullptr;
    ASSERT_EQ(s.op.prepare(s.device, &fill.d.o, 1, &kernel, s.err.get()), OPMUX_OK) << s.err.said();
    s.op.release(kernel);
  }
}

TEST(Negotiation, RefusesAnotherMajorAndSaysWhatItNeeds) {
  for (const char* path : {PLUGIN_V0, PLUGIN_V2_0}) {
    Session s(path);
    EXPECT_EQ(s.answer->status, OPMUX_E_VERSION);
    EXPECT_EQ(s.answer->core, nullptr);
    EXPECT_EQ(s.answer->need_min, std::string(path) == PLUGIN_V0 ? 0u : 2u);
    EXPECT_EQ(s.answer->need_max, s.answer->need_min);
  }
}

TEST(Negotiation, AcceptsARangeThatHoldsThePluginsMajor) {
  Guarded<opmux_offer> offer;
  opmux_answer plain{};
  plain.h.size = sizeof(plain);
  opmux_answer* answer = &plain;
  offer->major_min = 0;
  offer->major_max = 7;
  entry(PLUGIN_V1_999)(offer.get(), answer);
  EXPECT_EQ(answer->status, OPMUX_OK);
  EXPECT_EQ(answer->major, 1u);
  offer->major_min = 3;
  entry(PLUGIN_V1_999)(offer.get(), answer);
  EXPECT_EQ(answer->status, OPMUX_E_VERSION);
}

}  // namespace
