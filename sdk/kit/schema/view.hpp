// SPDX-License-Identifier: Apache-2.0
// Inside of the schema library: a descriptor seen through its schema, and how problems are written down.
#pragma once

#include <array>
#include <cstdarg>
#include <cstring>

#include "kit/schema/schema.hpp"

namespace opmux::schema {

struct OpDef;

// Where a problem lies.
struct At {
  uint32_t why = OPMUX_WHY_INVALID;
  uint32_t arg = OPMUX_NO_ARG;
  uint32_t axis = 0;
};

[[gnu::format(printf, 6, 7)]] bool fail(Problem& p, const char* where, At at, int64_t have, int64_t limit,
                                        const char* format, ...);

// Saturating unsigned number for cost formulas; division by zero gives zero.
class Sat {
 public:
  constexpr Sat() = default;
  constexpr Sat(int64_t v) : v_(v < 0 ? 0 : static_cast<uint64_t>(v)) {}
  static constexpr Sat of(uint64_t v) {
    Sat s;
    s.v_ = v;
    return s;
  }
  constexpr uint64_t value() const { return v_; }
  friend constexpr Sat operator+(Sat a, Sat b) { return narrow(wide(a.v_) + b.v_); }
  friend constexpr Sat operator*(Sat a, Sat b) { return narrow(wide(a.v_) * b.v_); }
  friend constexpr Sat operator/(Sat a, Sat b) { return of(b.v_ == 0 ? 0 : a.v_ / b.v_); }

 private:
  __extension__ using wide = unsigned __int128;
  static constexpr Sat narrow(wide w) { return of(w > UINT64_MAX ? UINT64_MAX : static_cast<uint64_t>(w)); }
  uint64_t v_ = 0;
};

inline constexpr opmux_tdesc kAbsent{};
inline constexpr uint32_t kMaxDescSize = 512;  // of any operator; checked where the tables are made

// A descriptor with its own operands and its attributes, padded with zeros to the size of the schema's
// structure.
struct View {
  const OpDef* def = nullptr;
  const opmux_opd* d = nullptr;
  uint32_t n_own = 0;  // inputs without those of programs
  alignas(8) std::array<std::byte, kMaxDescSize> attrs{};

  template <class T>
  const T& attr() const {
    return *reinterpret_cast<const T*>(attrs.data());
  }
  const opmux_tdesc& in(uint32_t i) const { return i < n_own ? d->in[i] : kAbsent; }
  const opmux_tdesc& out(uint32_t o) const { return o < d->n_out && d->out != nullptr ? d->out[o] : kAbsent; }
  bool has_in(uint32_t i) const { return in(i).dtype != OPMUX_NONE; }
  std::span<const int64_t> list(const opmux_slice& s) const;

