// SPDX-License-Identifier: Apache-2.0
#include "host/ir/graph.hpp"

#include "host/platform/error.hpp"
#include "kit/schema/schema.hpp"

namespace opmux {

opmux_slice Node::add_list(std::span<const int64_t> values) {
  opmux_slice s{static_cast<uint32_t>(list.size()), static_cast<uint32_t>(values.size())};
  list.insert(list.end(), values.begin(), values.end());
  return s;
}

StorageId Graph::add_storage(StorageKind kind, uint64_t size_bytes, std::string name) {
  storages.push_back({kind, size_bytes, std::move(name), {}});
  return static_cast<StorageId>(storages.size() - 1);
}

ValueId Graph::add_value(const opmux_tdesc& desc, std::string name, StorageKind kind) {
  const StorageId s = add_storage(kind, packed_bytes(desc), name);
  values.push_back({std::move(name), desc, s, 0});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_constant(HostTensor tensor, std::string name) {
  const StorageId s = add_storage(StorageKind::kConstant, tensor.size_bytes(), name);
  opmux_tdesc d = tensor.desc();
  d.flags |= OPMUX_T_CONST;
  storages[s].constant = std::move(tensor);
  values.push_back({std::move(name), d, s, 0});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_view(ValueId base, const opmux_tdesc& desc, int64_t offset_bytes, std::string name) {
  const Value& b = values[base];
  values.push_back({std::move(name), desc, b.storage, b.offset_bytes + offset_bytes});
  return static_cast<ValueId>(values.size() - 1);
}

HostTensor Graph::constant(ValueId v) const {
  const Value& value = values[v];
  const HostTensor& whole = storages[value.storage].constant;
  std::shared_ptr<const std::byte> at(whole.owner(), whole.data() + value.offset_bytes);
  opmux_tdesc d = value.desc;
  d.flags &= ~OPMUX_T_CONST;
  return HostTensor(d, std::move(at), whole.size_bytes() - static_cast<uint64_t>(value.offset_bytes));
}

namespace {

opmux_tdesc desc_or_none(const Graph& graph, ValueId v) {
  return v == kNone ? opmux_tdesc{} : graph.values[v].desc;
}

}  // namespace

Descriptor::Descriptor(const Graph& graph, const Node& node) {
  for (ValueId v : node.in) in_.push_back(desc_or_none(graph, v));
  for (ValueId v : node.out) out_.push_back(desc_or_none(graph, v));
  build(node);
}

Descriptor::Descriptor(const Node& node, std::span<const opmux_tdesc> in, std::span<const opmux_tdesc> out)
    : in_(in.begin(), in.end()), out_(out.begin(), out.end()) {
  build(node);
}

void Descriptor::build(const Node& node) {
  const schema::OpInfo* info = schema::find(node.op);
  if (!info) fail(OPMUX_E_UNSUPPORTED, "operator id {:#x} is unknown", node.op);
  const size_t size = sizeof(opmux_opd) + node.attrs.size();
  if (size != info->desc_size) {
    fail(OPMUX_E_INTERNAL, "descriptor of {} has {} bytes, its struct has {}", info->name, size,
         info->desc_size);
  }
  programs_ = node.progs;
  for (const Program& p : programs_) {
    progs_.push_back({p.insn.data(), p.out.data(), static_cast<uint32_t>(p.insn.size()),
                      static_cast<uint32_t>(p.out.size()), p.slot, p.n_in});
  }
  list_ = node.list;
  alias_ = node.alias;
  bytes_.assign((size + 7) / 8, 0);
  opmux_opd head{};
  head.h.size = static_cast<uint32_t>(size);
  head.op = node.op;
  head.rev = info->rev;
  head.n_in = static_cast<uint32_t>(in_.size());
  head.n_out = static_cast<uint32_t>(out_.size());
  head.in = in_.data();
  head.out = out_.data();
  head.prog = progs_.empty() ? nullptr : progs_.data();
  head.alias = alias_.empty() ? nullptr : alias_.data();
  head.list = list_.empty() ? nullptr : list_.data();
  head.n_prog = static_cast<uint32_t>(progs_.size());
  head.n_list = static_cast<uint32_t>(list_.size());
  head.math = node.math;
  auto* p = reinterpret_cast<std::byte*>(bytes_.data());
  std::memcpy(p, &head, sizeof head);
  if (!node.attrs.empty()) std::memcpy(p + sizeof head, node.attrs.data(), node.attrs.size());
}

}  // namespace opmux
