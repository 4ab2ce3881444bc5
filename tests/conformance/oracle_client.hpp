// SPDX-License-Identifier: Apache-2.0
// Asks the reference plugin what the result of an operator is: unrounded values and magnitudes.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "kit/raw_loader.hpp"
#include "opmux/ext/oracle.h"
#include "tests/conformance/plugin_calls.hpp"

namespace opmux::cts {

// Of each element in row-major order: the value is hi + lo.
struct OracleValues {
  std::vector<double> hi, lo, magnitude;
  explicit OracleValues(size_t count = 0, double first = 0) : hi(count, first), lo(count), magnitude(count) {}
  double operator[](size_t i) const { return hi[i] + lo[i]; }
};

class OracleClient {
 public:
  // plugin: the reference, of the file `path`; it must outlive this.
  OracleClient(const kit::RawPlugin& plugin, const std::string& path)
      : device_(plugin.device),
        api_(reinterpret_cast<const opmux_oracle_api*>(plugin.core.interface_(OPMUX_I_ORACLE))) {
    if (!api_) throw std::runtime_error(path + " offers no OPMUX_I_ORACLE, it is not the reference plugin");
  }
  // binds: of all operands, inputs then outputs. Writes into v, which has room for the output's elements.
  opmux_status evaluate(const opmux_opd* d, std::span<const opmux_bind> binds,
                        std::span<const uint64_t> params, uint32_t output, OracleValues& v,
                        opmux_err* err) const {
    const opmux_run run = run_of(nullptr, binds, params);
    opmux_oracle_result r{};
    r.h.size = sizeof r;
    r.output = output;
    r.count = v.hi.size();
    r.hi = v.hi.data();
    r.lo = v.lo.data();
    r.magnitude = v.magnitude.data();
    return api_->evaluate(device_, d, &run, &r, err);
  }

 private:
  opmux_dev device_;
  const opmux_oracle_api* api_;
};

}  // namespace opmux::cts
