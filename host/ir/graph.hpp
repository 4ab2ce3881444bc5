// SPDX-License-Identifier: Apache-2.0
// The graph that is planned and run: operators with concrete shapes over values that are views of storages.
//
// A Storage is a piece of memory; a Value is a strided view of one. Reshape, transpose, slice, expand and
// split make values, not nodes. Nodes stand in topological order. Several nodes may write disjoint parts of
// one storage (concat is one copy per part); no other double writing exists, except operators that update a
// state in place.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "host/ir/tensor.hpp"
#include "opmux/ops.h"

namespace opmux {

using ValueId = uint32_t;
using StorageId = uint32_t;
constexpr uint32_t kNone = 0xffffffffu;

enum class StorageKind { kActivation, kConstant, kInput, kOutput, kState };

struct Storage {
  StorageKind kind = StorageKind::kActivation;
  uint64_t size_bytes = 0;
  std::string name;     // of the input, output, state or constant
  HostTensor constant;  // kConstant
};

struct Value {
  std::string name;
  opmux_tdesc desc{};
  StorageId storage = kNone;
  int64_t offset_bytes = 0;  // of element 0
};

// A program with its own memory; see opmux_prog.
struct Program {
  uint32_t slot = OPMUX_SLOT_MAIN;
  uint32_t n_in = 0;
  std::vector<opmux_insn> insn;
  std::vector<uint32_t> out;
};

struct Node {
  uint32_t op = 0;
  uint32_t math = 0;
  std::string name;              // of the source node(s), for reports
  std::vector<ValueId> in;       // own operands, then those of programs; kNone absent
  std::vector<ValueId> out;      // kNone absent
  std::vector<std::byte> attrs;  // the operator's struct after its opmux_opd head
  std::vector<int64_t> list;
  std::vector<Program> progs;
  std::vector<uint32_t> alias;

  // The operator's struct as a typed value; its head is zero. D must be the struct of `op`.
  template <class D>
  D as() const {
    D d{};
    std::memcpy(reinterpret_cast<std::byte*>(&d) + sizeof(opmux_opd), attrs.data(), attrs.size());
    return d;
  }
  template <class D>
  void set(const D& d) {
    const auto* p = reinterpret_cast<const std::byte*>(&d);
    attrs.assign(p + sizeof(opmux_opd), p + sizeof(D));
  }
  // Appends to the list and returns its place.
  opmux_slice add_list(std::span<const int64_t> values);
  std::span<const int64_t> list_of(opmux_slice s) const { return {list.data() + s.first, s.count}; }
};

struct Port {
  std::string name;
  ValueId value = kNone;
};

// A state: a buffer of the run context, seen in the source as an input (past) and an output (present).
struct StatePort {
  std::string past, present;  // source names
  StorageId storage = kNone;
  opmux_tdesc desc{};  // of the whole capacity
};

struct Graph {
  std::vector<Storage> storages;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<Port> inputs, outputs;
  std::vector<StatePort> states;
  // Rank-0 i64 input that holds the number of valid rows of the states; kNone without states.
  ValueId state_length = kNone;
  int64_t state_rows_added = 0;  // by one run
  // Rank-0 u64 input: the block of the random streams with which a run begins; kNone where nothing is drawn.
  ValueId random_offset = kNone;
  // Each run draws from blocks of its own, more than any tensor takes.
  static constexpr uint64_t kBlocksPerRun = uint64_t{1} << 40;

  StorageId add_storage(StorageKind kind, uint64_t size_bytes, std::string name);
  // New contiguous value with a storage of its own.
  ValueId add_value(const opmux_tdesc& desc, std::string name, StorageKind kind = StorageKind::kActivation);
  ValueId add_constant(HostTensor tensor, std::string name);
  // View of the storage of `base`.
  ValueId add_view(ValueId base, const opmux_tdesc& desc, int64_t offset_bytes, std::string name);
  bool is_constant(ValueId v) const { return storages[values[v].storage].kind == StorageKind::kConstant; }
  // The bytes of a constant value as a host tensor (a view when the value is one).
  HostTensor constant(ValueId v) const;
};

// An operator descriptor with all the memory it points to. Not movable in place: pointers refer to members.
class Descriptor {
 public:
  Descriptor(const Graph& graph, const Node& node);
  Descriptor(const Node& node, std::span<const opmux_tdesc> in, std::span<const opmux_tdesc> out);
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const opmux_opd& get() const { return *reinterpret_cast<const opmux_opd*>(bytes_.data()); }
  opmux_tdesc& in(size_t i) { return in_[i]; }
  opmux_tdesc& out(size_t i) { return out_[i]; }

 private:
  void build(const Node& node);
  std::vector<uint64_t> bytes_;
  std::vector<opmux_tdesc> in_, out_;
  std::vector<opmux_prog> progs_;
  std::vector<Program> programs_;
  std::vector<int64_t> list_;
  std::vector<uint32_t> alias_;
};

}  // namespace opmux
