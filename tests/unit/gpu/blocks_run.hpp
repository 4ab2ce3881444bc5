// SPDX-License-Identifier: Apache-2.0
// Runs of a GPU plugin over plain vectors, with the workspace that it asks for.
#pragma once

#include "tests/unit/gpu/gpu_device.hpp"

namespace opmux::test {

class OnGpuBlocks : public OnGpu {
 protected:
  // What one operand brings, or takes.
  struct Block {
    void* data;
    size_t bytes;
    bool out;
  };
  template <class T>
  static Block in(std::vector<T>& v) {
    return {v.data(), v.size() * sizeof(T), false};
  }
  template <class T>
  static Block out(std::vector<T>& v) {
    return {v.data(), v.size() * sizeof(T), true};
  }
  void run(const opmux_opd* d, const std::vector<Block>& blocks) {
    const opmux_cap cap = gpu->query(d);
    ASSERT_EQ(cap.verdict, OPMUX_YES) << "why " << cap.why << " have " << cap.why_have;
    opmux_kernel k = gpu->prepare(d, cap.impl_key);
    std::vector<opmux_bind> binds;
    for (const Block& b : blocks) {
      binds.push_back({gpu->block(b.bytes + 8), 8, b.bytes, nullptr});
      gpu->upload(binds.back().mem, 8, b.data, b.bytes);
    }
    opmux_run r = run_of(k, binds);
    if (cap.ws_min > 0) r.ws = {gpu->block(cap.ws_min), 0, cap.ws_min, nullptr};
    kit::RawError err;
    ASSERT_EQ(gpu->queue.enqueue_many(gpu->line, &r, sizeof r, 1, err), OPMUX_OK) << err.text();
    for (size_t i = 0; i < blocks.size(); ++i)
      if (blocks[i].out) gpu->download(blocks[i].data, binds[i].mem, 8, blocks[i].bytes);
    gpu->op.release(k);
  }
};

}  // namespace opmux::test
