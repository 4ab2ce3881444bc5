// SPDX-License-Identifier: Apache-2.0
// The operators, each in the file of its name, as op_table.cpp lists them.
#pragma once

#include "gpu/op_table.hpp"
#include "gpu/ops/step.hpp"

namespace opmux::gpu {

bool plan_attention(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_col2im(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_conv(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_conv_direct(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_conv_product(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_conv_transpose(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_conv_transpose_direct(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap,
                                KernelPlan* plan);
bool plan_conv_winograd(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_copy(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_deform_conv(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_det(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_dft(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_dynamic_quantise(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_embedding_bag(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_gather(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_gather_elements(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_gather_nd(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_grid_sample(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_group_norm(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_grouped_matmul(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_histogram(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_iota(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_kv_append(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_layer_norm(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_linear_attention(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_lrn(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_matmul(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_non_max_suppression(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap,
                              KernelPlan* plan);
bool plan_non_zero(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_one_hot(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_pad(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_paged_attention(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_pointwise(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_pool(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_quant_matmul(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_random(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_recurrent(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_reduce(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_resize(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_roi_align(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_rotary(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_sample(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_scan(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_scatter_elements(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_scatter_nd(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_segment(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_selective_scan(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_softmax(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_sort(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_speculative(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_tensor_stats(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_top_k(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);
bool plan_unique(const opmux_devinfo& info, const opmux_opd& d, opmux_cap& cap, KernelPlan* plan);

// Operand `to` = operand `from`, broadcast.
Step copy_step(const opmux_devinfo& info, const opmux_opd& d, uint32_t from, uint32_t to);

}  // namespace opmux::gpu
