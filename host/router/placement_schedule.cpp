// SPDX-License-Identifier: Apache-2.0
#include "host/router/placement_schedule.hpp"

#include <algorithm>
#include <cmath>

namespace opmux::placement {

Schedule::Schedule(const Problem& problem, Overlap overlap)
    : p_(problem), serial_(overlap == Overlap::kNone), spaces_(static_cast<uint32_t>(problem.spaces.size())) {
  for (const Place& r : p_.routes) cards_ = std::max(cards_, r.card + 1);
  for (const Space& s : p_.spaces) budgets_ |= s.budget_bytes != ~uint64_t{0};
  std::vector<std::vector<uint32_t>> in(p_.tasks.size()), out(p_.tasks.size());
  for (uint32_t i = 0; i < p_.items.size(); ++i) {
    const Item& item = p_.items[i];
    if (item.producer != kNobody) out[item.producer].push_back(i);
    for (uint32_t c : item.consumers) in[c].push_back(i);
    const uint32_t end = static_cast<uint32_t>(p_.tasks.size());
    uint32_t last = item.producer == kNobody ? 0 : item.producer;
    for (uint32_t c : item.consumers) last = std::max(last, c);
    last_use_.push_back(item.wanted_on_host ? end : last);
  }
  const auto flatten = [](const auto& lists, std::vector<Span>& spans, std::vector<uint32_t>& flat) {
    for (const auto& list : lists) {
      const auto first = static_cast<uint32_t>(flat.size());
      flat.insert(flat.end(), list.begin(), list.end());
      spans.push_back({first, static_cast<uint32_t>(flat.size())});
    }
  };
  flatten(in, in_span_, in_);
  flatten(out, out_span_, out_);
  state_.ready.resize(p_.items.size() * spaces_);
  state_.home.resize(p_.items.size());
  state_.free.resize(serial_ ? 1 : cards_ + spaces_ * spaces_);
  finish_.resize(p_.tasks.size());
}

void Schedule::restart() {
  std::fill(state_.ready.begin(), state_.ready.end(), -1.0);
  std::fill(state_.free.begin(), state_.free.end(), 0.0);
  state_.busy = 0;
  for (uint32_t i = 0; i < p_.items.size(); ++i) {
    if (p_.items[i].producer == kNobody) {
      state_.home[i] = kHost;
      ready(i, kHost) = 0;
    }
  }
}

double Schedule::bring(uint32_t item, uint32_t space) {
  double& there = ready(item, space);
  if (there >= 0) return there;
  const uint32_t from = p_.link(state_.home[item], space).there ? state_.home[item] : kHost;
  double& link = free_link(from, space);
  const double begin = std::max(bring(item, from), link);
  const double end = begin + p_.link(from, space).time_ns(p_.items[item].bytes);
  link = std::max(link, end);
  return there = end;
}

double Schedule::bring_guess(uint32_t item, uint32_t space) const {
  if (ready(item, space) >= 0) return ready(item, space);
  const uint32_t from = p_.link(state_.home[item], space).there ? state_.home[item] : kHost;
  return bring_guess(item, from) + p_.link(from, space).time_ns(p_.items[item].bytes);
}

double Schedule::guess(uint32_t task, uint32_t route) const {
  const Place& place = p_.routes[route];
  const double free = state_.free[serial_ ? 0 : place.card];
  double begin = free, copies = 0;
  for (uint32_t k = in_span_[task].first; k < in_span_[task].last; ++k) {
    const double at = bring_guess(in_[k], place.space);
    begin = std::max(begin, at);
    if (ready(in_[k], place.space) < 0) copies += at - std::max(0.0, ready(in_[k], state_.home[in_[k]]));
  }
  return (serial_ ? free + copies : begin) + p_.tasks[task].cost_ns[route];
}

double Schedule::run(uint32_t task, uint32_t route) {
  const Place& place = p_.routes[route];
  double begin = 0;
  for (uint32_t k = in_span_[task].first; k < in_span_[task].last; ++k)
    begin = std::max(begin, bring(in_[k], place.space));
  double& card = free_card(place.card);
  const double end = std::max(begin, card) + p_.tasks[task].cost_ns[route];
  state_.busy = serial_ ? end : state_.busy + p_.tasks[task].cost_ns[route];
  card = finish_[task] = end;
  for (uint32_t k = out_span_[task].first; k < out_span_[task].last; ++k) {
    state_.home[out_[k]] = place.space;
    ready(out_[k], place.space) = end;
  }
  ++work_;
  return end;
}

double Schedule::makespan(const std::vector<uint32_t>& route, double give_up_ns) {
  restart();
  work_ += p_.tasks.size() / 4;  // what a placement costs that is given up at once
  double last = 0;
  for (uint32_t t = 0; t < p_.tasks.size(); ++t) {
    last = std::max(last, run(t, route[t]));
    if (!(last < give_up_ns)) return kRefused;
  }
  if (budgets_ && !fits(route)) return kRefused;
  for (uint32_t i = 0; i < p_.items.size(); ++i) {
    if (p_.items[i].wanted_on_host) last = std::max(last, bring(i, kHost));
  }
  return last < give_up_ns ? last : kRefused;
}

// After the tasks of makespan: state_ says what lies where. Bytes of an item count in a space from the task
// that first needs them there to the last that reads the item anywhere.
bool Schedule::fits(const std::vector<uint32_t>& route) {
  const size_t n = p_.tasks.size();
  std::vector<std::vector<int64_t>> change(spaces_, std::vector<int64_t>(n + 2));
  for (uint32_t i = 0; i < p_.items.size(); ++i) {
    const Item& item = p_.items[i];
    for (uint32_t s = 0; s < spaces_; ++s) {
      if (ready(i, s) < 0) continue;
      size_t first = item.producer != kNobody ? item.producer : 0;
      if (s != state_.home[i]) {
        first = last_use_[i];
        for (uint32_t c : item.consumers) {
          if (p_.routes[route[c]].space == s || s == kHost) first = std::min<size_t>(first, c);
        }
      }
      change[s][first] += static_cast<int64_t>(item.bytes);
      change[s][last_use_[i] + 1] -= static_cast<int64_t>(item.bytes);
    }
  }
  std::vector<std::vector<bool>> held(spaces_, std::vector<bool>(p_.constant_bytes.size()));
  for (uint32_t t = 0; t < n; ++t) {
    for (uint32_t c : p_.tasks[t].constants) held[p_.routes[route[t]].space][c] = true;
  }
  for (uint32_t s = 0; s < spaces_; ++s) {
    int64_t now = 0, peak = 0;
    for (int64_t d : change[s]) peak = std::max(peak, now += d);
    auto need = static_cast<uint64_t>(peak);
    for (size_t c = 0; c < held[s].size(); ++c) need += held[s][c] ? p_.constant_bytes[c] : 0;
    if (need > p_.spaces[s].budget_bytes) return false;
  }
  return true;
}

}  // namespace opmux::placement
