// SPDX-License-Identifier: MIT
#include "machine.h"

#include <quarry/text_sink.h>
#include <quarry/x86_cpu.h>

extern "C" {
extern uint64_t page_table_root[512];
extern const char trap_entries[];
extern const char image_end[];
[[noreturn]] void die_of_trap(const uint64_t* stack);
}

namespace {

using namespace quarry;

constexpr uint16_t kSerial = 0x3f8;
constexpr uint16_t kDebugExit = 0x501;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kLargePage = 2 * kMiB;
constexpr uint64_t kToTable = 0x3;                         // present, writable
constexpr uint64_t kToLargePage = 0x83 | 1ULL << 63;       // ... 2 MiB, no code
constexpr unsigned kDirectEntry = kDirectMap >> 39 & 511;  // of the root table

// "x86/HVM direct boot ABI" of Xen.
struct StartInfo {
  uint32_t magic, version, flags, module_count;
  uint64_t modules, command_line, rsdp, memory_map;
  uint32_t memory_map_entries, reserved;
};
struct MapEntry {
  uint64_t start, bytes;
  uint32_t type, reserved;
};
constexpr uint32_t kUsable = 1;

struct Gate {
  uint16_t offset_low, selector, type, offset_middle;
  uint32_t offset_high, reserved;
};

constinit Gate gates[32] = {};
constinit MemoryRange ranges[64] = {};
// One CPU, so one block.
constinit CpuBlock cpu_block{};
alignas(kPage) constinit uint64_t direct_upper[512] = {};
constinit uint64_t next_table = 0;

void out8(uint16_t port, uint8_t value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
uint8_t in8(uint16_t port) {
  uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

template <class T>
T* boot_memory(uint64_t physical) {
  return reinterpret_cast<T*>(kKernelOffset + physical);
}

// The direct map has to have all that the memory map calls usable, and need have no more.
void map_directly(uint64_t start, uint64_t end) {
  for (uint64_t at = round_down(start, kLargePage); at < end; at += kLargePage) {
    uint64_t& upper = direct_upper[at / kGiB];
    if (upper == 0) {
      upper = next_table | kToTable;
      __builtin_memset(boot_memory<void>(next_table), 0, kPage);
      next_table += kPage;
    }
    boot_memory<uint64_t>(upper & ~(kPage - 1))[at / kLargePage % 512] = at | kToLargePage;
  }
}

}  // namespace

void start_machine() {
  constexpr uint8_t kSetUp[][2] = {{1, 0}, {3, 0x80}, {0, 1},
                                   {1, 0}, {3, 3},    {2, 7}};  // 115200 8N1
  for (const auto& [offset, value] : kSetUp) out8(kSerial + offset, value);

  for (unsigned i = 0; i != 32; ++i) {
    const auto entry = reinterpret_cast<uintptr_t>(trap_entries) + i * 16;
    gates[i] = {uint16_t(entry), 8, 0x8e00, uint16_t(entry >> 16), uint32_t(entry >> 32), 0};
  }
  const struct [[gnu::packed]] {
    uint16_t limit;
    const void* base;
  } pointer{sizeof(gates) - 1, gates};
  asm volatile("lidt %0" : : "m"(pointer));

  cpu_block.init(0);
  constexpr uint32_t kGsBase = 0xc0000101;
  const auto block = reinterpret_cast<uintptr_t>(&cpu_block);
  asm volatile("wrmsr" : : "c"(kGsBase), "a"(uint32_t(block)), "d"(uint32_t(block >> 32)));
}

void write_serial(const char* text, size_t length) {
  constexpr uint8_t kEmpty = 0x20;
  for (size_t i = 0; i != length; ++i) {
    while ((in8(kSerial + 5) & kEmpty) == 0) asm volatile("pause");
    out8(kSerial, uint8_t(text[i]));
  }
}

std::span<const MemoryRange> take_memory(uint32_t start_info) {
  const auto& info = *boot_memory<const StartInfo>(start_info);
  const auto* const map = boot_memory<const MapEntry>(info.memory_map);
  // The map is copied first: it lies in memory that it calls usable.
  size_t count = 0;
  for (uint32_t i = 0; i != info.memory_map_entries; ++i) {
    const auto [start, bytes, type, reserved] = map[i];
    if (type != kUsable || start >= kDirectMapBytes) continue;
    if (count == std::size(ranges) - 1) die("more ranges of memory than there is room for");
    const uint64_t seen = start + bytes > kDirectMapBytes ? kDirectMapBytes - start : bytes;
    ranges[count++] = {PhysAddr(start), seen, NodeId(0), MemoryType::kUsable};
  }
  // Tables come from behind the image, which ends far below what the first tables show.
  next_table = reinterpret_cast<uintptr_t>(image_end) - kKernelOffset;
  for (size_t i = 0; i != count; ++i) {
    map_directly(ranges[i].start.value(), ranges[i].start.value() + ranges[i].bytes);
  }
  page_table_root[kDirectEntry] =
      reinterpret_cast<uintptr_t>(direct_upper) - kKernelOffset + kToTable;
  // The firmware's first MiB, the image, its tables.
  ranges[count++] = {PhysAddr(0), next_table, NodeId(0), MemoryType::kReserved};
  return {ranges, count};
}

const char* command_line(uint32_t start_info) {
  const uint64_t at = boot_memory<const StartInfo>(start_info)->command_line;
  return at == 0 ? "" : boot_memory<const char>(at);
}

// The core goes through the tables by their addresses in the direct map.
uintptr_t page_table_root_address() {
  return reinterpret_cast<uintptr_t>(page_table_root) - kKernelOffset + kDirectMap;
}

uint64_t time_stamp() {
  uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return uint64_t{high} << 32 | low;
}

void die(const char* message) {
  FixedText<512> line;
  format(line, "kernel: %s\n", message);
  write_serial(line.c_str(), line.size());
  leave_machine(false);
}

// `stack`: the vector, the error code if it has one, the instruction pointer.
void die_of_trap(const uint64_t* stack) {
  constexpr uint32_t kHaveErrorCode = 1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21;
  const auto vector = unsigned(stack[0]);
  uintptr_t address;
  asm volatile("mov %%cr2, %0" : "=r"(address));
  FixedText<128> message;
  format(message, "trap %u at %p, address %p", vector,
         reinterpret_cast<void*>(stack[1 + (kHaveErrorCode >> vector & 1)]),
         reinterpret_cast<void*>(address));
  die(message.c_str());
}

// QEMU's isa-debug-exit device ends with status 2 * value + 1. A triple fault gives 0, so that
// passing needs another value. On a machine without that device nothing more happens.
void leave_machine(bool passed) {
  asm volatile("outl %0, %1" : : "a"(passed ? 0x10 : 0x11), "Nd"(kDebugExit));
  for (;;) asm volatile("cli\n\thlt");
}
