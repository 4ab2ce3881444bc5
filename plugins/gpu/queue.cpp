// SPDX-License-Identifier: Apache-2.0
// QUEUE of every GPU plugin. Timelines are the kit's, in host memory: a signal waits for the queue, a wait
// blocks the calling thread.
#include <algorithm>
#include <array>
#include <cstring>

#include "gpu/objects.hpp"

namespace opmux::gpu {
namespace {

class Collector : public Launcher {
 public:
  void launch(const Launch& l) override { launches.push_back(l); }
  std::vector<Launch> launches;
};

[[noreturn]] void refuse(uint32_t arg, const char* format, uint32_t a, uint64_t b, uint64_t c) {
  char text[KIT_SENTENCE];
  std::snprintf(text, sizeof text, format, a, static_cast<unsigned long long>(b),
                static_cast<unsigned long long>(c));
  throw kit::Failure(OPMUX_E_INVALID, arg, text);
}

void check_bind(const Kernel& k, uint32_t arg, const opmux_bind& bind) {
  if (!bind.actual) return;
  const opmux_tdesc& t = k.operands[arg];
  if (bind.actual->rank != t.rank || !std::equal(t.dim, t.dim + t.rank, bind.actual->dim)) {
    throw kit::Failure(OPMUX_E_INVALID, arg, "an operand has another shape than prepared for");
  }
}

void launch(Queue& q, Kernel& k, std::span<const opmux_bind> binds, const opmux_bind& workspace,
            const Memory* scalars, Launcher& to) {
  for (uint32_t i = 0; i < binds.size(); ++i) check_bind(k, i, binds[i]);
  BoundRange values;
  if (scalars) values = {scalars, 0, scalars->size()};
  launch_run(k.plan, k.ready, {binds, workspace, {q.fault.get(), 0, 4}, values}, k.dev->device->range_align(),
             to);
}

// The values that a run brings, NULL where its kernel asks for none.
const void* scalars_of(const opmux_run& r, const Kernel& k) {
  if (k.scalars == 0) return nullptr;
  const uint32_t want = k.scalars * kScalarBytes;
  const uint32_t have = OPMUX_HAS(&r, opmux_run, params_size) && r.params ? r.params_size : 0;
  if (have < want)
    refuse(OPMUX_NO_ARG, "operator 0x%08x: %llu bytes of parameters, it wants %llu", k.op, have, want);
  return r.params;
}

bool reports(const Kernel& k) { return k.plan.faulty_arg != OPMUX_NO_ARG; }

void launch(Queue& q, const opmux_run& r, Kernel& k) {
  // In the order of the queue: earlier runs have read theirs.
  if (const void* values = scalars_of(r, k)) {
    Copy c;
    c.dst = q.scalars.get();
    c.src_host = values;
    c.size = k.scalars * kScalarBytes;
    q.stream->copy(c);
  }
  launch(q, k, {r.arg, r.n_arg}, OPMUX_HAS(&r, opmux_run, ws) ? r.ws : opmux_bind{}, q.scalars.get(),
         *q.stream);
  q.may_fault |= reports(k);
}

// The kernel of a run whose counts fit it.
Kernel& kernel_of(const opmux_run& r) {
  if (!OPMUX_HAS(&r, opmux_run, kernel) || !r.kernel) {
    throw kit::Failure(OPMUX_E_INVALID, OPMUX_NO_ARG, "a run has no kernel");
  }
  Kernel& k = *of(r.kernel);
  if (r.n_arg != k.operands.size() || (r.n_arg > 0 && !r.arg)) {
    refuse(OPMUX_NO_ARG, "operator 0x%08x: %llu operands bound, it has %llu", k.op, r.n_arg,
           k.operands.size());
  }
  return k;
}

const opmux_run& run_at(const opmux_run* runs, uint32_t stride, uint32_t i) {
  return *reinterpret_cast<const opmux_run*>(reinterpret_cast<const char*>(runs) + uint64_t{i} * stride);
}

opmux_status create(opmux_dev dev, uint32_t flags, opmux_queue* out, opmux_err* err) {
  return guarded(err, [&]() -> opmux_status {
    if (flags != 0) {
      return kit_fail(err, OPMUX_E_UNSUPPORTED, OPMUX_NO_ARG, "queue flags 0x%x are not known, only 0 is",
                      flags);
    }
    auto q = std::make_unique<Queue>();
    q->dev = of(dev);
    q->fault = q->dev->device->allocate(OPMUX_MEM_HOST, 4, 4);
    q->dev->device->write(*q->fault, 0, std::array{0u});
    q->scalars = q->dev->device->allocate(OPMUX_MEM_DEVICE, kMaxBindings * kScalarBytes, kScalarBytes);
    q->stream = q->dev->device->stream();
    *out = reinterpret_cast<opmux_queue>(q.release());
    return OPMUX_OK;
  });
}

void destroy(opmux_queue q) { delete of(q); }

Copy copy_of(const opmux_copy& c, uint32_t i) {
  if (!OPMUX_HAS(&c, opmux_copy, dst_host))
    refuse(OPMUX_NO_ARG, "copy %u: its size of %llu bytes lacks fields (%llu)", i, c.h.size, sizeof c);
  Copy to{memory_of(c.src), memory_of(c.dst), c.src_offset, c.dst_offset,
          c.size_bytes,     c.src_host,       c.dst_host};
  if ((!to.src && !to.src_host) || (!to.dst && !to.dst_host) || (!to.src && !to.dst)) {
    refuse(OPMUX_NO_ARG, "copy %u: it wants one block at least, and a source and a destination", i, 0, 0);
  }
  auto check = [i](const Memory* m, uint64_t offset, uint64_t size) {
    if (!m || (offset <= m->size() && size <= m->size() - offset)) return;
    refuse(OPMUX_NO_ARG, "copy %u: %llu bytes do not fit into a block of %llu at its offset", i, size,
           m->size());
  };
  check(to.src, to.src_offset, to.size);
  check(to.dst, to.dst_offset, to.size);
  return to;
}

opmux_status copy(opmux_queue q, const opmux_copy* copies, uint32_t n, opmux_err* err) {
  return guarded(err, [&] {
    for (uint32_t i = 0; i < n; ++i) {
      const auto* c = reinterpret_cast<const opmux_copy*>(reinterpret_cast<const char*>(copies) +
                                                          uint64_t{i} * copies->h.size);
      if (OPMUX_HAS(c, opmux_copy, size_bytes) && c->size_bytes == 0) continue;
      of(q)->stream->copy(copy_of(*c, i));
    }
  });
}

// What a kernel has reported since the last finish; all work is done.
void check_fault(Queue& q) {
  q.may_fault = false;
  if (q.seen == 0) return;
  const std::string sentence = q.dev->fault_sentence(q.seen);
  q.seen = 0;
  q.dev->device->write(*q.fault, 0, std::array{0u});
  throw kit::Failure(OPMUX_E_FAULT, OPMUX_NO_ARG, sentence);
}

// False: the time is over.
bool finish_queue(Queue& q, uint64_t timeout_ns) {
  if (q.may_fault) {
    Copy c;
    c.src = q.fault.get();
    c.dst_host = &q.seen;
    c.size = sizeof q.seen;
    q.stream->copy(c);
  }
  if (!q.stream->finish(timeout_ns)) return false;
  check_fault(q);
  return true;
}

// Waits and signals are the host's business: the queue is drained before a signal.
opmux_status run_synced(Queue& q, const opmux_run& r, opmux_err* err) {
  char text[KIT_SENTENCE];
  opmux_err own = {OPMUX_HDR(opmux_err), 0, 0, 0, sizeof text, 0, OPMUX_NO_ARG, text};
  opmux_status s = OPMUX_OK;
  for (uint32_t i = 0; i < r.n_wait && s == OPMUX_OK; ++i) {
    s = kit_tl_wait(r.wait[i].tl, r.wait[i].value, UINT64_MAX, &own);
  }
  if (s == OPMUX_OK) {
    s = guarded(&own, [&] {
      launch(q, r, kernel_of(r));
      if (r.n_signal > 0) finish_queue(q, UINT64_MAX);
    });
  }
  for (uint32_t i = 0; i < r.n_signal && s == OPMUX_OK; ++i) {
    s = kit_tl_signal(r.signal[i].tl, r.signal[i].value, &own);
  }
  if (s == OPMUX_OK) return s;
  for (uint32_t i = 0; i < r.n_signal; ++i) kit_tl_fail(r.signal[i].tl, s, own.msg, own.msg_len);
  return kit_fail_native(err, s, own.arg_index, own.native_domain, own.native, "%.*s",
                         static_cast<int>(own.msg_len), own.msg);
}

opmux_status enqueue_many(opmux_queue handle, const opmux_run* runs, uint32_t stride, uint32_t n,
                          opmux_err* err) {
  Queue& q = *of(handle);
  const opmux_host_api& host = q.dev->plugin->host;
  for (uint32_t i = 0; i < n; ++i) {
    const opmux_run& r = run_at(runs, stride, i);
    opmux_status s = OPMUX_OK;
    if (OPMUX_HAS(&r, opmux_run, cancel) && r.cancel && host.cancelled(host.self, r.cancel)) {
      return kit_fail(err, OPMUX_E_CANCELLED, OPMUX_NO_ARG, "cancelled before run %u of %u", i, n);
    }
    if (OPMUX_HAS(&r, opmux_run, n_signal) && (r.n_wait | r.n_signal)) {
      s = run_synced(q, r, err);
    } else {
      s = guarded(err, [&] { launch(q, r, kernel_of(r)); });
    }
    if (s != OPMUX_OK) return s;
  }
  return OPMUX_OK;
}

opmux_status finish(opmux_queue q, uint64_t timeout_ns, opmux_err* err) {
  return guarded(err, [&]() -> opmux_status {
    if (finish_queue(*of(q), timeout_ns)) return OPMUX_OK;
    return kit_fail(err, OPMUX_E_TIMEOUT | OPMUX_F_RETRYABLE, OPMUX_NO_ARG,
                    "finish: still at work after %llu ns", static_cast<unsigned long long>(timeout_ns));
  });
}

// A recording keeps its values.
std::unique_ptr<Memory> keep_scalars(const opmux_run& r, const Kernel& k) {
  const void* values = scalars_of(r, k);
  if (!values) return nullptr;
  std::vector<uint32_t> words(k.scalars * kScalarBytes / sizeof(uint32_t));
  std::memcpy(words.data(), values, k.scalars * kScalarBytes);
  auto memory = k.dev->device->allocate(OPMUX_MEM_HOST, k.scalars * kScalarBytes, kScalarBytes);
  k.dev->device->write(*memory, 0, words);
  return memory;
}

opmux_status record(opmux_queue q, const opmux_run* runs, uint32_t stride, uint32_t n, opmux_commands* out,
                    opmux_err* err) {
  return guarded(err, [&]() -> opmux_status {
    auto c = std::make_unique<Commands>();
    Collector all;
    for (uint32_t i = 0; i < n; ++i) {
      const opmux_run& r = run_at(runs, stride, i);
      Kernel& k = kernel_of(r);
      if (r.n_wait | r.n_signal) {
        return kit_fail(err, OPMUX_E_UNSUPPORTED, OPMUX_NO_ARG,
                        "record: run %u waits for or signals a timeline", i);
      }
      c->runs.push_back({&k, {r.arg, r.arg + r.n_arg}, r.ws, nullptr, all.launches.size(), false});
      c->runs.back().scalars = keep_scalars(r, k);
      launch(*of(q), k, c->runs.back().binds, r.ws, c->runs.back().scalars.get(), all);
      c->may_fault |= reports(k);
      for (opmux_bind& b : c->runs.back().binds) b.actual = nullptr;
    }
    if (!all.launches.empty()) c->recording = of(q)->stream->record(all.launches);
    *out = reinterpret_cast<opmux_commands>(c.release());
    return OPMUX_OK;
  });
}

void rebind(Commands& c, const opmux_rebind& r) {
  if (r.run >= c.runs.size() || r.arg >= c.runs[r.run].binds.size()) {
    refuse(r.arg, "replay: operand %u of run %llu, there are %llu runs", r.arg, r.run, c.runs.size());
  }
  RecordedRun& run = c.runs[r.run];
  check_bind(*run.kernel, r.arg, r.bind);
  run.binds[r.arg] = r.bind;
  run.binds[r.arg].actual = nullptr;
  run.stale = true;
}

opmux_status replay(opmux_queue q, opmux_commands commands, const opmux_rebind* rebinds, uint32_t n,
                    opmux_err* err) {
  return guarded(err, [&] {
    Commands& c = *of(commands);
    Stream& stream = *of(q)->stream;
    for (uint32_t i = 0; i < n; ++i) rebind(c, rebinds[i]);
    if (!c.recording) return;
    Collector changed;
    for (RecordedRun& run : c.runs) {
      if (!run.stale) continue;
      changed.launches.clear();
      launch(*of(q), *run.kernel, run.binds, run.workspace, run.scalars.get(), changed);
      stream.update(*c.recording, run.first, changed.launches);
      run.stale = false;
    }
    stream.replay(*c.recording);
    of(q)->may_fault |= c.may_fault;
  });
}

void release(opmux_commands c) { delete of(c); }

opmux_status signal(opmux_queue q, opmux_tl tl, uint64_t value, opmux_err* err) {
  const opmux_status s = finish(q, UINT64_MAX, err);
  return s == OPMUX_OK ? kit_tl_signal(tl, value, err) : s;
}

opmux_status wait(opmux_queue, opmux_tl tl, uint64_t value, opmux_err* err) {
  return kit_tl_wait(tl, value, UINT64_MAX, err);
}

}  // namespace

const opmux_queue_api kQueueTable = {OPMUX_HDR_TAG(opmux_queue_api, OPMUX_I_QUEUE),
                                     create,
                                     destroy,
                                     copy,
                                     enqueue_many,
                                     finish,
                                     record,
                                     replay,
                                     release,
                                     kit_tl_create,
                                     kit_tl_destroy,
                                     kit_tl_wait,
                                     kit_tl_signal,
                                     signal,
                                     wait};

}  // namespace opmux::gpu
