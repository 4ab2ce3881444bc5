// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/weights.hpp"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/weights.cpp"
#include <hwy/foreach_target.h>  // NOLINT: before highway.h
#include <hwy/highway.h>

#include "cpu/kernels/gemm_tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace opmux::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using I = hn::RebindToSigned<F>;
using U = hn::RebindToUnsigned<F>;
using VF = hn::Vec<F>;
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(F()));
constexpr int64_t kNr = kNv * kLanes;
using Columns = Cols<float, kNv>;

// Each form: row(codes, table, i, v) is lanes [v kLanes, (v + 1) kLanes) of row i as numbers; whole() as
// integers, for those that are.
template <class T>
struct FormByte {
  static HWY_INLINE hn::Vec<I> whole(const void* codes, int64_t i, int64_t v) {
    const hn::Rebind<T, I> d;
    return hn::PromoteTo(I(), hn::LoadU(d, static_cast<const T*>(codes) + i * kNr + v * kLanes));
  }
  static HWY_INLINE VF row(const void* codes, const float*, int64_t i, int64_t v) {
    return hn::ConvertTo(F(), whole(codes, i, v));
  }
};
using FormI8 = FormByte<int8_t>;
using FormU8 = FormByte<uint8_t>;
struct FormF16 {
  static HWY_INLINE VF row(const void* codes, const float*, int64_t i, int64_t v) {
    const hn::Rebind<hwy::float16_t, F> d;
    return hn::PromoteTo(F(), hn::LoadU(d, static_cast<const hwy::float16_t*>(codes) + i * kNr + v * kLanes));
  }
};
struct FormBf16 {
  static HWY_INLINE VF row(const void* codes, const float*, int64_t i, int64_t v) {
    const hn::Rebind<hwy::bfloat16_t, F> d;
    return hn::PromoteTo(F(),
                         hn::LoadU(d, static_cast<const hwy::bfloat16_t*>(codes) + i * kNr + v * kLanes));
  }
};
// 8-bit floats: the magnitude's bits become those of an f32 whose exponent is off by a constant factor, which
// the product mends, for subnormal numbers too.
template <int kMantissa, int kBias, uint32_t kNan, uint32_t kInfinity, bool kFnuz>
struct FormF8 {
  static HWY_INLINE VF row(const void* codes, const float*, int64_t i, int64_t v) {
    const hn::Rebind<uint8_t, I> d8;
    const U du;
    const auto code = hn::BitCast(
        du, hn::PromoteTo(I(), hn::LoadU(d8, static_cast<const uint8_t*>(codes) + i * kNr + v * kLanes)));
    const auto magnitude = hn::And(code, hn::Set(du, 0x7fu));
    const auto sign = hn::ShiftLeft<24>(hn::And(code, hn::Set(du, 0x80u)));
    const VF factor = hn::BitCast(F(), hn::Set(du, static_cast<uint32_t>(254 - kBias) << 23));
    VF x = hn::Mul(hn::BitCast(F(), hn::ShiftLeft<23 - kMantissa>(magnitude)), factor);
    const VF nan = hn::BitCast(F(), hn::Set(du, 0x7fc00000u));
    if constexpr (kFnuz) {
      x = hn::BitCast(F(), hn::Or(hn::BitCast(du, x), sign));
      return hn::IfThenElse(hn::RebindMask(F(), hn::Eq(code, hn::Set(du, 0x80u))), nan, x);
    } else {
      if constexpr (kInfinity != kNan) {
        const VF infinity = hn::BitCast(F(), hn::Set(du, 0x7f800000u));
        x = hn::IfThenElse(hn::RebindMask(F(), hn::Eq(magnitude, hn::Set(du, kInfinity))), infinity, x);
      }
      const auto above = hn::Gt(hn::BitCast(I(), magnitude), hn::Set(I(), static_cast<int32_t>(kNan) - 1));
      x = hn::IfThenElse(hn::RebindMask(F(), above), nan, x);
      return hn::BitCast(F(), hn::Or(hn::BitCast(du, x), sign));
    }
  }
};
using FormE4m3fn = FormF8<3, 7, 0x7f, 0x7f, false>;
using FormE5m2 = FormF8<2, 15, 0x7d, 0x7c, false>;
using FormE4m3fnuz = FormF8<3, 8, 0, 0, true>;
using FormE5m2fnuz = FormF8<2, 16, 0, 0, true>;

