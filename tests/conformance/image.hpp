// SPDX-License-Identifier: Apache-2.0
// The operands of one run in one piece of memory, each between canaries, and what may change of it.
#pragma once

#include <cstdint>
#include <vector>

#include "opmux/types.h"
#include "tests/conformance/random.hpp"

namespace opmux::cts {

enum View : uint32_t { kContiguous, kTransposed, kReversed, kBroadcast, kSliced, kChannelsLast, kViews };
inline constexpr const char* kViewName[] = {"contiguous", "transposed", "reversed",
                                            "broadcast",  "sliced",     "channels_last"};

// Strides of t as the view says; broadcasting of an output is left to the caller.
void set_view(opmux_tdesc& t, View view, Random& random);

// Where an operand lies in the image.
struct Place {
  uint64_t offset = 0;  // of element 0
  uint64_t begin = 0, end = 0;
  bool scalar = false;  // by value, in the parameters of the run
};

class Image {
 public:
  // Operands in order; alias[i] >= 0: operand i lies where that operand does. align: of the device's offsets.
  Image(const std::vector<opmux_tdesc>& operands, const std::vector<int>& alias, uint64_t align,
        Random& random);
  std::vector<unsigned char> bytes;
  std::vector<Place> place;

  unsigned char* at(uint32_t operand) { return bytes.data() + place[operand].offset; }
  const unsigned char* at(uint32_t operand) const { return bytes.data() + place[operand].offset; }
  // The bits that the elements of this operand have; all others must stay.
  void allow(const opmux_tdesc& t, uint32_t operand);
  // Fills what `allow` named with garbage.
  void spoil(Random& random);
  // First byte that differs from `before` though it may not; -1: none.
  int64_t first_change(const std::vector<unsigned char>& before) const;

 private:
  std::vector<unsigned char> allowed_;
};

}  // namespace opmux::cts
