// SPDX-License-Identifier: MIT
#include "x86/descriptors.h"

namespace quarry {
namespace {

constexpr unsigned kFirstCpu = 3;

// Behind code and data one segment for each CPU, written by that CPU.
constinit uint64_t table[kFirstCpu + kMaxBareCpus] = {
    0,
    0x00cf'9a00'0000'ffff,
    0x00cf'9200'0000'ffff,
};

// 4 GiB of writable data from `base` on (Intel SDM vol. 3A, 3.4.5).
constexpr uint64_t data_segment(uint32_t base) {
  constexpr uint64_t kFlat = 0x00cf'9200'0000'ffff;
  return kFlat | uint64_t{base & 0xff'ffff} << 16 | uint64_t{base >> 24} << 56;
}

}  // namespace

void use_segments(BareCpu& cpu) {
  const auto number = static_cast<unsigned>(&cpu - machine.cpu);
  table[kFirstCpu + number] = data_segment(reinterpret_cast<uintptr_t>(&cpu));
  const DescriptorPointer pointer{sizeof(table) - 1, reinterpret_cast<uintptr_t>(table)};
  asm volatile("lgdt %0" : : "m"(pointer));
  const unsigned selector = (kFirstCpu + number) * sizeof(uint64_t);
  asm volatile("movl %0, %%fs" : : "r"(selector) : "memory");
}

}  // namespace quarry
