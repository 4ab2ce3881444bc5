// SPDX-License-Identifier: Apache-2.0
// Runs descriptors on the plugin under test, and asks the reference what the result should be.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kit/raw_loader.hpp"
#include "tests/conformance/cases.hpp"
#include "tests/conformance/host.hpp"
#include "tests/conformance/oracle_client.hpp"
#include "tests/conformance/values.hpp"

namespace opmux::cts {

// A test that cannot be judged here: says why.
struct Skip {
  std::string why;
};
// A test that failed: says what.
struct Failure {
  std::string what;
};
[[noreturn]] void fail_test(const char* format, ...) __attribute__((format(printf, 1, 2)));
// Fails the test with the error's sentence, unless s is OPMUX_OK.
void ok(opmux_status s, const kit::RawError& err, const char* what);

// A queue of the plugin with a block of memory, for one thread of the suite.
class Lane {
 public:
  Lane(const kit::RawPlugin& plugin, Host& host);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  // Copies the image to the device, and back.
  void upload(const Image& image);
  void download(Image& image);
  opmux_bind bind(const Image& image, uint32_t operand) const;
  std::vector<opmux_bind> binds(const Image& image) const;  // of all operands
  // A workspace of exactly `size` bytes for the next runs, with a canary behind it.
  void set_workspace(uint64_t size);
  bool workspace_intact();
  const kit::RawPlugin& plugin;
  Host& host;
  opmux_queue queue = nullptr;
  opmux_mem memory = 0, workspace = 0;
  uint64_t workspace_size = 0;  // as stated to the plugin

 private:
  opmux_mem alloc(uint64_t size);
  void copy(const CopySource& from, const CopyTarget& to, uint64_t size);
  uint64_t size_ = 0, ws_room_ = 0;
};

// A prepared kernel; releases itself.
class Kernel {
 public:
  Kernel(const kit::RawPlugin& plugin, const opmux_opd* d, uint64_t key);
  ~Kernel() {
    if (handle) plugin_.op.release(handle);
  }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  // Fails the test if prepare has failed.
  void must_be_prepared() const;
  opmux_kernel handle = nullptr;
  opmux_status status = OPMUX_OK;
  std::string text;

 private:
  const kit::RawPlugin& plugin_;
};

// Operands of a case in memory: image, parameters, and what of it is output.
struct Data {
  Data(Case& c, uint64_t align, Random& random);
  std::vector<opmux_tdesc> operands;
  Image image;
  std::vector<uint64_t> params;
  static std::vector<int> aliases(const opmux_opd& d);
};

// The run of a kernel, with the lane's workspace; the binds and data must outlive it.
opmux_run run_of(const Lane& lane, const Kernel& kernel, const std::vector<opmux_bind>& binds,
                 const Data& data);

// One run on the lane: binds, enqueues, waits. The sentence of a failure goes to *text.
opmux_status run_kernel(Lane& lane, const Kernel& kernel, const Data& data,
                        const std::vector<opmux_bind>& replaced, std::string* text);

// What the plugin says to a descriptor; skips the test if it refuses.
opmux_cap accepted(const Lane& lane, const opmux_opd* d);

// "AlGebraic: operand 1, have 3, limit 2": a refusal in words.
std::string refusal(const opmux_cap& cap);

// What the reference says about one output: unrounded values, and where it computes none (a state that is
// only moved) those that it wrote.
struct Truth : OracleValues {
  using OracleValues::OracleValues;
  bool written = false;  // `hi` is what the reference wrote: to be met exactly
};

class Oracle {
 public:
  explicit Oracle(const std::string& path);
  // data: as the inputs were before the run.
  Truth evaluate(const opmux_opd* d, const Data& data, uint32_t output) const;
  // Does it report a value out of range?
  bool faults(const opmux_opd* d, const Data& data) const;

 private:
  void run(const opmux_opd* d, const Data& data, uint32_t output, Truth& truth) const;
  std::unique_ptr<Host> host_;
  std::unique_ptr<kit::RawPlugin> plugin_;
  OracleClient client_;
  mutable std::mutex line_;  // the plugin's one queue
};

}  // namespace opmux::cts
