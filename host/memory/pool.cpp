// SPDX-License-Identifier: Apache-2.0
#include "host/memory/pool.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

#include "host/loader/quarantine.hpp"
#include "host/loader/watch.hpp"
#include "host/memory/span_map.hpp"
#include "host/platform/error.hpp"

namespace opmux {
namespace {

constexpr uint64_t kRawAlign = 4096;
constexpr uint64_t kMaxBytes = uint64_t{1} << 62;

uint64_t round_up(uint64_t x, uint64_t to) { return (x + to - 1) / to * to; }

}  // namespace

// The state that Pool and its Blocks share; the last of them destroys it.
class PoolCore : public std::enable_shared_from_this<PoolCore> {
 public:
  PoolCore(Route& route, const PoolOptions& options)
      : route_(route), epoch_(route.epoch()), options_(options) {
    if (options_.budget_bytes == 0) options_.budget_bytes = route.info().memory_bytes;
  }

  ~PoolCore() {
    for (auto& raw : raws_) {
      if (raw) free_raw(*raw);
    }
  }

  Block allocate(uint64_t size_bytes, uint64_t align);
  void release(uint32_t raw, uint32_t span);
  PoolStats stats() const;

  void trim() {
    std::lock_guard lock(mutex_);
    trim_locked();
  }

  void set_budget(uint64_t bytes) {
    std::lock_guard lock(mutex_);
    options_.budget_bytes = bytes;
  }

  Route& route() { return route_; }

 private:
  struct Raw {
    opmux_mem mem = 0;
    std::byte* host = nullptr;
    SpanMap map;
  };

  void trim_locked();
  void free_raw(Raw& raw);
  uint32_t add_raw(uint64_t size_bytes);
  opmux_mem ask_plugin(uint64_t size_bytes);
  opmux_dev device() const;  // throws when it is of another epoch
  [[noreturn]] void out_of_memory(uint64_t size_bytes, std::string_view why) const;
  Block make_block(uint32_t raw, uint32_t span, uint64_t size_bytes);

  Route& route_;
  opmux_dev dev_ = nullptr;  // that the raw blocks are of: one pool serves one life of a device
  uint32_t epoch_;
  PoolOptions options_;
  mutable std::mutex mutex_;
  std::vector<std::optional<Raw>> raws_;
  PoolStats stats_;
};

void PoolCore::out_of_memory(uint64_t size_bytes, std::string_view why) const {
  throw Error(
      OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE,
      fmt::format("{}: out of memory: {} bytes asked, {} in use, {} reserved, limit {}{}", route_.name(),
                  size_bytes, stats_.in_use_bytes, stats_.reserved_bytes, options_.budget_bytes, why))
      .from(&route_, epoch_);
}

Block PoolCore::make_block(uint32_t raw, uint32_t span, uint64_t size_bytes) {
  Raw& r = *raws_[raw];
  stats_.in_use_bytes += r.map.size(span);
  stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.in_use_bytes);
  ++stats_.blocks;
  ++stats_.allocations;
  Block block;
  block.core_ = shared_from_this();
  block.route_ = &route_;
  block.mem_ = r.mem;
  block.offset_ = r.map.offset(span);
  block.size_ = size_bytes;
  block.host_ = r.host == nullptr ? nullptr : r.host + block.offset_;
  block.raw_ = raw;
  block.span_ = span;
  return block;
}

Block PoolCore::allocate(uint64_t size_bytes, uint64_t align) {
  if (align == 0 || (align & (align - 1)) != 0)
    fail(OPMUX_E_INVALID, "{}: alignment {} is no power of two", route_.name(), align);
  if (align > kRawAlign)
    fail(OPMUX_E_INVALID, "{}: alignment {} is above the limit {}", route_.name(), align, kRawAlign);
  if (size_bytes == 0) return {};
  std::lock_guard lock(mutex_);
  if (size_bytes > kMaxBytes) out_of_memory(size_bytes, "");
  align = std::max(align, route_.info().min_align_bytes);
  for (uint32_t i = 0; i < raws_.size(); ++i) {
    if (!raws_[i]) continue;
    const uint32_t span = raws_[i]->map.allocate(size_bytes, align);
    if (span != SpanMap::kNone) return make_block(i, span, size_bytes);
  }
  const uint32_t raw = add_raw(size_bytes);
  return make_block(raw, raws_[raw]->map.allocate(size_bytes, align), size_bytes);
}

void PoolCore::release(uint32_t raw, uint32_t span) {
  if (route_.abandoned()) return;  // the call that hangs may hold the mutex, and write into the block
  std::lock_guard lock(mutex_);
  stats_.in_use_bytes -= raws_[raw]->map.size(span);
  --stats_.blocks;
  raws_[raw]->map.release(span);
}