HWY_INLINE hn::Vec<I> word(const void* codes, int64_t i, int64_t v) {
  return hn::LoadU(I(), static_cast<const int32_t*>(codes) + i / 8 * kNr + v * kLanes);
}
struct FormI4 {
  template <int J>
  static HWY_INLINE VF of_word(hn::Vec<I> word, const float*) {
    return hn::ConvertTo(F(), hn::ShiftRight<28>(hn::ShiftLeft<28 - 4 * J>(word)));
  }
  static HWY_INLINE hn::Vec<I> whole(const void* codes, int64_t i, int64_t v) {
    return hn::ShiftRight<28>(hn::ShiftLeftSame(word(codes, i, v), 28 - 4 * static_cast<int>(i % 8)));
  }
  static HWY_INLINE VF row(const void* codes, const float*, int64_t i, int64_t v) {
    return hn::ConvertTo(F(), whole(codes, i, v));
  }
};
struct FormU4 {
  template <int J>
  static HWY_INLINE VF of_word(hn::Vec<I> word, const float*) {
    return hn::ConvertTo(F(), hn::And(hn::ShiftRight<4 * J>(word), hn::Set(I(), 15)));
  }
  static HWY_INLINE hn::Vec<I> whole(const void* codes, int64_t i, int64_t v) {
    const auto low = hn::ShiftRightSame(word(codes, i, v), 4 * static_cast<int>(i % 8));
    return hn::And(low, hn::Set(I(), 15));
  }
  static HWY_INLINE VF row(const void* codes, const float*, int64_t i, int64_t v) {
    return hn::ConvertTo(F(), whole(codes, i, v));
  }
};
struct FormTable {
  template <int J>
  static HWY_INLINE VF of_word(hn::Vec<I> word, const float* table) {
    return look_up(hn::ShiftRight<4 * J>(word), table);
  }
  static HWY_INLINE VF row(const void* codes, const float* table, int64_t i, int64_t v) {
    return look_up(hn::ShiftRightSame(word(codes, i, v), 4 * static_cast<int>(i % 8)), table);
  }
  static HWY_INLINE VF look_up(hn::Vec<I> low, const float* table) {
    const auto index = hn::And(low, hn::Set(I(), 15));
#if HWY_TARGET <= HWY_AVX3
    return hn::TableLookupLanes(hn::LoadU(F(), table), hn::IndicesFromVec(F(), index));
#else
    return hn::GatherIndex(F(), table, index);
#endif
  }
};

// Emulated vectors are loops: a function a row there, since unrolled for all forms they take minutes to
// compile.
constexpr bool kEmulated = (HWY_TARGET & (HWY_EMU128 | HWY_SCALAR)) != 0;

template <class Form, int NV>
HWY_INLINE void load_vectors(Cols<float, NV>& c, const void* codes, const float* table, int64_t i) {
  if constexpr (NV > 0) {
    c.v = Form::row(codes, table, i, kNv - NV);
    load_vectors<Form>(c.rest, codes, table, i);
  }
}
template <class Form>
HWY_NOINLINE void load_row(Columns& c, const void* codes, const float* table, int64_t i) {
  load_vectors<Form>(c, codes, table, i);
}

template <class Form, int J, int NV>
HWY_INLINE void load_nibbles(Cols<float, NV>& c, const void* codes, const float* table, int64_t i) {
  if constexpr (NV > 0) {
    c.v = Form::template of_word<J>(word(codes, i, kNv - NV), table);
    load_nibbles<Form, J>(c.rest, codes, table, i);
  }
}
// Row i + J, where i is a multiple of 8: shifts of nibbles are then constants.
template <class Form, int J>
HWY_INLINE void load_eighth(Columns& c, const void* codes, const float* table, int64_t i) {
  if constexpr (kEmulated) {
    load_row<Form>(c, codes, table, i + J);
  } else if constexpr (requires { Form::template of_word<J>; }) {
    load_nibbles<Form, J>(c, codes, table, i);
  } else {
    load_vectors<Form>(c, codes, table, i + J);
  }
}

template <class Form, int J, class Finish>
HWY_INLINE void decode_eighth(const WeightPanel& p, int64_t i, const Finish& finish) {
  Columns w;
  load_eighth<Form, J>(w, p.codes, p.table, i);
  finish(w);
}

