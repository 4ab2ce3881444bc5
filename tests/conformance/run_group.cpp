// SPDX-License-Identifier: Apache-2.0
// Group object: runs and recordings.
#include <thread>

#include "tests/conformance/prepared.hpp"

namespace opmux::cts {
namespace {

void add_runs(Suite& suite) {
  suite.add("object/run/hundreds in one call", [&suite](Lane& lane) {
    Prepared p(suite, lane, "many runs");
    const std::vector<opmux_run> runs(300, p.run(lane));
    kit::RawError err;
    ok(lane.plugin.queue.enqueue_many(lane.queue, runs.data(), sizeof(opmux_run), 300, err), err,
       "enqueue_many");
    finish(lane);
    p.check(lane);
  });
  suite.add("object/run/of a newer host, whose runs are longer", [&suite](Lane& lane) {
    Prepared p(suite, lane, "long runs");
    struct Wide {
      opmux_run r;
      uint64_t later[5];
    };
    std::vector<Wide> runs(3);
    for (Wide& w : runs) {
      w.r = p.run(lane);
      w.r.h.size = sizeof(Wide);
    }
    kit::RawError err;
    ok(lane.plugin.queue.enqueue_many(lane.queue, &runs[0].r, sizeof(Wide), 3, err), err, "enqueue_many");
    finish(lane);
    p.check(lane);
  });
}

void add_odd_runs(Suite& suite) {
  suite.add("object/run/a cancelled run says so or is done", [&suite](Lane& lane) {
    Prepared p(suite, lane, "cancel");
    opmux_run r = p.run(lane);
    r.cancel = 4242;
    lane.host.cancelled_token = 4242;
    kit::RawError err;
    opmux_status s = lane.plugin.queue.enqueue_many(lane.queue, &r, sizeof r, 1, err);
    if (s == OPMUX_OK) s = lane.plugin.queue.finish(lane.queue, UINT64_MAX, err);
    lane.host.cancelled_token = UINT64_MAX;
    if (s != OPMUX_OK && OPMUX_CODE(s) != OPMUX_E_CANCELLED) fail_test("status %s", schema::status_name(s));
  });
  suite.add("object/run/one kernel on eight queues at a time", [&suite](Lane& lane) {
    Prepared p(suite, lane, "shared kernel");
    std::vector<std::thread> threads;
    std::vector<std::string> wrong(8);
    for (size_t t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        try {
          Lane own(lane.plugin, lane.host);
          Data data = p.data;
          own.set_workspace(p.simple.cap.ws_min);
          Case c = p.simple.c;
          for (int i = 0; i < 20; ++i) {
            own.upload(data.image);
            std::string text;
            if (run_kernel(own, p.kernel, data, {}, &text) != OPMUX_OK) wrong[t] = text;
          }
          Data got = data;
          own.download(got.image);
          const Judgement j = judge(c, got, 0, p.truth, false);
          if (!j.wrong.empty()) wrong[t] = j.wrong;
        } catch (const Failure& f) {
          wrong[t] = f.what;
        }
      });
    for (std::thread& t : threads) t.join();
    for (const std::string& w : wrong)
      if (!w.empty()) fail_test("%s", w.c_str());
  });
  suite.add("object/run/no operator in an empty call", [](Lane& lane) {
    kit::RawError err;
    ok(lane.plugin.queue.enqueue_many(lane.queue, nullptr, sizeof(opmux_run), 0, err), err,
       "enqueue_many of none");
    finish(lane);
  });
}

// One run, recorded.
class Recording {
 public:
  Recording(Lane& lane, const opmux_run& r) : lane_(lane), q_(lane.plugin.queue) {
    if (!q_.record || !q_.replay || !q_.release) throw Skip{"no record"};
    kit::RawError err;
    const opmux_status s = q_.record(lane.queue, &r, sizeof r, 1, &commands_, err);
    if (OPMUX_CODE(s) == OPMUX_E_UNSUPPORTED) throw Skip{err.text()};
    ok(s, err, "record");
  }
  ~Recording() { q_.release(commands_); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  opmux_status replay(const std::vector<opmux_rebind>& rebinds, opmux_err* err) const {
    return q_.replay(lane_.queue, commands_, rebinds.data(), static_cast<uint32_t>(rebinds.size()), err);
  }

 private:
  Lane& lane_;
  const opmux_queue_api& q_;
  opmux_commands commands_ = nullptr;
};

void add_recordings(Suite& suite) {
  suite.add("object/record/replayed it does the same", [&suite](Lane& lane) {
    Prepared p(suite, lane, "record");
    const Recording recording(lane, p.run(lane));
    kit::RawError err;
    for (int i = 0; i < 3; ++i) {
      p.fill(suite, lane);  // other values in the same place
      ok(recording.replay({}, err), err, "replay");
      finish(lane);
      p.check(lane);
    }
  });
  suite.add("object/record/replayed with another input and output", [&suite](Lane& lane) {
    Prepared first(suite, lane, "record");
    Lane other(lane.plugin, lane.host);
    Prepared second(suite, other, "rebind");
    const Recording recording(lane, first.run(lane));
    kit::RawError err;
    ok(recording.replay({{0, 0, second.binds[0]}, {0, 1, second.binds[1]}}, err), err, "replay");
    finish(lane);
    second.check(other);
    if (recording.replay({{5, 0, second.binds[0]}}, err) == OPMUX_OK)
      fail_test("a rebind of run 5 of 1 is accepted");
    finish(lane);
  });
}

}  // namespace

void add_run_tests(Suite& suite) {
  add_runs(suite);
  add_odd_runs(suite);
  add_recordings(suite);
}

}  // namespace opmux::cts
