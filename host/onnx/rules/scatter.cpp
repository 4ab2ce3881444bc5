// SPDX-License-Identifier: Apache-2.0
// Scatter with known places: each element of the result comes either from the data or from a known update, so
// the whole is one gather from the two behind each other.
#include <numeric>

#include "host/onnx/rules/common.hpp"

namespace opmux::onnx_import {
namespace {

Dims row_major(const Dims& dims) {
  Dims stride(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) stride[i - 1] = stride[i] * dims[i];
  return stride;
}

// Where the elements of a result of n elements come from; the last update of a place wins.
class Sources {
 public:
  explicit Sources(int64_t n) : from_(static_cast<size_t>(n)), n_(n) {
    std::iota(from_.begin(), from_.end(), 0);
  }
  void set(int64_t place, int64_t update) { from_[static_cast<size_t>(place)] = n_ + update; }

  ValueId gathered(GraphBuilder& b, ValueId data, ValueId updates) const {
    const Dims dims = b.dims(data), flat = {n_}, flat_updates = {element_count(b.desc(updates))};
    const ValueId parts[] = {b.reshape(data, flat), b.reshape(updates, flat_updates)};
    Node node;
    node.op = OPMUX_OP_GATHER;
    node.in = {b.concat(parts, 0), b.int_vector(from_)};
    node.set(opmux_op_gather{});
    return b.reshape(b.emit(std::move(node)), dims);
  }

 private:
  std::vector<int64_t> from_;
  int64_t n_;
};

int64_t checked_index(int64_t index, int64_t extent) {
  if (index < -extent || index >= extent) {
    fail(OPMUX_E_INVALID, "index {} is outside [{}, {}]", index, -extent, extent - 1);
  }
  return index < 0 ? index + extent : index;
}

Sources start(NodeContext& c) {
  if (const std::string how = c.text("reduction", "none"); how != "none") {
    fail(OPMUX_E_UNSUPPORTED, "attribute 'reduction' is '{}', only none is supported", how);
  }
  return Sources(checked_made({element_count(c.b.desc(c.in(0)))}));
}

void scatter_elements(NodeContext& c) {
  const ValueId data = c.in(0), updates = c.in(2);
  const Dims dims = c.b.dims(data), index_dims = c.b.dims(c.in(1));
  if (index_dims != c.b.dims(updates) || index_dims.size() != dims.size()) {
    fail(OPMUX_E_INVALID, "the indices are {}, the updates {}, the data {}", to_string(c.b.desc(c.in(1))),
         to_string(c.b.desc(updates)), to_string(c.b.desc(data)));
  }
  const auto axis = static_cast<size_t>(normal_axis(c.integer("axis", 0), c.b.rank(data), "axis"));
  const auto index = c.b.ints(c.in(1), "the place of an update");
  const Dims stride = row_major(dims);
  Sources sources = start(c);
  Dims at(dims.size(), 0);
  for (size_t i = 0; i < index.size(); ++i) {
    int64_t place = 0;
    for (size_t k = 0; k < dims.size(); ++k) {
      place += stride[k] * checked_index(k == axis ? index[i] : at[k], dims[k]);
    }
    sources.set(place, static_cast<int64_t>(i));
    for (size_t k = dims.size(); k-- > 0 && ++at[k] == index_dims[k];) at[k] = 0;
  }
  c.out(0, sources.gathered(c.b, data, updates));
}

void scatter_nd(NodeContext& c) {
  const ValueId data = c.in(0), updates = c.in(2);
  const Dims dims = c.b.dims(data), index_dims = c.b.dims(c.in(1));
  if (index_dims.empty() || index_dims.back() < 0 || index_dims.back() > c.b.rank(data)) {
    fail(OPMUX_E_INVALID, "the indices are {}, the data {}", to_string(c.b.desc(c.in(1))),
         to_string(c.b.desc(data)));
  }
  const auto width = static_cast<size_t>(index_dims.back());
  Dims want(index_dims.begin(), index_dims.end() - 1);
  want.insert(want.end(), dims.begin() + index_dims.back(), dims.end());
  if (want != c.b.dims(updates)) {
    fail(OPMUX_E_INVALID, "the updates are {}, the indices {} and the data {} need another shape",
         to_string(c.b.desc(updates)), to_string(c.b.desc(c.in(1))), to_string(c.b.desc(data)));
  }
  const auto index = c.b.ints(c.in(1), "the place of an update");
  const Dims stride = row_major(dims);
  const int64_t slice = product_of(split_at(dims, index_dims.back()).second);
  const int64_t count = product_of(split_at(index_dims, c.b.rank(c.in(1)) - 1).first);
  Sources sources = start(c);
  for (int64_t i = 0; i < count; ++i) {
    int64_t place = 0;
    for (size_t k = 0; k < width; ++k) {
      place += stride[k] * checked_index(index[static_cast<size_t>(i) * width + k], dims[k]);
    }
    for (int64_t j = 0; j < slice; ++j) sources.set(place + j, i * slice + j);
  }
  c.out(0, sources.gathered(c.b, data, updates));
}

constexpr Rule kRules[] = {
    {"Scatter", scatter_elements}, {"ScatterElements", scatter_elements}, {"ScatterND", scatter_nd}};

}  // namespace

std::span<const Rule> scatter_rules() { return kRules; }

}  // namespace opmux::onnx_import