template <class Form>
void decode(const WeightPanel& p, int64_t k0, int64_t k, float* dst) {
  for (int64_t i = k0; i < k0 + k;) {
    const int64_t g = i / p.group, end = std::min(k0 + k, (g + 1) * p.group);
    Columns zero, scale;
    zero.zero();
    scale.zero();
    if (p.zero) zero.load(p.zero + g * kNr);
    if (p.scale) scale.load(p.scale + g * kNr);
    const auto finish = [&](Columns& w) HWY_ATTR {
      if (p.zero) w.sub(zero);
      if (p.scale) w.mul(scale);
      w.store(dst);
      dst += kNr;
    };
    const auto one = [&](int64_t row) HWY_ATTR {
      Columns w;
      load_row<Form>(w, p.codes, p.table, row);
      finish(w);
    };
    for (; i < end && i % kWeightStep != 0; ++i) one(i);
    for (; i + kWeightStep <= end; i += kWeightStep) {
      decode_eighth<Form, 0>(p, i, finish);
      decode_eighth<Form, 1>(p, i, finish);
      decode_eighth<Form, 2>(p, i, finish);
      decode_eighth<Form, 3>(p, i, finish);
      decode_eighth<Form, 4>(p, i, finish);
      decode_eighth<Form, 5>(p, i, finish);
      decode_eighth<Form, 6>(p, i, finish);
      decode_eighth<Form, 7>(p, i, finish);
    }
    for (; i < end; ++i) one(i);
  }
}

template <class Form, int R, bool kZero, int J>
HWY_INLINE void step_inline(const WeightPanel& p, int64_t i, const float* a, const Columns& zero,
                            Rows<float, R, kNv>& sum) {
  Columns w;
  load_eighth<Form, J>(w, p.codes, p.table, i);
  if constexpr (kZero) w.sub(zero);
  sum.fma(a + (i + J) * R, w);
}
template <class Form, int R, bool kZero>
HWY_NOINLINE void step_apart(const WeightPanel& p, int64_t i, const float* a, const Columns& zero,
                             Rows<float, R, kNv>& sum) {
  step_inline<Form, R, kZero, 0>(p, i, a, zero, sum);
}

// Row i + J of k.
template <class Form, int R, bool kZero, int J>
HWY_INLINE void step(const WeightPanel& p, int64_t i, const float* a, const Columns& zero,
                     Rows<float, R, kNv>& sum) {
  if constexpr (kEmulated) return step_apart<Form, R, kZero>(p, i + J, a, zero, sum);
  step_inline<Form, R, kZero, J>(p, i, a, zero, sum);
}

// Rows i + J to i + J + 3. Few rows of A have several sums each, which cover the latency of the multiply-add.
template <class Form, int R, bool kZero, int J>
HWY_INLINE void four_steps(const WeightPanel& p, int64_t i, const float* a, const Columns& zero,
                           Rows<float, R, kNv>& s0, Rows<float, R, kNv>& s1, Rows<float, R, kNv>& s2,
                           Rows<float, R, kNv>& s3) {
  step<Form, R, kZero, J>(p, i, a, zero, s0);
  step<Form, R, kZero, J + 1>(p, i, a, zero, R < 4 ? s1 : s0);
  step<Form, R, kZero, J + 2>(p, i, a, zero, R < 2 ? s2 : s0);
  step<Form, R, kZero, J + 3>(p, i, a, zero, R < 2 ? s3 : R < 4 ? s1 : s0);
}

template <class Form, int R, bool kZero>
HWY_INLINE void thin_of(const WeightPanel& p, int64_t k, const float* a, float* c, int64_t ldc) {
  Rows<float, R, kNv> total;
  total.zero();
  for (int64_t i = 0, g = 0; i < k; ++g) {
    const int64_t end = std::min(k, i + p.group);
    Rows<float, R, kNv> s0, s1, s2, s3;
    s0.zero();
    s1.zero();
    s2.zero();
    s3.zero();
    Columns zero, scale;
    if constexpr (kZero) zero.load(p.zero + g * kNr);
    for (; i < end; i += kWeightStep) {
      four_steps<Form, R, kZero, 0>(p, i, a, zero, s0, s1, s2, s3);
      four_steps<Form, R, kZero, 4>(p, i, a, zero, s0, s1, s2, s3);
    }
    if constexpr (R < 4) s0.add(s1);
    if constexpr (R < 2) {
      s2.add(s3);
      s0.add(s2);
    }
    if (p.scale) {
      scale.load(p.scale + g * kNr);
      total.add_product(s0, scale);
    } else {
      total.add(s0);
    }
  }
  total.store(c, ldc);
}

template <class Form, int R>
HWY_NOINLINE void thin_rows(const WeightPanel& p, int64_t k, const float* a, float* c, int64_t ldc) {
  if (p.zero) return thin_of<Form, R, true>(p, k, a, c, ldc);
  thin_of<Form, R, false>(p, k, a, c, ldc);
}

template <class Form>
void thin(const WeightPanel& p, int64_t rows, int64_t k, const float* a, float* c, int64_t ldc) {
  if (rows == 1) return thin_rows<Form, 1>(p, k, a, c, ldc);
  if (rows == 2) return thin_rows<Form, 2>(p, k, a, c, ldc);
  thin_rows<Form, 4>(p, k, a, c, ldc);
}

