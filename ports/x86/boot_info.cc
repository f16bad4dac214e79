// SPDX-License-Identifier: MIT
#include "x86/boot_info.h"

#include "port_layout.h"
#include "x86/image.h"

namespace quarry {
namespace {

constexpr uint32_t kMultiboot2Magic = 0x36d76289;
constexpr uint32_t kPvhMagic = 0x336ec578;

struct PvhStartInfo {
  uint32_t magic;
  uint32_t version;  // the memory map is there from version 1 on
  uint32_t flags;
  uint32_t module_count;
  uint64_t modules;
  uint64_t command_line;
  uint64_t rsdp;
  uint64_t memory_map;
  uint32_t memory_map_entries;
  uint32_t reserved;
};
static_assert(sizeof(PvhStartInfo) == 56);

struct PvhModule {
  uint64_t address;
  uint64_t bytes;
  uint64_t command_line;
  uint64_t reserved;
};

// Both protocols have the same entries.
struct MapEntry {
  uint64_t start;
  uint64_t bytes;
  uint32_t type;
  uint32_t reserved;
};

struct [[gnu::packed]] Rsdp {
  char signature[8];
  uint8_t checksum;
  char oem[6];
  uint8_t revision;
  uint32_t rsdt;
  uint32_t length;  // from here on only in revision 2
  uint64_t xsdt;
};

struct Multiboot2Tag {
  enum : uint32_t { kEnd = 0, kCommandLine = 1, kModule = 3, kMap = 6, kOldAcpi = 14, kAcpi = 15 };
  uint32_t type;
  uint32_t bytes;

  template <class T>
  const T* content() const {
    return reinterpret_cast<const T*>(this + 1);
  }
};

template <class T>
const T* boot_memory(uint64_t physical) {
  return reinterpret_cast<const T*>(kKernelOffset + static_cast<uintptr_t>(physical));
}

void copy_command_line(BootInfo& info, const char* from) {
  unsigned length = 0;
  while (from[length] != '\0' && length != BootInfo::kMaxCommandLine - 1) {
    info.command_line[length] = from[length];
    ++length;
  }
  info.command_line[length] = '\0';
}

void add_range(BootInfo& info, const MapEntry& entry) {
  if (entry.bytes == 0 || info.range_count == BootInfo::kMaxRanges) return;
  info.range[info.range_count++] = {{entry.start, entry.bytes}, entry.type};
}

void add_module(BootInfo& info, uint64_t start, uint64_t bytes) {
  if (bytes == 0 || info.module_count == BootInfo::kMaxModules) return;
  info.module[info.module_count++] = {start, bytes};
}

bool read_rsdp(BootInfo& info, const Rsdp& rsdp) {
  if (__builtin_memcmp(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature)) != 0) return false;
  info.acpi_root_is_xsdt = rsdp.revision >= 2 && rsdp.xsdt != 0;
  info.acpi_root = info.acpi_root_is_xsdt ? rsdp.xsdt : rsdp.rsdt;
  return true;
}

// Where the firmware of a PC has it (ACPI 6.4, 5.2.5.1).
void search_rsdp(BootInfo& info) {
  for (uint64_t at = 0xe0000; at != 0x100000; at += 16) {
    if (read_rsdp(info, *boot_memory<Rsdp>(at))) return;
  }
}

const char* read_pvh(BootInfo& info, const PvhStartInfo& start) {
  if (start.magic != kPvhMagic) return "the loader is neither PVH nor multiboot2";
  if (start.version < 1 || start.memory_map_entries == 0) return "the loader has no memory map";
  info.loader = "PVH";
  const auto* const map = boot_memory<MapEntry>(start.memory_map);
  for (uint32_t i = 0; i != start.memory_map_entries; ++i) add_range(info, map[i]);
  const auto* const modules = boot_memory<PvhModule>(start.modules);
  for (uint32_t i = 0; i != start.module_count; ++i) {
    add_module(info, modules[i].address, modules[i].bytes);
  }
  if (start.command_line != 0) copy_command_line(info, boot_memory<char>(start.command_line));
  if (start.rsdp != 0) read_rsdp(info, *boot_memory<Rsdp>(start.rsdp));
  return nullptr;
}

void read_tag(BootInfo& info, const Multiboot2Tag& tag) {
  struct MapTag {
    uint32_t entry_bytes;
    uint32_t version;
    MapEntry entry[1];
  };
  struct ModuleTag {
    uint32_t start;
    uint32_t end;
  };
  switch (tag.type) {
    case Multiboot2Tag::kCommandLine:
      return copy_command_line(info, tag.content<char>());
    case Multiboot2Tag::kModule: {
      const auto& module = *tag.content<ModuleTag>();
      return add_module(info, module.start, module.end - module.start);
    }
    case Multiboot2Tag::kMap: {
      const auto& map = *tag.content<MapTag>();
      const auto* entry = reinterpret_cast<const unsigned char*>(map.entry);
      const auto* const end = reinterpret_cast<const unsigned char*>(&tag) + tag.bytes;
      for (; entry < end; entry += map.entry_bytes) {
        add_range(info, *reinterpret_cast<const MapEntry*>(entry));
      }
      return;
    }
    case Multiboot2Tag::kOldAcpi:
    case Multiboot2Tag::kAcpi:
      read_rsdp(info, *tag.content<Rsdp>());
      return;
    default:
      return;
  }
}

const char* read_multiboot2(BootInfo& info, uint32_t block) {
  constexpr uint32_t kHeaderBytes = 8;
  info.loader = "multiboot2";
  for (uint64_t at = block + kHeaderBytes;;) {
    const auto& tag = *boot_memory<Multiboot2Tag>(at);
    if (tag.type == Multiboot2Tag::kEnd) break;
    read_tag(info, tag);
    at = round_up(at + tag.bytes, uint64_t{8});
  }
  return info.range_count == 0 ? "the loader has no memory map" : nullptr;
}

}  // namespace

