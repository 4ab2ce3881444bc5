// SPDX-License-Identifier: Apache-2.0
// The canonical serialisation: a sequence of 64-bit words, little endian, in which nothing depends on where
// the descriptor lies. Version 1; a change of form changes the first word.
#include <algorithm>
#include <bit>

#include "kit/schema/table.hpp"

namespace opmux::schema {
namespace {

static_assert(std::endian::native == std::endian::little, "words are written as they lie in memory");

constexpr uint64_t kFormat = 0x6f70'6d75'7801'0000u;

// 128-bit hash of a word stream: two independent lanes of multiply-and-fold (the folded product of wyhash and
// similar functions), each with its own odd constants.
class Hasher {
 public:
  void word(uint64_t w) {
    lo_ = fold(lo_ ^ w, 0x9e37'79b9'7f4a'7c15u) + 0xd6e8'feb8'6659'fd93u;
    hi_ = fold(std::rotl(hi_, 29) ^ w, 0xc2b2'ae3d'27d4'eb4fu) ^ (w * 0x1656'67b1'9e37'79f9u);
    ++count_;
  }
  Digest digest() const {
    const uint64_t a = mix(lo_ ^ count_), b = mix(hi_ + std::rotl(lo_, 32));
    return {a, b};
  }

 private:
  __extension__ using Wide = unsigned __int128;
  static uint64_t fold(uint64_t a, uint64_t b) {
    const Wide m = Wide{a} * b;
    // The product alone would lose a when its halves cancel, so a goes in again.
    return static_cast<uint64_t>(m) ^ static_cast<uint64_t>(m >> 64) ^ std::rotl(a, 17);
  }
  static uint64_t mix(uint64_t x) {  // the finaliser of MurmurHash3
    x = (x ^ (x >> 33)) * 0xff51'afd7'ed55'8ccdu;
    x = (x ^ (x >> 33)) * 0xc4ce'b9fe'1a85'ec53u;
    return x ^ (x >> 33);
  }
  uint64_t lo_ = 0x243f'6a88'85a3'08d3u, hi_ = 0x1319'8a2e'0370'7344u, count_ = 0;
};

class Writer {
 public:
  explicit Writer(std::vector<std::byte>& out) : out_(out) {}
  void word(uint64_t w) {
    const auto bytes = std::bit_cast<std::array<std::byte, 8>>(w);
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }

 private:
  std::vector<std::byte>& out_;
};

template <class Sink>
class Canonical {
 public:
  explicit Canonical(Sink& sink) : sink_(sink) {}

  void descriptor(const opmux_opd& d) {
    pair(d.op, d.rev);
    pair(d.n_in, d.n_out);
    pair(d.math, d.n_prog);
    for (uint32_t i = 0; i < d.n_in; ++i) tensor(d.in[i]);
    for (uint32_t i = 0; i < d.n_out; ++i) tensor(d.out[i]);
    for (uint32_t i = 0; i < d.n_prog; ++i) program(d.prog[i]);
    for (uint32_t i = 0; i < d.n_out; i += 2) pair(alias(d, i), alias(d, i + 1));
    attributes(d);
    chain(d.h.next);
  }

 private:
  void pair(uint32_t a, uint32_t b) { sink_.word(a | uint64_t{b} << 32); }
  static uint32_t alias(const opmux_opd& d, uint32_t o) {
    return d.alias != nullptr && o < d.n_out ? d.alias[o] : 0;
  }

  void tensor(const opmux_tdesc& t) {
    pair(t.dtype, t.rank);
    if (t.dtype == OPMUX_NONE) return;
    pair(t.layout, t.flags);
    sink_.word(t.quant);
    sink_.word(t.layout_arg);
    const uint32_t rank = std::min(t.rank, OPMUX_MAX_RANK);
    const bool strided = t.layout == 0 && std::find(t.dim, t.dim + rank, 0) == t.dim + rank;
    for (uint32_t i = 0; i < rank; ++i) {
      sink_.word(static_cast<uint64_t>(t.dim[i]));
      sink_.word(strided && t.dim[i] != 1 ? static_cast<uint64_t>(t.stride[i]) : 0);
    }
  }

  void program(const opmux_prog& g) {
    pair(g.slot, g.n_in);
    pair(g.n_insn, g.n_out);
    for (uint32_t k = 0; k < g.n_insn; ++k) {
      const opmux_insn& i = g.insn[k];
      pair(i.op, i.dtype);
      pair(i.a, i.b);
      pair(i.c, i.flags);
      sink_.word(i.imm);
    }
    for (uint32_t o = 0; o < g.n_out; ++o) sink_.word(g.out[o]);
  }

  // The attributes up to the last that is not zero, so that an old and a new structure with the same meaning
  // agree.
  void attributes(const opmux_opd& d) {
    const OpDef* def = find_def(d.op);
    if (def == nullptr) return;
    std::array<std::byte, kMaxDescSize> padded{};
    std::memcpy(padded.data(), &d, std::min(d.h.size, def->info->desc_size));
    const auto read = [&](uint32_t offset) {
      uint32_t v;
      std::memcpy(&v, padded.data() + offset, 4);
      return v;
    };
    size_t n = def->attr.size();
    const auto zero = [&](const Attr& a) {
      return read(a.type == AttrType::kSlice ? a.offset + 4 : a.offset) == 0;
    };
    while (n > 0 && zero(def->attr[n - 1])) --n;
    sink_.word(n);
    for (const Attr& a : def->attr.first(n)) {
      if (a.type != AttrType::kSlice) {
        sink_.word(read(a.offset));
        continue;
      }
      const uint32_t first = read(a.offset), count = read(a.offset + 4);
      sink_.word(count);
      const bool inside = d.list != nullptr && first <= d.n_list && count <= d.n_list - first;
      for (uint32_t i = 0; inside && i < count; ++i) sink_.word(static_cast<uint64_t>(d.list[first + i]));
    }
  }

  // By rising tag, without trailing zeros, each link behind its tag and length. A valid chain has at most 64
  // links.
  void chain(const opmux_ext* head) {
    std::array<const opmux_ext*, 64> link{};
    size_t n = 0;
    for (const opmux_ext* e = head; e != nullptr && n < link.size(); e = e->next) link[n++] = e;
    std::sort(link.begin(), link.begin() + n, [](auto* a, auto* b) { return a->tag < b->tag; });
    sink_.word(n);
    for (size_t i = 0; i < n; ++i) {
      const auto* bytes = reinterpret_cast<const std::byte*>(link[i]);
      uint32_t end = std::max<uint32_t>(link[i]->size, sizeof(opmux_ext));
      while (end > sizeof(opmux_ext) && bytes[end - 1] == std::byte{0}) --end;
      pair(link[i]->tag, end);
      for (uint32_t at = sizeof(opmux_ext); at < end; at += 8) {
        uint64_t w = 0;
        std::memcpy(&w, bytes + at, std::min<uint32_t>(8, end - at));
        sink_.word(w);
      }
    }
  }

  Sink& sink_;
};

template <class Sink>
void write(const opmux_opd& d, Sink& sink) {
  sink.word(kFormat);
  Canonical<Sink>(sink).descriptor(d);
}

}  // namespace

Digest digest(const opmux_opd& d) {
  Hasher h;
  write(d, h);
  return h.digest();
}

void serialise(const opmux_opd& d, std::vector<std::byte>& out) {
  Writer w(out);
  write(d, w);
}

}  // namespace opmux::schema
