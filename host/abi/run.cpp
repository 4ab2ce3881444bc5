// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "host/abi/guard.hpp"
#include "host/abi/handles.hpp"
#include "host/platform/thread_pool.hpp"

using namespace opmux;

namespace {

RunContext& idle(opmux_run_context r) {
  need(r, "run context");
  if (r->busy.load(std::memory_order_acquire)) {
    fail(OPMUX_E_BUSY, "the run context is busy with an execution; wait for it first");
  }
  return r->context;
}

void finish(opmux_execution_s& e, opmux_status status, std::string message) {
  e.owner->busy.store(false, std::memory_order_release);
  std::scoped_lock lock(e.mutex);
  e.done = true;
  e.status = status;
  e.message = std::move(message);
  e.done_changed.notify_all();
}

void execute(opmux_execution_s& e) {
  try {
    e.owner->context.run(&e.cancelled);
    finish(e, OPMUX_OK, {});
  } catch (const Error& error) {
    finish(e, error.status(), error.text());
  } catch (const std::exception& error) {
    finish(e, OPMUX_E_INTERNAL, error.what());
  }
}

}  // namespace

extern "C" {

opmux_status opmux_run_context_create(opmux_plan p, opmux_run_context* out, opmux_err* err) {
  return guard(err, [&] {
    need(p, "plan");
    need(out, "out") = new opmux_run_context_s(p->plan);
  });
}

void opmux_run_context_destroy(opmux_run_context r) { delete r; }

opmux_status opmux_bind_input(opmux_run_context r, uint32_t index, const opmux_tensor* t, opmux_err* err) {
  return guard(err, [&] { idle(r).bind_input(index, need(t, "tensor")); });
}

opmux_status opmux_bind_output(opmux_run_context r, uint32_t index, const opmux_tensor* t, opmux_err* err) {
  return guard(err, [&] { idle(r).bind_output(index, t); });
}

opmux_status opmux_run_now(opmux_run_context r, opmux_err* err) {
  return guard(err, [&] { idle(r).run(); });
}

opmux_status opmux_get_output(opmux_run_context r, uint32_t index, opmux_tensor* out, opmux_err* err) {
  return guard(err, [&] { need(out, "out") = idle(r).output(index); });
}

opmux_status opmux_run_start(opmux_run_context r, opmux_execution* out, opmux_err* err) {
  return guard(err, [&] {
    idle(r);
    need(out, "out");
    auto e = std::make_unique<opmux_execution_s>();
    e->owner = r;
    r->busy.store(true, std::memory_order_release);
    if (threads::concurrency() == 1) {  // no hidden threads
      execute(*e);
    } else {
      e->thread = std::thread([p = e.get()] { execute(*p); });
    }
    *out = e.release();
  });
}

opmux_status opmux_execution_wait(opmux_execution e, uint64_t timeout_ns, opmux_err* err) {
  return guard(err, [&] {
    need(e, "execution");
    std::unique_lock lock(e->mutex);
    const auto limit = std::chrono::nanoseconds(std::min<uint64_t>(timeout_ns, uint64_t{1} << 60));
    if (!e->done_changed.wait_for(lock, limit, [&] { return e->done; })) {
      fail(OPMUX_E_TIMEOUT, "the run has not ended within {} ns", timeout_ns);
    }
    if (e->status != OPMUX_OK) throw Error(e->status, e->message);
  });
}

void opmux_execution_cancel(opmux_execution e) {
  if (e) e->cancelled.store(true, std::memory_order_relaxed);
}

void opmux_execution_destroy(opmux_execution e) {
  if (!e) return;
  if (e->thread.joinable()) e->thread.join();
  delete e;
}

opmux_status opmux_state_length(opmux_run_context r, int64_t* length, int64_t* capacity, opmux_err* err) {
  return guard(err, [&] {
    const RunContext& c = idle(r);
    if (length) *length = c.state_length();
    if (capacity) *capacity = c.state_capacity();
  });
}

opmux_status opmux_state_truncate(opmux_run_context r, int64_t length, opmux_err* err) {
  return guard(err, [&] { idle(r).truncate_state(length); });
}

opmux_status opmux_run_context_report(opmux_run_context r, uint32_t what, opmux_text* out, opmux_err* err) {
  return guard(err, [&] {
    if (what != OPMUX_REPORT_RUN) fail(OPMUX_E_INVALID, "there is no run report {}", what);
    need(out, "out") = new opmux_text_s{idle(r).report()};
  });
}

}  // extern "C"
