// SPDX-License-Identifier: Apache-2.0
// One folder of the ONNX backend tests: model.onnx and test_data_set_N/{input,output}_M.pb.
#pragma once

#include <string>

namespace opmux::test {

enum class Verdict { kPassed, kFailed, kUnsupported };

struct Outcome {
  Verdict verdict = Verdict::kPassed;
  std::string text;  // why it did not pass
};

// Bounds as the suite has them: relative 1e-3, absolute 1e-7 (1e-2 for 16-bit floats and narrower).
Outcome run_folder(const std::string& folder);

}  // namespace opmux::test
