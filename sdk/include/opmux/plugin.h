/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/abi/plugin.h.yaml by tools/codegen; do not edit.
 *
 * Opmux: the interface between the host and a backend plugin. A plugin exports exactly one symbol,
 * opmux_plugin_query, and carries a manifest note that the host reads before any of its code runs. Tables are
 * fetched by id, copied by the host, and missing or NULL entries become OPMUX_E_UNSUPPORTED. Thread rules:
 * [pure] any thread, any time, needs no device; [mt] any thread; [obj] one thread at a time per object. No
 * exception, longjmp, signal handler, exit, abort, change of locale, FP mode or CPU affinity crosses this
 * line. Handles have one owner, the host, which destroys each once, children before parents. err may always
 * be NULL. */
#ifndef OPMUX_PLUGIN_H
#define OPMUX_PLUGIN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct opmux_plugin_s* opmux_plugin;
typedef struct opmux_dev_s* opmux_dev;
typedef struct opmux_queue_s* opmux_queue;
typedef struct opmux_kernel_s* opmux_kernel;
typedef struct opmux_commands_s* opmux_commands;
typedef struct opmux_tl_s* opmux_tl;
typedef struct opmux_host_s* opmux_host;
typedef uint64_t opmux_mem; /* a block of device memory; 0 is none */

/* Interface ids: 0x4f500000 | number. */
#define OPMUX_I_HOST 0x4f500000u
#define OPMUX_I_CORE 0x4f500001u
#define OPMUX_I_DEV 0x4f500002u
#define OPMUX_I_MEM 0x4f500003u
#define OPMUX_I_QUEUE 0x4f500004u
#define OPMUX_I_OP 0x4f500005u
#define OPMUX_I_GRAPH 0x4f500006u
#define OPMUX_I_SHARE 0x4f500007u
#define OPMUX_I_PROF 0x4f500008u
#define OPMUX_I_TUNE 0x4f500009u
#define OPMUX_I_ORACLE 0x4f50000au

/* ---- Services of the host, all [mt]; valid from core.open to core.close. No plugin lock may be held while
 * calling them. */

/* Body of a parallel loop: handles [begin, end); worker is below concurrency(). */
typedef void(OPMUX_CALL* opmux_body)(void* ctx, uint64_t begin, uint64_t end, uint32_t worker);

typedef struct opmux_host_api {
  opmux_hdr h; /* tag OPMUX_I_HOST */
  opmux_host self;
  /* Memory for objects that the host reads, accounted per plugin; NULL when out of memory. align: a power of
   * two. */
  void*(OPMUX_CALL* alloc)(opmux_host, uint64_t size_bytes, uint64_t align);
  void(OPMUX_CALL* free_)(opmux_host, void* p, uint64_t size_bytes, uint64_t align);
  /* level: 0 error, 1 warning, 2 info, 3 debug. */
  void(OPMUX_CALL* log)(opmux_host, uint32_t level, opmux_str where, opmux_str text);
  opmux_status(OPMUX_CALL* config)(opmux_host, opmux_str key, opmux_str* value);
  /* Runs body over [0, n) in chunks of exactly `grain` (the last is shorter); returns when all are done.
   * Chunk bounds depend on n and grain only. The calling thread takes part; nested calls run inline. */
  opmux_status(OPMUX_CALL* parallel)(opmux_host, uint64_t n, uint64_t grain, opmux_body body, void* ctx);
  uint32_t(OPMUX_CALL* concurrency)(opmux_host);
  /* Disk cache, keyed within (plugin build id). get: *out is valid until the next blob call of this thread;
   * OPMUX_E_UNSUPPORTED where nothing is kept, so that no value need be made for put. */
  opmux_status(OPMUX_CALL* blob_get)(opmux_host, opmux_span key, opmux_span* out);
  opmux_status(OPMUX_CALL* blob_put)(opmux_host, opmux_span key, opmux_span value);
  void(OPMUX_CALL* trace)(opmux_host, uint32_t phase, uint64_t id, opmux_str name, uint64_t time_ns);
  uint32_t(OPMUX_CALL* cancelled)(opmux_host, uint64_t token);
} opmux_host_api;

