// SPDX-License-Identifier: Apache-2.0
// What the rules of attention and its kin share.
#pragma once

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {

inline constexpr int64_t kSwapHeads[] = {0, 2, 1, 3}, kSwapLast[] = {0, 1, 3, 2};

// [B, S, H * D] to [B, H, S, D]; attr: what the number of heads is called.
ValueId split_heads(GraphBuilder& b, ValueId v, int64_t heads, const char* attr);
// And back.
ValueId join_heads(GraphBuilder& b, ValueId v);

// a [B, Hq, S, K] times b [B, Hkv, K, T], where head h of a goes with head h / (Hq / Hkv) of b.
ValueId grouped_matmul(GraphBuilder& b, ValueId x, ValueId y);

ValueId softmax_last(GraphBuilder& b, ValueId x);

// Rotary embedding of x [B, H, S, D]; positions [B, S], or kNone.
ValueId rotate(GraphBuilder& b, ValueId x, ValueId cosine, ValueId sine, ValueId positions, bool interleaved);

// Layer or RMS norm over the dims from axis on; outputs y, mean, inverse deviation.
std::vector<ValueId> emit_layer_norm(GraphBuilder& b, uint32_t kind, ValueId x, ValueId scale, ValueId bias,
                                     int64_t axis, float epsilon, size_t n_out);

}  // namespace opmux::onnx_import
