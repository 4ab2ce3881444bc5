// SPDX-License-Identifier: Apache-2.0
// Inside of the schema library: the form of the generated tables.
#pragma once

#include "kit/schema/view.hpp"

namespace opmux::schema {

// A set of element types, one bit per serial number.
using TypeSet = uint32_t;
constexpr TypeSet type_bit(uint32_t dtype) { return 1u << (dtype & 31u); }

inline constexpr int8_t kNoOperand = -1;

struct Operand {
  const char* name;
  TypeSet types;  // 0: only same_type decides
  uint8_t rank_min, rank_max;
  bool optional;
  int8_t same_type;     // input whose dtype it shares, or kNoOperand
  int8_t broadcast_to;  // input to whose shape it broadcasts, or kNoOperand
};

enum class Source : uint8_t { kInput, kFixed, kOpen, kRule };

struct Output {
  const char* name;
  Source dtype_from;
  uint32_t dtype;  // kInput: input number; kFixed: the type
  Source shape_from;
  uint8_t shape;  // kInput: input number
  uint8_t rank_min, rank_max;
  bool optional;
};

enum class AttrType : uint8_t { kU32, kI32, kF32, kSlice };
enum class AttrCheck : uint8_t { kNone, kReserved, kRange, kFinite, kEnum, kAxis, kDtype };

struct Attr {
  const char* name;
  uint32_t offset;
  AttrType type;
  AttrCheck check;
  double min, max;    // kRange, kEnum (the values of an enum are contiguous)
  const char* group;  // kEnum: the constants' prefix
  uint8_t axis_of;    // kAxis: input number
};

struct OpDef {
  const OpInfo* info;
  std::span<const Operand> in;
  std::span<const Output> out;
  std::span<const Attr> attr;
  bool variadic_in, variadic_out;  // the last entry of in (out) repeats
  bool main_program;
  uint32_t epilogue_outputs;  // bit per output
  uint32_t (*epilogue_dtype)(const View&);
  bool (*check)(const View&, Problem&);
  rules::Rule rule;
  Sat (*flops)(const View&);
  Sat (*bytes)(const View&);  // NULL: every operand once
};

struct DtypeDef {
  uint32_t dtype;
  const char* name;
};

enum class FnResult : uint8_t { kSame, kBool, kFree };
struct FnDef {
  uint32_t fn;
  const char* name;
  uint8_t arity;
  TypeSet types;
  FnResult result;
};

struct NumberName {
  uint32_t number;
  const char* name;
};

extern const std::span<const OpInfo> kOpInfos;  // by id
extern const std::span<const OpDef> kOpDefs;    // in the same order
extern const std::span<const DtypeDef> kDtypes;
extern const std::span<const FnDef> kFns;  // by id
extern const std::span<const NumberName> kWhys, kStatuses;
extern const TypeSet kAnyType;
extern const uint32_t kMathBits, kTensorFlags, kInsnFlags;

const OpDef* find_def(uint32_t op);
const FnDef* find_fn(uint32_t fn);

}  // namespace opmux::schema
