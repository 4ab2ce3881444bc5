// SPDX-License-Identifier: Apache-2.0
#include "cpu/op_table.hpp"

#include <iterator>

#include "cpu/ops/ops.hpp"

namespace opmux::cpu {

// The entries are constants of other files, so copying them here at load depends on no order of
// initialisation.
const kit_op kOps[] = {
    kMatmulShort,
    kMatmul,
    kQuantMatmul,
    kGroupedMatmul,
    kConvDepthwise,
    kConv,
    kConvTranspose,
    kPool,
    //
    kPointwise,
    kCopy,
    kFill,
    kIota,
    kGather,
    kGatherElements,
    kGatherNd,
    kOneHot,
    kScatterElements,
    kScatterNd,
    kSegment,
    kEmbeddingBag,
    kSort,
    kTopK,
    kNonZero,
    kUnique,
    kPad,
    kGridSample,
    kCol2im,
    kRoiAlign,
    kResize,
    kNonMaxSuppression,
    kDeformConv,
    kAttention,
    kPagedAttention,
    kKvAppend,
    kRotary,
    kLrn,
    kDynamicQuantise,
    kReduce,
    kScan,
    kHistogram,
    kTensorStats,
    kSoftmax,
    kLayerNorm,
    kGroupNorm,
    kDet,
    kRandom,
    kRecurrent,
    kDft,
    kLinearAttention,
    kSample,
    kSelectiveScan,
    kSpeculative,
};
const uint32_t kOpCount = static_cast<uint32_t>(std::size(kOps));

}  // namespace opmux::cpu
