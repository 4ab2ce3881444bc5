// SPDX-License-Identifier: Apache-2.0
// A descriptor of any operator that owns what it points to; copies are independent.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "kit/desc.hpp"
#include "kit/schema/schema.hpp"

namespace opmux::cts {

class Descriptor {
 public:
  explicit Descriptor(const schema::OpInfo& op) : info(&op), head_((op.desc_size + 7) / 8) {
    auto* o = reinterpret_cast<opmux_opd*>(head_.data());
    o->h.size = op.desc_size;
    o->op = op.op;
    o->rev = op.rev;
  }
  const schema::OpInfo* info;
  std::vector<opmux_tdesc> in, out;
  std::vector<int64_t> list;
  std::vector<uint32_t> alias;
  std::vector<kit::Program> program;

  template <class T>
  void set(uint32_t offset, T value) {
    std::memcpy(bytes() + offset, &value, sizeof value);
  }
  template <class T>
  T get(uint32_t offset) const {
    T value;
    std::memcpy(&value, reinterpret_cast<const char*>(head_.data()) + offset, sizeof value);
    return value;
  }
  opmux_slice add_list(std::span<const int64_t> values) {
    const opmux_slice s{static_cast<uint32_t>(list.size()), static_cast<uint32_t>(values.size())};
    list.insert(list.end(), values.begin(), values.end());
    return s;
  }
  void grow(uint32_t size) {
    head_.resize((size + 7) / 8);
    reinterpret_cast<opmux_opd*>(head_.data())->h.size = size;
  }
  char* bytes() { return reinterpret_cast<char*>(head_.data()); }
  uint32_t size() const { return reinterpret_cast<const opmux_opd*>(head_.data())->h.size; }

  // Valid until the next change or copy.
  opmux_opd* opd() {
    prog_.clear();
    for (const kit::Program& p : program) prog_.push_back(p.view());
    auto& o = *reinterpret_cast<opmux_opd*>(head_.data());
    o.n_in = static_cast<uint32_t>(in.size());
    o.n_out = static_cast<uint32_t>(out.size());
    o.n_prog = static_cast<uint32_t>(prog_.size());
    o.n_list = static_cast<uint32_t>(list.size());
    o.in = in.data();
    o.out = out.data();
    o.prog = prog_.data();
    o.list = list.data();
    o.alias = alias.empty() ? nullptr : alias.data();
    return &o;
  }

 private:
  std::vector<uint64_t> head_;
  std::vector<opmux_prog> prog_;
};

inline bool empty(const opmux_tdesc& t) {
  for (uint32_t i = 0; i < t.rank; ++i)
    if (t.dim[i] == 0) return true;
  return false;
}

// "f32[3,4]": for messages.
inline std::string text(const opmux_tdesc& t) {
  std::string s = t.dtype == OPMUX_NONE ? "absent" : schema::dtype_name(t.dtype);
  if (t.dtype == OPMUX_NONE) return s;
  s += "[";
  for (uint32_t i = 0; i < t.rank && i < OPMUX_MAX_RANK; ++i) s += (i ? "," : "") + std::to_string(t.dim[i]);
  s += "]";
  bool odd = false;
  int64_t step = 1;
  for (uint32_t i = t.rank; i-- > 0 && t.rank <= OPMUX_MAX_RANK;) {
    odd |= t.dim[i] > 1 && t.stride[i] != step;
    step *= t.dim[i];
  }
  if (odd && !empty(t)) {
    s += "(";
    for (uint32_t i = 0; i < t.rank; ++i) s += (i ? "," : "") + std::to_string(t.stride[i]);
    s += ")";
  }
  return s;
}

}  // namespace opmux::cts
