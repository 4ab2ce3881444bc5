// SPDX-License-Identifier: Apache-2.0
// grid_sample, col2im, roi_align, resize, non_max_suppression, deform_conv.
#include "tests/unit/schema/build.hpp"

namespace opmux::schema::test {
namespace {

TEST(GridSample, TakesThePointsOfTheGrid) {
  Desc<opmux_op_grid_sample> d(OPMUX_OP_GRID_SAMPLE, {f32({2, 3, 7, 5}), f32({2, 4, 9, 2})},
                               {f32({2, 3, 4, 9})});
  d.op.mode = OPMUX_INTERPOLATE_LINEAR;
  d.op.outside = OPMUX_OUTSIDE_ZEROS;
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(), "f32[2, 3, 4, 9]");
  d.in[1] = f32({2, 4, 9, 3});
  EXPECT_EQ(d.check(), "grid_sample: dim 3 of grid is 3, but x has 2 spatial dims");
  d.in[1] = f32({1, 4, 9, 2});
  EXPECT_EQ(d.check(), "grid_sample: dim 0 of grid is 1, but that of x is 2");
  d.in[1] = f32({2, 4, 2});
  EXPECT_EQ(d.check(), "grid_sample: grid has rank 3, but x has rank 4");
  d.in = {f32({2, 3, 0, 5}), f32({2, 4, 9, 2})};
  EXPECT_EQ(d.check(), "grid_sample: dim 2 of x is 0, must be at least 1");
}

struct Col2im : Desc<opmux_op_col2im> {
  Col2im(const Shape& x, const Shape& y) : Desc(OPMUX_OP_COL2IM, {f32(x)}, {f32(y)}) {
    op.image = slice({6, 7});
    op.kernel = slice({3, 2});
    op.stride = slice({1, 2});
    op.dilation = slice({1, 1});
    op.pad = slice({0, 1, 0, 0});
  }
};

TEST(Col2im, CountsBlocksAndChannels) {
  Col2im d({2, 18, 16}, {2, 3, 6, 7});
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(), "f32[2, 3, 6, 7]");
  d.in[0] = f32({2, 18, 15});
  EXPECT_EQ(d.check(), "col2im: dim 2 of x is 15, but the image has 16 blocks");
  d.in[0] = f32({2, 17, 16});
  EXPECT_EQ(d.check(), "col2im: dim 1 of x is 17, which is no multiple of the 6 elements of the window");
  d.list[0] = 2;
  EXPECT_EQ(d.check(), "col2im: entry 0 of image with its pads is 2, but the window spans 3");
  d.op.image.count = 0;
  EXPECT_EQ(d.check(), "col2im: image has 0 entries, must have 1 to 3");
}

TEST(Col2im, SurvivesTheLargestAttributes) {
  Col2im d({2, 18, 16}, {2, 3, 6, 7});
  for (size_t i = 0; i < d.list.size(); ++i) d.list[i] = int64_t{1} << 31;
  EXPECT_NE(d.check(), "");
  for (size_t i = 0; i < d.list.size(); ++i) d.list[i] = INT64_MAX;
  EXPECT_NE(d.check(), "");
}

TEST(RoiAlign, GivesEachRegionItsBins) {
  Desc<opmux_op_roi_align> d(OPMUX_OP_ROI_ALIGN, {f32({2, 3, 9, 9}), f32({5, 4}), i64({5})},
                             {f32({5, 3, 2, 4})});
  d.op.kind = OPMUX_ROI_AVERAGE;
  d.op.height = 2;
  d.op.width = 4;
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(), "f32[5, 3, 2, 4]");
  d.op.height = 0;
  EXPECT_EQ(d.check(), "roi_align: height is 0, must be in [1, 65536]");
  d.op.height = 2;
  d.op.samples = 1025;
  EXPECT_EQ(d.check(), "roi_align: samples is 1025, must be in [0, 1024]");
  d.op.samples = 2;
  d.op.kind = OPMUX_ROI_MAX_BINS;
  EXPECT_EQ(d.check(), "roi_align: kind is 3, which takes neither half_pixel nor samples");
  d.op.kind = OPMUX_ROI_MAX;
  d.in[1] = f32({5, 5});
  EXPECT_EQ(d.check(), "roi_align: dim 1 of roi is 5, must be 4");
  d.in[1] = f32({6, 4});
  EXPECT_EQ(d.check(), "roi_align: dim 0 of image is 5, but that of roi is 6");
}

struct Resize : Desc<opmux_op_resize> {
  Resize(const Shape& x, const Shape& y, std::initializer_list<int64_t> axes)
      : Desc(OPMUX_OP_RESIZE, {f32(x)}, {f32(y)}) {
    op.mode = OPMUX_INTERPOLATE_LINEAR;
    op.coordinates = OPMUX_RESIZE_HALF_PIXEL;
    op.rounding = OPMUX_ROUND_FLOOR;
    op.axes = slice(axes);
  }
};

