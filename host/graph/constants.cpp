// SPDX-License-Identifier: Apache-2.0
#include "host/graph/constants.hpp"

#include <algorithm>

#include "host/platform/error.hpp"
#include "host/platform/hash.hpp"
#include "host/queue/queue.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {
namespace {

constexpr uint64_t kAlign = 256;

template <class T>
void append(std::string& key, const T& v) {
  key.append(reinterpret_cast<const char*>(&v), sizeof v);
}

// Two independent sums make a collision out of the question for data that is not hostile; sizes are compared
// besides.
void append_content(std::string& key, const void* data, uint64_t size) {
  const std::span bytes(static_cast<const std::byte*>(data), size);
  append(key, size);
  append(key, checksum64(bytes, 1));
  append(key, checksum64(bytes, 2));
}

void upload(Queue& queue, const void* data, uint64_t size, const Block& to) {
  if (!size) return;
  queue.upload(to, 0, data, size);
  queue.finish();
}

}  // namespace

std::shared_ptr<Pool> ConstantStore::pool(Route& route) {
  std::scoped_lock lock(mutex_);
  auto& p = pools_[&route];
  if (!p) p = std::make_shared<Pool>(route);
  return p;
}

void ConstantStore::trim() {
  std::scoped_lock lock(mutex_);
  for (const auto& [route, pool] : pools_) {
    if (!route->abandoned()) pool->trim();
  }
}

// Keys begin with the route's address.
void ConstantStore::forget(const Route& route) {
  const Route* const address = &route;
  std::string prefix;
  append(prefix, address);
  std::scoped_lock lock(mutex_);
  std::erase_if(pools_, [&](const auto& p) { return p.first == address; });
  std::erase_if(blocks_, [&](const auto& b) { return b.first.starts_with(prefix); });
}

std::shared_ptr<ConstantBlock> ConstantStore::find(const std::string& key) {
  std::scoped_lock lock(mutex_);
  const auto it = blocks_.find(key);
  if (it == blocks_.end()) return nullptr;
  auto held = it->second.lock();
  if (!held) blocks_.erase(it);
  return held;
}

std::shared_ptr<ConstantBlock> ConstantStore::plain(Route& route, const HostTensor& storage) {
  std::string key;
  append(key, &route);
  append_content(key, storage.data(), storage.size_bytes());
  if (auto held = find(key)) return held;
  auto made = std::make_shared<ConstantBlock>();
  made->size_bytes = storage.size_bytes();
  made->block = pool(route)->allocate(std::max<uint64_t>(storage.size_bytes(), 1), kAlign);
  Queue queue(route);
  upload(queue, storage.data(), storage.size_bytes(), made->block);
  std::scoped_lock lock(mutex_);
  blocks_[key] = made;
  return made;
}

std::shared_ptr<ConstantBlock> ConstantStore::packed(Route& route, const opmux_opd& d, uint32_t operand,
                                                     uint32_t layout, const HostTensor& view) {
  const opmux_tdesc& desc = d.in[operand];
  ErrRecord err;
  uint64_t size = 0, layout_arg = 0;
  err.check(route.t().op.packed_size(&route.info(), &d, operand, layout, &size, &layout_arg, err.get()),
            "packed size");

  const Reach reach = reach_of(desc);
  std::string key;
  append(key, &route);
  append(key, d.op);
  append(key, layout);
  append(key, layout_arg);
  append(key, desc);
  const uint32_t known = schema::find(d.op)->desc_size;
  key.append(reinterpret_cast<const char*>(&d) + sizeof(opmux_opd), known - sizeof(opmux_opd));
  key.append(reinterpret_cast<const char*>(d.list), d.n_list * sizeof(int64_t));
  append_content(key, view.data() + reach.begin, static_cast<uint64_t>(reach.end - reach.begin));
  if (auto held = find(key)) return held;

  auto made = std::make_shared<ConstantBlock>();
  made->size_bytes = size;
  made->layout_arg = layout_arg;
  made->block = pool(route)->allocate(std::max<uint64_t>(size, 1), kAlign);
  Queue queue(route);
  Block staged;
  opmux_bind src{reinterpret_cast<uint64_t>(view.data()), 0, static_cast<uint64_t>(reach.end), nullptr};
  if (!route.host_memory()) {
    const auto bytes = static_cast<uint64_t>(reach.end - reach.begin);
    staged = pool(route)->allocate(std::max<uint64_t>(bytes, 1), kAlign);
    upload(queue, view.data() + reach.begin, bytes, staged);
    src = {staged.mem(), staged.offset() + static_cast<uint64_t>(-reach.begin), bytes, nullptr};
  }
  const opmux_bind dst{made->block.mem(), made->block.offset(), size, nullptr};
  err.check(route.t().op.pack(queue.get(), &d, operand, layout, &src, &dst, err.get()),
            "packing of a constant");
  std::scoped_lock lock(mutex_);
  blocks_[key] = made;
  return made;
}

std::vector<std::pair<Route*, PoolStats>> ConstantStore::pool_stats() const {
  std::scoped_lock lock(mutex_);
  std::vector<std::pair<Route*, PoolStats>> all;
  for (const auto& [route, pool] : pools_) {
    if (!route->abandoned()) all.emplace_back(route, pool->stats());  // a call that hangs may hold its mutex
  }
  return all;
}

uint64_t ConstantStore::held_bytes() const {
  std::scoped_lock lock(mutex_);
  uint64_t sum = 0;
  for (const auto& [key, weak] : blocks_) {
    if (auto held = weak.lock()) sum += held->size_bytes;
  }
  return sum;
}

}  // namespace opmux
