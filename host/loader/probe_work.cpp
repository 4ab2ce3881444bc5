// SPDX-License-Identifier: Apache-2.0
#include "host/loader/probe_work.hpp"

#include <array>
#include <cstring>
#include <vector>

#include "opmux/ops/matmul.gen.h"

namespace opmux {
namespace {

constexpr uint32_t kSide = 64;
constexpr uint64_t kBytes = uint64_t{kSide} * kSide * sizeof(float);
constexpr uint64_t kForeverNs = ~uint64_t{0};  // the parent keeps the time

// Closes in reverse order what one device was given. Only for the probe, where nothing is shared.
class Bench {
 public:
  Bench(const Tables& t, opmux_plugin plugin, uint32_t index) : t_(t) {
    err_.check(t.dev.open(plugin, index, &dev_, err_.get()), "cannot be opened");
  }
  ~Bench() {
    if (kernel_ != nullptr) t_.op.release(kernel_);
    if (queue_ != nullptr) t_.queue.destroy(queue_);
    for (const opmux_mem mem : mems_) t_.mem.free_(dev_, mem);
    t_.dev.close(dev_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void make_queue() { err_.check(t_.queue.create(dev_, 0, &queue_, err_.get()), "cannot make a queue"); }

  opmux_mem allocate(uint64_t size_bytes) {
    opmux_mem mem = 0;
    err_.check(t_.mem.alloc(dev_, OPMUX_MEM_DEVICE, size_bytes, 256, &mem, err_.get()),
               "cannot allocate memory");
    mems_.push_back(mem);
    return mem;
  }

  void upload(opmux_mem mem, const void* from) {
    opmux_copy copy{};
    copy.h = OPMUX_HDR(opmux_copy);
    copy.dst = mem;
    copy.src_host = from;
    copy.size_bytes = kBytes;
    move(copy);
  }

  void download(opmux_mem mem, void* to) {
    opmux_copy copy{};
    copy.h = OPMUX_HDR(opmux_copy);
    copy.src = mem;
    copy.dst_host = to;
    copy.size_bytes = kBytes;
    move(copy);
  }

  void prepare(const opmux_opd& d, const opmux_cap& cap) {
    err_.check(t_.op.prepare(dev_, &d, cap.impl_key, &kernel_, err_.get()), "cannot prepare a 64x64 matmul");
  }

  void run(const std::array<opmux_mem, 3>& operands, opmux_mem workspace, uint64_t workspace_bytes) {
    std::array<opmux_bind, 3> args{};
    for (size_t i = 0; i < args.size(); ++i) args[i] = {operands[i], 0, kBytes, nullptr};
    opmux_run run{};
    run.h = OPMUX_HDR(opmux_run);
    run.arg = args.data();
    run.n_arg = args.size();
    run.ws = {workspace, 0, workspace_bytes, nullptr};
    run.kernel = kernel_;
    err_.check(t_.queue.enqueue_many(queue_, &run, sizeof(run), 1, err_.get()), "cannot run a 64x64 matmul");
    finish();
  }

 private:
  void move(const opmux_copy& copy) {
    err_.check(t_.queue.copy(queue_, &copy, 1, err_.get()), "cannot copy");
    finish();
  }
  void finish() { err_.check(t_.queue.finish(queue_, kForeverNs, err_.get()), "work failed"); }

  const Tables& t_;
  ErrRecord err_;
  opmux_dev dev_ = nullptr;
  opmux_queue queue_ = nullptr;
  opmux_kernel kernel_ = nullptr;
  std::vector<opmux_mem> mems_;
};

using Matrix = std::vector<float>;

Matrix small_integers(uint32_t seed) {
  Matrix m(size_t{kSide} * kSide);
  for (size_t i = 0; i < m.size(); ++i) m[i] = static_cast<float>((i * 7 + seed * 13 + i / kSide) % 5) - 2.0F;
  return m;
}

// Small integers, so every order of summation gives the same exact sum.
Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.size(), 0.0F);
  for (uint32_t i = 0; i < kSide; ++i) {
    for (uint32_t k = 0; k < kSide; ++k) {
      for (uint32_t j = 0; j < kSide; ++j) c[i * kSide + j] += a[i * kSide + k] * b[k * kSide + j];
    }
  }
  return c;
}

void compare(const Matrix& have, const Matrix& want, std::string_view what) {
  for (size_t i = 0; i < want.size(); ++i) {
    if (have[i] == want[i]) continue;
    fail(OPMUX_E_BROKEN_PROMISE, "wrong result of {}: element {} is {}, expected {}", what, i, have[i],
         want[i]);
  }
}

opmux_tdesc square() {
  opmux_tdesc d{};
  d.dtype = OPMUX_F32;
  d.rank = 2;
  d.dim[0] = d.dim[1] = kSide;
  d.stride[0] = kSide;
  d.stride[1] = 1;
  return d;
}

struct Matmul {
  std::array<opmux_tdesc, 3> operands{square(), square(), square()};
  opmux_op_matmul d{};

