// SPDX-License-Identifier: Apache-2.0
// The implementations that the files of this folder define, one line each; op_table.cpp orders them.
#ifndef OPMUX_CPU_OPS_OPS_HPP
#define OPMUX_CPU_OPS_OPS_HPP

#include "kit/host_device.h"

namespace opmux::cpu {

extern const kit_op kAttention;          // attention.cpp
extern const kit_op kCol2im;             // col2im.cpp
extern const kit_op kConv;               // conv.cpp
extern const kit_op kConvDepthwise;      // conv_depthwise.cpp
extern const kit_op kConvTranspose;      // conv_transpose.cpp
extern const kit_op kCopy;               // copy.cpp
extern const kit_op kDeformConv;         // deform_conv.cpp
extern const kit_op kEmbeddingBag;       // embedding_bag.cpp
extern const kit_op kFill;               // fill.cpp
extern const kit_op kGather;             // gather.cpp
extern const kit_op kGatherElements;     // gather_elements.cpp
extern const kit_op kGatherNd;           // gather_nd.cpp
extern const kit_op kGridSample;         // grid_sample.cpp
extern const kit_op kGroupNorm;          // group_norm.cpp
extern const kit_op kHistogram;          // histogram.cpp
extern const kit_op kIota;               // iota.cpp
extern const kit_op kKvAppend;           // kv_append.cpp
extern const kit_op kLayerNorm;          // layer_norm.cpp
extern const kit_op kLrn;                // lrn.cpp
extern const kit_op kMatmul;             // matmul.cpp
extern const kit_op kNonMaxSuppression;  // non_max_suppression.cpp
extern const kit_op kNonZero;            // non_zero.cpp
extern const kit_op kOneHot;             // one_hot.cpp
extern const kit_op kPad;                // pad.cpp
extern const kit_op kPagedAttention;     // paged_attention.cpp
extern const kit_op kPointwise;          // pointwise.cpp
extern const kit_op kPool;               // pool.cpp
extern const kit_op kReduce;             // reduce.cpp
extern const kit_op kResize;             // resize.cpp
extern const kit_op kRoiAlign;           // roi_align.cpp
extern const kit_op kRotary;             // rotary.cpp
extern const kit_op kScan;               // scan.cpp
extern const kit_op kScatterElements;    // scatter_elements.cpp
extern const kit_op kScatterNd;          // scatter_nd.cpp
extern const kit_op kSegment;            // segment.cpp
extern const kit_op kSoftmax;            // softmax.cpp
extern const kit_op kSort;               // sort.cpp
extern const kit_op kTensorStats;        // tensor_stats.cpp
extern const kit_op kTopK;               // top_k.cpp
extern const kit_op kUnique;             // unique.cpp

extern const kit_op kDynamicQuantise;  // dynamic_quantise.cpp
extern const kit_op kGroupedMatmul;    // grouped_matmul.cpp
extern const kit_op kMatmulShort;      // quant_matmul.cpp
extern const kit_op kQuantMatmul;      // quant_matmul.cpp
extern const kit_op kDet;              // det.cpp
extern const kit_op kDft;              // dft.cpp
extern const kit_op kLinearAttention;  // linear_attention.cpp
extern const kit_op kRandom;           // random.cpp
extern const kit_op kRecurrent;        // recurrent.cpp
extern const kit_op kSample;           // sample.cpp
extern const kit_op kSelectiveScan;    // selective_scan.cpp
extern const kit_op kSpeculative;      // speculative.cpp

}  // namespace opmux::cpu
#endif