/* ---- CORE */

typedef struct opmux_core_api {
  opmux_hdr h; /* tag OPMUX_I_CORE */
  /* [obj] First call; may look for drivers. A missing driver is OPMUX_E_UNSUPPORTED with the reason in err.
   */
  opmux_status(OPMUX_CALL* open)(const opmux_host_api* host, opmux_plugin* out, opmux_err* err);
  /* [obj] No new work; finish or fail what runs, join threads, drop host references. */
  opmux_status(OPMUX_CALL* quiesce)(opmux_plugin, uint64_t deadline_ns, opmux_err* err);
  void(OPMUX_CALL* close)(opmux_plugin);
  /* [pure] Table of an interface id, static storage; NULL if the plugin has none. */
  const opmux_hdr*(OPMUX_CALL* interface_)(uint32_t id);
} opmux_core_api;

/* ---- Entry and manifest */

#define OPMUX_PF_UNLOADABLE 1u /* dlclose is safe after quiesce */
#define OPMUX_PF_FORK_SAFE 2u
#define OPMUX_PF_PROBE 4u /* opens a vendor's driver: probe it in a child process first */
#define OPMUX_PF_REMOTABLE 8u
#define OPMUX_PF_NEVER_AUTO 16u /* never chosen by `auto` (oracles and mocks) */

#define OPMUX_SAN_NONE 0u
#define OPMUX_SAN_ADDRESS 1u
#define OPMUX_SAN_THREAD 3u

typedef struct opmux_offer {
  opmux_hdr h;
  uint32_t major_min;
  uint32_t major_max;
  uint32_t minor; /* of major_max */
  uint32_t sanitizer;
  opmux_str host_version;
} opmux_offer;

typedef struct opmux_answer {
  opmux_hdr h;
  opmux_status status; /* OPMUX_OK or OPMUX_E_VERSION */
  uint32_t major;      /* chosen */
  uint32_t minor;
  uint32_t need_min; /* majors that the plugin could have done */
  uint32_t need_max;
  uint32_t flags; /* OPMUX_PF_* */
  uint32_t sanitizer;
  uint32_t opset; /* highest op-set that is complete, 0 none */
  opmux_str name;
  opmux_str version;
  opmux_str build_id;
  const opmux_core_api* core;
} opmux_answer;

/* [pure] The one exported symbol, `opmux_plugin_query`. It touches no driver, allocates nothing and starts no
 * thread. */
typedef void(OPMUX_CALL* opmux_plugin_query_fn)(const opmux_offer*, opmux_answer*);
#define OPMUX_PLUGIN_SYMBOL "opmux_plugin_query"

/* Manifest note: ELF section .note.opmux, owner "Opmux", type OPMUX_NOTE_MANIFEST, this descriptor. */
#define OPMUX_NOTE_MANIFEST 1u

#define OPMUX_NOTE_OWNER "Opmux"

typedef struct opmux_manifest {
  uint32_t size; /* of this struct */
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t flags; /* OPMUX_PF_* */
  uint32_t sanitizer;
  uint32_t opset;
  char name[32];    /* zero-terminated, [a-z0-9_-]+ */
  char version[32]; /* zero-terminated */
} opmux_manifest;

/* ---- DEV: devices */

#define OPMUX_DEV_CPU 1u
#define OPMUX_DEV_GPU 2u
#define OPMUX_DEV_ACCEL 3u

#define OPMUX_DF_HOST_MEMORY 1u /* opmux_mem from MEM is directly readable by the host: map is free */
/* enqueue returns after the work is done, on the calling thread; timelines are optional */
#define OPMUX_DF_SYNC_QUEUE 2u
#define OPMUX_DF_UNIFIED 4u

/* features */
#define OPMUX_FEAT_F16 1u
#define OPMUX_FEAT_F64 2u
#define OPMUX_FEAT_I8_DOT 4u
#define OPMUX_FEAT_SUBGROUP 8u
#define OPMUX_FEAT_I64 16u

/* What a query needs to know about a device; a flat snapshot that crosses processes and may outlive the
 * device. */
