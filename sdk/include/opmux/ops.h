/* SPDX-License-Identifier: Apache-2.0
 * Generated from schemas/ops by tools/codegen; do not edit.
 * All operator descriptors. Operator id = family << 16 | number, never reused. */
#ifndef OPMUX_OPS_H
#define OPMUX_OPS_H

#include "opmux/ops/attention.gen.h"
#include "opmux/ops/conv.gen.h"
#include "opmux/ops/image.gen.h"
#include "opmux/ops/index.gen.h"
#include "opmux/ops/matmul.gen.h"
#include "opmux/ops/memory.gen.h"
#include "opmux/ops/normalise.gen.h"
#include "opmux/ops/pointwise.gen.h"
#include "opmux/ops/pool.gen.h"
#include "opmux/ops/position.gen.h"
#include "opmux/ops/quantise.gen.h"
#include "opmux/ops/recurrent.gen.h"
#include "opmux/ops/reduce.gen.h"
#include "opmux/ops/sampling.gen.h"
#include "opmux/ops/signal.gen.h"
#include "opmux/ops/sort.gen.h"
#include "opmux/ops/state.gen.h"
#include "opmux/ops/watch.gen.h"

#endif
