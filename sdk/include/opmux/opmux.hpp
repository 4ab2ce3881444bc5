// SPDX-License-Identifier: Apache-2.0
// C++ on top of opmux.h: handles that clean up after themselves, exceptions instead of status codes.
// Header-only, C++20.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "opmux/opmux.h"

namespace opmux::api {

// What a failed call throws; what() is the runtime's sentence.
class Failure : public std::runtime_error {
 public:
  Failure(opmux_status status, const std::string& text) : std::runtime_error(text), status_(status) {}
  opmux_status status() const { return status_; }
  uint32_t code() const { return OPMUX_CODE(status_); }

 private:
  opmux_status status_;
};

// Calls f(..., err) and throws Failure when it fails.
template <class F, class... A>
void call(F f, A... args) {
  char text[1024];
  opmux_err err{};
  err.h = OPMUX_HDR(opmux_err);
  err.msg = text;
  err.msg_cap = sizeof text;
  const opmux_status s = f(args..., &err);
  if (s == OPMUX_OK) return;
  throw Failure(s, err.msg_len ? std::string(text, err.msg_len) : std::string(opmux_status_text(s)));
}

template <class H, void (*Destroy)(H)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(H h) : h_(h) {}
  Handle(Handle&& o) noexcept : h_(std::exchange(o.h_, nullptr)) {}
  Handle& operator=(Handle&& o) noexcept {
    std::swap(h_, o.h_);
    return *this;
  }
  ~Handle() {
    if (h_) Destroy(h_);
  }
  H get() const { return h_; }
  explicit operator bool() const { return h_ != nullptr; }

 private:
  H h_ = nullptr;
};

inline std::string to_string(opmux_str s) { return s.size ? std::string(s.data, s.size) : std::string(); }

// Contiguous descriptor. Throws Failure beyond rank 8 and beyond 2^63 - 1 elements.
inline opmux_tdesc desc(uint32_t dtype, std::span<const int64_t> dims) {
  if (dims.size() > OPMUX_MAX_RANK) throw Failure(OPMUX_E_INVALID, "rank is beyond the limit of 8");
  opmux_tdesc d{};
  d.dtype = dtype;
  d.rank = static_cast<uint32_t>(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    d.dim[i] = dims[i];
    d.stride[i] = stride;
    if (dims[i] <= 1) continue;
    if (stride > INT64_MAX / dims[i]) {
      throw Failure(OPMUX_E_INVALID, "a tensor of more than 2^63 - 1 elements is wanted");
    }
    stride *= dims[i];
  }
  return d;
}
inline opmux_tdesc desc(uint32_t dtype, std::initializer_list<int64_t> dims) {
  return desc(dtype, std::span<const int64_t>(dims.begin(), dims.size()));
}
inline int64_t element_count(const opmux_tdesc& d) {
  int64_t n = 1;
  for (uint32_t i = 0; i < d.rank; ++i) n *= d.dim[i];
  return n;
}

// Tensor over memory of the caller.
template <class T>
opmux_tensor tensor(uint32_t dtype, std::span<const int64_t> dims, T* data) {
  return {desc(dtype, dims), const_cast<void*>(static_cast<const void*>(data))};
}

class Context {
 public:
  explicit Context(const opmux_context_desc* d = nullptr) { call(opmux_context_create, d, &h_); }
  ~Context() { (void)opmux_context_destroy(h_, nullptr); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  opmux_context get() const { return h_; }

  // JSON; what: OPMUX_REPORT_DEVICES, OPMUX_REPORT_OPS, OPMUX_REPORT_MEMORY.
  std::string report(uint32_t what) const {
    opmux_text t = nullptr;
    call(opmux_context_report, h_, what, &t);
    const Handle<opmux_text, opmux_text_destroy> held(t);
    return to_string(opmux_text_get(t));
  }
  // One operator at once; d's own descriptors must be those of the tensors. device empty: auto.
  void op(const opmux_opd& d, std::span<const opmux_tensor> in, std::span<const opmux_tensor> out,
          const std::string& device = {}) const {
    call(opmux_op, h_, device.empty() ? nullptr : device.c_str(), &d, in.data(), out.data());
  }

 private:
  opmux_context h_ = nullptr;
};

class Model {
 public:
  Model(const Context& c, const std::string& path) {
    opmux_model m = nullptr;
    call(opmux_model_load, c.get(), path.c_str(), &m);
    h_ = Handle<opmux_model, opmux_model_destroy>(m);
  }
  explicit Model(opmux_model owned) : h_(owned) {}
  opmux_model get() const { return h_.get(); }

