// SPDX-License-Identifier: Apache-2.0
#include "host/graph/lanes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "host/platform/thread_pool.hpp"

namespace opmux {
namespace {

// What waking another thread costs; lanes must gain more than that at each edge between them.
constexpr double kHandoverNs = 20'000;

// Who touched a storage in a space last.
struct Use {
  uint32_t writer = kNone;
  std::vector<uint32_t> readers;  // since
};

class Edges {
 public:
  explicit Edges(const CompiledGraph& plan) : plan_(plan), before_(plan.steps.size()) {
    for (uint32_t i = 0; i < plan.steps.size(); ++i) {
      const Step& s = plan.steps[i];
      if (s.kind == Step::Kind::kCopy) {
        read(i, s.storage, s.from);
        write(i, s.storage, s.to);
        continue;
      }
      const uint32_t space = plan.routes[s.route].space;
      for (uint32_t k = 0; k < s.count; ++k)
        launch(i, plan.graph.nodes[plan.launches[s.first + k].node], space);
    }
  }

  // Per step: those it must follow.
  const std::vector<std::set<uint32_t>>& before() const { return before_; }

 private:
  void launch(uint32_t step, const Node& n, uint32_t space) {
    for (ValueId v : n.in) {
      if (v != kNone) read(step, plan_.graph.values[v].storage, space);
    }
    for (ValueId v : n.out) {
      if (v != kNone) write(step, plan_.graph.values[v].storage, space);
    }
  }
  void follow(uint32_t step, uint32_t other) {
    if (other != kNone && other != step) before_[step].insert(other);
  }
  void read(uint32_t step, StorageId s, uint32_t space) {
    Use& u = uses_[{s, space}];
    follow(step, u.writer);
    u.readers.push_back(step);
  }
  void write(uint32_t step, StorageId s, uint32_t space) {
    Use& u = uses_[{s, space}];
    follow(step, u.writer);
    for (uint32_t r : u.readers) follow(step, r);
    u = {step, {}};
  }

  const CompiledGraph& plan_;
  std::map<std::pair<StorageId, uint32_t>, Use> uses_;
  std::vector<std::set<uint32_t>> before_;
};

uint32_t lane_of(const CompiledGraph& plan, const Step& s) {
  if (s.kind == Step::Kind::kSegment) return plan.routes[s.route].space;
  return static_cast<uint32_t>(plan.spaces.size()) + std::max(s.from, s.to);  // one of them is the host's
}

// The CPU is one card for all routes that work on its cores.
bool several_cards(const CompiledGraph& plan) {
  std::set<std::string> cards;
  for (const RouteUse& r : plan.routes)
    cards.insert(r.route->info().kind == OPMUX_DEV_CPU ? "" : r.route->device());
  return cards.size() > 1 || (cards.size() == 1 && !cards.contains(""));
}

double cost_ns(const CompiledGraph& plan, const Step& s, const std::function<double(const Step&)>& copy_ns) {
  if (s.kind == Step::Kind::kCopy) return copy_ns(s);
  double sum = 0;
  for (uint32_t k = 0; k < s.count; ++k)
    sum += static_cast<double>(plan.choices[plan.launches[s.first + k].node].capability.cap.cost_ns);
  return sum;
}

}  // namespace

void find_lanes(CompiledGraph& plan, const std::function<double(const Step&)>& copy_ns) {
  if (threads::concurrency() == 1 || !several_cards(plan)) return;
  const Edges edges(plan);
  const auto n = static_cast<uint32_t>(plan.steps.size());
  std::vector<uint32_t> lane(n);
  std::vector<double> free(2 * plan.spaces.size()), done(n);
  std::vector<std::map<uint32_t, uint32_t>> after(n);  // per other lane the last step to wait for
  double sum = 0, last = 0;
  uint32_t handovers = 0;
  for (uint32_t i = 0; i < n; ++i) {
    lane[i] = lane_of(plan, plan.steps[i]);
    double begin = free[lane[i]];
    for (uint32_t b : edges.before()[i]) {
      begin = std::max(begin, done[b]);
      if (lane[b] != lane[i]) after[i][lane[b]] = b;  // ascending, so the last stays
    }
    handovers += static_cast<uint32_t>(after[i].size());
    const double cost = cost_ns(plan, plan.steps[i], copy_ns);
    free[lane[i]] = done[i] = begin + cost;
    last = std::max(last, done[i]);
    sum += cost;
  }
  if (sum - last < kHandoverNs * handovers || !(last < 0.95 * sum)) return;
  std::map<uint32_t, uint32_t> number;  // lanes that have steps
  for (uint32_t i = 0; i < n; ++i) {
    Step& s = plan.steps[i];
    s.lane = number.try_emplace(lane[i], static_cast<uint32_t>(number.size())).first->second;
    for (const auto& [other, step] : after[i]) {
      s.after.push_back(step);
      plan.steps[step].awaited = true;
    }
  }
  plan.lanes = static_cast<uint32_t>(number.size());
}

Lanes::Lanes(const CompiledGraph& plan) : plan_(plan), steps_(plan.lanes), done_(plan.steps.size()) {
  for (uint32_t i = 0; i < plan.steps.size(); ++i) steps_[plan.steps[i].lane].push_back(i);
  for (uint32_t l = 1; l < plan.lanes; ++l) threads_.emplace_back([this, l] { thread(l); });
}

Lanes::~Lanes() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  begin_.notify_all();
  for (std::thread& t : threads_) t.join();
}

// False when a lane has failed.
bool Lanes::wait_for(uint32_t step) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failed_ || done_[step]; });
  return !failed_;
}

void Lanes::work(uint32_t lane) {
  try {
    for (uint32_t i : steps_[lane]) {
      const Step& s = plan_.steps[i];
      for (uint32_t other : s.after) {
        if (!wait_for(other)) return;
      }
      (*work_)(i);
      if (!s.awaited) continue;
      const std::lock_guard lock(mutex_);
      done_[i] = true;
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failed_) failure_ = std::current_exception();
    failed_ = true;
    changed_.notify_all();
  }
}

void Lanes::thread(uint32_t lane) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    begin_.wait(lock, [&] { return end_ || run_ != seen; });
    if (end_) return;
    seen = run_;
    Watch* const watch = watch_;
    lock.unlock();
    {
      const Watch::Scope scope(watch);
      work(lane);
    }
    lock.lock();
    if (--busy_ == 0) changed_.notify_all();
  }
}

void Lanes::run(const std::function<void(uint32_t)>& body) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &body;
    watch_ = Watch::current();
    done_.assign(done_.size(), false);
    failed_ = false;
    busy_ = static_cast<uint32_t>(threads_.size());
    ++run_;
  }
  begin_.notify_all();
  work(0);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return busy_ == 0; });
  work_ = nullptr;
  if (failed_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace opmux
