// SPDX-License-Identifier: Apache-2.0
// The one place where exceptions become status and error record.
#pragma once

#include <new>

#include "host/platform/error.hpp"

namespace opmux {

template <class F>
opmux_status guard(opmux_err* err, F&& body) noexcept {
  try {
    body();
    return OPMUX_OK;
  } catch (const Error& e) {
    store(e, err);
    return e.status();
  } catch (const std::bad_alloc&) {
    store(Error(OPMUX_E_OUT_OF_MEMORY, "the host is out of memory"), err);
    return OPMUX_E_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    store(Error(OPMUX_E_INTERNAL, e.what()), err);
    return OPMUX_E_INTERNAL;
  }
}

template <class T>
T& need(T* p, const char* what) {
  if (!p) fail(OPMUX_E_INVALID, "{} is NULL", what);
  return *p;
}

}  // namespace opmux
