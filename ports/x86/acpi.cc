// SPDX-License-Identifier: MIT
#include "x86/acpi.h"

#include "x86/apic.h"
#include "x86/paging.h"

namespace quarry {
namespace {

struct [[gnu::packed]] TableHeader {
  char signature[4];
  uint32_t bytes;
  uint8_t revision;
  uint8_t checksum;
  char oem[6];
  char oem_table[8];
  uint32_t oem_revision;
  uint32_t creator;
  uint32_t creator_revision;
};
static_assert(sizeof(TableHeader) == 36);

struct [[gnu::packed]] Madt : TableHeader {
  uint32_t apic_address;
  uint32_t flags;
};

struct [[gnu::packed]] Srat : TableHeader {
  uint32_t reserved1;
  uint64_t reserved2;
};

struct [[gnu::packed]] Slit : TableHeader {
  uint64_t count;
};

// Entries of MADT and SRAT begin alike.
struct [[gnu::packed]] EntryHeader {
  uint8_t type;
  uint8_t bytes;
};

struct [[gnu::packed]] LocalApic : EntryHeader {
  static constexpr uint8_t kType = 0;
  uint8_t processor;
  uint8_t id;
  uint32_t flags;
};

struct [[gnu::packed]] CpuAffinity : EntryHeader {
  static constexpr uint8_t kType = 0;
  uint8_t domain_low;
  uint8_t apic_id;
  uint32_t flags;
  uint8_t sapic_eid;
  uint8_t domain_high[3];
  uint32_t clock_domain;

  unsigned domain() const {
    return domain_low | unsigned{domain_high[0]} << 8 | unsigned{domain_high[1]} << 16 |
           unsigned{domain_high[2]} << 24;
  }
};

struct [[gnu::packed]] MemoryAffinity : EntryHeader {
  static constexpr uint8_t kType = 1;
  uint32_t domain;
  uint16_t reserved1;
  uint64_t start;
  uint64_t length;
  uint32_t reserved2;
  uint32_t flags;
  uint64_t reserved3;
};
static_assert(sizeof(MemoryAffinity) == 40 && sizeof(CpuAffinity) == 16);

constexpr uint32_t kEnabled = 1;

// Calls `visit(const EntryHeader&)` for the entries behind the fixed part of a table.
template <class Table, class Visit>
void for_each_entry(const Table& table, Visit&& visit) {
  const auto* at = reinterpret_cast<const unsigned char*>(&table + 1);
  const auto* const end = reinterpret_cast<const unsigned char*>(&table) + table.bytes;
  while (at + sizeof(EntryHeader) <= end) {
    const auto& entry = *reinterpret_cast<const EntryHeader*>(at);
    if (entry.bytes < sizeof(EntryHeader) || at + entry.bytes > end) return;
    visit(entry);
    at += entry.bytes;
  }
}

const TableHeader& map_table(uint64_t physical) {
  const auto* header =
      reinterpret_cast<const TableHeader*>(map_device(physical, sizeof(TableHeader)));
  const uint64_t page_end = round_up(physical + 1, uint64_t{kPageBytes});
  if (physical + header->bytes <= page_end) return *header;
  return *reinterpret_cast<const TableHeader*>(map_device(physical, header->bytes));
}

bool is_table(const TableHeader& table, const char* signature) {
  return __builtin_memcmp(table.signature, signature, sizeof(table.signature)) == 0;
}

void read_madt(BareMachine& into, const Madt& madt) {
  into.apic = map_device(madt.apic_address, kPageBytes);
  const uint32_t own_id = apic_id();
  into.cpu[0].apic_id = own_id;
  for_each_entry(madt, [&](const EntryHeader& entry) {
    if (entry.type != LocalApic::kType) return;
    const auto& apic = static_cast<const LocalApic&>(entry);
    if ((apic.flags & kEnabled) == 0 || apic.id == own_id) return;
    if (into.cpu_count != kMaxBareCpus) into.cpu[into.cpu_count++].apic_id = apic.id;
  });
}

void add_node(BareMachine& into, unsigned node) {
  if (node >= into.node_count) into.node_count = node + 1;
}

void read_srat(BareMachine& into, const Srat& srat) {
  for_each_entry(srat, [&](const EntryHeader& entry) {
    if (entry.type == CpuAffinity::kType) {
      const auto& cpu = static_cast<const CpuAffinity&>(entry);
      if ((cpu.flags & kEnabled) == 0 || cpu.domain() >= kMaxBareNodes) return;
      for (unsigned i = 0; i != into.cpu_count; ++i) {
        if (into.cpu[i].apic_id == cpu.apic_id) into.cpu[i].node = NodeId(cpu.domain());
      }
      add_node(into, cpu.domain());
    } else if (entry.type == MemoryAffinity::kType) {
      const auto& memory = static_cast<const MemoryAffinity&>(entry);
      const uint32_t domain = memory.domain;
      if ((memory.flags & kEnabled) == 0 || domain >= kMaxBareNodes || memory.length == 0) return;
      if (into.node_range_count == BareMachine::kMaxNodeRanges) return;
      NodeRange& range = into.node_range[into.node_range_count++];
      range = {{memory.start, memory.length}, NodeId(domain)};
      add_node(into, domain);
    }
  });
}

void read_slit(BareMachine& into, const Slit& slit) {
  const auto* const distance = reinterpret_cast<const uint8_t*>(&slit + 1);
  const auto count = static_cast<unsigned>(slit.count);
  if (slit.count > kMaxBareNodes || sizeof(Slit) + count * count > slit.bytes) return;
  for (unsigned from = 0; from != count; ++from) {
    for (unsigned to = 0; to != count; ++to) {
      into.distance[from][to] = distance[from * count + to];
    }
  }
}

uint64_t table_address(const TableHeader& root, bool is_xsdt, unsigned i) {
  const auto* const at = reinterpret_cast<const unsigned char*>(&root + 1);
  uint64_t address = 0;
  __builtin_memcpy(&address, at + i * (is_xsdt ? 8 : 4), is_xsdt ? 8 : 4);
  return address;
}

}  // namespace

void read_acpi(BareMachine& into) {
  into.cpu_count = 1;
  into.node_count = 1;
  if (into.boot.acpi_root == 0) return;
  const bool is_xsdt = into.boot.acpi_root_is_xsdt;
  const TableHeader& root = map_table(into.boot.acpi_root);
  const unsigned count = (root.bytes - sizeof(TableHeader)) / (is_xsdt ? 8 : 4);
  const TableHeader* srat = nullptr;
  for (unsigned i = 0; i != count; ++i) {
    const TableHeader& table = map_table(table_address(root, is_xsdt, i));
    if (is_table(table, "APIC")) read_madt(into, static_cast<const Madt&>(table));
    if (is_table(table, "SRAT")) srat = &table;
    if (is_table(table, "SLIT")) read_slit(into, static_cast<const Slit&>(table));
  }
  // Behind the MADT, whatever their order: it names the CPUs that the MADT lists.
  if (srat != nullptr) read_srat(into, static_cast<const Srat&>(*srat));
}

}  // namespace quarry
