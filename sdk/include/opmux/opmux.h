/* SPDX-License-Identifier: Apache-2.0
 * Opmux for applications: load a model, plan it for the devices that are there, run it.
 *
 * Rules that hold everywhere (docs/rules.md): functions return a status and fill the caller's error record,
 * which may be NULL; handles are destroyed by the function named after them, NULL is allowed there; a handle
 * keeps alive what it was made from; text and pointers returned belong to the object that returned them.
 * Thread rule of each handle stands at its type. Its version is its own, apart from the plugin interface. */
#ifndef OPMUX_OPMUX_H
#define OPMUX_OPMUX_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OPMUX_API_MAJOR 0u
#define OPMUX_API_MINOR 1u
#if defined(_WIN32)
#define OPMUX_API __declspec(dllimport)
#else
#define OPMUX_API __attribute__((visibility("default")))
#endif

typedef struct opmux_context_s* opmux_context;         /* any thread                                   */
typedef struct opmux_text_s* opmux_text;               /* immutable                                    */
typedef struct opmux_array_s* opmux_array;             /* immutable: a tensor in host memory           */
typedef struct opmux_builder_s* opmux_builder;         /* one thread at a time                         */
typedef struct opmux_model_s* opmux_model;             /* immutable, any thread                        */
typedef struct opmux_plan_s* opmux_plan;               /* any thread                                   */
typedef struct opmux_run_context_s* opmux_run_context; /* one thread at a time each; many per plan     */
typedef struct opmux_execution_s* opmux_execution;     /* any thread                                   */

/* Tensor in host memory: data points at element 0 of the view that desc describes. */
typedef struct opmux_tensor {
  opmux_tdesc desc;
  void* data;
} opmux_tensor;

/* "0.1.0" */
OPMUX_API const char* opmux_version(void);
/* Sentence-case word for a status: "out of memory". */
OPMUX_API const char* opmux_status_text(opmux_status status);
/* "f32" of OPMUX_F32; "?" if unknown. */
OPMUX_API const char* opmux_dtype_text(uint32_t dtype);

/* ---- Text: UTF-8 reports, JSON unless said otherwise. */
OPMUX_API opmux_str opmux_text_get(opmux_text);
OPMUX_API void opmux_text_destroy(opmux_text);

/* ---- Context: plugins, devices, caches, threads. */

typedef void(OPMUX_CALL* opmux_log_fn)(void* user, uint32_t level, opmux_str where, opmux_str text);

typedef struct opmux_context_desc {
  opmux_hdr h;
  const char* plugin_path; /* ':'-separated folders searched first and before the environment; NULL none */
  opmux_log_fn
      log; /* called from any thread; NULL: warnings and errors go to stderr, OPMUX_LOG sets the level */
  void* log_user;
  uint32_t threads; /* 0: OPMUX_THREADS or one per core; 1: everything on the calling thread */
  uint32_t reserved;
} opmux_context_desc;

/* desc may be NULL. Touches no driver: devices that need one come from the probe's inventory. */
OPMUX_API opmux_status opmux_context_create(const opmux_context_desc* desc, opmux_context* out,
                                            opmux_err* err);
/* Ends every plugin. All objects made from the context must be gone: OPMUX_E_BUSY otherwise, and nothing has
 * happened. */
OPMUX_API opmux_status opmux_context_destroy(opmux_context, opmux_err* err);

#define OPMUX_REPORT_DEVICES \
  1u /* {"devices": [{name, description, routes: [...]}], "unused": [{name, path, stage, reason}]} */
#define OPMUX_REPORT_OPS \
  2u /* {"ops": [{name, family, routes: {alias: bool}}]}                                     */
#define OPMUX_REPORT_MEMORY \
  3u /* {"pools": [{route, in_use_bytes, peak_bytes, ...}]}                                  */
OPMUX_API opmux_status opmux_context_report(opmux_context, uint32_t what, opmux_text* out, opmux_err* err);
/* Collects spans from now on; stop writes Chrome trace JSON to the path. */
OPMUX_API opmux_status opmux_context_trace_start(opmux_context, opmux_err* err);
OPMUX_API opmux_status opmux_context_trace_stop(opmux_context, const char* path, opmux_err* err);

