/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops/image by tools/codegen; do not edit. */
#ifndef OPMUX_OPS_IMAGE_GEN_H
#define OPMUX_OPS_IMAGE_GEN_H

#include "opmux/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OPMUX_PAD_CONSTANT 1u
#define OPMUX_PAD_REFLECT 2u
#define OPMUX_PAD_EDGE 3u
#define OPMUX_PAD_WRAP 4u

/* pad: in: x, value (rank 0, may be absent: 0; mode constant only); out: y. Negative pads crop. ONNX Pad. */
#define OPMUX_OP_PAD 0x000a0001u
typedef struct opmux_op_pad {
  opmux_opd o;
  uint32_t mode; /* OPMUX_PAD_* */
  uint32_t reserved;
  opmux_slice pad; /* rank begins, then rank ends */
} opmux_op_pad;

#ifdef __cplusplus
}
#endif
#endif