void PoolCore::free_raw(Raw& raw) {
  if (route_.abandoned()) return quarantine(raw.mem);
  try {
    route_.plugin().check_process();
    route_.t().mem.free_(dev_, raw.mem);
  } catch (const Error&) {  // in a forked child the memory belongs to the parent
  }
  route_.held(0 - raw.map.size_bytes());
  route_.plugin().handle_gone();
}

void PoolCore::trim_locked() {
  for (auto& raw : raws_) {
    if (!raw || !raw->map.empty()) continue;
    stats_.reserved_bytes -= raw->map.size_bytes();
    --stats_.raw_blocks;
    free_raw(*raw);
    raw.reset();
  }
}

// Memory from the plugin, or 0 when it has none left.
opmux_mem PoolCore::ask_plugin(uint64_t size_bytes) {
  ErrRecord err;
  opmux_mem mem = 0;
  dev_ = device();
  const Watch::Inside inside(route_);
  const opmux_status status =
      route_.t().mem.alloc(dev_, options_.kind, size_bytes, kRawAlign, &mem, err.get());
  if (status == OPMUX_OK && mem != 0) return mem;
  if (status == OPMUX_OK || OPMUX_CODE(status) == OPMUX_E_OUT_OF_MEMORY) return 0;
  route_.raise(err, status, fmt::format("{}: cannot allocate {} bytes", route_.name(), size_bytes), epoch_);
}

opmux_dev PoolCore::device() const {
  const opmux_dev dev = route_.dev();
  if (route_.epoch() == epoch_) return dev;
  throw Error(OPMUX_E_DEVICE_LOST, fmt::format("{}: the device was lost", route_.name()))
      .from(&route_, epoch_);
}

// A small request gets a block with room for more, where the device and the budget allow it.
uint32_t PoolCore::add_raw(uint64_t size_bytes) {
  const uint64_t least = round_up(size_bytes, kRawAlign), limit = route_.info().max_alloc_bytes;
  if (limit != 0 && size_bytes > limit) {
    throw Error(OPMUX_E_OUT_OF_MEMORY, fmt::format("{}: {} bytes asked, the device's largest block has {}",
                                                   route_.name(), size_bytes, limit))
        .from(&route_, epoch_);
  }
  uint64_t wanted = std::max(least, options_.raw_block_bytes);
  if (limit != 0) wanted = std::max(least, std::min(wanted, limit / kRawAlign * kRawAlign));
  const auto over_budget = [&](uint64_t bytes) {
    return options_.budget_bytes != 0 && stats_.reserved_bytes + bytes > options_.budget_bytes;
  };
  if (over_budget(wanted)) trim_locked();
  if (over_budget(wanted)) wanted = least;
  if (over_budget(wanted)) out_of_memory(size_bytes, "");
  opmux_mem mem = ask_plugin(wanted);
  if (mem == 0) {
    trim_locked();
    wanted = least;
    mem = ask_plugin(wanted);
  }
  if (mem == 0) out_of_memory(size_bytes, "; the device has no more");
  route_.plugin().handle_made();
  void* host = nullptr;
  if (route_.t().present.map && route_.t().mem.map(dev_, mem, &host, nullptr) != OPMUX_OK) host = nullptr;
  const auto hole = std::ranges::find_if(raws_, [](const auto& raw) { return !raw; });
  const auto index = static_cast<uint32_t>(hole - raws_.begin());
  if (hole == raws_.end()) raws_.emplace_back();
  route_.held(wanted);
  raws_[index].emplace(Raw{mem, static_cast<std::byte*>(host), SpanMap(wanted)});
  stats_.reserved_bytes += wanted;
  ++stats_.raw_blocks;
  ++stats_.raw_allocations;
  return index;
}

PoolStats PoolCore::stats() const {
  std::lock_guard lock(mutex_);
  PoolStats out = stats_;
  for (const auto& raw : raws_) {
    if (raw) out.largest_free_bytes = std::max(out.largest_free_bytes, raw->map.largest_free_bytes());
  }
  return out;
}

void Block::reset() {
  if (core_ == nullptr) return;
  const auto core = std::move(core_);
  core->release(raw_, span_);
  mem_ = 0;
  offset_ = size_ = 0;
  host_ = nullptr;
}

void Block::swap(Block& other) noexcept {
  std::swap(core_, other.core_);
  std::swap(route_, other.route_);
  std::swap(mem_, other.mem_);
  std::swap(offset_, other.offset_);
  std::swap(size_, other.size_);
  std::swap(host_, other.host_);
  std::swap(raw_, other.raw_);
  std::swap(span_, other.span_);
}

Pool::Pool(Route& route, const PoolOptions& options) : core_(std::make_shared<PoolCore>(route, options)) {}

Block Pool::allocate(uint64_t size_bytes, uint64_t align) { return core_->allocate(size_bytes, align); }
PoolStats Pool::stats() const { return core_->stats(); }
void Pool::trim() { core_->trim(); }
void Pool::set_budget(uint64_t budget_bytes) { core_->set_budget(budget_bytes); }
Route& Pool::route() const { return core_->route(); }

}  // namespace opmux
