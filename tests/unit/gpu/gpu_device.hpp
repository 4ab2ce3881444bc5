// SPDX-License-Identifier: Apache-2.0
// A plugin whose memory is not the host's: tensors go there and come back by copies of its queue.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <random>

#include "kit/desc.hpp"
#include "kit/raw_loader.hpp"
#include "tests/conformance/plugin_calls.hpp"
#include "tests/support/paths.h"

namespace opmux::test {

using cts::CopySource;
using cts::CopyTarget;
using cts::run_of;

// An f32 tensor with its memory; elements between those of the view hold a pattern that nobody may change.
class Tensor {
 public:
  static constexpr float kGap = -77777.0f;
  opmux_tdesc t{};

  explicit Tensor(std::vector<int64_t> dims) : t(kit::tensor(OPMUX_F32, dims)) {
    data_.assign(static_cast<size_t>(std::max<int64_t>(kit::element_count(t), 1)), kGap);
  }
  // Order of the axes in memory, gaps and signs of strides at random.
  Tensor(std::vector<int64_t> dims, std::mt19937& rng) : t(kit::tensor(OPMUX_F32, dims)) {
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < t.rank; ++i) order.push_back(i);
    std::shuffle(order.begin(), order.end(), rng);
    int64_t step = 1 + static_cast<int64_t>(rng() % 2);
    for (uint32_t i : order) {
      t.stride[i] = step;
      step = step * std::max<int64_t>(t.dim[i], 1) + static_cast<int64_t>(rng() % 3);
      if (rng() % 4 == 0 && t.dim[i] > 0) {
        zero_ += t.stride[i] * (t.dim[i] - 1);
        t.stride[i] = -t.stride[i];
      }
    }
    data_.assign(static_cast<size_t>(step), kGap);
  }
  Tensor& random(std::mt19937& rng) {
    std::uniform_real_distribution<float> unit(-1, 1);
    for (float& v : data_) v = unit(rng);
    return *this;
  }
  Tensor& values(std::vector<float> v) {
    data_ = std::move(v);
    return *this;
  }
  // Element of the view; a missing leading axis and an extent of 1 broadcast.
  float& at(const std::vector<int64_t>& index) {
    int64_t o = zero_;
    for (uint32_t i = 0; i < t.rank; ++i) {
      const int64_t x = index[index.size() - t.rank + i];
      o += t.dim[i] == 1 ? 0 : x * t.stride[i];
    }
    return data_[static_cast<size_t>(o)];
  }
  template <class F>
  void each(const F& f) const {
    if (kit::element_count(t) == 0) return;
    std::vector<int64_t> i(t.rank, 0);
    for (;;) {
      f(i);
      uint32_t a = t.rank;
      while (a > 0 && ++i[a - 1] == t.dim[a - 1]) i[--a] = 0;
      if (a == 0) return;
    }
  }
  uint64_t bytes() const { return data_.size() * sizeof(float); }
  uint64_t zero_bytes() const { return static_cast<uint64_t>(zero_) * sizeof(float); }
  std::vector<float>& data() { return data_; }
  // How many elements outside of the view have changed.
  size_t gaps_written() {
    std::vector<bool> used(data_.size());
    each([&](const auto& i) { used[static_cast<size_t>(&at(i) - data_.data())] = true; });
    size_t n = 0;
    for (size_t i = 0; i < data_.size(); ++i) n += !used[i] && data_[i] != kGap;
    return n;
  }

 private:
  int64_t zero_ = 0;
  std::vector<float> data_;
};

class Gpu : public kit::RawPlugin {
 public:
  explicit Gpu(const std::string& name, opmux_host_api* services = nullptr)
      : RawPlugin(plugin_dir() + "/opmux_" + name + ".so", services) {}
  ~Gpu() {
    for (opmux_mem m : blocks_) mem.free_(device, m);
  }

  opmux_mem block(uint64_t size) {
    opmux_mem m = 0;
    kit::RawError err;
    check(mem.alloc(device, OPMUX_MEM_DEVICE, size, 256, &m, err), err);
    blocks_.push_back(m);
    return m;
  }
  void upload(opmux_mem to, uint64_t offset, const void* from, uint64_t size) {
    copy({0, from, 0}, {to, nullptr, offset}, size);
  }
  void download(void* to, opmux_mem from, uint64_t offset, uint64_t size) {
    copy({from, nullptr, offset}, {0, to, 0}, size);
    finish();
  }
  void finish() {
    kit::RawError err;
    check(queue.finish(line, UINT64_MAX, err), err);
  }
  // Sends a tensor to an offset that only 4 divides.
  opmux_bind send(Tensor& t, uint64_t offset = 12) {
    const opmux_mem m = block(t.bytes() + offset);
    upload(m, offset, t.data().data(), t.bytes());
    return {m, offset + t.zero_bytes(), 0, nullptr};
  }
  void fetch(Tensor& t, const opmux_bind& from) {
    download(t.data().data(), from.mem, from.offset - t.zero_bytes(), t.bytes());
  }
  // Query must say YES; prepares, runs once and brings the last tensor back.
  void run(const opmux_opd* d, std::vector<Tensor*> operands) {
    const opmux_cap cap = query(d);
    ASSERT_EQ(cap.verdict, OPMUX_YES)
        << "why " << cap.why << " arg " << cap.why_arg << " have " << cap.why_have;
    opmux_kernel k = prepare(d, cap.impl_key);
    std::vector<opmux_bind> binds;
    for (Tensor* t : operands) binds.push_back(send(*t));
    const opmux_run r = run_of(k, binds);
    kit::RawError err;
    const opmux_status s = queue.enqueue_many(line, &r, sizeof r, 1, err);
    EXPECT_EQ(s, OPMUX_OK) << err.text();
    fetch(*operands.back(), binds.back());
    op.release(k);
  }

 private:
  void copy(const CopySource& from, const CopyTarget& to, uint64_t size) {
    const opmux_copy c = cts::copy_of(from, to, size);
    kit::RawError err;
    check(queue.copy(line, &c, 1, err), err);
  }
  std::vector<opmux_mem> blocks_;
};

// Skipped, with the plugin's reason, where the machine has no driver; a failure under OPMUX_TEST_ALL=1, which
// tools/dev sets, because its set-up brings the drivers.
class OnGpu : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      gpu = std::make_unique<Gpu>(GetParam());
      // One more stays open, and with it the drivers stay mapped: what they keep in their own globals from
      // one instance to the next would count as leaked once the loader has unmapped them.
      static auto& open = *new std::map<std::string, Gpu*>;
      if (!open[GetParam()]) open[GetParam()] = new Gpu(GetParam());
    } catch (const std::runtime_error& e) {
      if (std::strncmp(e.what(), "status 2:", 9) != 0) throw;
      const char* all = std::getenv("OPMUX_TEST_ALL");
      if (all && std::strcmp(all, "1") == 0) FAIL() << e.what();
      GTEST_SKIP() << e.what();
    }
  }
  std::unique_ptr<Gpu> gpu;
  std::mt19937 rng{7};
};

}  // namespace opmux::test