  std::vector<opmux_port> ports(uint32_t kind) const {
    std::vector<opmux_port> all(opmux_model_port_count(get(), kind));
    for (uint32_t i = 0; i < all.size(); ++i) {
      all[i] = {};
      all[i].h = OPMUX_HDR(opmux_port);
      call(opmux_model_port, get(), kind, i, &all[i]);
    }
    return all;
  }
  // JSON of OPMUX_REPORT_MODEL.
  std::string report() const {
    opmux_text t = nullptr;
    call(opmux_model_report, get(), uint32_t{OPMUX_REPORT_MODEL}, &t);
    const Handle<opmux_text, opmux_text_destroy> held(t);
    return to_string(opmux_text_get(t));
  }
  std::string metadata(const std::string& key) const {
    return to_string(opmux_model_metadata(get(), key.c_str()));
  }

 private:
  Handle<opmux_model, opmux_model_destroy> h_;
};

class Plan {
 public:
  explicit Plan(const Model& m, const std::string& device = "auto", uint32_t fallback = OPMUX_FALLBACK_REPORT,
                bool profile = false) {
    opmux_plan_desc d{};
    d.h = OPMUX_HDR(opmux_plan_desc);
    d.device = device.c_str();
    d.fallback = fallback;
    d.profile = profile;
    opmux_plan p = nullptr;
    call(opmux_plan_create, m.get(), &d, &p);
    h_ = Handle<opmux_plan, opmux_plan_destroy>(p);
  }
  opmux_plan get() const { return h_.get(); }
  // JSON of OPMUX_REPORT_PLAN for these input descriptors.
  std::string report(std::span<const opmux_tdesc> inputs) const {
    opmux_text t = nullptr;
    call(opmux_plan_report, get(), inputs.data(), uint32_t{OPMUX_REPORT_PLAN}, &t);
    const Handle<opmux_text, opmux_text_destroy> held(t);
    return to_string(opmux_text_get(t));
  }

 private:
  Handle<opmux_plan, opmux_plan_destroy> h_;
};

class RunContext {
 public:
  explicit RunContext(const Plan& p) {
    opmux_run_context r = nullptr;
    call(opmux_run_context_create, p.get(), &r);
    h_ = Handle<opmux_run_context, opmux_run_context_destroy>(r);
  }
  opmux_run_context get() const { return h_.get(); }
  void bind_input(uint32_t index, const opmux_tensor& t) { call(opmux_bind_input, get(), index, &t); }
  void bind_output(uint32_t index, const opmux_tensor& t) { call(opmux_bind_output, get(), index, &t); }
  void run() { call(opmux_run_now, get()); }
  opmux_tensor output(uint32_t index) const {
    opmux_tensor t{};
    call(opmux_get_output, get(), index, &t);
    return t;
  }
  int64_t state_length() const {
    int64_t n = 0;
    call(opmux_state_length, get(), &n, static_cast<int64_t*>(nullptr));
    return n;
  }
  void truncate_state(int64_t length) { call(opmux_state_truncate, get(), length); }
  // JSON of OPMUX_REPORT_RUN.
  std::string report() const {
    opmux_text t = nullptr;
    call(opmux_run_context_report, get(), uint32_t{OPMUX_REPORT_RUN}, &t);
    const Handle<opmux_text, opmux_text_destroy> held(t);
    return to_string(opmux_text_get(t));
  }

 private:
  Handle<opmux_run_context, opmux_run_context_destroy> h_;
};

}  // namespace opmux::api
