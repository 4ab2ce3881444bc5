/* SPDX-License-Identifier: Apache-2.0
 * The line between libopmux and libopmux_onnx.so, which keeps protobuf to itself. The library turns bytes of
 * an ONNX model into a tree of plain structures and hands it to a callback; it opens no file, and keeps
 * nothing. Both sides are built together; OPMUX_ONNX_READER is compared to refuse a library of another build.
 */
#ifndef OPMUX_ONNX_READER_H
#define OPMUX_ONNX_READER_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OPMUX_ONNX_READER 1u

/* A tensor whose values, if they are here, fit its dims exactly: packed, little-endian, low bits first. */
typedef struct opmux_onnx_tensor {
  opmux_str name;
  int32_t data_type; /* as the file says it: TensorProto.DataType */
  uint32_t dtype;    /* OPMUX_*, OPMUX_NONE if this runtime has no such type: then there are no values */
  uint32_t n_dim;
  uint32_t in_input; /* values lie in the bytes that were given, and live as long as those */
  const int64_t* dim;
  opmux_span values;
  uint32_t is_external; /* values lie in a file of their own: */
  uint32_t reserved;
  opmux_str location;
  uint64_t offset, length; /* length OPMUX_ONNX_WHOLE: not stated */
} opmux_onnx_tensor;
#define OPMUX_ONNX_WHOLE (~(uint64_t)0)

typedef struct opmux_onnx_dim {
  int64_t value; /* -1: symbolic or unknown */
  opmux_str symbol;
} opmux_onnx_dim;

#define OPMUX_ONNX_TENSOR 0u
#define OPMUX_ONNX_UNTYPED 1u /* no type is stated */
#define OPMUX_ONNX_SEQUENCE 2u
#define OPMUX_ONNX_MAP 3u
#define OPMUX_ONNX_OPTIONAL 4u
#define OPMUX_ONNX_SPARSE 5u
#define OPMUX_ONNX_OPAQUE 6u

/* Input or output of a graph. */
typedef struct opmux_onnx_value {
  opmux_str name;
  uint32_t kind; /* OPMUX_ONNX_TENSOR.. */
  int32_t data_type;
  uint32_t dtype;
  uint32_t has_shape;
  uint32_t n_dim, reserved;
  const opmux_onnx_dim* dim;
} opmux_onnx_value;

/* Kinds of attributes; OTHER: sparse tensors and types, which only carry their name. */
#define OPMUX_ONNX_ATTR_FLOAT 1u
#define OPMUX_ONNX_ATTR_INT 2u
#define OPMUX_ONNX_ATTR_STRING 3u
#define OPMUX_ONNX_ATTR_TENSOR 4u
#define OPMUX_ONNX_ATTR_GRAPH 5u
#define OPMUX_ONNX_ATTR_FLOATS 6u
#define OPMUX_ONNX_ATTR_INTS 7u
#define OPMUX_ONNX_ATTR_STRINGS 8u
#define OPMUX_ONNX_ATTR_REFERENCE 9u /* to attribute `s` of the enclosing function */
#define OPMUX_ONNX_ATTR_OTHER 10u

struct opmux_onnx_graph;

typedef struct opmux_onnx_attr {
  opmux_str name;
  uint32_t kind;
  float f;
  int64_t i;
  opmux_str s;
  uint64_t count; /* of the list kinds */
  const float* floats;
  const int64_t* ints;
  const opmux_str* strings;
  const opmux_onnx_tensor* tensor;
  const struct opmux_onnx_graph* graph;
} opmux_onnx_attr;

typedef struct opmux_onnx_node {
  opmux_str name, op_type, domain, overload;
  const opmux_str *input, *output; /* an empty one is an absent operand */
  const opmux_onnx_attr* attr;
  uint32_t n_input, n_output, n_attr, reserved;
} opmux_onnx_node;

typedef struct opmux_onnx_graph {
  opmux_str name;
  const opmux_onnx_node* node;
  const opmux_onnx_tensor* initializer;
  const opmux_onnx_value *input, *output;
  uint32_t n_node, n_initializer, n_input, n_output;
} opmux_onnx_graph;

typedef struct opmux_onnx_opset {
  opmux_str domain;
  int64_t version;
} opmux_onnx_opset;

typedef struct opmux_onnx_function {
  opmux_str domain, name, overload;
  const opmux_str *input, *output, *attr_name;
  const opmux_onnx_attr* attr_default;
  const opmux_onnx_node* node;
  const opmux_onnx_opset* opset;
  uint32_t n_input, n_output, n_attr_name, n_attr_default, n_node, n_opset;
} opmux_onnx_function;

typedef struct opmux_onnx_metadata {
  opmux_str key, value;
} opmux_onnx_metadata;

typedef struct opmux_onnx_model {
  opmux_str producer, producer_version;
  int64_t ir_version;
  const opmux_onnx_opset* opset;
  const opmux_onnx_metadata* metadata;
  const opmux_onnx_function* function;
  uint32_t n_opset, n_metadata, n_function, reserved;
  opmux_onnx_graph graph;
} opmux_onnx_model;

/* The tree lives until the sink returns, its tensors with in_input as long as the caller's bytes. A status
 * other than OPMUX_OK ends the call with it. No exception may leave a sink. */
typedef opmux_status(OPMUX_CALL* opmux_onnx_model_sink)(void* context, const opmux_onnx_model* model);
typedef opmux_status(OPMUX_CALL* opmux_onnx_tensor_sink)(void* context, const opmux_onnx_tensor* tensor);

/* [pure] Reads a model. version: OPMUX_ONNX_READER of the caller. Bad bytes are OPMUX_E_INVALID with a
 * sentence. */
OPMUX_EXPORT opmux_status OPMUX_CALL opmux_onnx_read(uint32_t version, opmux_span bytes,
                                                     opmux_onnx_model_sink sink, void* context,
                                                     opmux_err* err);
/* [pure] Reads a single TensorProto, as ONNX test data have them. */
OPMUX_EXPORT opmux_status OPMUX_CALL opmux_onnx_read_tensor(uint32_t version, opmux_span bytes,
                                                            opmux_onnx_tensor_sink sink, void* context,
                                                            opmux_err* err);

typedef opmux_status(OPMUX_CALL* opmux_onnx_read_fn)(uint32_t, opmux_span, opmux_onnx_model_sink, void*,
                                                     opmux_err*);
typedef opmux_status(OPMUX_CALL* opmux_onnx_read_tensor_fn)(uint32_t, opmux_span, opmux_onnx_tensor_sink,
                                                            void*, opmux_err*);

#ifdef __cplusplus
}
#endif
#endif
