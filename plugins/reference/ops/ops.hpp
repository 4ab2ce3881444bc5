// SPDX-License-Identifier: Apache-2.0
// One file per operator; each says what it computes and how it treats the corners.
#pragma once

#include "reference/job.hpp"

namespace opmux::reference {

void fill(Job&);
void iota(Job&);
void copy(Job&);
void matmul(Job&);
void quant_matmul(Job&);
void grouped_matmul(Job&);
void dynamic_quantise(Job&);
void pointwise(Job&);
void reduce(Job&);
void gather(Job&);
void gather_elements(Job&);
void gather_nd(Job&);
void one_hot(Job&);
void scatter_elements(Job&);
void scatter_nd(Job&);
void scan(Job&);
void histogram(Job&);
void tensor_stats(Job&);
void segment(Job&);
void embedding_bag(Job&);
void sort(Job&);
void top_k(Job&);
void non_zero(Job&);
void unique(Job&);
void conv(Job&);
void conv_transpose(Job&);
void pool(Job&);
void softmax(Job&);
void layer_norm(Job&);
void group_norm(Job&);
void lrn(Job&);
void attention(Job&);
void paged_attention(Job&);
void kv_append(Job&);
void rotary(Job&);
void pad(Job&);
void grid_sample(Job&);
void col2im(Job&);
void roi_align(Job&);
void resize(Job&);
void non_max_suppression(Job&);
void deform_conv(Job&);
void det(Job&);
void random(Job&);
void recurrent(Job&);
void dft(Job&);
void linear_attention(Job&);
void sample(Job&);
void selective_scan(Job&);
void speculative(Job&);

}  // namespace opmux::reference
