// SPDX-License-Identifier: Apache-2.0
// grid_sample, col2im, roi_align.
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

}  // namespace
}  // namespace opmux::schema::test
