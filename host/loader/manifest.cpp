// SPDX-License-Identifier: Apache-2.0
#include "host/loader/manifest.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "host/platform/error.hpp"
#include "opmux/plugin.h"

namespace opmux {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr uint16_t kMachine = EM_RISCV;
#else
#error "name the ELF machine of this target"
#endif

using Bytes = std::span<const std::byte>;

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_RISCV:
      return "riscv";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_PPC64:
      return "ppc64";
    default:
      return fmt::format("machine {}", machine);
  }
}

// The bytes [offset, offset + size), or nothing when they do not lie in the file.
std::optional<Bytes> slice(Bytes file, uint64_t offset, uint64_t size) {
  if (offset > file.size() || size > file.size() - offset) return std::nullopt;
  return file.subspan(offset, size);
}

template <class T>
T load(Bytes bytes, size_t offset = 0) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

Elf64_Ehdr check_header(Bytes file) {
  if (file.size() < SELFMAG || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) {
    fail(OPMUX_E_INVALID, "not a shared library: no ELF header");
  }
  if (file.size() < sizeof(Elf64_Ehdr)) {
    fail(OPMUX_E_INVALID, "truncated library: {} bytes, the ELF header has {}", file.size(),
         sizeof(Elf64_Ehdr));
  }
  const auto header = load<Elf64_Ehdr>(file);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    fail(OPMUX_E_INVALID, "wrong architecture: the library is not 64-bit little-endian");
  }
  if (header.e_machine != kMachine) {
    fail(OPMUX_E_INVALID, "wrong architecture: the library is for {}, this host is {}",
         machine_name(header.e_machine), machine_name(kMachine));
  }
  if (header.e_type != ET_DYN)
    fail(OPMUX_E_INVALID, "not a shared library: ELF type {}, expected {}", header.e_type, ET_DYN);
  return header;
}

// A table of `count` entries, of which only the first sizeof(T) bytes each are read.
template <class T>
Bytes check_table(Bytes file, std::string_view what, uint64_t offset, uint64_t count, uint64_t entry_size) {
  if (count == 0) return {};
  if (entry_size < sizeof(T)) {
    fail(OPMUX_E_INVALID, "damaged library: entries of the {} table have {} bytes, expected {}", what,
         entry_size, sizeof(T));
  }
  const auto table = slice(file, offset, count * entry_size);
  if (!table) {
    fail(OPMUX_E_INVALID, "truncated library: the {} table ends at byte {}, the file has {}", what,
         offset + count * entry_size, file.size());
  }
  return *table;
}

// First note of the given owner and type among the notes in `area`.
std::optional<Bytes> find_note(Bytes area, uint64_t align, std::string_view owner, uint32_t type) {
  const uint64_t pad = align == 8 ? 7 : 3;
  uint64_t at = 0;
  while (area.size() - at >= sizeof(Elf64_Nhdr)) {
    const auto head = load<Elf64_Nhdr>(area, at);
    const uint64_t name_at = at + sizeof(Elf64_Nhdr);
    const uint64_t desc_at = (name_at + head.n_namesz + pad) & ~pad;
    const uint64_t next = (desc_at + head.n_descsz + pad) & ~pad;
    const auto name = slice(area, name_at, head.n_namesz);
    const auto desc = slice(area, desc_at, head.n_descsz);
    if (!name || !desc) return std::nullopt;
    const bool same = name->size() == owner.size() + 1 &&
                      std::memcmp(name->data(), owner.data(), owner.size()) == 0 &&
                      name->back() == std::byte{0};
    if (same && head.n_type == type) return desc;
    if (next > area.size()) return std::nullopt;
    at = next;
  }
  return std::nullopt;
}

// Walks the segments that the dynamic loader maps; keeps the two notes on the way.
struct Notes {
  std::optional<Bytes> manifest, build_id;

  void look(Bytes area, uint64_t align) {
    if (!manifest) manifest = find_note(area, align, OPMUX_NOTE_OWNER, OPMUX_NOTE_MANIFEST);
    if (!build_id) build_id = find_note(area, align, "GNU", NT_GNU_BUILD_ID);
  }
};