  Matmul() {
    d.o.h.size = sizeof(d);
    d.o.op = OPMUX_OP_MATMUL;
    d.o.rev = 1;
    d.acc_dtype = OPMUX_F32;
    d.o.n_in = 2;
    d.o.n_out = 1;
    d.o.in = operands.data();
    d.o.out = &operands[2];
  }
};

void work_on(Plugin& plugin, const opmux_devinfo& info, ProbeSink& sink) {
  const Tables& t = plugin.tables();
  sink.stage(ProbeStage::kOpenDevice, info.index);
  Bench bench(t, plugin.handle(), info.index);
  bench.make_queue();
  sink.stage(ProbeStage::kCopy, info.index);
  const std::array<opmux_mem, 3> mems{bench.allocate(kBytes), bench.allocate(kBytes), bench.allocate(kBytes)};
  const Matrix a = small_integers(1), b = small_integers(2);
  Matrix back(a.size(), -1.0F);
  bench.upload(mems[0], a.data());
  bench.upload(mems[1], b.data());
  bench.download(mems[0], back.data());
  compare(back, a, "a copy to the device and back");

  sink.stage(ProbeStage::kPrepare, info.index);
  const Matmul matmul;
  const opmux_opd* d = &matmul.d.o;
  opmux_cap cap{};
  cap.h = OPMUX_HDR(opmux_cap);
  ErrRecord err;
  err.check(t.op.query(&info, 1, &d, &cap, sizeof(cap), err.get()), "cannot answer a query");
  if (cap.verdict == OPMUX_YES) {
    bench.prepare(*d, cap);
    sink.stage(ProbeStage::kRun, info.index);
    const opmux_mem workspace = cap.ws_min == 0 ? 0 : bench.allocate(cap.ws_min);
    bench.run(mems, workspace, cap.ws_min);
    bench.download(mems[2], back.data());
    compare(back, product(a, b), "a 64x64 matmul");
  }
  sink.stage(ProbeStage::kCloseDevice, info.index);
}

}  // namespace

std::string stage_text(ProbeStage stage, uint32_t device) {
  switch (stage) {
    case ProbeStage::kLoad:
      return "loading the library";
    case ProbeStage::kOpen:
      return "opening the plugin";
    case ProbeStage::kEnumerate:
      return "enumerating devices";
    case ProbeStage::kOpenDevice:
      return fmt::format("opening device {}", device);
    case ProbeStage::kCopy:
      return fmt::format("copying on device {}", device);
    case ProbeStage::kPrepare:
      return fmt::format("preparing a matmul on device {}", device);
    case ProbeStage::kRun:
      return fmt::format("running a matmul on device {}", device);
    case ProbeStage::kCloseDevice:
      return fmt::format("closing device {}", device);
  }
  return "an unknown stage";
}

void probe_plugin(Plugin& plugin, const std::set<uint32_t>& skip, ProbeSink& sink) {
  sink.stage(ProbeStage::kLoad, 0);
  plugin.tables();
  sink.stage(ProbeStage::kOpen, 0);
  plugin.handle();
  sink.stage(ProbeStage::kEnumerate, 0);
  for (const opmux_devinfo& info : plugin.enumerate()) {
    if (skip.contains(info.index)) continue;
    try {
      work_on(plugin, info, sink);
      sink.info(info);
    } catch (const Error& e) {
      sink.bad_device(info.index, e.text());
    }
  }
}

}  // namespace opmux
