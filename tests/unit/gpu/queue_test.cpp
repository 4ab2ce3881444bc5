// SPDX-License-Identifier: Apache-2.0
// Copies, recordings, timelines and refusals of the GPU plugins' queues.
#include <array>
#include <thread>

#include "tests/unit/gpu/gpu_device.hpp"

namespace opmux::test {
namespace {

constexpr uint64_t kCount = 1000;

class GpuQueue : public OnGpu {
 protected:
  void SetUp() override {
    OnGpu::SetUp();
    if (!gpu) return;
    // y = x + 1
    kit::Program p(OPMUX_SLOT_MAIN, 1);
    const uint32_t one = p.constant(OPMUX_F32, 0x3f800000u);
    p.out(p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, one));
    kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
    const opmux_tdesc t = kit::tensor(OPMUX_F32, {static_cast<int64_t>(kCount)});
    d.in(t).out(t).program(p);
    next = gpu->prepare(d.opd(), gpu->query(d.opd()).impl_key);
  }
  void TearDown() override {
    if (next) gpu->op.release(next);
  }
  opmux_bind filled(float v) {
    const std::vector<float> values(kCount, v);
    const opmux_mem m = gpu->block(kCount * 4);
    gpu->upload(m, 0, values.data(), kCount * 4);
    return {m, 0, kCount * 4, nullptr};
  }
  // The value that all elements have; NaN if they differ.
  float value(const opmux_bind& b) {
    std::vector<float> v(kCount);
    gpu->download(v.data(), b.mem, b.offset, kCount * 4);
    for (float x : v) {
      if (x != v[0]) return NAN;
    }
    return v[0];
  }
  opmux_kernel next = nullptr;
  kit::RawError err;
};

TEST_P(GpuQueue, ASourceMayChangeAsSoonAsItsCopyReturns) {
  std::vector<float> source(kCount, 5.0f);
  const opmux_mem m = gpu->block(kCount * 4);
  gpu->upload(m, 0, source.data(), kCount * 4);
  std::fill(source.begin(), source.end(), 0.0f);
  EXPECT_EQ(value({m, 0, 0, nullptr}), 5.0f);
}

TEST_P(GpuQueue, CopiesLieAsFarApartAsTheirSizeSays) {
  struct Longer {
    opmux_copy c;
    uint64_t more;
  };
  const float in[2] = {1.0f, 2.0f};
  const opmux_mem a = gpu->block(8), b = gpu->block(8);
  std::array<Longer, 3> copies{};
  for (auto& c : copies) {
    c.c.h.size = sizeof c;
    c.c.size_bytes = 4;
    c.more = 99;
  }
  copies[0].c.src_host = in;
  copies[0].c.dst = a;
  copies[1].c.src_host = in + 1;
  copies[1].c.dst = a;
  copies[1].c.dst_offset = 4;
  copies[2].c.src = a;
  copies[2].c.dst = b;
  copies[2].c.size_bytes = 8;
  ASSERT_EQ(gpu->queue.copy(gpu->line, &copies[0].c, 3, err), OPMUX_OK) << err.text();
  float out[2] = {};
  gpu->download(out, b, 0, 8);
  EXPECT_EQ(out[0], 1.0f);
  EXPECT_EQ(out[1], 2.0f);
}

TEST_P(GpuQueue, EightBytesMayGoToAnyWord) {
  const opmux_mem m = gpu->block(24);
  const uint32_t first[4] = {1, 2, 3, 4}, second[2] = {5, 6};
  gpu->upload(m, 8, first, 16);
  gpu->upload(m, 4, second, 8);
  uint32_t out[6] = {};
  gpu->download(out, m, 0, 24);
  EXPECT_EQ(out[1], 5u);
  EXPECT_EQ(out[2], 6u);
  EXPECT_EQ(out[3], 2u);
  EXPECT_EQ(out[5], 4u);
}

TEST_P(GpuQueue, CopiesLargerThanAnyStagingMemoryArriveWhole) {
  std::vector<uint32_t> in(70u << 18), out(in.size());  // 70 MiB
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint32_t>(i * 2654435761u);
  const opmux_mem m = gpu->block(in.size() * 4);
  gpu->upload(m, 0, in.data(), in.size() * 4);
  gpu->download(out.data(), m, 0, out.size() * 4);
  EXPECT_TRUE(in == out);
}

TEST_P(GpuQueue, AChainOfLaunchesRunsInItsOrder) {
  opmux_bind a = filled(0), b = filled(-1);
  for (int i = 0; i < 700; ++i) {  // more than a command buffer gathers
    const std::vector<opmux_bind> binds = {a, b};
    const opmux_run r = run_of(next, binds);
    ASSERT_EQ(gpu->queue.enqueue_many(gpu->line, &r, sizeof r, 1, err), OPMUX_OK) << err.text();
    std::swap(a, b);
  }
  EXPECT_EQ(value(a), 700.0f);
}

TEST_P(GpuQueue, AScalarByValueIsThatOfItsRunAndARecordingKeepsIt) {
  opmux_tdesc t = kit::tensor(OPMUX_F32, {});
  t.flags |= OPMUX_T_HOST_SCALAR;
  kit::Desc<opmux_op_fill> d(OPMUX_OP_FILL);
  d.in(t).out(kit::tensor(OPMUX_F32, {static_cast<int64_t>(kCount)}));
  opmux_kernel fill = gpu->prepare(d.opd(), gpu->query(d.opd()).impl_key);
  float values[3][2] = {{1}, {2}, {3}};  // 8 bytes each
  const opmux_bind to[] = {filled(0), filled(0), filled(0)};
  std::vector<opmux_bind> binds[3];
  opmux_run runs[3];
  for (int i = 0; i < 3; ++i) {
    binds[i] = {{}, to[i]};
    runs[i] = run_of(fill, binds[i]);
    runs[i].params = values[i];
    runs[i].params_size = 8;
  }
  opmux_commands commands = nullptr;
  ASSERT_EQ(gpu->queue.record(gpu->line, runs + 2, sizeof runs[0], 1, &commands, err), OPMUX_OK)
      << err.text();
  ASSERT_EQ(gpu->queue.enqueue_many(gpu->line, runs, sizeof runs[0], 2, err), OPMUX_OK) << err.text();
  values[0][0] = values[1][0] = values[2][0] = 9;
  EXPECT_EQ(value(to[0]), 1.0f);
  EXPECT_EQ(value(to[1]), 2.0f);
  ASSERT_EQ(gpu->queue.replay(gpu->line, commands, nullptr, 0, err), OPMUX_OK) << err.text();
  EXPECT_EQ(value(to[2]), 3.0f);
  runs[0].params_size = 4;
  EXPECT_EQ(gpu->queue.enqueue_many(gpu->line, runs, sizeof runs[0], 1, err), OPMUX_E_INVALID);
  EXPECT_NE(std::string(err.text()).find("4 bytes of parameters, it wants 8"), std::string::npos)
      << err.text();
  gpu->queue.release(commands);
  gpu->op.release(fill);
}

TEST_P(GpuQueue, ARecordingIsReplayedAndTakesOtherOperands) {
  const opmux_bind a = filled(10), b = filled(0), c = filled(0), d = filled(0), x = filled(50);
  const std::vector<opmux_bind> first = {a, b}, second = {b, c};
  const opmux_run runs[] = {run_of(next, first), run_of(next, second)};
  opmux_commands commands = nullptr;
  ASSERT_EQ(gpu->queue.record(gpu->line, runs, sizeof runs[0], 2, &commands, err), OPMUX_OK) << err.text();
  const auto replay = [&](std::vector<opmux_rebind> r) {
    const opmux_status s =
        gpu->queue.replay(gpu->line, commands, r.data(), static_cast<uint32_t>(r.size()), err);
    ASSERT_EQ(s, OPMUX_OK) << err.text();
  };
  replay({});
  EXPECT_EQ(value(c), 12.0f);
  replay({{0, 0, x}, {1, 1, d}});
  EXPECT_EQ(value(d), 52.0f);
  EXPECT_EQ(value(c), 12.0f);
  gpu->upload(x.mem, 0, std::vector<float>(kCount, 70).data(), kCount * 4);
  replay({});  // rebinds stay
  replay({});
  EXPECT_EQ(value(d), 72.0f);
  const opmux_rebind wrong = {2, 0, a};
  EXPECT_EQ(OPMUX_CODE(gpu->queue.replay(gpu->line, commands, &wrong, 1, err)), OPMUX_E_INVALID);
  EXPECT_NE(err.text().find("there are 2 runs"), std::string::npos) << err.text();
  gpu->queue.release(commands);
}

TEST_P(GpuQueue, ABindThatDoesNotHoldItsOperandIsRefusedWithBothNumbers) {
  const opmux_bind good = filled(0);
  opmux_bind late = good, odd = good, none = good;
  late.offset = 8;
  odd.offset = 2;
  none.mem = 0;
  for (const opmux_bind& b : {late, odd, none}) {
    const std::vector<opmux_bind> binds = {b, good};
    const opmux_run r = run_of(next, binds);
    EXPECT_EQ(OPMUX_CODE(gpu->queue.enqueue_many(gpu->line, &r, sizeof r, 1, err)), OPMUX_E_INVALID);
    EXPECT_EQ(err->arg_index, 0u);
    if (&b == &late) {
      EXPECT_NE(err.text().find("4000"), std::string::npos) << err.text();
    }
  }
  EXPECT_EQ(value(good), 0.0f);
}

TEST_P(GpuQueue, ATimelineIsSignalledAfterTheWorkBeforeIt) {
  opmux_tl tl = nullptr;
  ASSERT_EQ(gpu->queue.tl_create(gpu->device, 0, &tl, err), OPMUX_OK);
  EXPECT_EQ(OPMUX_CODE(gpu->queue.tl_wait(tl, 1, 1000, err)), OPMUX_E_TIMEOUT);
  const opmux_bind a = filled(1), b = filled(0);
  std::thread late([&] { gpu->queue.tl_signal(tl, 1, nullptr); });
  const opmux_wait wait{tl, 1}, signal{tl, 2};
  const std::vector<opmux_bind> binds = {a, b};
  opmux_run r = run_of(next, binds);
  r.wait = &wait;
  r.n_wait = 1;
  r.signal = &signal;
  r.n_signal = 1;
  EXPECT_EQ(gpu->queue.enqueue_many(gpu->line, &r, sizeof r, 1, err), OPMUX_OK) << err.text();
  late.join();
  EXPECT_EQ(gpu->queue.tl_wait(tl, 2, UINT64_MAX, err), OPMUX_OK);
  EXPECT_EQ(value(b), 2.0f);
  gpu->queue.tl_destroy(tl);
}

TEST_P(GpuQueue, AFinishThatRunsOutOfTimeCanBeRepeated) {
  opmux_bind a = filled(0), b = filled(0);
  for (int i = 0; i < 400; ++i) {
    const std::vector<opmux_bind> binds = {a, b};
    const opmux_run r = run_of(next, binds);
    ASSERT_EQ(gpu->queue.enqueue_many(gpu->line, &r, sizeof r, 1, err), OPMUX_OK);
    std::swap(a, b);
  }
  const uint32_t code = OPMUX_CODE(gpu->queue.finish(gpu->line, 0, err));
  EXPECT_TRUE(code == OPMUX_OK || code == OPMUX_E_TIMEOUT) << err.text();
  EXPECT_EQ(value(a), 400.0f);
}

TEST_P(GpuQueue, MoreMemoryThanThereIsIsRefusedWithTheLimit) {
  opmux_mem m = 0;
  const opmux_status s = gpu->mem.alloc(gpu->device, OPMUX_MEM_DEVICE, uint64_t{1} << 50, 256, &m, err);
  EXPECT_EQ(OPMUX_CODE(s), OPMUX_E_OUT_OF_MEMORY);
  EXPECT_NE(err.text().find(std::to_string(gpu->info.max_alloc_bytes)), std::string::npos) << err.text();
}

INSTANTIATE_TEST_SUITE_P(Device, GpuQueue, ::testing::Values(OPMUX_GPU_PLUGINS),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace opmux::test
