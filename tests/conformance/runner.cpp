// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/runner.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "kit/scalar.hpp"
#include "kit/view.hpp"

namespace opmux::cts {
namespace {

constexpr uint64_t kCanary = 64;  // bytes behind a workspace
// A NaN that no computation gives, to see what the oracle left alone.
constexpr uint64_t kUntouched = 0x7ff4dead0badbeefu;

}  // namespace

void fail_test(const char* format, ...) {
  char text[1024];
  va_list list;
  va_start(list, format);
  std::vsnprintf(text, sizeof text, format, list);
  va_end(list);
  throw Failure{text};
}

void ok(opmux_status s, const kit::RawError& err, const char* what) {
  if (s != OPMUX_OK) fail_test("%s: %s: %s", what, schema::status_name(s), err.text().c_str());
}

Lane::Lane(const kit::RawPlugin& p, Host& h) : plugin(p), host(h) {
  kit::RawError err;
  ok(p.queue.create(p.device, 0, &queue, err), err, "queue.create");
}

Lane::~Lane() {
  plugin.queue.destroy(queue);
  if (memory) plugin.mem.free_(plugin.device, memory);
  if (workspace) plugin.mem.free_(plugin.device, workspace);
}

opmux_mem Lane::alloc(uint64_t size) {
  kit::RawError err;
  opmux_mem block = 0;
  ok(plugin.mem.alloc(plugin.device, OPMUX_MEM_DEVICE, size, 64, &block, err), err, "mem.alloc");
  return block;
}

void Lane::copy(const CopySource& from, const CopyTarget& to, uint64_t size) {
  kit::RawError err;
  const opmux_copy c = copy_of(from, to, size);
  ok(plugin.queue.copy(queue, &c, 1, err), err, from.mem ? "copy from the device" : "copy to the device");
  if (from.mem) ok(plugin.queue.finish(queue, UINT64_MAX, err), err, "finish after a copy");
}

void Lane::upload(const Image& image) {
  if (image.bytes.size() > size_) {
    if (memory) plugin.mem.free_(plugin.device, memory);
    size_ = std::bit_ceil(image.bytes.size());
    memory = alloc(size_);
  }
  copy({0, image.bytes.data(), 0}, {memory, nullptr, 0}, image.bytes.size());
}

void Lane::download(Image& image) {
  copy({memory, nullptr, 0}, {0, image.bytes.data(), 0}, image.bytes.size());
}

opmux_bind Lane::bind(const Image& image, uint32_t operand) const {
  const Place& p = image.place[operand];
  if (p.end == 0 || p.scalar) return {};
  return {memory, p.offset, p.end - p.offset, nullptr};
}

std::vector<opmux_bind> Lane::binds(const Image& image) const {
  std::vector<opmux_bind> all;
  for (uint32_t i = 0; i < image.place.size(); ++i) all.push_back(bind(image, i));
  return all;
}

void Lane::set_workspace(uint64_t size) {
  if (size + kCanary > ws_room_) {
    if (workspace) plugin.mem.free_(plugin.device, workspace);
    ws_room_ = std::bit_ceil(size + kCanary);
    workspace = alloc(ws_room_);
  }
  workspace_size = size;
  // Nothing may rely on what lies in a workspace.
  const std::vector<unsigned char> garbage(std::min<uint64_t>(size, 1 << 20) + kCanary, 0xa5);
  copy({0, garbage.data(), 0}, {workspace, nullptr, size + kCanary - garbage.size()}, garbage.size());
}

bool Lane::workspace_intact() {
  unsigned char tail[kCanary] = {};
  copy({workspace, nullptr, workspace_size}, {0, tail, 0}, kCanary);
  return std::all_of(tail, tail + kCanary, [](unsigned char b) { return b == 0xa5; });
}

Kernel::Kernel(const kit::RawPlugin& plugin, const opmux_opd* d, uint64_t key) : plugin_(plugin) {
  kit::RawError err;
  status = plugin.op.prepare(plugin.device, d, key, &handle, err);
  text = err.text();
}

void Kernel::must_be_prepared() const {
  if (status != OPMUX_OK) fail_test("prepare: %s", text.c_str());
}

std::vector<int> Data::aliases(const opmux_opd& d) {
  std::vector<int> all(d.n_in + d.n_out, -1);
  for (uint32_t o = 0; d.alias && o < d.n_out; ++o) all[d.n_in + o] = static_cast<int>(d.alias[o]) - 1;
  return all;
}

Data::Data(Case& c, uint64_t align, Random& random)
    : operands([&] {
        std::vector<opmux_tdesc> all = c.d.in;
        all.insert(all.end(), c.d.out.begin(), c.d.out.end());
        return all;
      }()),
      image(operands, aliases(*c.d.opd()), align, random) {
  for (size_t o = 0; o < c.d.out.size(); ++o)
    if (c.d.out[o].dtype != OPMUX_NONE) image.allow(c.d.out[o], static_cast<uint32_t>(c.d.in.size() + o));
}

opmux_run run_of(const Lane& lane, const Kernel& kernel, const std::vector<opmux_bind>& binds,
                 const Data& data) {
  opmux_run r = run_of(kernel.handle, binds, data.params);
  if (lane.workspace_size != 0) r.ws = {lane.workspace, 0, lane.workspace_size, nullptr};
  return r;
}

opmux_status run_kernel(Lane& lane, const Kernel& kernel, const Data& data,
                        const std::vector<opmux_bind>& replaced, std::string* text) {
  std::vector<opmux_bind> binds = lane.binds(data.image);
  for (uint32_t i = 0; i < replaced.size(); ++i)
    if (replaced[i].mem) binds[i] = replaced[i];
  const opmux_run r = run_of(lane, kernel, binds, data);
  kit::RawError err;
  opmux_status s = lane.plugin.queue.enqueue_many(lane.queue, &r, sizeof r, 1, err);
  if (s == OPMUX_OK)
    s = lane.plugin.queue.finish(lane.queue, UINT64_MAX, err);
  else
    lane.plugin.queue.finish(lane.queue, UINT64_MAX, nullptr);
  if (text) *text = err.text();
  return s;
}

std::string refusal(const opmux_cap& cap) {
  std::string s = schema::why_name(cap.why);
  if (cap.why_arg != OPMUX_NO_ARG) s += ", operand " + std::to_string(cap.why_arg);
  return s + ", have " + std::to_string(cap.why_have) + ", limit " + std::to_string(cap.why_limit);
}

opmux_cap accepted(const Lane& lane, const opmux_opd* d) {
  const opmux_cap cap = lane.plugin.query(d);
  if (cap.verdict != OPMUX_YES) throw Skip{"refused: " + refusal(cap)};
  return cap;
}

Oracle::Oracle(const std::string& path)
    : host_(std::make_unique<Host>(1)),
      plugin_(std::make_unique<kit::RawPlugin>(path, host_->api())),
      client_(*plugin_, path) {}

Truth Oracle::evaluate(const opmux_opd* d, const Data& data, uint32_t output) const {
  Truth t(static_cast<size_t>(kit::element_count(d->out[output])), std::bit_cast<double>(kUntouched));
  std::vector<opmux_bind> binds(data.operands.size());
  for (uint32_t i = 0; i < binds.size(); ++i)
    if (data.image.place[i].end != 0)
      binds[i] = {reinterpret_cast<uintptr_t>(data.image.at(i)), 0, UINT64_MAX >> 1, nullptr};
  kit::RawError err;
  ok(client_.evaluate(d, binds, data.params, output, t, err), err, "the reference");
  const bool left = std::any_of(t.hi.begin(), t.hi.end(),
                                [](double v) { return std::bit_cast<uint64_t>(v) == kUntouched; });
  if (left || (OPMUX_DTYPE_CLASS(d->out[output].dtype) == OPMUX_CLASS_FLOAT &&
               OPMUX_DTYPE_BITS(d->out[output].dtype) < 16))
    this->run(d, data, output, t);
  return t;
}

bool Oracle::faults(const opmux_opd* d, const Data& data) const {
  Data copy = data;
  std::vector<void*> args;
  for (uint32_t i = 0; i < copy.operands.size(); ++i)
    args.push_back(copy.image.place[i].end != 0 ? copy.image.at(i) : nullptr);
  const std::lock_guard guard(line_);
  return OPMUX_CODE(plugin_->run(d, args, nullptr, copy.params)) == OPMUX_E_FAULT;
}

void Oracle::run(const opmux_opd* d, const Data& data, uint32_t output, Truth& truth) const {
  Data copy = data;
  std::vector<void*> args;
  for (uint32_t i = 0; i < copy.operands.size(); ++i)
    args.push_back(copy.image.place[i].end != 0 ? copy.image.at(i) : nullptr);
  kit::RawError err;
  {
    const std::lock_guard guard(line_);
    ok(plugin_->run(d, args, err, copy.params), err, "the reference");
  }
  const opmux_tdesc& t = d->out[output];
  kit::Walk walk(t);
  walk.add(t);
  size_t k = 0;
  walk.each([&](const int64_t* at) {
    const kit::Scalar v = kit::load(t.dtype, args[d->n_in + output], at[0]);
    const long double wide = kit::is_float(t.dtype)    ? static_cast<long double>(v.f)
                             : kit::is_signed(t.dtype) ? static_cast<long double>(v.i)
                                                       : static_cast<long double>(v.u);
    truth.hi[k] = static_cast<double>(wide);
    truth.lo[k] = std::isfinite(truth.hi[k]) ? static_cast<double>(wide - truth.hi[k]) : 0;
    ++k;
  });
  truth.written = true;
}

}  // namespace opmux::cts
