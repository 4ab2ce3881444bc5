// SPDX-License-Identifier: Apache-2.0
// Group object: timelines.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/conformance/prepared.hpp"

namespace opmux::cts {
namespace {

class Timeline {
 public:
  Timeline(Lane& lane, uint64_t value) : q_(lane.plugin.queue) {
    if (!q_.tl_create || !q_.tl_wait || !q_.tl_signal) throw Skip{"no timelines"};
    kit::RawError err;
    const opmux_status s = q_.tl_create(lane.plugin.device, value, &tl, err);
    if (OPMUX_CODE(s) == OPMUX_E_UNSUPPORTED) throw Skip{err.text()};
    ok(s, err, "tl_create");
  }
  ~Timeline() { q_.tl_destroy(tl); }
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;
  opmux_status wait(uint64_t value, uint64_t ns, opmux_err* err = nullptr) const {
    return q_.tl_wait(tl, value, ns, err);
  }
  opmux_status signal(uint64_t value) const { return q_.tl_signal(tl, value, nullptr); }
  opmux_tl tl = nullptr;

 private:
  const opmux_queue_api& q_;
};

constexpr uint64_t kLong = 10'000'000'000u, kShort = 20'000'000u;  // nanoseconds

void add_timelines(Suite& suite) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 40})
    suite.add("object/timeline/begins at " + std::to_string(value), [value](Lane& lane) {
      const Timeline t(lane, value);
      if (t.wait(value, 0) != OPMUX_OK) fail_test("a wait for the first value fails");
      if (OPMUX_CODE(t.wait(value + 1, 0)) != OPMUX_E_TIMEOUT)
        fail_test("a wait for the next value does not time out");
    });
  suite.add("object/timeline/a wait times out in time", [](Lane& lane) {
    const Timeline t(lane, 0);
    const auto start = std::chrono::steady_clock::now();
    if (OPMUX_CODE(t.wait(5, kShort)) != OPMUX_E_TIMEOUT) fail_test("no time-out");
    const auto spent = std::chrono::steady_clock::now() - start;
    if (spent < std::chrono::nanoseconds(kShort / 2)) fail_test("gives up early");
    if (spent > std::chrono::seconds(5)) fail_test("waits for seconds");
  });
  suite.add("object/timeline/a signal of the host wakes a waiter", [](Lane& lane) {
    const Timeline t(lane, 0);
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      t.signal(3);
    });
    const opmux_status s = t.wait(2, kLong);
    other.join();
    if (s != OPMUX_OK) fail_test("a wait for 2 gives %s after a signal of 3", schema::status_name(s));
    if (t.wait(3, 0) != OPMUX_OK || OPMUX_CODE(t.wait(4, 0)) != OPMUX_E_TIMEOUT) fail_test("is not at 3");
  });
  suite.add("object/timeline/many waiters wake", [](Lane& lane) {
    const Timeline t(lane, 0);
    std::vector<std::thread> threads;
    std::atomic<int> woken{0};
    for (uint64_t i = 1; i <= 8; ++i) threads.emplace_back([&, i] { woken += t.wait(i, kLong) == OPMUX_OK; });
    for (uint64_t i = 1; i <= 8; ++i) t.signal(i);
    for (std::thread& th : threads) th.join();
    if (woken != 8) fail_test("%d of 8 wake", woken.load());
  });
}

void add_synced_runs(Suite& suite) {
  suite.add("object/timeline/a run signals when it is done", [&suite](Lane& lane) {
    const Timeline t(lane, 0);
    Prepared p(suite, lane, "signal");
    const opmux_wait signal{t.tl, 1};
    opmux_run r = p.run(lane);
    r.signal = &signal;
    r.n_signal = 1;
    kit::RawError err;
    ok(lane.plugin.queue.enqueue_many(lane.queue, &r, sizeof r, 1, err), err, "enqueue_many");
    if (t.wait(1, kLong) != OPMUX_OK) fail_test("the signal does not come");
    p.check(lane);
  });
  suite.add("object/timeline/a run waits for the host", [&suite](Lane& lane) {
    const Timeline t(lane, 0);
    Prepared p(suite, lane, "wait");
    const opmux_wait wait{t.tl, 1};
    opmux_run r = p.run(lane);
    r.wait = &wait;
    r.n_wait = 1;
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      t.signal(1);
    });
    kit::RawError err;
    const opmux_status s = lane.plugin.queue.enqueue_many(lane.queue, &r, sizeof r, 1, err);
    other.join();
    ok(s, err, "enqueue_many");
    finish(lane);
    p.check(lane);
  });
  suite.add("object/timeline/a failed run fails its timeline with its sentence", [&suite](Lane& lane) {
    const Timeline t(lane, 0);
    Prepared p(suite, lane, "failure");
    const opmux_wait signal{t.tl, 1};
    opmux_run r = p.run(lane);
    r.signal = &signal;
    r.n_signal = 1;
    r.n_arg = 1;  // one operand is missing
    kit::RawError first, later;
    opmux_status s = lane.plugin.queue.enqueue_many(lane.queue, &r, sizeof r, 1, first);
    if (s == OPMUX_OK) s = lane.plugin.queue.finish(lane.queue, UINT64_MAX, first);
    if (s == OPMUX_OK) fail_test("the run is accepted");
    const opmux_status w = t.wait(1, kLong, later);
    if (w == OPMUX_OK) fail_test("a waiter sees no failure");
    if (OPMUX_CODE(w) == OPMUX_E_TIMEOUT) fail_test("a waiter hears nothing");
    if (later.text().empty()) fail_test("a waiter gets no sentence");
  });
  suite.add("object/timeline/the queue signals and waits", [](Lane& lane) {
    const Timeline t(lane, 0);
    const opmux_queue_api& q = lane.plugin.queue;
    if (!q.signal || !q.wait) throw Skip{"no signal or wait of queues"};
    kit::RawError err;
    ok(q.signal(lane.queue, t.tl, 4, err), err, "signal");
    finish(lane);
    if (t.wait(4, kLong) != OPMUX_OK) fail_test("the signal does not come");
    ok(q.wait(lane.queue, t.tl, 4, err), err, "wait");
    finish(lane);
  });
}

}  // namespace

void add_timeline_tests(Suite& suite) {
  add_timelines(suite);
  add_synced_runs(suite);
}

}  // namespace opmux::cts
