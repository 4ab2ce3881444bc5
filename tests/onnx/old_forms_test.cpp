// SPDX-License-Identifier: Apache-2.0
// Operators in the forms of older operator sets, which the node tests of the current one do not have.
// Expected values are worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/onnx/evaluate.hpp"

namespace opmux {
namespace {

using onnx::TensorProto;
using test::Attr;
using test::floats;
using test::ModelWriter;
using testing::ElementsAre;
using testing::HasSubstr;

// One node over float inputs "x0", "x1", ..; its first output.
HostTensor run(int64_t opset, const std::string& op, const std::vector<HostTensor>& in,
               std::vector<Attr> attrs, size_t n_out = 1, size_t which = 0) {
  ModelWriter w(opset);
  std::vector<std::string> names, outs;
  std::vector<NamedHostTensor> values;
  for (size_t i = 0; i < in.size(); ++i) {
    names.push_back("x" + std::to_string(i));
    w.input(names.back(), in[i].desc().dtype == OPMUX_I64 ? TensorProto::INT64 : TensorProto::FLOAT, {});
    w.proto()
        .mutable_graph()
        ->mutable_input(static_cast<int>(i))
        ->mutable_type()
        ->mutable_tensor_type()
        ->clear_shape();
    values.push_back({names.back(), in[i]});
  }
  for (size_t i = 0; i < n_out; ++i) outs.push_back("y" + std::to_string(i));
  w.node(op, names, outs, std::move(attrs)).output(outs[which]);
  return test::evaluate(*test::read(w), values)[0];
}

std::string refusal(int64_t opset, const std::string& op, const std::vector<HostTensor>& in,
                    std::vector<Attr> attrs) {
  return test::sentence_of([&] { run(opset, op, in, std::move(attrs)); });
}

TEST(OnnxOldForms, SoftmaxCountsEverythingFromItsAxisOnAsOneRow) {
  const HostTensor x = floats({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_THAT(run(9, "Softmax", {x}, {}).to_double(), ElementsAre(0.25, 0.25, 0.25, 0.25));
  EXPECT_THAT(run(13, "Softmax", {x}, {{"axis", 1}}).to_double(), ElementsAre(0.5, 0.5, 0.5, 0.5));
  EXPECT_THAT(run(9, "Softmax", {x}, {{"axis", 3}}).to_double(), ElementsAre(1, 1, 1, 1));
}

TEST(OnnxOldForms, SoftmaxOverChannelsWithSizeOneBehindThemKeepsItsShape) {
  const HostTensor y = run(9, "Softmax", {floats({1, 2, 1, 1}, {1, 1})}, {});
  EXPECT_EQ(to_string(y.desc()), "f32[1,2,1,1]");
  EXPECT_THAT(y.to_double(), ElementsAre(0.5, 0.5));
}

TEST(OnnxOldForms, HardmaxCountsRowsTheSameWay) {
  EXPECT_THAT(run(9, "Hardmax", {floats({1, 2, 2}, {1, 2, 9, 3})}, {}).to_double(), ElementsAre(0, 0, 1, 0));
}

TEST(OnnxOldForms, AxesWereAttributes) {
  const HostTensor x = floats({1, 2, 1}, {3, 4});
  EXPECT_EQ(to_string(run(11, "Squeeze", {x}, {{"axes", {0, -1}}}).desc()), "f32[2]");
  EXPECT_EQ(to_string(run(11, "Unsqueeze", {x}, {{"axes", {1, -1}}}).desc()), "f32[1,1,2,1,1]");
  EXPECT_THAT(run(11, "ReduceSum", {x}, {{"axes", {1}}, {"keepdims", 0}}).to_double(), ElementsAre(7));
  EXPECT_THAT(run(17, "ReduceL2", {x}, {{"axes", {1}}, {"keepdims", 0}}).to_double(), ElementsAre(5));
}

TEST(OnnxOldForms, SliceTookItsBoundsAsAttributes) {
  const HostTensor x = floats({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_THAT(run(9, "Slice", {x}, {{"axes", {1}}, {"starts", {-3}}, {"ends", {1000}}}).to_double(),
              ElementsAre(1, 2, 3, 5, 6, 7));
}

TEST(OnnxOldForms, SplitTookItsSizesAsAttribute) {
  const HostTensor x = floats({5}, {0, 1, 2, 3, 4});
  EXPECT_THAT(run(11, "Split", {x}, {{"split", {2, 3}}}, 2, 1).to_double(), ElementsAre(2, 3, 4));
  EXPECT_THAT(test::sentence_of([&] { run(11, "Split", {x}, {}, 2); }),
              HasSubstr("5 elements do not divide into 2 equal parts"));
}

TEST(OnnxOldForms, PadAndClipTookTheirNumbersAsAttributes) {
  EXPECT_THAT(run(9, "Pad", {floats({2}, {1, 2})}, {{"pads", {1, 2}}, {"value", 9.0f}}).to_double(),
              ElementsAre(9, 1, 2, 9, 9));
  EXPECT_THAT(run(9, "Clip", {floats({3}, {-5, 0, 5})}, {{"min", -1.0f}, {"max", 2.0f}}).to_double(),
              ElementsAre(-1, 0, 2));
}

TEST(OnnxOldForms, DropoutHandsItsInputOnAndItsMaskIsOfTheInputsType) {
  EXPECT_THAT(run(9, "Dropout", {floats({2}, {3, 4})}, {{"ratio", 0.5f}}).to_double(), ElementsAre(3, 4));
  EXPECT_EQ(to_string(run(9, "Dropout", {floats({2}, {3, 4})}, {}, 2, 1).desc()), "f32[2]");
  EXPECT_EQ(to_string(run(10, "Dropout", {floats({2}, {3, 4})}, {}, 2, 1).desc()), "bool[2]");
}

TEST(OnnxOldForms, BatchNormalizationWithoutTrainingMode) {
  const HostTensor two = floats({1}, {2}), one = floats({1}, {1}), zero = floats({1}, {0}),
                   four = floats({1}, {4});
  const HostTensor y =
      run(9, "BatchNormalization", {floats({1, 1, 2}, {1, 3}), two, one, one, four}, {{"epsilon", 0.0f}});
  EXPECT_THAT(y.to_double(), ElementsAre(1, 3));  // (x - 1) / 2 * 2 + 1
}

TEST(OnnxOldForms, UpsampleRepeats) {
  const HostTensor x = floats({1, 1, 1, 2}, {1, 2});
  EXPECT_THAT(run(7, "Upsample", {x}, {{"scales", std::vector<float>{1, 1, 2, 2}}}).to_double(),
              ElementsAre(1, 1, 2, 2, 1, 1, 2, 2));
  EXPECT_THAT(run(9, "Upsample", {x, floats({4}, {1, 1, 1, 2})}, {{"mode", "linear"}}).to_double(),
              ElementsAre(1, 1.5, 2, 2));
}

TEST(OnnxOldForms, ResizeOfOperatorSetTenIsAsymmetric) {
  EXPECT_THAT(
      run(10, "Resize", {floats({1, 1, 1, 4}, {1, 2, 3, 4}), floats({4}, {1, 1, 1, 0.5f})}, {}).to_double(),
      ElementsAre(1, 3));
}

TEST(OnnxOldForms, GroupNormalizationOfOperatorSet18HasOneScalePerGroup) {
  const HostTensor x = floats({1, 4, 1}, {1, 3, 1, 3});
  const HostTensor y = run(18, "GroupNormalization", {x, floats({2}, {1, 10}), floats({2}, {0, 5})},
                           {{"num_groups", 2}, {"epsilon", 0.0f}});
  EXPECT_THAT(y.to_double(), ElementsAre(-1, 1, -5, 15));
}

TEST(OnnxOldForms, ReshapeKeepsDimsThatAreZero) {
  const HostTensor x = floats({2, 3, 1}, {0, 1, 2, 3, 4, 5});
  EXPECT_EQ(to_string(run(9, "Reshape", {x, test::ints({2}, {0, -1})}, {}).desc()), "f32[2,3]");
  EXPECT_THAT(refusal(9, "Reshape", {x, test::ints({2}, {4, -1})}, {}), HasSubstr("leaves 6 elements"));
  EXPECT_THAT(refusal(9, "Reshape", {x, test::ints({2}, {-1, -1})}, {}),
              HasSubstr("dims 0 and 1 of the shape are both -1"));
  EXPECT_THAT(refusal(9, "Reshape", {x, test::ints({1}, {7})}, {}),
              HasSubstr("has 6 elements, the new shape f32[7] has 7"));
}

TEST(OnnxOldForms, SumsOfSeveralOperandsBroadcast) {
  EXPECT_THAT(
      run(8, "Sum", {floats({2, 1}, {1, 2}), floats({2}, {10, 20}), floats({}, {100})}, {}).to_double(),
      ElementsAre(111, 121, 112, 122));
}

TEST(OnnxOldForms, OperandsLayAlongAnAxisUpToOperatorSetSix) {
  const HostTensor x = floats({1, 2, 2}, {1, 2, 3, 4}), y = floats({2}, {10, 20});
  EXPECT_THAT(run(6, "Add", {x, y}, {{"broadcast", 1}, {"axis", 1}}).to_double(),
              ElementsAre(11, 12, 23, 24));
  EXPECT_THAT(run(6, "Add", {x, y}, {{"broadcast", 1}}).to_double(), ElementsAre(11, 22, 13, 24));
  EXPECT_THAT(run(6, "Less", {x, floats({1}, {2})}, {{"broadcast", 1}, {"axis", 0}}).to_double(),
              ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(refusal(6, "Add", {x, y}, {{"broadcast", 1}, {"axis", 3}}), HasSubstr("axis 3 is outside"));
  EXPECT_THAT(refusal(6, "Add", {floats({2}, {1, 2}), x}, {{"broadcast", 1}, {"axis", 0}}),
              HasSubstr("operand 1 of rank 3 does not fit rank 1 from axis 0 on"));
}

TEST(OnnxOldForms, PReluHadOneSlopePerChannel) {
  const HostTensor x = floats({1, 2, 2}, {-1, 2, -3, -4});
  EXPECT_THAT(run(6, "PRelu", {x, floats({2}, {10, 100})}, {}).to_double(), ElementsAre(-10, 2, -300, -400));
}

TEST(OnnxOldForms, FirstFormsOfReshapeConcatTileAndCast) {
  const HostTensor x = floats({1, 2}, {1, 2});
  EXPECT_EQ(to_string(run(1, "Reshape", {x}, {{"shape", {2, 1}}}).desc()), "f32[2,1]");
  EXPECT_EQ(to_string(run(1, "Concat", {x, x}, {}).desc()), "f32[1,4]");
  EXPECT_THAT(run(1, "Tile", {x, floats({}, {2}), floats({}, {1})}, {}).to_double(), ElementsAre(1, 2, 1, 2));
  EXPECT_EQ(to_string(run(1, "Cast", {x}, {{"to", "INT32"}}).desc()), "i32[1,2]");
  EXPECT_THAT(refusal(1, "Cast", {x}, {{"to", "int32"}}), HasSubstr("'int32', which is unknown"));
}

TEST(OnnxBadShapes, SayWhatIsWrong) {
  const HostTensor image = floats({1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_THAT(refusal(17, "Conv", {image, floats({1, 3, 1, 1}, {1, 1, 1})}, {}), HasSubstr("conv:"));
  EXPECT_THAT(refusal(17, "Conv", {floats({2}, {1, 2}), floats({1, 1, 1}, {1})}, {}),
              HasSubstr("input 0 has rank 1, only 3 to 5 are supported"));
  EXPECT_THAT(refusal(17, "Conv", {image, floats({1, 2, 1, 1}, {1, 1})}, {{"strides", {1}}}),
              HasSubstr("attribute 'strides' has 1 entries, input 0 has 2 spatial dims"));
  EXPECT_THAT(refusal(17, "MaxPool", {image}, {{"kernel_shape", {0, 1}}}),
              HasSubstr("'kernel_shape' has an entry 0"));
  EXPECT_THAT(refusal(17, "MaxPool", {image}, {}), HasSubstr("attribute 'kernel_shape' is missing"));
  EXPECT_THAT(refusal(17, "Gather", {image, test::ints({}, {5})}, {}),
              HasSubstr("index 5 is outside [-1, 0]"));
  EXPECT_THAT(refusal(17, "Transpose", {image}, {{"perm", {0, 1, 1, 2}}}),
              HasSubstr("axis 1 is named twice"));
  EXPECT_THAT(refusal(17, "Concat", {image, floats({1}, {1})}, {{"axis", 0}}), HasSubstr("concat"));
  EXPECT_THAT(refusal(17, "Add", {floats({2}, {1, 2}), floats({3}, {1, 2, 3})}, {}), HasSubstr("3 meets 2"));
  EXPECT_THAT(refusal(17, "Einsum", {image}, {{"equation", "ij->i"}}),
              HasSubstr("has 2 labels, its operand has rank 4"));
}

}  // namespace
}  // namespace opmux
