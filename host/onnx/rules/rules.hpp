// SPDX-License-Identifier: Apache-2.0
// The groups of import rules, one per file. A rule's name in the table is the ONNX operator's.
#pragma once

#include "host/onnx/rule.hpp"

namespace opmux::onnx_import {

std::span<const Rule> unary_rules();
std::span<const Rule> binary_rules();
std::span<const Rule> activation_rules();
std::span<const Rule> reduce_rules();
std::span<const Rule> matmul_rules();
std::span<const Rule> window_rules();     // convolutions and pools
std::span<const Rule> normalise_rules();  // norms, softmax
std::span<const Rule> shape_rules();      // views and shape arithmetic
std::span<const Rule> slice_rules();      // slice, split, concat, pad, tile
std::span<const Rule> index_rules();      // gather and its kin
std::span<const Rule> constant_rules();   // constants, ranges, masks
std::span<const Rule> control_rules();
std::span<const Rule> quantise_rules();
std::span<const Rule> attention_rules();
std::span<const Rule> flex_attention_rules();
std::span<const Rule> contrib_rules();  // operators of other makers
std::span<const Rule> resize_rules();
std::span<const Rule> image_rules();    // sampling, regions, patches
std::span<const Rule> running_rules();  // running sums and products
std::span<const Rule> loss_rules();
std::span<const Rule> einsum_rules();
std::span<const Rule> scatter_rules();
std::span<const Rule> ngram_rules();
std::span<const Rule> order_rules();      // greatest elements, results counted by the run
std::span<const Rule> random_rules();     // random numbers and what draws them
std::span<const Rule> recurrent_rules();  // layers over sequences
std::span<const Rule> signal_rules();     // Fourier transforms
std::span<const Rule> state_rules();      // layers that carry a state

}  // namespace opmux::onnx_import