/* ---- Arrays: tensors with memory of their own. */
OPMUX_API opmux_status opmux_array_create(const opmux_tdesc* contiguous, opmux_array* out, opmux_err* err);
/* TensorProto file (.pb) as in the ONNX backend tests. */
OPMUX_API opmux_status opmux_array_load_pb(opmux_context, const char* path, opmux_array* out, opmux_err* err);
OPMUX_API opmux_tensor opmux_array_tensor(opmux_array);
OPMUX_API opmux_str opmux_array_name(opmux_array);
OPMUX_API void opmux_array_destroy(opmux_array);

/* ---- One operator, eagerly. d: complete descriptor (in and out descs are the tensors' own). device: route
 * name, alias or NULL for auto. Blocks until done. */
OPMUX_API opmux_status opmux_op(opmux_context, const char* device, const opmux_opd* d, const opmux_tensor* in,
                                const opmux_tensor* out, opmux_err* err);

/* ---- Models. */

OPMUX_API opmux_status opmux_model_load(opmux_context, const char* path, opmux_model* out, opmux_err* err);
OPMUX_API opmux_status opmux_model_load_bytes(opmux_context, opmux_span bytes, opmux_model* out,
                                              opmux_err* err);
OPMUX_API void opmux_model_destroy(opmux_model);

#define OPMUX_PORT_INPUT 0u
#define OPMUX_PORT_OUTPUT 1u
typedef struct opmux_port {
  opmux_hdr h;
  opmux_str name;
  uint32_t dtype; /* OPMUX_NONE: not stated */
  uint32_t rank;  /* 0xffffffff: not stated */
  int64_t dim[8]; /* -1: symbolic           */
  opmux_str symbol[8];
} opmux_port;
OPMUX_API uint32_t opmux_model_port_count(opmux_model, uint32_t kind);
OPMUX_API opmux_status opmux_model_port(opmux_model, uint32_t kind, uint32_t index, opmux_port* out,
                                        opmux_err* err);
#define OPMUX_REPORT_MODEL \
  1u /* {"producer", "opsets", "nodes", "operators": {type: count}, "parameters", "states", ...} */
OPMUX_API opmux_status opmux_model_report(opmux_model, uint32_t what, opmux_text* out, opmux_err* err);
/* Text of a metadata key; size 0 if absent. */
OPMUX_API opmux_str opmux_model_metadata(opmux_model, const char* key);

/* Builder: values are numbers; the operator's descriptor gives attributes, programs, list and math, its
 * in/out descs are ignored but for the dtype and dims of outputs that the operator leaves open. */
OPMUX_API opmux_status opmux_builder_create(opmux_context, opmux_builder* out, opmux_err* err);
OPMUX_API opmux_status opmux_builder_input(opmux_builder, const char* name, const opmux_tdesc* desc,
                                           uint32_t* value, opmux_err* err);
/* Copies the bytes. */
OPMUX_API opmux_status opmux_builder_constant(opmux_builder, const opmux_tensor* tensor, uint32_t* value,
                                              opmux_err* err);
OPMUX_API opmux_status opmux_builder_op(opmux_builder, const opmux_opd* d, const uint32_t* in, uint32_t* out,
                                        opmux_err* err);
/* View of a value: dims and strides of desc over its memory, from offset_bytes on. */
OPMUX_API opmux_status opmux_builder_view(opmux_builder, uint32_t value, const opmux_tdesc* desc,
                                          int64_t offset_bytes, uint32_t* out, opmux_err* err);
OPMUX_API opmux_status opmux_builder_output(opmux_builder, const char* name, uint32_t value, opmux_err* err);
OPMUX_API opmux_status opmux_builder_finish(opmux_builder, opmux_model* out, opmux_err* err);
OPMUX_API void opmux_builder_destroy(opmux_builder);

/* ---- Plans: a model placed and compiled for a policy. Shapes are compiled on first use and kept, least
 * recently used goes first. */

#define OPMUX_FALLBACK_REPORT \
  0u /* another device may serve what the chosen one refuses or fails at; the reports say so */