typedef struct opmux_devinfo {
  opmux_hdr h;
  uint32_t index; /* the plugin's own number, for dev.open */
  uint32_t kind;  /* OPMUX_DEV_* */
  uint32_t flags; /* OPMUX_DF_* */
  uint32_t vendor_id;
  uint32_t device_id;
  uint32_t compute_units;
  uint64_t features;          /* OPMUX_FEAT_* */
  uint64_t memory_bytes;      /* in all, 0 unknown */
  uint64_t max_alloc_bytes;   /* largest single block */
  uint64_t max_binding_bytes; /* largest range one operand may span */
  uint64_t min_align_bytes;   /* of an operand's offset */
  uint64_t max_groups[3];
  uint32_t max_group_size;
  uint32_t shared_bytes;
  uint32_t subgroup_min;
  uint32_t subgroup_max;
  char pci[16]; /* "0000:c1:00.0" or empty */
  uint8_t uuid[16];
  char name[64]; /* zero-terminated */
  char driver[64];
  uint32_t priv_size;
  uint32_t reserved;
  uint8_t priv[256]; /* the plugin's own, for query */
} opmux_devinfo;

typedef struct opmux_dev_api {
  opmux_hdr h; /* tag OPMUX_I_DEV */
  /* [obj] Writes at most cap infos, `stride` bytes apart, each with h.size set by the caller; *count gets how
   * many there are. */
  opmux_status(OPMUX_CALL* enumerate)(opmux_plugin, opmux_devinfo* infos, uint32_t stride, uint32_t cap,
                                      uint32_t* count, opmux_err* err);
  opmux_status(OPMUX_CALL* open)(opmux_plugin, uint32_t index, opmux_dev* out, opmux_err* err);
  void(OPMUX_CALL* close)(opmux_dev);
  /* [mt] Bytes free now, 0 if unknown; OPMUX_E_DEVICE_LOST once lost. */
  opmux_status(OPMUX_CALL* status)(opmux_dev, uint64_t* free_bytes, opmux_err* err);
} opmux_dev_api;

/* ---- MEM: raw blocks; pooling is the host's */

#define OPMUX_MEM_DEVICE 1u /* for kernels */
#define OPMUX_MEM_HOST 2u   /* host-visible and usable as a source of copies */

typedef struct opmux_mem_api {
  opmux_hdr h; /* tag OPMUX_I_MEM; all [mt] */
  opmux_status(OPMUX_CALL* alloc)(opmux_dev, uint32_t kind, uint64_t size_bytes, uint64_t align,
                                  opmux_mem* out, opmux_err* err);
  void(OPMUX_CALL* free_)(opmux_dev, opmux_mem);
  /* Host address of the block for its whole life, or OPMUX_E_UNSUPPORTED. */
  opmux_status(OPMUX_CALL* map)(opmux_dev, opmux_mem, void** out, opmux_err* err);
  /* Wraps the caller's memory without a copy; it must outlive the handle. */
  opmux_status(OPMUX_CALL* import_host)(opmux_dev, void* p, uint64_t size_bytes, opmux_mem* out,
                                        opmux_err* err);
} opmux_mem_api;

/* ---- QUEUE: ordered work and timelines */

typedef struct opmux_wait {
  opmux_tl tl;
  uint64_t value;
} opmux_wait;

/* Where an operand lies. offset is in bytes, at element 0 of the view. actual: the shape of this run when the
 * kernel was prepared for a range of dims, else NULL. */
typedef struct opmux_bind {
  opmux_mem mem;
  uint64_t offset;
  uint64_t size;
  const opmux_tdesc* actual;
} opmux_bind;

/* One launch. arg: inputs (own, then programs'), then outputs; an absent operand has mem 0. Everything it
 * points to need only live until the call returns. ws: at least the workspace of the capability answer.
 * Outputs of a failed run are undefined. */
typedef struct opmux_run {
  opmux_hdr h;
  const opmux_bind* arg;
  const opmux_wait* wait;
  const opmux_wait* signal;
  const void* params; /* values of HOST_SCALAR operands, 8 bytes each, in operand order */
  uint32_t n_arg;
  uint32_t n_wait;
  uint32_t n_signal;
  uint32_t params_size;
  opmux_bind ws;
  uint64_t trace_id;
  uint64_t cancel;
  opmux_kernel kernel;
} opmux_run;

