/* SPDX-License-Identifier: Apache-2.0
 * Opmux extension: unrounded results, from which a test derives how far a device may be off. Offered by the
 * reference plugin under OPMUX_I_ORACLE. */
#ifndef OPMUX_EXT_ORACLE_H
#define OPMUX_EXT_ORACLE_H

#include "opmux/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is wanted of one output; the arrays are the caller's, with `count` entries in row-major order of the
 * output's dims. */
typedef struct opmux_oracle_result {
  opmux_hdr h;
  uint32_t output;
  uint32_t reserved;
  uint64_t count; /* element count of the output */
  /* The value before its last rounding is hi + lo: floats up to f32 are computed in double (lo is 0 there),
   * f64 in long double, integers and bool are exact. In programs every value before the last is rounded to
   * its type. */
  double* hi;
  double* lo; /* may be NULL */
  /* Sum of the absolute values of the terms of which the value is the sum (matmul: sum of |a b|), before an
   * epilogue; |value| where the operator does not sum. May be NULL. */
  double* magnitude;
} opmux_oracle_result;

typedef struct opmux_oracle_api {
  opmux_hdr h; /* tag OPMUX_I_ORACLE */
  /* [mt] Prepares and runs d with the inputs, workspace and parameters that *run binds; run->kernel is not
   * read, outputs need not be bound and nothing is written but *result. */
  opmux_status(OPMUX_CALL* evaluate)(opmux_dev, const opmux_opd* d, const opmux_run* run,
                                     opmux_oracle_result* result, opmux_err* err);
} opmux_oracle_api;

#ifdef __cplusplus
}
#endif
#endif