TEST(Resize, TakesExtentsFromItsOutputAndChecksItsAxes) {
  Resize d({2, 3, 4}, {2, 5, 7}, {1, 2});
  EXPECT_EQ(d.check(), "");
  d.out[0] = f32({3, 5, 7});
  EXPECT_EQ(d.check(), "resize: dim 0 of output y is 3, must be 2");
  EXPECT_EQ(Resize({2, 3}, {2, 5}, {1, 0}).check(),
            "resize: entry 1 of axes is 0, must be in [2, 1], axes rise");
  EXPECT_EQ(Resize({2, 3}, {2, 5}, {2}).check(),
            "resize: entry 0 of axes is 2, must be in [0, 1], axes rise");
  EXPECT_EQ(Resize({2, 3}, {2, 5}, {}).check(), "resize: axes has 0 entries, must have 1 to 2");
  EXPECT_EQ(Resize({2, 0}, {2, 5}, {1}).check(),
            "resize: axis 1 goes from 0 to 5 elements, both must be in [1, 2147483648]");
  EXPECT_EQ(Resize({2, 0}, {2, 0}, {1}).check(), "");
}

TEST(Resize, ChecksWhatGoesWithAMode) {
  Resize d({2, 3}, {2, 5}, {1});
  d.in[0].dtype = d.out[0].dtype = OPMUX_I32;
  EXPECT_EQ(d.check(), "resize: x is i32, mode 2 takes f64, f32, f16 and bf16");
  d.op.mode = OPMUX_INTERPOLATE_NEAREST;
  EXPECT_EQ(d.check(), "");
  d.op.antialias = 1;
  EXPECT_EQ(d.check(), "resize: antialias is 1, the nearest mode has none");
  d.op.antialias = 0;
  d.op.coordinates = OPMUX_RESIZE_TF_CROP_AND_RESIZE;
  EXPECT_EQ(d.check(),
            "resize: coordinates are 6, input roi goes with tf_crop_and_resize (6) and only with it");
  d.in = {d.in[0], f32({1}), f32({3})};
  EXPECT_EQ(d.check(), "resize: dim 0 of roi is 3, must be 2 for 1 axes");
  d.in[1] = f32({2});
  EXPECT_EQ(d.check(), "resize: dim 0 of scale is 2, must be 1 for 1 axes");
}

TEST(NonMaxSuppression, HasRoomForEveryBoxOrLess) {
  Desc<opmux_op_non_max_suppression> d(OPMUX_OP_NON_MAX_SUPPRESSION,
                                       {f32({2, 5, 4}), f32({2, 3, 5}), i64({})}, {i64({30, 3}), i64({})});
  EXPECT_EQ(d.check(), "");
  EXPECT_EQ(d.inferred(), "i64[30, 3] i64[]");
  d.out[0] = i64({7, 3});
  EXPECT_EQ(d.check(), "");
  d.out[0] = i64({31, 3});
  EXPECT_EQ(d.check(), "non_max_suppression: dim 0 of output selected is 31, must be in [0, 30]");
  d.in[1] = f32({2, 3, 6});
  EXPECT_EQ(d.check(), "non_max_suppression: dim 2 of scores is 6, but dim 1 of boxes is 5");
  d.in[0] = f32({2, 5, 3});
  EXPECT_EQ(d.check(), "non_max_suppression: dim 2 of boxes is 3, must be 4");
}

TEST(DeformConv, NeedsAnOffsetForEachTapAndPoint) {
  Desc<opmux_op_deform_conv> d(OPMUX_OP_DEFORM_CONV,
                               {f32({1, 4, 6, 5}), f32({3, 4, 3, 2}), f32({1, 24, 4, 4}), f32({1, 12, 4, 4})},
                               {f32({1, 3, 4, 4})});
  d.op.group = 1;
  d.op.offset_group = 2;
  d.op.acc_dtype = OPMUX_F32;
  d.op.stride = d.op.dilation = d.slice({1, 1});
  d.op.pad = d.slice({0, 0, 0, 0});
  EXPECT_EQ(d.check(), "");
  d.in[2] = f32({1, 12, 4, 4});
  EXPECT_EQ(d.check(), "deform_conv: dim 1 of offset is 12, must be 24");
  d.in[2] = f32({1, 24, 4, 4});
  d.in[3] = f32({1, 12, 4, 3});
  EXPECT_EQ(d.check(), "deform_conv: dim 3 of mask is 3, must be 4");
  d.op.offset_group = 3;
  EXPECT_EQ(d.check(), "deform_conv: x has 4 channels, which 3 offset group(s) do not divide");
}

}  // namespace
}  // namespace opmux::schema::test
