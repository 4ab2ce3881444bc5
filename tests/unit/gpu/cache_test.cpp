// SPDX-License-Identifier: Apache-2.0
// Compiled kernels on their way through the host's disk cache and back, with real drivers.
#include "tests/unit/gpu/blob_host.hpp"
#include "tests/unit/gpu/gpu_device.hpp"

namespace opmux::test {
namespace {

class GpuCache : public OnGpu {
 protected:
  // Starts the plugin, adds two tensors, and says how many kernels were compiled for that.
  int compiled() {
    host.binaries = "on";
    Gpu gpu(GetParam(), host.api());
    host.clear_log();
    kit::Program p(OPMUX_SLOT_MAIN, 2);
    p.out(p.apply(OPMUX_FN_ADD, OPMUX_F32, 0, 1));
    Tensor a({1000}), b({1000}), y({1000});
    a.random(rng);
    b.random(rng);
    kit::Desc<opmux_op_pointwise> d(OPMUX_OP_POINTWISE);
    d.in(a.t).in(b.t).out(y.t).program(p);
    gpu.run(d.opd(), {&a, &b, &y});
    y.each([&](const auto& i) { EXPECT_EQ(y.at(i), a.at(i) + b.at(i)); });
    return host.lines("compiled kernel");
  }
  BlobHost host;
};

TEST_P(GpuCache, ASecondStartCompilesNothing) {
  EXPECT_EQ(compiled(), 1);
  EXPECT_FALSE(host.blobs.empty());
  EXPECT_EQ(compiled(), 0);
}

// The host's checksums keep such values away; a driver that was changed under its version may still get one.
TEST_P(GpuCache, AnEmptyOrCutValueIsCompiledAnew) {
  ASSERT_EQ(compiled(), 1);
  for (auto& [key, value] : host.blobs) value.clear();
  EXPECT_EQ(compiled(), 1);
  for (auto& [key, value] : host.blobs) value.resize(3);
  EXPECT_EQ(compiled(), 1);
  EXPECT_EQ(compiled(), 0);
}

INSTANTIATE_TEST_SUITE_P(Device, GpuCache, ::testing::Values(OPMUX_GPU_PLUGINS),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace opmux::test
