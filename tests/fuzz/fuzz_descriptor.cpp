// SPDX-License-Identifier: Apache-2.0
// Descriptors made of arbitrary bytes: whatever they say, validation answers without a fault, and what it
// accepts can be inferred, hashed and priced. Every array is exactly as long as the descriptor says, so that
// AddressSanitizer sees a step beyond it.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "kit/schema/schema.hpp"

namespace {

namespace schema = opmux::schema;

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  template <class T>
  T take() {
    T value{};
    const size_t n = std::min(size_, sizeof(T));
    std::memcpy(&value, data_, n);
    data_ += n;
    size_ -= n;
    return value;
  }
  uint32_t below(uint32_t n) { return take<uint8_t>() % n; }
  // Mostly small numbers, because large ones are refused at once; now and then anything.
  int64_t number() {
    const auto kind = take<uint8_t>();
    if (kind < 160) return 2 - (kind % 5 == 0) + (kind % 11 == 0);
    if (kind < 230) return kind % 9;
    return kind < 245 ? take<int16_t>() : take<int64_t>();
  }
  uint32_t dtype() {
    constexpr uint32_t kCommon[] = {OPMUX_F32, OPMUX_F32,  OPMUX_F16, OPMUX_F64, OPMUX_I64, OPMUX_I32,
                                    OPMUX_I8,  OPMUX_BOOL, OPMUX_U8,  OPMUX_I4,  OPMUX_NONE};
    const auto pick = take<uint8_t>();
    return pick < 250 ? kCommon[pick % std::size(kCommon)] : take<uint32_t>();
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

// What most operands of one case have in common, so that operators with several operands get past their first
// check.
struct Usual {
  uint32_t dtype, rank;
};

opmux_tdesc tensor(Bytes& in, const Usual& usual) {
  opmux_tdesc t{};
  t.dtype = in.below(5) != 0 ? usual.dtype : in.dtype();
  const uint32_t other_rank = in.take<uint8_t>();
  const auto shape = in.take<uint8_t>();
  t.rank = other_rank < 180 ? usual.rank : other_rank < 250 ? other_rank % 6 : in.take<uint32_t>();
  int64_t stride = 1;
  for (uint32_t i = std::min(t.rank, 8u); i-- > 0;) {
    t.dim[i] = in.number();
    t.stride[i] = (shape & 64) != 0 ? in.number() : stride;
    stride = t.dim[i] > 0 && t.dim[i] < 100 && stride < 1000000 ? stride * t.dim[i] : stride;
  }
  if ((shape & 128) != 0) {
    t.layout = in.below(4);
    t.flags = in.take<uint32_t>();
    t.quant = in.below(3);
    t.layout_arg = in.below(3);
  }
  return t;
}

struct Case {
  std::vector<opmux_tdesc> in, out;
  std::vector<int64_t> list;
  std::vector<uint32_t> alias;
  std::vector<opmux_prog> prog;
  std::vector<std::unique_ptr<std::vector<opmux_insn>>> insn;
  std::vector<std::unique_ptr<std::vector<uint32_t>>> value;
  std::vector<opmux_ext> chain;
};

void add_program(Bytes& b, Case& c) {
  auto insn = std::make_unique<std::vector<opmux_insn>>(b.below(6));
  for (opmux_insn& i : *insn) {
    const auto fn = b.take<uint8_t>();
    i.op = fn < 60 ? fn : fn < 220 ? fn % 24 + 128 : fn < 250 ? 256 + fn % 3 : b.take<uint32_t>();
    i.dtype = b.dtype();
    i.a = b.below(8);
    i.b = b.below(4);
    i.c = b.below(3);
    i.flags = b.below(16) == 0 ? b.take<uint32_t>() : 0;
    i.imm = i.op == OPMUX_FN_CONST ? b.take<uint64_t>() : 0;
  }
  auto value = std::make_unique<std::vector<uint32_t>>(b.below(4));
  for (uint32_t& v : *value) v = b.below(8);
  const auto slot = b.take<uint8_t>();
  c.prog.push_back({insn->data(), value->data(), static_cast<uint32_t>(insn->size()),
                    static_cast<uint32_t>(value->size()),
                    slot < 100   ? OPMUX_SLOT_MAIN
                    : slot < 230 ? OPMUX_SLOT_EPILOGUE(slot % 2)
                                 : b.take<uint32_t>(),
                    b.below(20)});
  c.insn.push_back(std::move(insn));
  c.value.push_back(std::move(value));
}

void fill(Bytes& b, Case& c, const schema::OpInfo& info, const Usual& usual) {
  const uint32_t odd = b.take<uint8_t>();
  c.in.resize(odd < 230 ? std::min(info.n_in_max, info.n_in_min + b.below(4)) + (odd & 1) : b.below(20));
  c.out.resize(odd < 230 ? std::min(info.n_out_max, info.n_out_min + b.below(2)) : b.below(10));
  for (opmux_tdesc& t : c.in) t = tensor(b, usual);
  for (opmux_tdesc& t : c.out) t = tensor(b, usual);
  c.list.resize(b.below(16));
  for (int64_t& v : c.list) v = b.number();
  for (uint32_t n = b.below(3); n > 0; --n) add_program(b, c);
  if (b.below(4) == 0)
    for (size_t i = 0; i < c.out.size(); ++i) c.alias.push_back(b.below(6));
  c.chain.resize(b.below(3));
  for (size_t i = 0; i < c.chain.size(); ++i)
    c.chain[i] = {16, b.take<uint32_t>(), i + 1 < c.chain.size() ? &c.chain[i + 1] : nullptr};
}

template <class T>
T* data_or_null(std::vector<T>& v) {
  return v.empty() ? nullptr : v.data();
}

void require(bool condition) {
  if (!condition) std::abort();
}

// Everything that a valid descriptor promises.
void exercise(const opmux_opd& d) {
  opmux_tdesc out[OPMUX_MAX_PROG_OUT];
  schema::Problem p;
  require(schema::infer(d, out, p));
  for (uint32_t o = 0; o < d.n_out; ++o) {
    if (d.out[o].dtype == OPMUX_NONE) continue;
    require(out[o].dtype == d.out[o].dtype && out[o].rank == d.out[o].rank);
    require(std::memcmp(out[o].dim, d.out[o].dim, sizeof(out[o].dim)) == 0);
  }
  std::vector<std::byte> bytes, again;
  schema::serialise(d, bytes);
  schema::serialise(d, again);
  require(bytes == again && schema::digest(d) == schema::digest(d));
  (void)schema::flops(d);
  (void)schema::bytes(d);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes b(data, size);
  const auto ops = schema::all();
  const schema::OpInfo& info = ops[b.below(static_cast<uint32_t>(ops.size()))];
  const auto odd_size = b.take<uint8_t>();
  const uint32_t desc_size = odd_size < 200   ? info.desc_size
                             : odd_size < 240 ? 16 + odd_size
                                              : 16 + b.below(256);
  Case c;
  const Usual usual{b.dtype(), b.below(6)};
  fill(b, c, info, usual);
  // The descriptor itself on the heap, at its stated size.
  std::vector<std::byte> memory(std::max<uint32_t>(desc_size, 16));
  opmux_opd head{};
  head.h = {desc_size, 0, data_or_null(c.chain)};
  head.op = info.op;
  head.rev = b.below(16) == 0 ? b.below(4) : 1;
  head.n_in = static_cast<uint32_t>(c.in.size());
  head.n_out = static_cast<uint32_t>(c.out.size());
  head.in = data_or_null(c.in);
  head.out = data_or_null(c.out);
  head.prog = data_or_null(c.prog);
  head.n_prog = static_cast<uint32_t>(c.prog.size());
  head.alias = data_or_null(c.alias);
  head.list = data_or_null(c.list);
  head.n_list = static_cast<uint32_t>(c.list.size());
  head.math = b.below(16) == 0 ? b.take<uint32_t>() : 0;
  std::memcpy(memory.data(), &head, std::min(memory.size(), sizeof(head)));
  for (size_t at = sizeof(head); at + 4 <= memory.size(); at += 4) {
    const auto kind = b.take<uint8_t>();
    const uint32_t acc = usual.dtype == OPMUX_F64 ? OPMUX_F64 : OPMUX_F32;
    const uint32_t value = kind < 180 ? kind % 5 : kind < 240 ? acc : b.take<uint32_t>();
    std::memcpy(memory.data() + at, &value, 4);
  }
  const auto& d = *reinterpret_cast<const opmux_opd*>(memory.data());
  schema::Problem p;
  // Often with the outputs that inference gives, for else few cases would be whole.
  std::vector<opmux_tdesc> inferred(c.out.size());
  if (desc_size >= sizeof(head) && b.below(4) != 0 && schema::infer(d, inferred.data(), p)) c.out = inferred;
  head.out = data_or_null(c.out);
  std::memcpy(memory.data(), &head, std::min(memory.size(), sizeof(head)));
  const bool ok = schema::validate(d, p);
  require(ok == (p.text[0] == '\0'));
  require(std::memchr(p.text, 0, sizeof(p.text)) != nullptr);
  if (ok) exercise(d);
  opmux_tdesc out[64];
  if (d.h.size >= sizeof(opmux_opd) && d.n_out <= std::size(out)) (void)schema::infer(d, out, p);
  return 0;
}
