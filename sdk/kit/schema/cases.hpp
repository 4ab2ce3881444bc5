// SPDX-License-Identifier: Apache-2.0
// What the schemas say for tests: which values an input may have, cases, and how accurate a result must be.
// The tables are generated from schemas/ops; docs/guide-operator.md says how to write them.
#pragma once

#include "kit/schema/table.hpp"

namespace opmux::schema {

enum class ValueKind : uint8_t {
  kMixed,        // any numbers of the type, some large or small; special ones in cases of their own
  kBits,         // any bit pattern
  kPositive,     // above 0
  kProbability,  // non-negative, every row along the last axis adds up to 1
  kRange,        // low to high, both included
  kIndex,        // valid along `axis` of operand `of`
  kCoordinates,  // rows along the last axis are valid for the dims of `of` from `axis` on
  kLengths,      // low (or 0) to the extent of `axis` of `of`
  kOffsets,      // rise along the last axis from 0 to the extent of `axis` of `of`
};

inline constexpr uint32_t kNoAttr = UINT32_MAX;

struct Values {
  ValueKind kind;
  int8_t of;           // input, or kNoOperand
  uint8_t axis;        // where axis_attr is kNoAttr
  uint32_t axis_attr;  // byte offset of the attribute that says the axis
  double low, high;    // where low_of, high_of are NULL
  int64_t (*low_of)(const View&);
  int64_t (*high_of)(const View&);
  bool negative;  // indices may count from the end
  bool unique;    // no value twice (indices: along the axis; coordinates: no row twice)
  bool sorted;    // rising along the last axis
  bool fault;     // a value outside must be reported as OPMUX_E_FAULT
};

struct CaseDims {
  int rank;  // -1: the operand is absent
  int64_t dim[OPMUX_MAX_RANK];
};

struct CaseValue {
  double number;
  std::span<const int64_t> list;  // of a slice
};

// An attribute with its alternatives.
struct CaseAttr {
  const char* name;
  uint32_t offset;
  AttrType type;
  std::span<const CaseValue> values;
};

// Alternatives for the type of an input.
struct CaseTypes {
  uint8_t input;
  std::span<const uint32_t> dtypes;
};

struct CaseAlias {
  uint8_t output, input;
};

struct CaseLine {
  std::span<const CaseDims> in, out;
  std::span<const CaseAttr> attr;
  std::span<const CaseTypes> types;
  std::span<const CaseAlias> alias;
  bool outputs_listed;  // `out` says which outputs there are; else all and, apart, the required ones
};

enum class BoundForm : uint8_t { kExact, kUlp, kSum, kDot, kStatistic, kTile };

struct Bound {
  BoundForm form;
  double c;
  Sat (*length)(const View&);
  bool (*inexact)(const View&);  // integer results come from numbers: off by their error and 1 is right
};

struct OpCases {
  uint32_t op;
  std::span<const Values> in;
  std::span<const uint32_t> dtypes;
  uint32_t views;    // bit k: the kth of contiguous, transposed, reversed, broadcast, sliced, channels_last
  uint32_t primary;  // the input that takes `dtypes`
  std::span<const CaseLine> lines;
  Bound strict, algebraic;
};

std::span<const OpCases> all_cases();  // by id

}  // namespace opmux::schema