void scan_segments(Bytes file, const Elf64_Ehdr& header, Notes& notes) {
  const Bytes table =
      check_table<Elf64_Phdr>(file, "program header", header.e_phoff, header.e_phnum, header.e_phentsize);
  if (table.empty()) fail(OPMUX_E_INVALID, "not a shared library: no program headers");
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = load<Elf64_Phdr>(table, i * header.e_phentsize);
    if (segment.p_type == PT_NULL) continue;
    const auto bytes = slice(file, segment.p_offset, segment.p_filesz);
    if (!bytes) {
      fail(OPMUX_E_INVALID, "truncated library: segment {} ends at byte {}, the file has {}", i,
           segment.p_offset + segment.p_filesz, file.size());
    }
    if (segment.p_type == PT_NOTE) notes.look(*bytes, segment.p_align);
  }
}

void scan_sections(Bytes file, const Elf64_Ehdr& header, Notes& notes) {
  if (header.e_shoff == 0) return;
  const Bytes table =
      check_table<Elf64_Shdr>(file, "section", header.e_shoff, header.e_shnum, header.e_shentsize);
  for (uint64_t i = 0; i < header.e_shnum && !table.empty(); ++i) {
    const auto section = load<Elf64_Shdr>(table, i * header.e_shentsize);
    if (section.sh_type == SHT_NOBITS || section.sh_type == SHT_NULL) continue;
    const auto bytes = slice(file, section.sh_offset, section.sh_size);
    if (!bytes) {
      fail(OPMUX_E_INVALID, "truncated library: section {} ends at byte {}, the file has {}", i,
           section.sh_offset + section.sh_size, file.size());
    }
    if (section.sh_type == SHT_NOTE) notes.look(*bytes, section.sh_addralign);
  }
}

// A zero-terminated text in a field of fixed size.
template <size_t N>
std::string text_field(const char (&field)[N], std::string_view what) {
  const void* end = std::memchr(field, 0, N);
  if (end == nullptr) fail(OPMUX_E_INVALID, "damaged manifest: the {} has no end within {} bytes", what, N);
  return std::string(field, static_cast<const char*>(end));
}

void check_name(const std::string& name) {
  const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (!good)
    fail(OPMUX_E_INVALID, "damaged manifest: the name holds other characters than a-z, 0-9, _ and -");
}

Manifest parse(Bytes note) {
  opmux_manifest raw{};
  constexpr size_t kLeast = offsetof(opmux_manifest, version);
  uint32_t size = 0;
  if (note.size() >= sizeof(size)) size = load<uint32_t>(note);
  if (size < kLeast || size > note.size()) {
    fail(OPMUX_E_INVALID, "damaged manifest: it says {} bytes, the note has {}, the least is {}", size,
         note.size(), kLeast);
  }
  std::memcpy(&raw, note.data(), std::min<size_t>(size, sizeof(raw)));
  Manifest out;
  out.abi_major = raw.abi_major;
  out.abi_minor = raw.abi_minor;
  out.flags = raw.flags;
  out.sanitizer = raw.sanitizer;
  out.opset = raw.opset;
  out.name = text_field(raw.name, "name");
  out.version = text_field(raw.version, "version");
  check_name(out.name);
  for (char& c : out.version) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  return out;
}

}  // namespace

Manifest read_manifest(std::span<const std::byte> file) {
  const Elf64_Ehdr header = check_header(file);
  Notes notes;
  scan_segments(file, header, notes);
  scan_sections(file, header, notes);
  if (!notes.manifest) fail(OPMUX_E_INVALID, "no Opmux manifest note: this library is no plugin");
  Manifest manifest = parse(*notes.manifest);
  if (notes.build_id) {
    for (const std::byte b : *notes.build_id)
      manifest.build_id += fmt::format("{:02x}", static_cast<unsigned>(b));
  }
  return manifest;
}

}  // namespace opmux
