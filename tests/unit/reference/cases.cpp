// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/reference/cases.hpp"

namespace opmux::test {
namespace {

using kit::tensor;
constexpr uint32_t F = OPMUX_F32, I = OPMUX_I64;

// Attributes that conv and conv_transpose share.
template <class D>
void convolution(D& d) {
  d->group = 1;
  d->acc_dtype = F;
  d->stride = d.list({1, 2});
  d->dilation = d.list({1, 1});
  d->pad = d.list({1, 1, 1, 1});
}

std::vector<Case> window_cases() {
  return {
      make_case<opmux_op_conv>(
          "conv", OPMUX_OP_CONV,
          [](auto& d) {
            d.in(tensor(F, {1, 2, 5, 5})).in(tensor(F, {3, 2, 3, 3})).in(tensor(F, {3, 1, 1}));
            d.out(tensor(F, {1, 3, 5, 3})).program(bias_epilogue());
            convolution(d);
          }),
      make_case<opmux_op_conv_transpose>("conv_transpose", OPMUX_OP_CONV_TRANSPOSE,
                                         [](auto& d) {
                                           d.in(tensor(F, {1, 2, 3, 3})).in(tensor(F, {2, 4, 3, 3}));
                                           d.out(tensor(F, {1, 4, 3, 5}));
                                           convolution(d);
                                         }),
      make_case<opmux_op_pool>(
          "pool", OPMUX_OP_POOL,
          [](auto& d) {
            d.in(tensor(F, {1, 2, 6, 6})).out(tensor(F, {1, 2, 3, 3})).out(tensor(I, {1, 2, 3, 3}));
            d->kind = OPMUX_POOL_MAX;
            d->kernel = d.list({2, 2});
            d->stride = d.list({2, 2});
            d->dilation = d.list({1, 1});
            d->pad = d.list({0, 0, 0, 0});
          }),
  };
}

std::vector<Case> sequence_cases() {
  return {
      make_case<opmux_op_recurrent>(
          "recurrent", OPMUX_OP_RECURRENT,
          [](auto& d) {
            d.in(tensor(F, {4, 2, 3})).in(tensor(F, {1, 20, 3})).in(tensor(F, {1, 20, 5}));
            d.in(tensor(F, {1, 40})).in(tensor(I, {2})).in(tensor(F, {1, 2, 5}));
            d.in(tensor(F, {1, 2, 5})).in(tensor(F, {1, 15}));
            d.out(tensor(F, {4, 1, 2, 5})).out(tensor(F, {1, 2, 5}));
            d->kind = OPMUX_RECURRENT_LSTM;
            d->direction = OPMUX_DIRECTION_REVERSE;
            d->activation0 = OPMUX_ACT_SIGMOID;
            d->activation1 = d->activation2 = OPMUX_ACT_TANH;
          }),
      make_case<opmux_op_random>("random", OPMUX_OP_RANDOM,
                                 [](auto& d) {
                                   d.in(tensor(OPMUX_U64, {})).in(tensor(OPMUX_U64, {}));
                                   d.in(tensor(F, {})).in(tensor(F, {})).out(tensor(F, {3, 5}));
                                   d->kind = OPMUX_RANDOM_NORMAL;
                                 }),
      make_case<opmux_op_linear_attention>(
          "linear_attention", OPMUX_OP_LINEAR_ATTENTION,
          [](auto& d) {
            d.in(tensor(F, {1, 4, 3, 2})).in(tensor(F, {1, 2, 3, 2})).in(tensor(F, {1, 2, 3, 5}));
            d.in(tensor(F, {1, 2, 2, 5})).in(tensor(F, {1, 2, 3, 1})).in(tensor(F, {1, 1, 3, 1}));
            d.out(tensor(F, {1, 4, 3, 5})).out(tensor(F, {1, 2, 2, 5}));
          }),
      make_case<opmux_op_selective_scan>(
          "selective_scan", OPMUX_OP_SELECTIVE_SCAN,
          [](auto& d) {
            d.in(tensor(F, {1, 3, 4})).in(tensor(F, {1, 3, 4})).in(tensor(F, {4, 2}));
            d.in(tensor(F, {1, 3, 2, 2})).in(tensor(F, {1, 3, 2, 2}));
            d.in(tensor(F, {4})).in(tensor(F, {1, 4, 2}));
            d.out(tensor(F, {1, 3, 4})).out(tensor(F, {1, 4, 2}));
          }),
  };
}

std::vector<Case> drawing_cases() {
  return {
      make_case<opmux_op_dft>("dft", OPMUX_OP_DFT,
                              [](auto& d) {
                                d.in(tensor(F, {2, 6, 1})).out(tensor(F, {2, 5, 2}));
                                d->axis = 1;
                                d->length = 8;
                                d->onesided = 1;
                              }),
      make_case<opmux_op_speculative>(
          "speculative", OPMUX_OP_SPECULATIVE,
          [](auto& d) {
            d.in(tensor(I, {2, 3})).in(tensor(F, {2, 3, 5})).in(tensor(F, {2, 4, 5}));
            d.in(tensor(OPMUX_U64, {})).in(tensor(OPMUX_U64, {}));
            d.out(tensor(I, {2, 4})).out(tensor(I, {2}));
          }),
      make_case<opmux_op_sample>(
          "sample", OPMUX_OP_SAMPLE,
          [](auto& d) {
            d.in(tensor(F, {2, 7})).in(tensor(F, {})).in(tensor(I, {})).in(tensor(F, {}));
            d.in(tensor(F, {})).in(tensor(F, {})).in(tensor(OPMUX_U64, {}));
            d.in(tensor(OPMUX_U64, {})).in(tensor(I, {2, 3}));
            d.out(tensor(I, {2})).out(tensor(F, {2}));
          }),
      make_case<opmux_op_det>("det", OPMUX_OP_DET,
                              [](auto& d) { d.in(tensor(F, {2, 3, 3})).out(tensor(F, {2})); }),
  };
}

std::vector<Case> index_cases() {
  return {
      make_case<opmux_op_scatter_elements>(
          "scatter_elements", OPMUX_OP_SCATTER_ELEMENTS,
          [](auto& d) {
            d.in(tensor(F, {3, 4})).in(tensor(I, {3, 2})).in(tensor(F, {3, 2})).out(tensor(F, {3, 4}));
            d->axis = 1;
            d->reduction = OPMUX_SCATTER_ADD;
          }),
      make_case<opmux_op_scatter_nd>(
          "scatter_nd", OPMUX_OP_SCATTER_ND,
          [](auto& d) {
            d.in(tensor(F, {3, 4})).in(tensor(I, {5, 1})).in(tensor(F, {5, 4})).out(tensor(F, {3, 4}));
            d->reduction = OPMUX_SCATTER_SET;
          }),
      make_case<opmux_op_gather>("gather", OPMUX_OP_GATHER,
                                 [](auto& d) {
                                   d.in(tensor(F, {3, 4})).in(tensor(I, {5})).out(tensor(F, {3, 5}));
                                   d->axis = 1;
                                 }),
      make_case<opmux_op_gather_elements>(
          "gather_elements", OPMUX_OP_GATHER_ELEMENTS,
          [](auto& d) {
            d.in(tensor(F, {3, 4})).in(tensor(I, {3, 2})).out(tensor(F, {3, 2}));
            d->axis = 1;
          }),
      make_case<opmux_op_gather_nd>(
          "gather_nd", OPMUX_OP_GATHER_ND,
          [](auto& d) { d.in(tensor(F, {3, 4, 2})).in(tensor(I, {5, 2})).out(tensor(F, {5, 2})); }),
      make_case<opmux_op_one_hot>("one_hot", OPMUX_OP_ONE_HOT,
                                  [](auto& d) {
                                    d.in(tensor(I, {4})).in(tensor(F, {2})).out(tensor(F, {4, 6}));
                                    d->axis = 1;
                                  }),
      make_case<opmux_op_pad>("pad", OPMUX_OP_PAD,
                              [](auto& d) {
                                d.in(tensor(F, {3, 4})).in(tensor(F, {})).out(tensor(F, {6, 4}));
                                d->mode = OPMUX_PAD_CONSTANT;
                                d->pad = d.list({1, -1, 2, 1});
                              }),
  };
}

std::vector<Case> image_cases() {
  return {
      make_case<opmux_op_grid_sample>(
          "grid_sample", OPMUX_OP_GRID_SAMPLE,
          [](auto& d) {
            d.in(tensor(F, {1, 2, 4, 3})).in(tensor(F, {1, 2, 3, 2})).out(tensor(F, {1, 2, 2, 3}));
            d->mode = OPMUX_INTERPOLATE_LINEAR;
            d->outside = OPMUX_OUTSIDE_REFLECTION;
          }),
      make_case<opmux_op_col2im>("col2im", OPMUX_OP_COL2IM,
                                 [](auto& d) {
                                   d.in(tensor(F, {1, 8, 6})).out(tensor(F, {1, 2, 3, 4}));
                                   d->image = d.list({3, 4});
                                   d->kernel = d.list({2, 2});
                                   d->stride = d.list({1, 1});
                                   d->dilation = d.list({1, 1});
                                   d->pad = d.list({0, 0, 0, 0});
                                 }),
      make_case<opmux_op_resize>("resize", OPMUX_OP_RESIZE,
                                 [](auto& d) {
                                   d.in(tensor(F, {2, 3, 4})).in(tensor(F, {2})).out(tensor(F, {2, 5, 3}));
                                   d->mode = OPMUX_INTERPOLATE_LINEAR;
                                   d->coordinates = OPMUX_RESIZE_HALF_PIXEL;
                                   d->rounding = OPMUX_ROUND_FLOOR;
                                   d->axes = d.list({1, 2});
                                 }),
      make_case<opmux_op_non_max_suppression>(
          "non_max_suppression", OPMUX_OP_NON_MAX_SUPPRESSION,
          [](auto& d) {
            d.in(tensor(F, {1, 5, 4})).in(tensor(F, {1, 2, 5})).in(tensor(I, {})).in(tensor(F, {}));
            d.out(tensor(I, {10, 3})).out(tensor(I, {}));
          }),
      make_case<opmux_op_deform_conv>(
          "deform_conv", OPMUX_OP_DEFORM_CONV,
          [](auto& d) {
            d.in(tensor(F, {1, 2, 5, 5})).in(tensor(F, {3, 2, 3, 3})).in(tensor(F, {1, 18, 5, 3}));
            d.in(kit::absent())
                .in(tensor(F, {3, 1, 1}))
                .out(tensor(F, {1, 3, 5, 3}))
                .program(bias_epilogue());
            convolution(d);
            d->offset_group = 1;
          }),
      make_case<opmux_op_roi_align>("roi_align", OPMUX_OP_ROI_ALIGN,
                                    [](auto& d) {
                                      d.in(tensor(F, {2, 2, 4, 4}))
                                          .in(tensor(F, {3, 4}))
                                          .in(tensor(I, {3}))
                                          .out(tensor(F, {3, 2, 2, 2}));
                                      d->kind = OPMUX_ROI_AVERAGE;
                                      d->height = d->width = 2;
                                      d->samples = 2;
                                      d->spatial_scale = 1;
                                    }),
  };
}

std::vector<Case> sort_cases() {
  return {
      make_case<opmux_op_sort>("sort", OPMUX_OP_SORT,
                               [](auto& d) {
                                 d.in(tensor(F, {3, 7})).out(tensor(F, {3, 7})).out(tensor(I, {3, 7}));
                                 d->axis = 1;
                               }),
      make_case<opmux_op_top_k>("top_k", OPMUX_OP_TOP_K,
                                [](auto& d) {
                                  d.in(tensor(F, {3, 7})).out(tensor(F, {3, 2})).out(tensor(I, {3, 2}));
                                  d->axis = 1;
                                  d->k = 2;
                                  d->largest = d->sorted = 1;
                                }),
      make_case<opmux_op_scan>("scan", OPMUX_OP_SCAN,
                               [](auto& d) {
                                 d.in(tensor(F, {3, 7})).out(tensor(F, {3, 7}));
                                 d->kind = OPMUX_SCAN_SUM;
                                 d->axis = 1;
                               }),
      make_case<opmux_op_histogram>("histogram", OPMUX_OP_HISTOGRAM,
                                    [](auto& d) {
                                      d.in(tensor(F, {3, 7})).in(tensor(F, {})).in(tensor(F, {}));
                                      d.out(tensor(I, {4}));
                                      d->bins = 4;
                                    }),
      make_case<opmux_op_tensor_stats>(
          "tensor_stats", OPMUX_OP_TENSOR_STATS,
          [](auto& d) { d.in(tensor(F, {3, 7})).out(tensor(I, {3})).out(tensor(OPMUX_F64, {5})); }),
      make_case<opmux_op_segment>("segment", OPMUX_OP_SEGMENT,
                                  [](auto& d) {
                                    d.in(tensor(F, {5, 3})).in(tensor(I, {5})).out(tensor(F, {4, 3}));
                                    d->kind = OPMUX_SEGMENT_MEAN;
                                    d->segments = 4;
                                  }),
      make_case<opmux_op_embedding_bag>("embedding_bag", OPMUX_OP_EMBEDDING_BAG,
                                        [](auto& d) {
                                          d.in(tensor(F, {5, 3})).in(tensor(I, {6})).in(tensor(I, {3}));
                                          d.in(tensor(F, {6})).out(tensor(F, {2, 3}));
                                          d->kind = OPMUX_BAG_SUM;
                                        }),
      make_case<opmux_op_non_zero>(
          "non_zero", OPMUX_OP_NON_ZERO,
          [](auto& d) { d.in(tensor(F, {3, 4})).out(tensor(I, {2, 12})).out(tensor(I, {})); }),
      make_case<opmux_op_unique>("unique", OPMUX_OP_UNIQUE,
                                 [](auto& d) {
                                   d.in(tensor(F, {3, 4})).out(tensor(F, {3, 4})).out(tensor(I, {4}));
                                   d.out(tensor(I, {4})).out(tensor(I, {4})).out(tensor(I, {}));
                                   d->axis = 1;
                                   d->sorted = 1;
                                 }),
  };
}

std::vector<Case> product_cases() {
  return {
      make_case<opmux_op_matmul>("matmul", OPMUX_OP_MATMUL,
                                 [](auto& d) {
                                   d.in(tensor(F, {2, 3, 4})).in(tensor(F, {4, 5})).in(tensor(F, {5}));
                                   d.out(tensor(F, {2, 3, 5})).program(bias_epilogue());
                                   d->acc_dtype = F;
                                 }),
      make_case<opmux_op_quant_matmul>(
          "quant_matmul", OPMUX_OP_QUANT_MATMUL,
          [](auto& d) {
            d.in(tensor(F, {2, 3, 40})).in(tensor(OPMUX_I8, {40, 5})).in(kit::absent()).in(kit::absent());
            d.in(tensor(F, {2, 5})).in(tensor(OPMUX_I8, {2, 5})).in(tensor(F, {5}));
            d.out(tensor(F, {2, 3, 5})).program(bias_epilogue());
            d->acc_dtype = F;
            d->b_group = 32;
          }),
      make_case<opmux_op_grouped_matmul>(
          "grouped_matmul", OPMUX_OP_GROUPED_MATMUL,
          [](auto& d) {
            d.in(tensor(F, {6, 4})).in(tensor(F, {2, 4, 5})).in(tensor(OPMUX_I32, {3}));
            d.out(tensor(F, {6, 5}));
            d->acc_dtype = F;
          }),
      make_case<opmux_op_dynamic_quantise>("dynamic_quantise", OPMUX_OP_DYNAMIC_QUANTISE,
                                           [](auto& d) {
                                             d.in(tensor(F, {3, 40})).out(tensor(OPMUX_U8, {3, 40}));
                                             d.out(tensor(F, {3, 2})).out(tensor(OPMUX_U8, {3, 2}));
                                             d->axis = 1;
                                             d->block = 32;
                                             d->dtype = OPMUX_U8;
                                           }),
  };
}

std::vector<Case> norm_cases() {
  return {
      make_case<opmux_op_softmax>("softmax", OPMUX_OP_SOFTMAX,
                                  [](auto& d) {
                                    d.in(tensor(F, {3, 5})).out(tensor(F, {3, 5}));
                                    d->kind = OPMUX_SOFTMAX_PLAIN;
                                    d->axis = 1;
                                  }),
      make_case<opmux_op_layer_norm>("layer_norm", OPMUX_OP_LAYER_NORM,
                                     [](auto& d) {
                                       d.in(tensor(F, {3, 5})).in(tensor(F, {5})).in(tensor(F, {5}));
                                       d.out(tensor(F, {3, 5})).out(tensor(F, {3, 1})).out(tensor(F, {3, 1}));
                                       d->kind = OPMUX_NORM_LAYER;
                                       d->axis = 1;
                                       d->epsilon = 1e-5f;
                                     }),
      make_case<opmux_op_group_norm>("group_norm", OPMUX_OP_GROUP_NORM,
                                     [](auto& d) {
                                       d.in(tensor(F, {2, 4, 3})).in(tensor(F, {4})).in(tensor(F, {4}));
                                       d.out(tensor(F, {2, 4, 3}));
                                       d->groups = 2;
                                       d->epsilon = 1e-5f;
                                     }),
      make_case<opmux_op_lrn>("lrn", OPMUX_OP_LRN,
                              [](auto& d) {
                                d.in(tensor(F, {1, 5, 3})).out(tensor(F, {1, 5, 3}));
                                d->size = 3;
                                d->alpha = d->beta = d->bias = 1;
                              }),
  };
}

std::vector<Case> attention_cases() {
  return {
      make_case<opmux_op_paged_attention>(
          "paged_attention", OPMUX_OP_PAGED_ATTENTION,
          [](auto& d) {
            d.in(tensor(F, {3, 4, 8})).in(tensor(F, {5, 2, 2, 8})).in(tensor(F, {5, 2, 2, 6}));
            d.in(tensor(I, {2, 3})).in(tensor(I, {2})).in(tensor(I, {3}));
            d.out(tensor(F, {3, 4, 6})).out(tensor(F, {3, 4}));
            d->window = -1;
          }),
      make_case<opmux_op_kv_append>("kv_append", OPMUX_OP_KV_APPEND,
                                    [](auto& d) {
                                      d.in(tensor(F, {5, 2, 2, 8})).in(tensor(F, {3, 2, 8}));
                                      d.in(tensor(I, {3})).out(tensor(F, {5, 2, 2, 8})).alias({1});
                                    }),
      make_case<opmux_op_rotary>("rotary", OPMUX_OP_ROTARY,
                                 [](auto& d) {
                                   d.in(tensor(F, {1, 2, 3, 8})).in(tensor(F, {5, 4})).in(tensor(F, {5, 4}));
                                   d.in(tensor(I, {1, 3})).out(tensor(F, {1, 2, 3, 8}));
                                 }),
      make_case<opmux_op_attention>("attention", OPMUX_OP_ATTENTION,
                                    [](auto& d) {
                                      d.in(tensor(F, {1, 4, 3, 8})).in(tensor(F, {1, 2, 5, 8}));
                                      d.in(tensor(F, {1, 2, 5, 6})).in(tensor(OPMUX_BOOL, {3, 5}));
                                      d.out(tensor(F, {1, 4, 3, 6}));
                                      d->causal = 1;
                                      d->window = -1;
                                    }),
      make_case<opmux_op_attention>(
          "attention_with_state", OPMUX_OP_ATTENTION,
          [](auto& d) {
            d.in(tensor(F, {1, 2, 1, 4})).in(tensor(F, {1, 2, 1, 4})).in(tensor(F, {1, 2, 1, 4}));
            d.in(kit::absent()).in(tensor(F, {1, 2, 6, 4})).in(tensor(F, {1, 2, 6, 4}));
            d.in(tensor(I, {})).out(tensor(F, {1, 2, 1, 4}));
            d.out(tensor(F, {1, 2, 6, 4})).out(tensor(F, {1, 2, 6, 4})).alias({0, 5, 6});
            d->causal = 1;
            d->window = -1;
          }),
  };
}

}  // namespace

std::vector<Case> all_cases() {
  std::vector<Case> cases = {
      make_case<opmux_op_fill>("fill", OPMUX_OP_FILL,
                               [](auto& d) { d.in(tensor(F, {})).out(tensor(F, {2, 3})); }),
      make_case<opmux_op_iota>("iota", OPMUX_OP_IOTA,
                               [](auto& d) { d.in(tensor(I, {})).in(tensor(I, {})).out(tensor(I, {7})); }),
      make_case<opmux_op_copy>("copy", OPMUX_OP_COPY,
                               [](auto& d) { d.in(kit::strided(F, {2, 3}, {1, 2})).out(tensor(F, {2, 3})); }),
      make_case<opmux_op_pointwise>("pointwise", OPMUX_OP_POINTWISE,
                                    [](auto& d) {
                                      d.in(tensor(F, {3, 4})).in(tensor(F, {4})).out(tensor(F, {3, 4}));
                                      d.program(main_program());
                                    }),
      make_case<opmux_op_reduce>("reduce", OPMUX_OP_REDUCE,
                                 [](auto& d) {
                                   d.in(tensor(F, {3, 4, 5})).out(tensor(F, {1, 4, 1}));
                                   d->kind = OPMUX_REDUCE_SUM;
                                   d->axes = d.list({0, 2});
                                 }),
  };
  for (const auto& more : {window_cases(), index_cases(), image_cases(), product_cases(), norm_cases(),
                           attention_cases(), sort_cases(), sequence_cases(), drawing_cases()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace opmux::test