#define OPMUX_FALLBACK_FORBID 1u /* that is an error */
#define OPMUX_FALLBACK_ALLOW 2u  /* as REPORT, and nothing is logged */
typedef struct opmux_plan_desc {
  opmux_hdr h;
  const char*
      device; /* route name or alias as devices are reported, or "auto" (NULL): an unusable one is an error */
  uint32_t fallback;    /* OPMUX_FALLBACK_* */
  uint32_t math;        /* OPMUX_MATH_*     */
  uint32_t shapes_kept; /* compiled shapes kept at most, 0: 8 */
  uint32_t profile;     /* 1: times per node in run reports, at some cost */
  /* Nanoseconds that a run may take, its compilation included; 0: any. What a device hangs in then costs this
   * long, once: the device is not used any more, and others go on unless fallback is forbidden. Costs a copy
   * of inputs and outputs per run, since the call that hangs may still use the memory that it was given. With
   * one thread (OPMUX_THREADS=1) nobody can watch, and there is no deadline. */
  uint64_t deadline_ns;
} opmux_plan_desc;
OPMUX_API opmux_status opmux_plan_create(opmux_model, const opmux_plan_desc* desc, opmux_plan* out,
                                         opmux_err* err);
OPMUX_API void opmux_plan_destroy(opmux_plan);

/* Compiles for these input descriptors (one per model input, in order; strides are ignored) if that has not
 * been done, and reports:
 * {"placed": {by: "device", "preference" or "price", predicted_ns, unsplit_ns, split, exact: by price},
 * "nodes": [{name, op, route, reason, cost_ns, cost_source, refused: [{route, reason}], offers: [{route,
 * cost_ns}] by price}], "fallback": ..., "memory": ..., "flops": ...} */
#define OPMUX_REPORT_PLAN 1u
OPMUX_API opmux_status opmux_plan_report(opmux_plan, const opmux_tdesc* inputs, uint32_t what,
                                         opmux_text* out, opmux_err* err);

/* ---- Running. */

OPMUX_API opmux_status opmux_run_context_create(opmux_plan, opmux_run_context* out, opmux_err* err);
OPMUX_API void opmux_run_context_destroy(opmux_run_context);
/* Inputs and outputs stay bound until bound anew. The memory is read during a run only, in any dense or
 * strided form. */
OPMUX_API opmux_status opmux_bind_input(opmux_run_context, uint32_t index, const opmux_tensor* tensor,
                                        opmux_err* err);
/* Contiguous memory that the output is written to; NULL: the context's own. Its shape must be the output's.
 */
OPMUX_API opmux_status opmux_bind_output(opmux_run_context, uint32_t index, const opmux_tensor* tensor,
                                         opmux_err* err);
/* Runs and waits. After the first run with a set of shapes nothing is allocated. */
OPMUX_API opmux_status opmux_run_now(opmux_run_context, opmux_err* err);
/* The output of the last run; the context's own memory is valid until its next run. */
OPMUX_API opmux_status opmux_get_output(opmux_run_context, uint32_t index, opmux_tensor* out, opmux_err* err);

/* Starts a run on a thread of the context; the run context is busy until it has been waited for. */
OPMUX_API opmux_status opmux_run_start(opmux_run_context, opmux_execution* out, opmux_err* err);
/* OPMUX_E_TIMEOUT when it still runs; else the run's own status. */
OPMUX_API opmux_status opmux_execution_wait(opmux_execution, uint64_t timeout_ns, opmux_err* err);
/* Asks it to stop at the next segment; the wait then gives OPMUX_E_CANCELLED. */
OPMUX_API void opmux_execution_cancel(opmux_execution);
/* Waits first. */
OPMUX_API void opmux_execution_destroy(opmux_execution);

/* State (a KV cache, say): rows 0 .. length-1 are valid. Every run adds its rows. */
OPMUX_API opmux_status opmux_state_length(opmux_run_context, int64_t* length, int64_t* capacity,
                                          opmux_err* err);
/* Forgets rows beyond `length`; 0 starts anew. */
OPMUX_API opmux_status opmux_state_truncate(opmux_run_context, int64_t length, opmux_err* err);

#define OPMUX_REPORT_RUN                                                                                  \
  1u /* {"routes": {...}, "fallbacks": [...], "recoveries": [{route, status, reason, action}] of the last \
        run, "placed": ..., "time_ns": n, "nodes": [...] with profile} */
OPMUX_API opmux_status opmux_run_context_report(opmux_run_context, uint32_t what, opmux_text* out,
                                                opmux_err* err);

#ifdef __cplusplus
}
#endif
#endif
