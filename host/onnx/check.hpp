// SPDX-License-Identifier: Apache-2.0
// Sense of a model beyond its syntax.
#pragma once

#include "host/ir/source.hpp"

namespace opmux {

// Every name defined once and before nobody; nodes get sorted so that producers come first (stable); inputs
// that only name an initializer are dropped. Throws Error with one sentence that names the node.
void check_and_sort(SourceModel& model);

// "node 'conv1' (Conv)"; nodes without a name are called by their output: "node of 'y' (Conv)".
std::string describe(const SourceNode& node);

// Names come from a file that may be hostile: control characters become '?', so that a sentence stays one
// line and a terminal stays as it is.
std::string printable(std::string text);

}  // namespace opmux