template <class Form>
void pairs(const WeightPanel& p, int64_t k0, int64_t k, int32_t* dst) {
  for (int64_t i = k0; i < k0 + k; ++i) {
    for (int64_t v = 0; v < kNv; ++v, dst += kLanes) {
      auto low = Form::whole(p.codes, 2 * i, v), high = Form::whole(p.codes, 2 * i + 1, v);
      if (p.zero) {
        const auto zero = hn::ConvertTo(I(), hn::LoadU(F(), p.zero + v * kLanes));
        low = hn::Sub(low, zero);
        high = hn::Sub(high, zero);
      }
      hn::StoreU(hn::Or(hn::And(low, hn::Set(I(), 0xffff)), hn::ShiftLeft<16>(high)), I(), dst);
    }
  }
}

template <class Form>
WeightKernels table() {
  return {kNr, decode<Form>, thin<Form>, nullptr};
}
template <class Form>
WeightKernels whole_table() {
  return {kNr, decode<Form>, thin<Form>, pairs<Form>};
}

WeightKernels kernels(WeightForm form) {
  switch (form) {
    case WeightForm::kF16:
      return table<FormF16>();
    case WeightForm::kBf16:
      return table<FormBf16>();
    case WeightForm::kI8:
      return whole_table<FormI8>();
    case WeightForm::kU8:
      return whole_table<FormU8>();
    case WeightForm::kE4m3fn:
      return table<FormE4m3fn>();
    case WeightForm::kE5m2:
      return table<FormE5m2>();
    case WeightForm::kE4m3fnuz:
      return table<FormE4m3fnuz>();
    case WeightForm::kE5m2fnuz:
      return table<FormE5m2fnuz>();
    case WeightForm::kI4:
      return whole_table<FormI4>();
    case WeightForm::kU4:
      return whole_table<FormU4>();
    default:
      return table<FormTable>();
  }
}

}  // namespace opmux::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace opmux::cpu {
HWY_EXPORT(kernels);
WeightKernels weight_kernels(WeightForm form) { return HWY_DYNAMIC_DISPATCH(kernels)(form); }

int64_t weight_panel_bytes(WeightForm form, int64_t k, int64_t nr) {
  const int64_t whole = (k + kWeightStep - 1) / kWeightStep * kWeightStep;
  if (is_nibble(form)) return whole / 2 * nr;
  return whole * nr * (form <= WeightForm::kBf16 ? 2 : 1);
}

namespace {
uint32_t code_at(const WeightSource& s, int64_t at) {
  const auto* bytes = static_cast<const uint8_t*>(s.src);
  if (s.bits == 16) return uint32_t{bytes[2 * at]} | uint32_t{bytes[2 * at + 1]} << 8;
  if (s.bits == 8) return bytes[at];
  const int64_t per = 8 / s.bits;
  const int64_t byte = at >= 0 ? at / per : -((-at + per - 1) / per);
  const uint32_t code = (uint32_t{bytes[byte]} >> ((at - byte * per) * s.bits)) & ((1u << s.bits) - 1);
  // 2-bit integers are held as 4-bit ones.
  return s.bits == 2 && s.is_signed && (code & 2u) != 0 ? code | 12u : code;
}
}  // namespace

void pack_weights(WeightForm form, const WeightSource& s, int64_t cols, int64_t k, int64_t nr, void* dst) {
  std::memset(dst, 0, static_cast<size_t>(weight_panel_bytes(form, k, nr)));
  auto* bytes = static_cast<uint8_t*>(dst);
  // Blocks of k, so that the lines of dst being filled stay in the first-level cache.
  constexpr int64_t kBlock = 64;
  for (int64_t i0 = 0; i0 < k; i0 += kBlock) {
    const int64_t i1 = std::min(k, i0 + kBlock);
    for (int64_t r = 0; r < cols; ++r) {
      for (int64_t i = i0; i < i1; ++i) {
        const uint32_t code = code_at(s, s.first + r * s.rs + i * s.ks);
        if (is_nibble(form)) {
          uint8_t& b = bytes[(i / 8 * nr + r) * 4 + i % 8 / 2];
          b = static_cast<uint8_t>(b | code << (i % 2 * 4));
        } else if (s.bits == 16) {
          const auto half = static_cast<uint16_t>(code);
          std::memcpy(bytes + (i * nr + r) * 2, &half, 2);
        } else {
          bytes[i * nr + r] = static_cast<uint8_t>(code);
        }
      }
    }
  }
}

}  // namespace opmux::cpu
#endif
