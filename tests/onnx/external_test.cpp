// SPDX-License-Identifier: Apache-2.0
// Weights in files of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host/onnx/read.hpp"
#include "host/platform/error.hpp"
#include "tests/onnx/model_writer.hpp"

namespace opmux {
namespace {

using onnx::TensorProto;
using test::ModelWriter;
using testing::ElementsAre;
using testing::HasSubstr;

class OnnxExternal : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_ / "model");
    std::filesystem::create_directory(folder_ / "model/part");
    const float values[] = {1, 2, 3, 4};
    bytes_.assign(reinterpret_cast<const char*>(values), sizeof values);
  }

  std::string model_folder() const { return folder_ / "model"; }

  // Saves a model whose f32[2] 'w' lies elsewhere.
  void save(const std::string& location, const std::string& offset = "", const std::string& length = "") {
    TensorProto t;
    t.set_name("w");
    t.set_data_type(TensorProto::FLOAT);
    t.add_dims(2);
    t.set_data_location(TensorProto::EXTERNAL);
    const auto add = [&](const char* key, const std::string& value) {
      if (value.empty()) return;
      auto* e = t.add_external_data();
      e->set_key(key);
      e->set_value(value);
    };
    add("location", location);
    add("offset", offset);
    add("length", length);
    ModelWriter w;
    w.initializer(t).node("Identity", {"w"}, {"y"}).output("y");
    w.save(model_folder() + "/m.onnx");
  }

  std::string refusal() const {
    try {
      read_onnx(model_folder() + "/m.onnx");
      return "";
    } catch (const Error& e) {
      return e.text();
    }
  }

  test::TemporaryFolder folder_;
  std::string bytes_;
};

TEST_F(OnnxExternal, ReadsFromAnOffset) {
  test::write_file(model_folder() + "/part/w.bin", bytes_);
  save("part/w.bin", "8", "8");
  EXPECT_THAT(read_onnx(model_folder() + "/m.onnx")->graph.initializers[0].tensor.to_double(),
              ElementsAre(3, 4));
}

TEST_F(OnnxExternal, CopiesFromAnOffsetThatIsNotAligned) {
  test::write_file(model_folder() + "/w.bin", "x" + bytes_);
  save("w.bin", "1");
  EXPECT_THAT(read_onnx(model_folder() + "/m.onnx")->graph.initializers[0].tensor.to_double(),
              ElementsAre(1, 2));
}

TEST_F(OnnxExternal, OutlivesTheFilesName) {
  test::write_file(model_folder() + "/w.bin", bytes_);
  save("w.bin");
  const auto m = read_onnx(model_folder() + "/m.onnx");
  std::filesystem::remove(model_folder() + "/w.bin");
  EXPECT_THAT(m->graph.initializers[0].tensor.to_double(), ElementsAre(1, 2));
}

TEST_F(OnnxExternal, RefusesAbsolutePaths) {
  test::write_file(model_folder() + "/w.bin", bytes_);
  save(model_folder() + "/w.bin");
  EXPECT_THAT(refusal(), HasSubstr("is an absolute path"));
}

TEST_F(OnnxExternal, RefusesParentFolders) {
  test::write_file(folder_ / "w.bin", bytes_);
  save("../w.bin");
  EXPECT_THAT(refusal(), HasSubstr("leaves the model's folder by '..'"));
  save("part/../../w.bin");
  EXPECT_THAT(refusal(), HasSubstr("leaves the model's folder by '..'"));
}

TEST_F(OnnxExternal, RefusesLinksThatLeadOutside) {
  test::write_file(folder_ / "w.bin", bytes_);
  std::filesystem::create_symlink("../w.bin", model_folder() + "/w.bin");
  save("w.bin");
  EXPECT_THAT(refusal(), HasSubstr("leaves the model's folder by a link"));
  std::filesystem::create_directory_symlink("..", model_folder() + "/up");
  save("up/w.bin");
  EXPECT_THAT(refusal(), HasSubstr("leaves the model's folder by a link"));
}

TEST_F(OnnxExternal, FollowsLinksWithinTheFolder) {
  test::write_file(model_folder() + "/part/w.bin", bytes_);
  std::filesystem::create_symlink("part/w.bin", model_folder() + "/w.bin");
  save("w.bin");
  EXPECT_EQ(refusal(), "");
}

TEST_F(OnnxExternal, RefusesRangesBeyondTheFile) {
  test::write_file(model_folder() + "/w.bin", bytes_);
  save("w.bin", "12");
  EXPECT_THAT(refusal(), HasSubstr("needs 8 bytes from offset 12 on, the file has 16"));
  save("w.bin", "4000000000000000000");
  EXPECT_THAT(refusal(), HasSubstr("from offset 4000000000000000000 on, the file has 16"));
}

TEST_F(OnnxExternal, RefusesLengthsThatDisagreeWithTheDims) {
  test::write_file(model_folder() + "/w.bin", bytes_);
  save("w.bin", "0", "12");
  EXPECT_THAT(refusal(), HasSubstr("external data of 12 bytes, its dims [2] need 8"));
}

TEST_F(OnnxExternal, RefusesNumbersThatAreNone) {
  save("w.bin", "-4");
  EXPECT_THAT(refusal(), HasSubstr("offset is '-4', it must be a number"));
  save("");
  EXPECT_THAT(refusal(), HasSubstr("without a location"));
}

TEST_F(OnnxExternal, RefusesMissingFilesAndFolders) {
  save("none.bin");
  EXPECT_THAT(refusal(), HasSubstr("external data 'none.bin': cannot find it"));
  save("part");
  EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
}

TEST_F(OnnxExternal, RefusesModelsGivenAsBytes) {
  save("w.bin");
  const std::string bytes = test::read_whole(model_folder() + "/m.onnx");
  try {
    read_onnx_bytes(std::as_bytes(std::span(bytes)));
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.text(), HasSubstr("has no folder"));
  }
}

}  // namespace
}  // namespace opmux
