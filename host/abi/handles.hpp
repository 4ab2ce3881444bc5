// SPDX-License-Identifier: Apache-2.0
// What the application's handles point to.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "host/graph/run_context.hpp"
#include "host/graph/runtime.hpp"
#include "opmux/opmux.h"

struct opmux_context_s {
  std::shared_ptr<opmux::Runtime> runtime;
};

struct opmux_text_s {
  std::string text;
};

struct opmux_array_s {
  opmux::HostTensor tensor;
  std::string name;
};

struct opmux_builder_s {
  std::shared_ptr<opmux::Runtime> runtime;
  opmux::Graph graph;
};

struct opmux_model_s {
  std::shared_ptr<opmux::Model> model;
};

struct opmux_plan_s {
  std::shared_ptr<opmux::Plan> plan;
};

struct opmux_run_context_s {
  explicit opmux_run_context_s(std::shared_ptr<opmux::Plan> plan) : context(std::move(plan)) {}
  opmux::RunContext context;
  std::atomic<bool> busy{false};  // an execution runs
};

struct opmux_execution_s {
  opmux_run_context owner = nullptr;
  std::thread thread;
  std::atomic<bool> cancelled{false};
  std::mutex mutex;
  std::condition_variable done_changed;
  bool done = false;
  opmux_status status = OPMUX_OK;
  std::string message;
};