/* Bytes between two blocks of one device, or between a block and host memory (mem 0 and host set). */
typedef struct opmux_copy {
  opmux_hdr h;
  opmux_mem src;
  opmux_mem dst;
  uint64_t src_offset;
  uint64_t dst_offset;
  uint64_t size_bytes;
  const void* src_host;
  void* dst_host;
} opmux_copy;

/* Replaces one bind of a recorded run. */
typedef struct opmux_rebind {
  uint32_t run;
  uint32_t arg;
  opmux_bind bind;
} opmux_rebind;

typedef struct opmux_queue_api {
  opmux_hdr h; /* tag OPMUX_I_QUEUE */
  opmux_status(OPMUX_CALL* create)(opmux_dev, uint32_t flags, opmux_queue* out, opmux_err* err);
  void(OPMUX_CALL* destroy)(opmux_queue);
  /* [obj] In order within a queue. The n copies lie as many bytes apart as the first one's h.size says.
   * Copies from or to plain host memory may be done before the call returns. */
  opmux_status(OPMUX_CALL* copy)(opmux_queue, const opmux_copy* copies, uint32_t n, opmux_err* err);
  opmux_status(OPMUX_CALL* enqueue_many)(opmux_queue, const opmux_run* runs, uint32_t stride, uint32_t n,
                                         opmux_err* err);
  /* [obj] Hands everything to the device and waits for it; the first failure since the last finish is
   * returned here at latest. */
  opmux_status(OPMUX_CALL* finish)(opmux_queue, uint64_t timeout_ns, opmux_err* err);
  /* [obj] Optional: record a sequence once, replay it with other binds. A recording keeps copies of binds and
   * parameters. */
  opmux_status(OPMUX_CALL* record)(opmux_queue, const opmux_run* runs, uint32_t stride, uint32_t n,
                                   opmux_commands* out, opmux_err* err);
  opmux_status(OPMUX_CALL* replay)(opmux_queue, opmux_commands, const opmux_rebind* rebinds, uint32_t n,
                                   opmux_err* err);
  void(OPMUX_CALL* release)(opmux_commands);
  /* Timelines, [mt]: monotone 64-bit counters; a failure travels to every waiter. Optional with
   * OPMUX_DF_SYNC_QUEUE. */
  opmux_status(OPMUX_CALL* tl_create)(opmux_dev, uint64_t value, opmux_tl* out, opmux_err* err);
  void(OPMUX_CALL* tl_destroy)(opmux_tl);
  opmux_status(OPMUX_CALL* tl_wait)(opmux_tl, uint64_t value, uint64_t timeout_ns, opmux_err* err);
  opmux_status(OPMUX_CALL* tl_signal)(opmux_tl, uint64_t value, opmux_err* err);
  /* [obj] Signals the timeline when everything enqueued so far is done. */
  opmux_status(OPMUX_CALL* signal)(opmux_queue, opmux_tl, uint64_t value, opmux_err* err);
  opmux_status(OPMUX_CALL* wait)(opmux_queue, opmux_tl, uint64_t value, opmux_err* err);
} opmux_queue_api;

/* ---- OP: capability, preparation */

#define OPMUX_NO 0u
#define OPMUX_YES 1u

/* Reasons of a NO. why_arg: operand number (inputs, then outputs) unless said otherwise; why_have and
 * why_limit: two numbers. */
#define OPMUX_WHY_NONE 0u
#define OPMUX_WHY_OP 1u /* have: op id */
#define OPMUX_WHY_REVISION 2u
#define OPMUX_WHY_DTYPE 3u   /* have: dtype */
#define OPMUX_WHY_RANK 4u    /* have: rank, limit */
#define OPMUX_WHY_DIM 5u     /* have: extent, limit; the axis is why_axis */
#define OPMUX_WHY_STRIDE 6u  /* have: stride; the axis is why_axis */
#define OPMUX_WHY_ATTR 7u    /* why_arg: byte offset of the attribute */
#define OPMUX_WHY_MEMORY 8u  /* have: bytes, limit */
#define OPMUX_WHY_FEATURE 9u /* have: OPMUX_FEAT_* bit missing */
#define OPMUX_WHY_ACCURACY 10u
#define OPMUX_WHY_PROGRAM 11u /* why_arg: program, have: instruction */
#define OPMUX_WHY_INVALID 12u /* the descriptor makes no sense */
#define OPMUX_WHY_ALIAS 13u
#define OPMUX_WHY_LAYOUT 14u
#define OPMUX_WHY_QUANT 15u

