// SPDX-License-Identifier: Apache-2.0
// The one place where exceptions become status and error record.
#pragma once

#include <new>
#include <string_view>

#include "host/platform/error.hpp"
#include "kit/schema/schema.hpp"

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

// A list of the caller's, which may be NULL when it is empty.
template <class T>
void need_list(const T* p, uint64_t count, const char* what) {
  if (!p && count) fail(OPMUX_E_INVALID, "{} is NULL, but {} are announced", what, count);
}

// Type and rank before anything reads dims or strides.
inline const opmux_tdesc& sane(const opmux_tdesc& d, const char* what) {
  if (d.rank > OPMUX_MAX_RANK)
    fail(OPMUX_E_INVALID, "{}: rank {} is beyond the limit of {}", what, d.rank, OPMUX_MAX_RANK);
  if (schema::dtype_name(d.dtype) == std::string_view("?"))
    fail(OPMUX_E_INVALID, "{}: element type {:#x} is unknown", what, d.dtype);
  return d;
}

}  // namespace opmux
