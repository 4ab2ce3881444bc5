// SPDX-License-Identifier: Apache-2.0
#include "host/queue/queue.hpp"

#include <algorithm>
#include <cstring>

#include "host/loader/quarantine.hpp"

namespace opmux {
namespace {

// Where element i of a list starts that is laid out run after run.
struct Layout {
  size_t args = 0, waits = 0, params = 0;
};

Layout count(std::span<const opmux_run> runs) {
  Layout n;
  for (const auto& run : runs) {
    n.args += run.n_arg;
    n.waits += run.n_wait + run.n_signal;
    n.params += (run.params_size + 7) / 8;
  }
  return n;
}

}  // namespace

void Commands::reset() {
  if (handle_ != nullptr && route_->abandoned()) {
    quarantine(handle_);
  } else if (handle_ != nullptr) {
    route_->t().queue.release(handle_);
    route_->plugin().handle_gone();
  }
  handle_ = nullptr;
  kept_.reset();
  n_ = 0;
}

void Commands::swap(Commands& other) noexcept {
  std::swap(route_, other.route_);
  std::swap(handle_, other.handle_);
  std::swap(kept_, other.kept_);
  std::swap(n_, other.n_);
}

// All vectors get their final size first, so that pointers into them stay.
std::unique_ptr<Commands::Kept> Commands::keep(std::span<const opmux_run> runs) {
  auto kept = std::make_unique<Kept>();
  const Layout n = count(runs);
  kept->runs.assign(runs.begin(), runs.end());
  kept->args.resize(n.args);
  kept->actuals.resize(n.args);
  kept->waits.resize(n.waits);
  kept->params.resize(n.params);
  Layout at;
  for (auto& run : kept->runs) {
    opmux_bind* args = kept->args.data() + at.args;
    for (uint32_t i = 0; i < run.n_arg; ++i) {
      args[i] = run.arg[i];
      if (args[i].actual == nullptr) continue;
      kept->actuals[at.args + i] = *args[i].actual;
      args[i].actual = &kept->actuals[at.args + i];
    }
    opmux_wait* waits = kept->waits.data() + at.waits;
    std::copy_n(run.wait, run.n_wait, waits);
    std::copy_n(run.signal, run.n_signal, waits + run.n_wait);
    if (run.params_size != 0) std::memcpy(kept->params.data() + at.params, run.params, run.params_size);
    at.args += run.n_arg;
    at.waits += run.n_wait + run.n_signal;
    run.arg = args;
    run.wait = waits;
    run.signal = waits + run.n_wait;
    run.params = run.params_size == 0 ? nullptr : kept->params.data() + at.params;
    at.params += (run.params_size + 7) / 8;
  }
  return kept;
}

Queue::Queue(Route& route) : route_(route), epoch_(route.epoch()), api_(&route.t().queue) {
  const opmux_dev dev = route.dev();
  const Watch::Inside inside(route_);
  check(api_->create(dev, 0, &handle_, err_.get()), "cannot make a queue");
  route_.plugin().handle_made();
}

Queue::~Queue() {
  if (route_.abandoned()) {
    quarantine(handle_);
    return;
  }
  api_->destroy(handle_);
  route_.plugin().handle_gone();
}

void Queue::raise(opmux_status status, const char* doing) const {
  route_.raise(err_, status, fmt::format("{}: {}", route_.name(), doing), epoch_);
}

void Queue::copy(std::span<const opmux_copy> copies) {
  route_.plugin().check_process();
  const Watch::Inside inside(route_);
  check(api_->copy(handle_, copies.data(), static_cast<uint32_t>(copies.size()), err_.get()), "copy");
}

void Queue::upload(const Block& to, uint64_t offset, const void* bytes, uint64_t size_bytes) {
  if (offset > to.size() || size_bytes > to.size() - offset) {
    fail(OPMUX_E_INVALID, "{}: upload of {} bytes at {} into a block of {}", route_.name(), size_bytes,
         offset, to.size());
  }
  upload(to.mem(), to.offset() + offset, bytes, size_bytes);
}

void Queue::upload(opmux_mem to, uint64_t offset, const void* bytes, uint64_t size_bytes) {
  opmux_copy one{};
  one.h = OPMUX_HDR(opmux_copy);
  one.dst = to;
  one.dst_offset = offset;
  one.src_host = bytes;
  one.size_bytes = size_bytes;
  copy({&one, 1});
}

void Queue::download(const Block& from, uint64_t offset, void* bytes, uint64_t size_bytes) {
  if (offset > from.size() || size_bytes > from.size() - offset) {
    fail(OPMUX_E_INVALID, "{}: download of {} bytes at {} from a block of {}", route_.name(), size_bytes,
         offset, from.size());
  }
  download(from.mem(), from.offset() + offset, bytes, size_bytes);
}

void Queue::download(opmux_mem from, uint64_t offset, void* bytes, uint64_t size_bytes) {
  opmux_copy one{};
  one.h = OPMUX_HDR(opmux_copy);
  one.src = from;
  one.src_offset = offset;
  one.dst_host = bytes;
  one.size_bytes = size_bytes;
  copy({&one, 1});
}

void Queue::finish(uint64_t timeout_ns) {
  route_.plugin().check_process();
  const Watch::Inside inside(route_);
  check(api_->finish(handle_, timeout_ns, err_.get()), "finish");
}

Commands Queue::record(std::span<const opmux_run> runs) {
  route_.plugin().check_process();
  const Watch::Inside inside(route_);
  Commands out;
  out.route_ = &route_;
  out.n_ = static_cast<uint32_t>(runs.size());
  if (route_.t().present.record && !runs.empty()) {
    const opmux_status status =
        api_->record(handle_, runs.data(), sizeof(opmux_run), out.n_, &out.handle_, err_.get());
    if (status == OPMUX_OK) {
      route_.plugin().handle_made();
      return out;
    }
    out.handle_ = nullptr;
    if (OPMUX_CODE(status) != OPMUX_E_UNSUPPORTED) raise(status, "record");
  }
  out.kept_ = Commands::keep(runs);
  return out;
}

void Queue::replay_kept(Commands& commands, std::span<const opmux_rebind> rebinds) {
  if (commands.kept_ == nullptr) fail(OPMUX_E_INVALID, "{}: replay of an empty recording", route_.name());
  Commands::Kept& kept = *commands.kept_;
  for (const auto& rebind : rebinds) {
    if (rebind.run >= kept.runs.size() || rebind.arg >= kept.runs[rebind.run].n_arg) {
      fail(OPMUX_E_INVALID, "{}: replay: operand {} of run {}, there are {} runs", route_.name(), rebind.arg,
           rebind.run, kept.runs.size());
    }
    const auto at = static_cast<size_t>(kept.runs[rebind.run].arg - kept.args.data()) + rebind.arg;
    kept.args[at] = rebind.bind;
    if (rebind.bind.actual == nullptr) continue;
    kept.actuals[at] = *rebind.bind.actual;
    kept.args[at].actual = &kept.actuals[at];
  }
  if (!kept.runs.empty()) enqueue(kept.runs);
}

void Queue::pack(const opmux_opd& d, uint32_t operand, uint32_t layout, const opmux_bind& from,
                 const opmux_bind& to) {
  route_.plugin().check_process();
  const Watch::Inside inside(route_);
  check(route_.t().op.pack(handle_, &d, operand, layout, &from, &to, err_.get()), "pack");
}

void Queue::signal(Timeline& timeline, uint64_t value) {
  if (timeline.native() == nullptr) {
    // Without timelines of its own the plugin has a synchronous queue, or finish makes it one.
    if (!route_.sync()) finish();
    timeline.signal(value);
    return;
  }
  check(api_->signal(handle_, timeline.native(), value, err_.get()), "signal");
}

void Queue::wait(Timeline& timeline, uint64_t value) {
  if (timeline.native() == nullptr || &timeline.route() != &route_) {
    timeline.wait(value, kForever);
    return;
  }
  check(api_->wait(handle_, timeline.native(), value, err_.get()), "wait");
}

}  // namespace opmux
