// SPDX-License-Identifier: Apache-2.0
// Convolutions as products of weights, the left operand, and patches: what conv and deform_conv share.
#ifndef OPMUX_CPU_CONV_PRODUCT_HPP
#define OPMUX_CPU_CONV_PRODUCT_HPP

#include "cpu/conv_shape.hpp"
#include "cpu/gemm_op.hpp"

namespace opmux::cpu {

struct ConvProduct {
  ConvShape conv;
  GemmPlan plan;
  bool copy_weights = false;  // their inner dims are not one stride: made contiguous in the workspace first
  uint64_t weights_bytes = 0;

  uint64_t workspace() const { return plan.workspace() + weights_bytes; }
  // The weights as the product takes them; moves ws behind what they need there.
  const void* weights(const void* w, char*& ws) const;
};

// own: inputs of the operator itself, x and w first. custom: the patches are packed by the operator; else x
// is the right operand as it lies.
ConvProduct conv_product(const opmux_opd& d, uint32_t own, bool custom);

// Kernels of one tap without padding, whose patches are x itself.
bool conv_is_pointwise(const ConvShape& c);

// Types, ranks, aliases, epilogue, and the layout of the weights; writes the reason of a refusal.
bool conv_check(const opmux_opd& d, uint32_t own, opmux_cap* cap);
bool conv_check_layout(const opmux_opd& d, const ConvProduct& p, opmux_cap* cap);
// Accepts. extra_flops: beside those of the product.
void conv_yes(const opmux_opd& d, uint32_t own, const ConvProduct& p, double extra_flops,
              const opmux_devinfo* info, opmux_cap* cap);

opmux_status conv_packed_size(const char* name, const opmux_opd& d, const ConvProduct& p, uint32_t i,
                              uint32_t layout, uint64_t* size, uint64_t* arg, opmux_err* err);
opmux_status conv_pack(const char* name, const opmux_host_api* host, const opmux_opd& d, const ConvProduct& p,
                       uint32_t i, uint32_t layout, const void* src, void* dst, opmux_err* err);

}  // namespace opmux::cpu
#endif
