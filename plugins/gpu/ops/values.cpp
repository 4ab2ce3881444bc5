// SPDX-License-Identifier: Apache-2.0
#include "gpu/ops/values.hpp"

#include <bit>

#include "kit/half.hpp"
#include "kit/scalar.hpp"

namespace opmux::gpu {

uint32_t real_storage(uint32_t dtype) {
  return dtype == OPMUX_F16 || dtype == OPMUX_BF16 ? OPMUX_U16 : dtype;
}

void real_access(StepMaker& s, uint32_t dtype, bool wide, const std::string& suffix,
                 const std::string& word) {
  const bool half = real_storage(dtype) == OPMUX_U16;
  const auto either = [&](const std::string& brain, const std::string& other) {
    return "(GK_CODE(P_" + word + ") != 0u ? " + brain + " : " + other + ")";
  };
  // From f64 by way of a f32 that is rounded to odd, so that the rounding is one.
  const std::string narrow = wide ? "gk_odd_double(v)" : "v";
  s.define("GK_GET" + suffix + "(x)",
           half ? "TO_sum" + either("gk_bf16_float(x)", "gk_f16_float(x)") : "TO_sum(x)");
  s.define("GK_PUT" + suffix + "(v)",
           half                 ? either("gk_bf16_bits(" + narrow + ")", "gk_f16_bits(" + narrow + ")")
           : dtype == OPMUX_F32 ? "GK_F32(v)"
                                : "(v)");
  s.set(word, dtype == OPMUX_BF16);
}

void real_types(StepMaker& s, uint32_t dtype, bool wide) {
  s.type("sum", wide ? OPMUX_F64 : OPMUX_F32);
  real_access(s, dtype, wide, "", "brain");
  if (wide) s.source().parts.insert("double_core.h");
  const char* suffix = wide ? "_d(v)" : "(v)";
  for (const auto& [macro, name] : {std::pair{"GK_EXP", "gk_exp"},
                                    {"GK_LOG", "gk_log"},
                                    {"GK_TANH", "gk_tanh"},
                                    {"GK_SIGMOID", "gk_sigmoid"},
                                    {"GK_EXPM1", "gk_expm1"},
                                    {"GK_LOG1P", "gk_log1p"}})
    s.define(std::string(macro) + "(v)", std::string(name) + suffix);
  s.define("GK_REAL(w)", wide ? "GK_REAL64(w)" : "GK_REAL32(w)");
}

void set_real(StepMaker& s, const char* name, double value, uint32_t at) {
  const auto bits = std::bit_cast<uint64_t>(value);
  s.set(name, std::bit_cast<uint32_t>(static_cast<float>(value)), 3 * at);
  s.set(name, bits & 0xffffffffu, 3 * at + 1);
  s.set(name, bits >> 32, 3 * at + 2);
}

void bind_real(StepMaker& s, const char* name, const opmux_opd& d, uint32_t arg) {
  s.bind(name, d, arg, real_storage(kit_operand(&d, arg)->dtype));
}

uint32_t code_format(uint32_t dtype) {
  const uint32_t width = OPMUX_DTYPE_BITS(dtype) << 4;
  const auto of = [&](const kit::FloatFormat& f) {
    return 2 | width | static_cast<uint32_t>(f.exponent) << 10 | static_cast<uint32_t>(f.mantissa) << 14 |
           static_cast<uint32_t>(f.bias) << 18 | (f.infinity ? 1u << 23 : 0) |
           (!f.infinity && f.nan ? 1u << 24 : 0) | (f.unsigned_zero ? 1u << 25 : 0);
  };
  switch (dtype) {
    case OPMUX_U8:
    case OPMUX_U4:
    case OPMUX_U2:
      return width;
    case OPMUX_I8:
    case OPMUX_I4:
    case OPMUX_I2:
      return 1 | width;
    case OPMUX_E4M3FN:
      return of(kit::kE4m3fn);
    case OPMUX_E5M2:
      return of(kit::kE5m2);
    case OPMUX_E4M3FNUZ:
      return of(kit::kE4m3fnuz);
    case OPMUX_E5M2FNUZ:
      return of(kit::kE5m2fnuz);
    case OPMUX_E2M1:
      return of(kit::kE2m1);
    case OPMUX_E8M0:
      return 3 | width;
    case OPMUX_F16:
      return 4 | width;
    case OPMUX_BF16:
      return 5 | width;
    case OPMUX_F32:
      return 6 | width;
    default:
      return 0;
  }
}

void bind_codes(StepMaker& s, const char* name, const opmux_opd& d, uint32_t arg, const char* format) {
  s.bind_bytes(name, d, arg);
  s.set(format, code_format(kit_operand(&d, arg)->dtype));
}

void bind_indices(StepMaker& s, const char* name, const opmux_opd& d, uint32_t arg, const char* words) {
  s.bind(name, d, arg, OPMUX_U32);
  s.set(words, OPMUX_DTYPE_BITS(kit_operand(&d, arg)->dtype) / 32);
}

Step check_step(const opmux_devinfo& info, const opmux_opd& d, uint32_t arg, int least, int64_t most,
                bool rising) {
  const opmux_tdesc& t = *kit_operand(&d, arg);
  StepMaker s("check_indices");
  bind_indices(s, "x", d, arg, "words");
  s.set("count", static_cast<uint64_t>(elements(t)));
  s.set("step", t.rank == 0 ? 0 : static_cast<uint64_t>(t.stride[0]));
  s.set("least", static_cast<uint64_t>(least));
  s.set("limit", static_cast<uint64_t>(most + 1));
  s.set("rising", rising);
  s.elements(info, static_cast<uint64_t>(elements(t)));
  Step step = s.take();
  step.faulty_arg = arg;
  return step;
}

void set_strides(StepMaker& s, const char* name, const opmux_tdesc& t, uint32_t n) {
  for (uint32_t i = 0; i < t.rank; ++i)
    s.set(name, t.dim[i] == 1 ? 0 : static_cast<uint64_t>(t.stride[i]), n - t.rank + i);
}

bool same_view(const opmux_tdesc& a, const opmux_tdesc& b) {
  bool same = a.dtype == b.dtype && a.rank == b.rank;
  for (uint32_t i = 0; same && i < a.rank; ++i)
    same = a.dim[i] == b.dim[i] && (a.dim[i] <= 1 || a.stride[i] == b.stride[i]);
  return same;
}

bool check_places(const opmux_opd& d, opmux_cap& cap, std::initializer_list<Place> places) {
  for (uint32_t o = 0; o < d.n_out; ++o) {
    if (!has_out(d, o)) continue;
    const uint32_t alias = d.alias ? d.alias[o] : 0;
    bool ok = alias == 0;
    for (const Place& p : places) {
      if (p.out != o) continue;
      ok = alias == 0 ? !p.must : alias == p.in + 1 && same_view(d.in[p.in], d.out[o]);
    }
    if (!ok) return kit_no(&cap, OPMUX_WHY_ALIAS, d.n_in + o, 0, alias, 0);
  }
  return true;
}

}  // namespace opmux::gpu
