// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/graph/plan.hpp"
#include "host/graph/recovery.hpp"
#include "host/graph/run_body.hpp"
#include "opmux/opmux.h"

namespace opmux {

// One stream of runs of a plan: bindings, states, and an Instance per set of input shapes. One thread at a
// time.
class RunContext {
 public:
  explicit RunContext(std::shared_ptr<Plan> plan);

  const Plan& plan() const { return *plan_; }
  // Throws Error when the type or rank is not the model's; dims are checked by the run.
  void bind_input(uint32_t index, const opmux_tensor& tensor);
  void bind_output(uint32_t index, const opmux_tensor* tensor);
  // What fails on a device is tried again, there or on the devices that are left, as recovery.hpp says.
  void run(const std::atomic<bool>* cancelled = nullptr);
  opmux_tensor output(uint32_t index) const;

  bool has_state() const;
  int64_t state_length() const { return length_; }
  int64_t state_capacity() const;
  void truncate_state(int64_t length);

  // JSON of OPMUX_REPORT_RUN.
  std::string report() const;

 private:
  struct Input {
    bool bound = false;
    opmux_tensor tensor{};
    HostTensor staging;  // for strided bindings
  };

  // False: the deadline has passed, and the body is left behind.
  bool attempt(const std::atomic<bool>* cancelled);
  bool attempt_within(const std::atomic<bool>* cancelled, Route** hung);
  void fill_call();
  std::vector<opmux_tdesc> wanted() const;
  void recover(const Error& error);
  void recover_hang(Route* hung);
  void lose_states(const Route& route);
  void give_outputs();

  std::shared_ptr<Plan> plan_;
  std::shared_ptr<RunBody> body_;
  std::vector<Input> inputs_;
  std::vector<opmux_tensor> bound_outputs_;  // data null: own memory
  RunBody::Call call_;
  bool shape_changed_ = true;
  Recovery recovery_;
  std::string lost_state_;  // why the rows are gone; empty: they are there
  int64_t length_ = 0;      // valid rows of the states
  uint64_t random_offset_ = 0;
  uint64_t runs_ = 0, last_ns_ = 0;
};

}  // namespace opmux
