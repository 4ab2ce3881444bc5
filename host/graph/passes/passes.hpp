// SPDX-License-Identifier: Apache-2.0
// Rewrites of a graph before it is placed. Each keeps the graph's meaning and its order, and works alone.
#pragma once

#include "host/graph/dataflow.hpp"
#include "host/ir/builder.hpp"
#include "host/router/router.hpp"

namespace opmux {

// Gives every output a storage of its own kind; an output that is an input, a constant, a view or a second
// name is copied.
void finalise_outputs(Graph& graph);
// Nodes whose results nobody reads.
void drop_dead(Graph& graph);
// Equal operators over equal views become one.
void merge_common(Graph& graph);
// Constant operands of one element become constants within programs.
void inline_scalars(Graph& graph);
// Chains of pointwise nodes become one program, also across reshapes.
void fuse_pointwise(Graph& graph);
// conv(x, w) * scale[channel] becomes conv(x, w * scale).
void fold_scales(Graph& graph, Evaluator& evaluator);
// A pointwise node that alone reads a matmul or convolution becomes its epilogue, where the route that would
// run the operator takes it so.
void fuse_epilogues(Graph& graph, const Router& router);
// A copy of a whole result into a part of another storage (concat) goes: the result is written there at once,
// where its route can.
void elide_copies(Graph& graph, const Router& router);

// All of them in the order that serves best.
void optimise(Graph& graph, const Router& router, Evaluator& evaluator);

}  // namespace opmux