uint64_t BootInfo::usable_end() const {
  uint64_t end = 0;
  for (const BootRange& usable : ranges()) {
    if (usable.type == BootRange::kUsable && usable.end() > end) end = usable.end();
  }
  return end;
}

void BootInfo::reserve(PhysRange taken) {
  QUARRY_CHECK(reserved_count != kMaxReserved);
  reserved[reserved_count++] = taken;
}

uint64_t BootInfo::take(uint64_t bytes, uint64_t limit) {
  constexpr uint64_t kPage = 4096;
  for (const BootRange& usable : ranges()) {
    if (usable.type != BootRange::kUsable) continue;
    PhysRange wanted{round_up(usable.start, kPage), bytes};
    for (unsigned i = 0; i != reserved_count; ++i) {
      if (!reserved[i].overlaps(wanted)) continue;
      wanted.start = round_up(reserved[i].end(), kPage);
      i = static_cast<unsigned>(-1);  // others may be in the way now
    }
    if (wanted.end() > usable.end() || wanted.end() > limit) continue;
    reserve(wanted);
    return wanted.start;
  }
  return 0;
}

const char* read_boot_info(BootInfo& info, uint32_t magic, uint32_t block) {
  const char* const wrong = magic == kMultiboot2Magic
                                ? read_multiboot2(info, block)
                                : read_pvh(info, *boot_memory<PvhStartInfo>(block));
  if (wrong != nullptr) return wrong;
  if (info.acpi_root == 0) search_rsdp(info);
  // The first MiB is the firmware's, and where the other CPUs start.
  info.reserve({0, kMiB});
  info.reserve({image::physical_start(), image::bytes()});
  for (const PhysRange& module : info.modules()) info.reserve(module);
  return nullptr;
}

}  // namespace quarry