  At at_in(uint32_t why, uint32_t i, uint32_t axis = 0) const { return {why, i, axis}; }
  At at_out(uint32_t why, uint32_t o, uint32_t axis = 0) const { return {why, d->n_in + o, axis}; }
  static At at_attr(size_t offset) { return {OPMUX_WHY_ATTR, static_cast<uint32_t>(offset), 0}; }
  const char* name() const;
};

// Outputs as a rule makes them.
struct Shapes {
  std::array<opmux_tdesc, OPMUX_MAX_PROG_OUT> out{};
  void set(uint32_t o, uint32_t dtype, std::span<const int64_t> dims);
  void like(uint32_t o, uint32_t dtype, const opmux_tdesc& t) { set(o, dtype, {t.dim, t.rank}); }
};

// Fills v without looking further than the head and the counts; false where those make no sense.
bool open_view(const opmux_opd& d, View& v);

inline std::span<const int64_t> dims(const opmux_tdesc& t) { return {t.dim, t.rank}; }
inline bool is_class(uint32_t dtype, uint32_t cls) { return OPMUX_DTYPE_CLASS(dtype) == cls; }

// Extent of an axis; negative ones count from the end, 0 where there is none.
int64_t extent(const opmux_tdesc& t, int64_t axis);
Sat numel(const opmux_tdesc& t);
Sat tail(const opmux_tdesc& t, int64_t axis);  // elements in the dims from axis on
Sat size_bytes(const opmux_tdesc& t);          // of the elements that differ: broadcast axes count once
Sat product(std::span<const int64_t> values);
int64_t element(std::span<const int64_t> values, int64_t i);  // 0 where there is none
uint32_t compute_dtype(uint32_t dtype);                       // f32 for f16 and bf16, else the type itself
Sat attention_keys(const opmux_tdesc& k, const opmux_tdesc& past_k);

// Steps of validate and infer.
bool check_tensor(const View& v, const opmux_tdesc& t, const char* name, bool output, uint32_t arg,
                  Problem& p);
bool check_programs(const View& v, Shapes& s, Problem& p);
bool program_inputs(const View& v, uint64_t& extra, Problem& p);
bool broadcasts(const opmux_tdesc& t, const opmux_tdesc& to);
// Dims of the product of inputs 0 and 1.
bool matmul_shape(const View& v, int64_t shape[8], uint32_t& rank, Problem& p);

// Shape rules too long for a schema, one for each name under `rule:` there.
namespace rules {
using Rule = bool (*)(const View&, Shapes&, Problem&);
bool pointwise(const View& v, Shapes& s, Problem& p);
bool reduce(const View& v, Shapes& s, Problem& p);
bool gather(const View& v, Shapes& s, Problem& p);
bool gather_elements(const View& v, Shapes& s, Problem& p);
bool gather_nd(const View& v, Shapes& s, Problem& p);
bool one_hot(const View& v, Shapes& s, Problem& p);
bool scatter_elements(const View& v, Shapes& s, Problem& p);
bool scatter_nd(const View& v, Shapes& s, Problem& p);
bool segment(const View& v, Shapes& s, Problem& p);
bool embedding_bag(const View& v, Shapes& s, Problem& p);
bool histogram(const View& v, Shapes& s, Problem& p);
bool tensor_stats(const View& v, Shapes& s, Problem& p);
bool top_k(const View& v, Shapes& s, Problem& p);
bool non_zero(const View& v, Shapes& s, Problem& p);
bool unique(const View& v, Shapes& s, Problem& p);
bool matmul(const View& v, Shapes& s, Problem& p);
bool grouped_matmul(const View& v, Shapes& s, Problem& p);
bool quant_matmul(const View& v, Shapes& s, Problem& p);
bool dynamic_quantise(const View& v, Shapes& s, Problem& p);
bool conv(const View& v, Shapes& s, Problem& p);
bool conv_transpose(const View& v, Shapes& s, Problem& p);
bool pool(const View& v, Shapes& s, Problem& p);
bool layer_norm(const View& v, Shapes& s, Problem& p);
bool attention(const View& v, Shapes& s, Problem& p);
bool rotary(const View& v, Shapes& s, Problem& p);
bool paged_attention(const View& v, Shapes& s, Problem& p);
bool kv_append(const View& v, Shapes& s, Problem& p);
bool pad(const View& v, Shapes& s, Problem& p);
bool grid_sample(const View& v, Shapes& s, Problem& p);
bool col2im(const View& v, Shapes& s, Problem& p);
bool roi_align(const View& v, Shapes& s, Problem& p);
bool resize(const View& v, Shapes& s, Problem& p);
bool non_max_suppression(const View& v, Shapes& s, Problem& p);
bool deform_conv(const View& v, Shapes& s, Problem& p);
bool det(const View& v, Shapes& s, Problem& p);
bool recurrent(const View& v, Shapes& s, Problem& p);
bool linear_attention(const View& v, Shapes& s, Problem& p);
bool selective_scan(const View& v, Shapes& s, Problem& p);
bool dft(const View& v, Shapes& s, Problem& p);
bool sample(const View& v, Shapes& s, Problem& p);
bool speculative(const View& v, Shapes& s, Problem& p);
}  // namespace rules

}  // namespace opmux::schema
