// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/order.hpp"

#include <algorithm>
#include <bit>

#include "gpu/ops/rows.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {
namespace {

constexpr int64_t kTile = 1024;

uint64_t rounded(uint64_t bytes) { return (bytes + 255) / 256 * 256; }

// The top word of an element, as order_keys.h wants it.
void key_form(StepMaker& m, uint32_t dtype, bool descending) {
  const uint32_t bits = std::min(OPMUX_DTYPE_BITS(dtype), 32u), sign = 1u << (bits - 1);
  const bool real = kit::is_float(dtype);
  uint32_t inf = 0;
  if (dtype == OPMUX_F16) inf = 0x7c00u;
  if (dtype == OPMUX_BF16) inf = 0x7f80u;
  if (dtype == OPMUX_F32) inf = 0x7f800000u;
  if (dtype == OPMUX_F64) inf = 0x7ff00000u;
  m.set("form", real ? 2 : dtype == OPMUX_BOOL ? 3 : kit::is_signed(dtype) ? 1 : 0);
  m.set("top", sign | (sign - 1));
  m.set("sign", sign);
  m.set("inf", inf);
  m.set("descending", descending);
  m.define("GK_HIGH(v)", raw_type(dtype) == kRaw64 ? "(v).y" : "(v)");
  m.define("GK_LOW(v)", raw_type(dtype) == kRaw64 ? "(v).x" : "0u");
}

}  // namespace

int64_t key_words(uint32_t dtype) { return OPMUX_DTYPE_BITS(dtype) == 64 ? 2 : 1; }

Order::Order(int64_t rows, int64_t n, int64_t words, uint64_t at)
    : rows_(rows), row_len_(n), n_(n), words_(std::max<int64_t>(words, 1)) {
  items_[0] = rounded(at);
  items_[1] = items_[0] + rounded(item_bytes());
  keys_ = items_[1] + rounded(item_bytes());
  end_ = keys_ + (words_ > 1 ? rounded(key_bytes()) : 0);
}

uint64_t Order::largest() const { return std::max(item_bytes(), words_ > 1 ? key_bytes() : 0); }

void Order::items(StepMaker& m, const std::string& name) const {
  m.workspace(name, items_[at_], static_cast<uint64_t>(rows_ * n_) * 8, kRaw64);
}

void Order::keys(StepMaker& m, const std::string& name) const {
  if (words_ > 1)
    m.workspace(name, keys_, key_bytes(), OPMUX_U32);
  else
    m.unused(name, OPMUX_U32);
}

void Order::keys_of(const opmux_devinfo& info, const opmux_opd& d, uint32_t axis, bool slices,
                    bool descending, KernelPlan& plan) {
  const opmux_tdesc& x = d.in[0];
  const bool none = elements(x) == 0;  // items without elements are equal
  StepMaker m("order_keys");
  m.bind("x", d, 0, raw_type(x.dtype));
  items(m, "items");
  keys(m, "keys");
  key_form(m, x.dtype, descending);
  std::vector<int64_t> dims;
  std::array<int64_t, 8> steps{};
  const auto take = [&](uint32_t i) {
    steps[dims.size()] = none ? 0 : x.stride[i];
    dims.push_back(none && i != axis ? 1 : x.dim[i]);
  };
  if (slices) take(axis);
  for (uint32_t i = 0; i < x.rank; ++i)
    if (i != axis) take(i);
  if (!slices) take(axis);
  kit::Walk w{std::span<const int64_t>(dims)};
  w.add_strides(steps).collapse();
  m.walk(w, "rank", "dims", {{"xs"}});
  const int64_t size = key_words(x.dtype), each = slices && !none ? words_ / size : 1;
  m.set("size", static_cast<uint64_t>(size));
  m.set("words", static_cast<uint64_t>(words_));
  m.set("each", static_cast<uint64_t>(each));
  m.set("per", static_cast<uint64_t>(row_len_));
  m.set("none", none);
  m.elements(info, static_cast<uint64_t>(rows_ * row_len_ * each));
  plan.steps.push_back(m.take());
}

void Order::next(StepMaker& m, int64_t words) const {
  items(m, "from");
  if (words > 1)
    keys(m, "keys");
  else
    m.unused("keys", OPMUX_U32);
  m.set("words", static_cast<uint64_t>(words));
  m.set("row_len", static_cast<uint64_t>(row_len_));
  m.set("n", static_cast<uint64_t>(n_));
}

void Order::tiles(const opmux_devinfo& info, int64_t span, int64_t keep, bool by_position, KernelPlan& plan) {
  const int64_t count = (n_ + span - 1) / span;
  const int64_t given = (count - 1) * keep + std::min(keep, n_ - (count - 1) * span);
  StepMaker m("order_tile");
  next(m, by_position ? 1 : words_);
  m.set("span", static_cast<uint64_t>(span));
  m.set("tiles", static_cast<uint64_t>(count));
  m.set("cells", static_cast<uint64_t>(rows_ * count));
  m.set("keep", static_cast<uint64_t>(keep));
  m.set("given", static_cast<uint64_t>(given));
  m.set("by_position", by_position);
  m.groups(info, static_cast<uint64_t>((rows_ * count * span + kTile - 1) / kTile));
  n_ = given;
  at_ ^= 1;
  items(m, "to");
  plan.steps.push_back(m.take());
}

void Order::merge(const opmux_devinfo& info, int64_t run, int64_t keep, bool by_position, KernelPlan& plan) {
  const int64_t pairs = (n_ + 2 * run - 1) / (2 * run);
  const int64_t given = (pairs - 1) * keep + std::min(keep, n_ - (pairs - 1) * 2 * run);
  StepMaker m("order_merge");
  next(m, by_position ? 1 : words_);
  m.set("total", static_cast<uint64_t>(rows_ * n_));
  m.set("run", static_cast<uint64_t>(run));
  m.set("keep", static_cast<uint64_t>(keep));
  m.set("given", static_cast<uint64_t>(given));
  m.elements(info, static_cast<uint64_t>(rows_ * n_));
  n_ = given;
  at_ ^= 1;
  items(m, "to");
  plan.steps.push_back(m.take());
}

void Order::sort(const opmux_devinfo& info, int64_t k, bool by_position, KernelPlan& plan) {
  if (rows_ * n_ == 0) return;
  int64_t span, keep;
  do {
    span = std::min(kTile, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(n_))));
    keep = std::min(k, span);
    const bool last = n_ <= span;
    tiles(info, span, keep, by_position, plan);
    if (last) return;
  } while (keep * 4 <= span);
  for (int64_t run = keep; n_ > run; run = keep) {
    keep = std::min(k, 2 * run);
    merge(info, run, keep, by_position, plan);
  }
}

}  // namespace opmux::gpu
