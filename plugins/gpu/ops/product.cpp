// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/product.hpp"

namespace opmux::gpu {

std::array<int64_t, 8> batch_strides(const opmux_tdesc& t, const opmux_tdesc& y) {
  std::array<int64_t, 8> s{};
  for (uint32_t i = 2; i < t.rank; ++i) {
    const uint32_t axis = t.rank - 1 - i;
    s[y.rank - 1 - i] = t.dim[axis] == 1 ? 0 : t.stride[axis];
  }
  return s;
}

uint64_t stride_at(const opmux_tdesc& t, uint32_t from_end) {
  if (t.rank <= from_end || t.dim[t.rank - 1 - from_end] == 1) return 0;
  return static_cast<uint64_t>(t.stride[t.rank - 1 - from_end]);
}

void product_walk(const opmux_opd& d, const std::vector<ProductView>& own, uint32_t first_program_arg,
                  StepMaker& s) {
  const opmux_tdesc& y = d.out[0];
  kit::Walk batch(std::span(y.dim, y.rank - 2));
  std::vector<StepMaker::Strides> names;
  const auto add = [&](const char* name, uint32_t k, const opmux_tdesc& t) {
    batch.add_strides(batch_strides(t, y));
    names.push_back({name, 8 * k});
    s.set(name, stride_at(t, 1), 8 * k + 6);
    s.set(name, stride_at(t, 0), 8 * k + 7);
  };
  for (const ProductView& v : own) add(v.name, 0, *v.t);
  for (uint32_t i = first_program_arg; i < d.n_in; ++i) add("xs", i - first_program_arg, d.in[i]);
  add("ys", 0, y);
  s.walk(batch, "rank", "dims", names);
}

}  // namespace opmux::gpu
