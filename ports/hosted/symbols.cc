// SPDX-License-Identifier: MIT
#include "symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

namespace quarry {
namespace {

// An ELF file that is read in place.
class ElfFile {
 public:
  explicit ElfFile(const char* path) : file_(open(path, O_RDONLY | O_CLOEXEC)) {}
  ~ElfFile() {
    if (file_ >= 0) close(file_);
  }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  // Bytes read at `offset`: less than asked for at the end of the file, 0 on failure.
  size_t read(void* to, size_t bytes, uint64_t offset) const {
    const ssize_t got = pread(file_, to, bytes, static_cast<off_t>(offset));
    return got < 0 ? 0 : static_cast<size_t>(got);
  }
  template <typename T>
  bool read(T& to, uint64_t offset) const {
    return read(&to, sizeof(T), offset) == sizeof(T);
  }

 private:
  int file_;
};

bool find_section(const ElfFile& file, const ElfW(Ehdr) & header, uint32_t type,
                  ElfW(Shdr) & section) {
  for (unsigned i = 0; i != header.e_shnum; ++i) {
    if (!file.read(section, header.e_shoff + uint64_t{i} * sizeof(section))) return false;
    if (section.sh_type == type) return true;
  }
  return false;
}

// `offset`: address less where the file was loaded.
bool find_function(const ElfFile& file, const ElfW(Shdr) & table, uintptr_t offset,
                   ElfW(Sym) & found) {
  constexpr size_t kChunk = 64;
  ElfW(Sym) chunk[kChunk];
  for (uint64_t at = 0; at < table.sh_size;) {
    const size_t count = file.read(chunk, sizeof(chunk), table.sh_offset + at) / sizeof(chunk[0]);
    if (count == 0) return false;
    for (size_t i = 0; i != count && at < table.sh_size; ++i, at += sizeof(chunk[0])) {
      const ElfW(Sym)& symbol = chunk[i];
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF &&
          offset - symbol.st_value < symbol.st_size) {
        found = symbol;
        return true;
      }
    }
  }
  return false;
}

bool find_in_file(const char* path, uintptr_t load_address, uintptr_t address, Symbol& symbol) {
  const ElfFile file(path);
  ElfW(Ehdr) header;
  ElfW(Shdr) table;
  ElfW(Shdr) names;
  ElfW(Sym) found;
  if (!file.read(header, 0) || header.e_shentsize != sizeof(table)) return false;
  if (!find_section(file, header, SHT_SYMTAB, table) &&
      !find_section(file, header, SHT_DYNSYM, table)) {
    return false;
  }
  if (!find_function(file, table, address - load_address, found)) return false;
  if (!file.read(names, header.e_shoff + uint64_t{table.sh_link} * sizeof(names))) return false;
  const size_t got =
      file.read(symbol.name, sizeof(symbol.name) - 1, names.sh_offset + found.st_name);
  symbol.name[got] = '\0';
  symbol.start = load_address + found.st_value;
  symbol.bytes = found.st_size;
  return symbol.name[0] != '\0';
}

}  // namespace

bool find_symbol(uintptr_t address, Symbol& symbol) {
  const int error = errno;
  dl_find_object object;
  bool found = false;
  if (_dl_find_object(reinterpret_cast<void*>(address), &object) == 0) {
    const link_map& map = *object.dlfo_link_map;
    const char* const path = map.l_name[0] == '\0' ? "/proc/self/exe" : map.l_name;
    found = find_in_file(path, map.l_addr, address, symbol);
  }
  errno = error;
  return found;
}

}  // namespace quarry
