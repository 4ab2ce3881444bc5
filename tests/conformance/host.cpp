// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/host.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace opmux::cts {
namespace {

thread_local bool in_loop = false;
thread_local uint64_t taken_here = 0;

// Stands before each block: what was asked for, to compare with what is said when it is freed.
struct Head {
  uint64_t size, align;
};

}  // namespace

Host::Host(uint32_t threads) {
  api_.h = OPMUX_HDR_TAG(opmux_host_api, OPMUX_I_HOST);
  api_.self = reinterpret_cast<opmux_host>(this);
  api_.alloc = [](opmux_host h, uint64_t size, uint64_t align) { return self(h).take(size, align); };
  api_.free_ = [](opmux_host h, void* p, uint64_t size, uint64_t align) { self(h).give(p, size, align); };
  api_.log = [](opmux_host, uint32_t, opmux_str, opmux_str) {};
  api_.config = [](opmux_host, opmux_str, opmux_str*) -> opmux_status { return OPMUX_E_NOT_FOUND; };
  api_.parallel = [](opmux_host h, uint64_t n, uint64_t grain, opmux_body body, void* ctx) {
    return self(h).parallel(n, grain, body, ctx);
  };
  api_.concurrency = [](opmux_host h) { return static_cast<uint32_t>(self(h).threads_.size()) + 1; };
  api_.blob_get = [](opmux_host, opmux_span, opmux_span*) -> opmux_status { return OPMUX_E_UNSUPPORTED; };
  api_.blob_put = [](opmux_host, opmux_span, opmux_span) -> opmux_status { return OPMUX_E_UNSUPPORTED; };
  api_.trace = [](opmux_host, uint32_t, uint64_t, opmux_str, uint64_t) {};
  api_.cancelled = [](opmux_host h, uint64_t token) -> uint32_t { return token == self(h).cancelled_token; };
  for (uint32_t i = 1; i < threads; ++i) threads_.emplace_back([this, i] { work(i); });
}

Host::~Host() {
  {
    const std::lock_guard guard(lock_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& t : threads_) t.join();
}

uint64_t Host::allocations_here() { return taken_here; }

void* Host::take(uint64_t size, uint64_t align) {
  if (fail_after == 0) return nullptr;
  if (fail_after > 0) --fail_after;
  const uint64_t a = std::max<uint64_t>(align, 16);
  auto* start = static_cast<char*>(std::aligned_alloc(a, (a + size + a - 1) / a * a));
  if (!start) return nullptr;
  reinterpret_cast<Head*>(start + a)[-1] = {size, align};
  bytes_ += static_cast<int64_t>(size);
  ++blocks_;
  ++taken_here;
  return start + a;
}

void Host::give(void* p, uint64_t size, uint64_t align) {
  if (!p) return;
  const Head head = static_cast<Head*>(p)[-1];
  if (head.size != size || head.align != align) ++misuse_;
  bytes_ -= static_cast<int64_t>(head.size);
  --blocks_;
  std::free(static_cast<char*>(p) - std::max<uint64_t>(head.align, 16));
}

bool Host::chunk(Loop& loop, uint32_t worker) {
  const uint64_t k = loop.next++;
  if (k >= loop.chunks) return false;
  __extension__ using Wide = unsigned __int128;
  const auto at = static_cast<uint64_t>(static_cast<Wide>(k) * loop.step % loop.chunks) * loop.grain;
  in_loop = true;
  loop.body(loop.ctx, at, std::min(loop.n, at + loop.grain), worker);
  in_loop = false;
  ++loop.done;
  return true;
}

// Chunks are handed out in an order that jumps through the range, so that a chunk which relies on its
// neighbour being done, or not yet done, shows.
opmux_status Host::parallel(uint64_t n, uint64_t grain, opmux_body body, void* ctx) {
  ++loops_;
  Loop loop{};
  loop.body = body;
  loop.ctx = ctx;
  loop.n = n;
  loop.grain = std::max<uint64_t>(grain, 1);
  loop.chunks = n / loop.grain + (n % loop.grain != 0);
  if (loop.chunks == 0) return OPMUX_OK;
  if (in_loop) {  // nested: inline, as the interface says
    for (uint64_t at = 0; at < n; at += loop.grain) body(ctx, at, std::min(n, at + loop.grain), 0);
    return OPMUX_OK;
  }
  loop.step = loop.chunks * 5 / 8 | 1;
  while (std::gcd(loop.step, loop.chunks) != 1) ++loop.step;
  // The caller is worker 0, so only one loop at a time can have the other workers.
  const std::unique_lock only(one_loop_, std::try_to_lock);
  if (!only || threads_.empty()) {
    while (chunk(loop, 0)) {
    }
    return OPMUX_OK;
  }
  {
    const std::lock_guard guard(lock_);
    loop_ = &loop;
    ++turn_;
  }
  wake_.notify_all();
  while (chunk(loop, 0)) {
  }
  std::unique_lock guard(lock_);
  loop_ = nullptr;
  wake_.wait(guard, [&] { return inside_ == 0; });
  return OPMUX_OK;
}

void Host::work(uint32_t worker) {
  uint64_t seen = 0;
  std::unique_lock guard(lock_);
  for (;;) {
    wake_.wait(guard, [&] { return stop_ || (loop_ && turn_ != seen); });
    if (stop_) return;
    seen = turn_;
    Loop& loop = *loop_;
    ++inside_;
    guard.unlock();
    while (chunk(loop, worker)) {
    }
    guard.lock();
    if (--inside_ == 0) wake_.notify_all();
  }
}

}  // namespace opmux::cts
