// SPDX-License-Identifier: Apache-2.0
// Kit: the one catch-all between C++ code and the C interface.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "kit/error.h"

namespace opmux::kit {

// What C++ code of a plugin throws for a failure that has a status and an operand.
class Failure : public std::exception {
 public:
  Failure(opmux_status status, uint32_t arg, std::string sentence)
      : status_(status), arg_(arg), sentence_(std::move(sentence)) {}
  const char* what() const noexcept override { return sentence_.c_str(); }
  opmux_status status() const noexcept { return status_; }
  uint32_t arg() const noexcept { return arg_; }

 private:
  opmux_status status_;
  uint32_t arg_;
  std::string sentence_;
};

// Calls f and turns whatever it throws into a record and a status. f returns nothing or an opmux_status.
template <class F>
opmux_status guard(opmux_err* err, F&& f) noexcept {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      std::forward<F>(f)();
      return OPMUX_OK;
    } else {
      return std::forward<F>(f)();
    }
  } catch (const Failure& e) {
    return kit_fail(err, e.status(), e.arg(), "%s", e.what());
  } catch (const std::bad_alloc&) {
    return kit_fail(err, OPMUX_E_OUT_OF_MEMORY | OPMUX_F_RETRYABLE, OPMUX_NO_ARG, "out of memory");
  } catch (const std::exception& e) {
    return kit_fail(err, OPMUX_E_INTERNAL, OPMUX_NO_ARG, "unexpected exception: %s", e.what());
  } catch (...) {
    return kit_fail(err, OPMUX_E_INTERNAL, OPMUX_NO_ARG, "unexpected exception of unknown type");
  }
}

}  // namespace opmux::kit