#define OPMUX_COST_NONE 0u
#define OPMUX_COST_MODEL 1u
#define OPMUX_COST_MEASURED 2u

#define OPMUX_ACC_STRICT 1u
#define OPMUX_ACC_ALGEBRAIC 2u

/* Answer for one descriptor. YES promises that prepare with impl_key fails only for want of memory, device
 * loss, cancel or deadline; NO promises that prepare refuses with the same reason. The caller sets h,
 * in_layout and layout_cap. */
typedef struct opmux_cap {
  opmux_hdr h;
  uint32_t verdict; /* OPMUX_NO, OPMUX_YES */
  uint32_t why;
  uint32_t why_arg;
  uint32_t why_axis;
  int64_t why_have;
  int64_t why_limit;
  uint64_t cost_ns;
  uint64_t cost_ns_spread;
  uint64_t prepare_ns;
  uint64_t cost_nj; /* nanojoule, 0 unknown */
  uint64_t ws_min;  /* workspace in bytes */
  uint64_t ws_best;
  uint64_t impl_key;    /* same key: same kernel and accuracy; never 0 with YES */
  uint32_t cost_source; /* OPMUX_COST_* */
  uint32_t accuracy;    /* OPMUX_ACC_* */
  uint32_t deterministic;
  uint32_t inplace_mask; /* bit i: output 0 may share memory with input i */
  uint32_t layout_cap;   /* entries that in_layout has room for */
  uint32_t reserved;
  uint32_t* in_layout; /* preferred opaque layout per input, 0 plain; caller's array, may be NULL */
} opmux_cap;

typedef struct opmux_op_api {
  opmux_hdr h; /* tag OPMUX_I_OP */
  /* [pure] No device needed. caps[i] lies cap_stride bytes apart. Fails only when it cannot answer at all. */
  opmux_status(OPMUX_CALL* query)(const opmux_devinfo* info, uint32_t n, const opmux_opd* const* d,
                                  opmux_cap* caps, uint32_t cap_stride, opmux_err* err);
  /* [mt] Immutable once made; usable from any queue of the device. Copies what it needs of *d. */
  opmux_status(OPMUX_CALL* prepare)(opmux_dev, const opmux_opd* d, uint64_t impl_key, opmux_kernel* out,
                                    opmux_err* err);
  void(OPMUX_CALL* release)(opmux_kernel);
  /* [pure] Optional. Bytes of input `operand` of d in an opaque layout, and the layout_arg for its
   * descriptor. */
  opmux_status(OPMUX_CALL* packed_size)(const opmux_devinfo* info, const opmux_opd* d, uint32_t operand,
                                        uint32_t layout, uint64_t* size_bytes, uint64_t* layout_arg,
                                        opmux_err* err);
  /* [obj] on the queue. Optional. src is the plain operand as d describes it; dst has packed_size bytes.
   * Synchronous. */
  opmux_status(OPMUX_CALL* pack)(opmux_queue, const opmux_opd* d, uint32_t operand, uint32_t layout,
                                 const opmux_bind* src, const opmux_bind* dst, opmux_err* err);
} opmux_op_api;

OPMUX_STATIC_ASSERT(sizeof(opmux_manifest) == 88, "frozen");
OPMUX_STATIC_ASSERT(sizeof(opmux_wait) == 16, "frozen");
OPMUX_STATIC_ASSERT(sizeof(opmux_bind) == 32, "frozen");
OPMUX_STATIC_ASSERT(sizeof(opmux_rebind) == 40, "frozen");

#ifdef __cplusplus
}
#endif
#endif
