// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

template <class Row, class Key>
const Row* lookup(std::span<const Row> rows, uint32_t number, Key key) {
  auto it = std::lower_bound(rows.begin(), rows.end(), number,
                             [&](const Row& r, uint32_t n) { return r.*key < n; });
  return it != rows.end() && (*it).*key == number ? &*it : nullptr;
}

}  // namespace

const OpInfo* find(uint32_t op) { return lookup(kOpInfos, op, &OpInfo::op); }

const OpInfo* find(std::string_view name) {
  for (const OpInfo& i : kOpInfos)
    if (name == i.name) return &i;
  return nullptr;
}

std::span<const OpInfo> all() { return kOpInfos; }

const OpDef* find_def(uint32_t op) {
  const OpInfo* info = find(op);
  return info == nullptr ? nullptr : &kOpDefs[static_cast<size_t>(info - kOpInfos.data())];
}

const FnDef* find_fn(uint32_t fn) { return lookup(kFns, fn, &FnDef::fn); }

const char* dtype_name(uint32_t dtype) {
  if (dtype == OPMUX_NONE) return "none";
  for (const DtypeDef& t : kDtypes)
    if (t.dtype == dtype) return t.name;
  return "?";
}

uint32_t dtype_from_name(std::string_view name) {
  for (const DtypeDef& t : kDtypes)
    if (name == t.name) return t.dtype;
  return OPMUX_NONE;
}

const char* fn_name(uint32_t fn) {
  const FnDef* f = find_fn(fn);
  return f == nullptr ? "?" : f->name;
}

int fn_arity(uint32_t fn) {
  const FnDef* f = find_fn(fn);
  return f == nullptr ? -1 : f->arity;
}

const char* why_name(uint32_t why) {
  const NumberName* n = lookup(kWhys, why, &NumberName::number);
  return n == nullptr ? "?" : n->name;
}

const char* status_name(opmux_status s) {
  const NumberName* n = lookup(kStatuses, OPMUX_CODE(s), &NumberName::number);
  return n == nullptr ? "?" : n->name;
}

}  // namespace opmux::schema
